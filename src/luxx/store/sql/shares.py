"""Shares: frozen copies of branches, found by a hash of their token."""

from typing import Any, NamedTuple

import msgspec

from luxx.core.archive import ShareInclude
from luxx.core.errors import LimitReached, NotFound
from luxx.core.ids import new_id
from luxx.store.archive import Share
from luxx.store.clock import timestamp
from luxx.store.sql.connection import Connection

MOST = 1_000
"""Shares that a person may have at a time."""

_SHARES = """
    SELECT s.id, s.conversation_id, s.title, s.include, s.created_at
    FROM share s JOIN conversation c ON c.id = s.conversation_id WHERE s.owner_id = ? AND c.deleted_at IS NULL
"""
_BODY = """
    SELECT s.body FROM share s JOIN conversation c ON c.id = s.conversation_id
    WHERE s.token_hash = ? AND c.deleted_at IS NULL
"""
_THEIR_OWN = "SELECT 1 FROM conversation WHERE id = ? AND owner_id = ? AND deleted_at IS NULL {lock}"
_INSERT = """
    INSERT INTO share (id, owner_id, conversation_id, token_hash, title, include, body, created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""

_json = msgspec.json.Encoder()
_include = msgspec.json.Decoder(tuple[ShareInclude, ...])


class NewShare(NamedTuple):
    """What is to be shared."""

    conversation_id: str
    title: str
    include: tuple[ShareInclude, ...]
    token_hash: bytes
    body: bytes


def share(connection: Connection, owner: str, new: NewShare) -> Share:
    """Do what ArchiveStore.share says."""
    if connection.execute(_THEIR_OWN, (new.conversation_id, owner)).fetchone() is None:
        raise NotFound("There is no such conversation.")
    (there,) = connection.execute("SELECT count(*) FROM share WHERE owner_id = ?", (owner,)).fetchone()
    if there >= MOST:
        raise LimitReached("too_many_shares", f"There are {MOST:,} shares: take some of them back first.")
    made = Share(
        id=new_id(), conversation_id=new.conversation_id, title=new.title, include=new.include, created_at=timestamp()
    )
    include = _json.encode(new.include)
    values = (made.id, owner, made.conversation_id, new.token_hash, made.title, include, new.body, made.created_at)
    connection.execute(_INSERT, values)
    return made


def shares(connection: Connection, owner: str) -> tuple[Share, ...]:
    """Return all shares of a person, newest first."""
    rows = connection.execute(f"{_SHARES} ORDER BY s.created_at DESC, s.id DESC", (owner,)).fetchall()
    return tuple(map(_share_of, rows))


def unshare(connection: Connection, owner: str, share_id: str) -> None:
    """Delete a share. Raises NotFound."""
    gone = connection.execute("DELETE FROM share WHERE id = ? AND owner_id = ? RETURNING id", (share_id, owner))
    if gone.fetchone() is None:
        raise NotFound("There is no such share.")


def shared(connection: Connection, token_hash: bytes) -> bytes:
    """Return what is shared under a token. Raises NotFound."""
    row = connection.execute(_BODY, (token_hash,)).fetchone()
    if row is None:
        raise NotFound("There is no such share, or it was taken back.")
    return row[0]


def _share_of(row: tuple[Any, ...]) -> Share:
    return Share(id=row[0], conversation_id=row[1], title=row[2], include=_include.decode(row[3]), created_at=row[4])
