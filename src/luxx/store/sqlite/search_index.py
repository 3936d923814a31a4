"""The search index: what was said goes into it some time after its commit, so that no turn waits for it.

Cutting a text into trigrams takes about half a millisecond for each kilobyte, and merging the index now and then tens of
milliseconds. Until then a text is found by looking at it.
"""

from luxx.store.sql.connection import Connection

MESSAGES = 32
CHARACTERS = 100_000
"""How much is indexed in one transaction: so little that a flush of the live turns does not wait long behind it."""

_WAITING = """
    SELECT s.number, m.text FROM searchable s JOIN message m ON m.id = s.message_id
    WHERE NOT s.indexed ORDER BY s.number LIMIT ?
"""


def index_some(connection: Connection) -> int:
    """Index some messages that wait for it, at least one; return how many."""
    done, characters = 0, 0
    for number, text in connection.execute(_WAITING, (MESSAGES,)).fetchall():
        connection.send("INSERT INTO message_search (rowid, text) VALUES (?, ?)", (number, text))
        connection.send("UPDATE searchable SET indexed = true WHERE number = ?", (number,))
        done, characters = done + 1, characters + len(text)
        if characters >= CHARACTERS:
            break
    return done
