"""Searching: messages and titles that hold all that is looked for, the best first, page by page."""

import base64
import re
from collections.abc import Sequence

import msgspec

from luxx.core.errors import InvalidRequest
from luxx.store.archive import Hit, HitPage, Mark
from luxx.store.sql.connection import Connection
from luxx.store.sql.dialect import wanted
from luxx.store.sql.matching import Condition, contains, like, may_hold
from luxx.store.sql.snippets import markdown_snippet, snippet

MOST_CHARACTERS = 500
"""What is beyond them in a query is not looked at."""
MOST_PIECES = 12
MOST_RANK = 4

Position = tuple[int, str, str]
"""Where a page ends: the last hit's rank, its time, and the id of its message or conversation."""

_PIECE = re.compile(r'"([^"]*)"?|([^\s"]+)')
_HITS = """
    WITH hit (rank, created_at, id, conversation_id, title, message_id, role) AS (
        SELECT 4, c.created_at, c.id, c.id, c.title, NULL, NULL FROM conversation c
        WHERE c.owner_id = ? AND c.deleted_at IS NULL AND {titled}
        UNION ALL
        SELECT {rank}, m.created_at, m.id, c.id, c.title, m.id, m.role
        FROM message m JOIN conversation c ON c.id = m.conversation_id
        WHERE m.owner_id = ? AND c.deleted_at IS NULL AND {said})
    SELECT rank, created_at, id, conversation_id, title, message_id, role FROM hit {after}
    ORDER BY rank DESC, created_at DESC, id DESC LIMIT ?
"""
_TEXTS = "SELECT id, text FROM message WHERE id IN (SELECT value FROM {wanted})"
_NOTHING = HitPage((), None)
_NO_CURSOR = "This is not a cursor of a search."


def position(cursor: str) -> Position:
    """Return where a cursor points. Raises InvalidRequest for one that this module did not make."""
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(cursor), type=Position)
    except (ValueError, msgspec.MsgspecError) as error:
        raise InvalidRequest(_NO_CURSOR, "cursor") from error
    if not 0 <= found[0] <= MOST_RANK or "\0" in found[1] + found[2]:  # which one engine takes and the other does not
        raise InvalidRequest(_NO_CURSOR, "cursor")
    return found


def pieces_of(query: str) -> tuple[str, ...]:
    """Return what has to be found: words, and texts in double quotes as they stand."""
    found = (quoted.strip() or word for quoted, word in _PIECE.findall(query[:MOST_CHARACTERS]))
    return tuple(dict.fromkeys(piece for piece in found if piece))[:MOST_PIECES]


def search(connection: Connection, owner: str, query: str, limit: int, after: Position | None) -> HitPage:
    """Do what ArchiveStore.search says."""
    pieces = pieces_of(query)
    if not pieces:
        return _NOTHING
    titled = _all([contains("c.title", piece) for piece in pieces])
    indexed = may_hold("m.id", pieces)
    said = _all([*([indexed] if indexed else []), *(contains("m.text", piece) for piece in pieces)])
    rank = _rank(pieces)
    statement = (
        _HITS.replace("{titled}", titled.sql)
        .replace("{rank}", rank.sql)
        .replace("{said}", said.sql)
        .replace("{after}", "WHERE (rank, created_at, id) < (?, ?, ?)" if after else "")
    )
    values = (owner, *titled.values, *rank.values, owner, *said.values, *(after or ()), limit + 1)
    rows = connection.execute(statement, values).fetchall()
    texts = _texts(connection, [row[5] for row in rows[:limit] if row[5] is not None])
    items = tuple(_hit(row, texts, pieces) for row in rows[:limit])
    return HitPage(items, _cursor(rows[limit - 1]) if len(rows) > limit else None)


def _all(conditions: Sequence[Condition]) -> Condition:
    return Condition(
        " AND ".join(condition.sql for condition in conditions),
        tuple(value for condition in conditions for value in condition.values),
    )


def _rank(pieces: Sequence[str]) -> Condition:
    """Return what orders messages: 2 for the words as they stand together, 1 more if they begin a word."""
    whole = " ".join(pieces)
    escaped = whole.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    begins = [like("m.text", pattern) for pattern in (f"{escaped}%", f"% {escaped}%", f"%\n{escaped}%")]
    together = contains("m.text", whole)
    either = " OR ".join(condition.sql for condition in begins)
    return Condition(
        f"CASE WHEN {together.sql} THEN CASE WHEN {either} THEN 3 ELSE 2 END ELSE 0 END",
        (*together.values, *(value for condition in begins for value in condition.values)),
    )


def _texts(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    return dict(connection.execute(_TEXTS, (wanted(ids),)).fetchall()) if ids else {}


def _hit(
    row: tuple[int, str, str, str, str, str | None, str | None], texts: dict[str, str], pieces: Sequence[str]
) -> Hit:
    _, created_at, _, conversation_id, title, message_id, role = row
    shown = markdown_snippet if role == "assistant" else snippet
    text, marks = shown(title if message_id is None else texts[message_id], pieces)
    return Hit(
        conversation_id=conversation_id,
        title=title,
        message_id=message_id,
        role="user" if role == "user" else "assistant" if role else None,
        snippet=text,
        marks=tuple(Mark(start, end) for start, end in marks),
        created_at=created_at,
    )


def _cursor(row: tuple[int, str, str]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(row[:3])).decode()
