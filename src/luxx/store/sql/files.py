"""Files: luxx.store.interface.FileStore, for every engine. Contents are rows of their own, each stored once."""

import asyncio
import builtins
import hashlib
from typing import NamedTuple

from luxx.core.errors import Conflict, InvalidRequest, NotFound
from luxx.core.files import FileRef
from luxx.core.ids import new_id
from luxx.core.media import file_name, media_type
from luxx.store.clock import timestamp
from luxx.store.records import FileLimits
from luxx.store.sql.connection import Connection
from luxx.store.sql.readers import Readers
from luxx.store.sql.writer import Writer

FILES_PER_SWEEP = 100

_COLUMNS = "f.id, f.name, f.media_type, f.size"
_THEIR_OWN = """
    FROM file f LEFT JOIN conversation c ON c.id = f.conversation_id
    WHERE f.id = ? AND f.owner_id = ? AND c.deleted_at IS NULL
"""
_CONVERSATION = "SELECT 1 FROM conversation WHERE id = ? AND owner_id = ? AND deleted_at IS NULL"
_OF_CONVERSATION = f"SELECT {_COLUMNS} FROM file f WHERE f.conversation_id = ? ORDER BY f.created_at, f.id"
_SAME = f"SELECT {_COLUMNS} FROM file f WHERE f.conversation_id = ? AND f.hash = ? AND f.name = ? LIMIT 1"
_STORED = "SELECT coalesce(sum(size), 0) FROM file WHERE conversation_id = ?"
_LOOSE = "SELECT coalesce(sum(size), 0) FROM file WHERE owner_id = ? AND conversation_id IS NULL"
_INSERT = """
    INSERT INTO file (id, owner_id, conversation_id, hash, name, media_type, size, created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_SWEPT = """
    SELECT id FROM file WHERE conversation_id IS NULL AND created_at < ? ORDER BY created_at LIMIT ? {skip}
"""
_UNREFERENCED = "DELETE FROM blob WHERE hash = ? AND NOT EXISTS (SELECT 1 FROM file WHERE file.hash = blob.hash)"


class _New(NamedTuple):
    """A file to store; `hash` is the SHA-256 of its content."""

    name: str
    media_type: str
    hash: bytes
    data: bytes


class SqlFiles:
    """Files and their contents; see FileStore for what each method does."""

    def __init__(self, writer: Writer, readers: Readers, limits: FileLimits) -> None:
        self._writer = writer
        self._readers = readers
        self._limits = limits

    @property
    def limits(self) -> FileLimits:
        """See FileStore."""
        return self._limits

    async def keep(self, owner: str, conversation_id: str | None, name: str, data: bytes) -> FileRef:
        """See FileStore."""
        limits = self._limits
        if len(data) > limits.file_bytes:
            raise InvalidRequest(f"A file may have at most {limits.file_bytes:,} bytes; this one has {len(data):,}.")
        new = await asyncio.to_thread(_examined, name, data)
        return await self._writer.write(lambda connection: _keep(connection, owner, conversation_id, new, limits))

    async def get(self, owner: str, file_id: str) -> FileRef:
        """See FileStore."""
        return await self._readers.read(lambda connection: _get(connection, owner, file_id))

    async def list(self, owner: str, conversation_id: str) -> tuple[FileRef, ...]:
        """See FileStore."""

        def job(connection: Connection) -> tuple[FileRef, ...]:
            _check_conversation(connection, owner, conversation_id)
            return tuple(map(file_of, connection.execute(_OF_CONVERSATION, (conversation_id,))))

        return await self._readers.read(job)

    async def read(self, owner: str, file_id: str, conversation_id: str | None = None) -> bytes:
        """See FileStore."""

        def job(connection: Connection) -> bytes:
            row = connection.execute(f"SELECT f.conversation_id, f.hash {_THEIR_OWN}", (file_id, owner)).fetchone()
            if row is None or conversation_id not in (None, row[0]):
                raise NotFound("There is no such file.")
            (data,) = connection.execute("SELECT data FROM blob WHERE hash = ?", (row[1],)).fetchone()
            return data

        return await self._readers.read(job)

    async def delete(self, owner: str, file_id: str) -> None:
        """See FileStore."""
        await self._writer.write(lambda connection: _delete(connection, owner, file_id))

    async def sweep(self, uploaded_before: str) -> int:
        """See FileStore."""
        return await self._writer.write(lambda connection: _sweep(connection, uploaded_before))


def file_of(row: tuple[str, str, str, int]) -> FileRef:
    """Return the file that a row of id, name, media type and size tells of."""
    return FileRef(id=row[0], name=row[1], media_type=row[2], size=row[3])


def check_room(connection: Connection, conversation_id: str, more: int, limits: FileLimits, field: str | None) -> None:
    """Raise InvalidRequest if a conversation's files and `more` bytes are more than it may have."""
    (stored,) = connection.execute(_STORED, (conversation_id,)).fetchone()
    if stored + more > limits.conversation_bytes:
        raise InvalidRequest(
            f"The files of a conversation may have at most {limits.conversation_bytes:,} bytes together.", field
        )


