"""The search index: what was said waits in a list of the index, and is sorted in some time after its commit.

Otherwise the turn whose entry makes the list too long would sort all of it in, which takes a second and more. Searches read the list, too.
"""

from luxx.store.sql.connection import Connection

_THERE = "SELECT to_regclass('message_search') IS NOT NULL"
_SORT_IN = "SELECT gin_clean_pending_list('message_search'::regclass)"


def sort_in(connection: Connection) -> int:
    """Sort in what waits; where pg_trgm could not be had, there is no index. Return 0: nothing is left but what came meanwhile."""
    (there,) = connection.execute(_THERE).fetchone()
    if there:
        connection.execute(_SORT_IN).fetchone()
    return 0
