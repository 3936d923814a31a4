"""Listing conversations: pages by last activity, perhaps only of those that hold a text."""

import base64

import msgspec

from luxx.core.errors import InvalidRequest
from luxx.store.records import Conversation, ConversationPage
from luxx.store.sql.connection import Connection
from luxx.store.sql.conversation_rows import CONVERSATIONS, conversation_of
from luxx.store.sql.matching import Condition, contains, may_hold

Position = tuple[str, str]
"""Where a page ends: the last conversation's time of activity, and its id."""

_NO_CURSOR = "This is not a cursor of a list of conversations."


def position(cursor: str) -> Position:
    """Return where a cursor points. Raises InvalidRequest for one that this module did not make."""
    try:
        time, conversation_id = msgspec.json.decode(base64.urlsafe_b64decode(cursor), type=Position)
    except (ValueError, msgspec.MsgspecError) as error:
        raise InvalidRequest(_NO_CURSOR, "cursor") from error
    if "\0" in time or "\0" in conversation_id:  # which one engine takes and the other does not
        raise InvalidRequest(_NO_CURSOR, "cursor")
    return time, conversation_id


def page(
    connection: Connection, owner: str, limit: int, after: Position | None, query: str | None, pinned: bool | None
) -> ConversationPage:
    """Return up to `limit` conversations of lesser activity than `after`; with `pinned`, only those that are, or are not."""
    sql = CONVERSATIONS + "WHERE c.owner_id = ? AND c.deleted_at IS NULL"
    values: list[str | int] = [owner]
    if pinned is not None:
        sql += " AND c.pinned" if pinned else " AND NOT c.pinned"
    if after is not None:
        sql += " AND (c.updated_at, c.id) < (?, ?)"
        values += after
    if query is not None and query.strip():
        matches = _matches(query.strip())
        sql += f" AND {matches.sql}"
        values += matches.values
    sql += " ORDER BY c.updated_at DESC, c.id DESC LIMIT ?"
    found = [conversation_of(row) for row in connection.execute(sql, (*values, limit + 1))]
    items = tuple(found[:limit])
    return ConversationPage(items, _cursor(items[-1]) if items and len(found) > limit else None)


def _cursor(last: Conversation) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode((last.updated_at, last.id))).decode()


def _matches(query: str) -> Condition:
    """Say that a conversation's title or one of its texts holds the query as a whole.

    With the index all messages are found at once; without it each conversation's are looked at, newest first, until there are enough.
    """
    title, text, indexed = contains("c.title", query), contains("m.text", query), may_hold("m.id", (query,))
    if indexed is None:
        sql = f"EXISTS (SELECT 1 FROM message m WHERE m.conversation_id = c.id AND {text.sql})"
        return Condition(f"({title.sql} OR {sql})", (*title.values, *text.values))
    sql = f"c.id IN (SELECT m.conversation_id FROM message m WHERE {indexed.sql} AND {text.sql})"
    return Condition(f"({title.sql} OR {sql})", (*title.values, *indexed.values, *text.values))