def store_file(
    connection: Connection, owner: str, conversation_id: str, name: str, data: bytes, limits: FileLimits
) -> FileRef:
    """Store a file of a conversation. Raises InvalidRequest for one that is too large, alone or together with the others."""
    if len(data) > limits.file_bytes:
        raise InvalidRequest(f"A file may have at most {limits.file_bytes:,} bytes; this one has {len(data):,}.")
    return _keep(connection, owner, conversation_id, _examined(name, data), limits)


def purge_files(connection: Connection, conversation_id: str) -> None:
    """Delete a conversation's files, with the contents that no other file has; its messages are still there."""
    connection.send(
        "DELETE FROM message_file WHERE message_id IN (SELECT id FROM message WHERE conversation_id = ?)",
        (conversation_id,),
    )
    gone = connection.execute("DELETE FROM file WHERE conversation_id = ? RETURNING hash", (conversation_id,))
    _drop_unreferenced(connection, [digest for (digest,) in gone.fetchall()])


def _examined(name: str, data: bytes) -> _New:
    return _New(file_name(name), media_type(data, name), hashlib.sha256(data).digest(), data)


def _keep(connection: Connection, owner: str, conversation_id: str | None, new: _New, limits: FileLimits) -> FileRef:
    size = len(new.data)
    if conversation_id is None:
        (stored,) = connection.execute(_LOOSE, (owner,)).fetchone()
        if stored + size > limits.conversation_bytes:
            raise InvalidRequest("Too much has been uploaded and not been sent: send or delete some of it first.")
    else:
        _check_conversation(connection, owner, conversation_id, lock=True)
        if same := connection.execute(_SAME, (conversation_id, new.hash, new.name)).fetchone():
            return file_of(same)
        check_room(connection, conversation_id, size, limits, None)
    if connection.execute("SELECT 1 FROM blob WHERE hash = ?", (new.hash,)).fetchone() is None:
        connection.execute("INSERT INTO blob (hash, data) VALUES (?, ?) ON CONFLICT DO NOTHING", (new.hash, new.data))
    kept = FileRef(id=new_id(), name=new.name, media_type=new.media_type, size=size)
    values = (kept.id, owner, conversation_id, new.hash, kept.name, kept.media_type, kept.size, timestamp())
    connection.execute(_INSERT, values)
    return kept


def _check_conversation(connection: Connection, owner: str, conversation_id: str, *, lock: bool = False) -> None:
    statement = _CONVERSATION + (" {lock}" if lock else "")
    if connection.execute(statement, (conversation_id, owner)).fetchone() is None:
        raise NotFound("There is no such conversation.")


def _get(connection: Connection, owner: str, file_id: str) -> FileRef:
    row = connection.execute(f"SELECT {_COLUMNS} {_THEIR_OWN}", (file_id, owner)).fetchone()
    if row is None:
        raise NotFound("There is no such file.")
    return file_of(row)


def _delete(connection: Connection, owner: str, file_id: str) -> None:
    _get(connection, owner, file_id)
    gone = connection.execute(
        "DELETE FROM file WHERE id = ? AND owner_id = ? AND conversation_id IS NULL RETURNING hash", (file_id, owner)
    ).fetchall()
    if not gone:
        raise Conflict("file_in_use", "The file belongs to a conversation, and is deleted with it.")
    _drop_unreferenced(connection, [digest for (digest,) in gone])


def _sweep(connection: Connection, uploaded_before: str) -> int:
    old = connection.execute(_SWEPT, (uploaded_before, FILES_PER_SWEEP)).fetchall()
    hashes: builtins.list[bytes] = []
    for (file_id,) in old:
        hashes += [
            digest for (digest,) in connection.execute("DELETE FROM file WHERE id = ? RETURNING hash", (file_id,))
        ]
    _drop_unreferenced(connection, hashes)
    return len(old)


def _drop_unreferenced(connection: Connection, hashes: builtins.list[bytes]) -> None:
    if hashes:
        connection.execute_each(_UNREFERENCED, [(digest,) for digest in sorted(set(hashes))])
