"""The embedded store: opened at start by the one process that holds the data directory."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

from luxx.core.errors import ConfigurationError, StorageError
from luxx.core.ids import new_id
from luxx.store.directory import MOUNTS, DataDirectory
from luxx.store.records import FileLimits
from luxx.store.secrets import SecretBox
from luxx.store.sql import nodes
from luxx.store.sql.installation import check_secrets, ensure_owner
from luxx.store.sql.readers import Readers
from luxx.store.sql.store import SqlStore
from luxx.store.sql.writer import Writer
from luxx.store.sqlite.alone import Alone
from luxx.store.sqlite.checkpoints import WAL_LIMIT, Checkpoints
from luxx.store.sqlite.connection import Connect, SqliteConnection, connect, open_reading, open_writing
from luxx.store.sqlite.schema import prepare
from luxx.store.sqlite.search_index import index_some

DATABASE = "luxx.db"
"""The database's name in the data directory."""

READERS = 2

_LIMITS = FileLimits()


class SqliteStore(SqlStore[Alone]):
    """See luxx.store.interface.Store. Owns the data directory, the connections and their threads."""

    def __init__(
        self,
        directory: DataDirectory,
        connection: SqliteConnection,
        readers: Readers,
        checkpoints: Checkpoints,
        secrets: SecretBox,
        owner: str,
        node: str,
        limits: FileLimits,
    ) -> None:
        writer = Writer([connection], after_commit=lambda: checkpoints.after_commit(connection.raw))
        super().__init__(
            flushes=writer,
            writer=writer,
            readers=readers,
            nodes=Alone(writer, node),
            secrets=secrets,
            owner=owner,
            limits=limits,
            index=index_some,
        )
        self._directory = directory
        self._connection = connection
        self._checkpoints = checkpoints
        self._closed = False

    async def close(self) -> None:
        """Free this node's turns, end the threads and let the data directory go; what waits to be written is written."""
        if self._closed:
            return
        self._closed = True
        self.nodes.close()
        with contextlib.suppress(StorageError):  # if the disk is gone, the next start frees them
            await self.nodes.leave()
        await self._writer.close()
        await self._readers.close()
        await asyncio.to_thread(self._close_files)

    def _close_files(self) -> None:
        self._checkpoints.close()
        with contextlib.suppress(sqlite3.Error):  # the log is whole; the next start reads it
            self._connection.raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self._connection.close()
        self._directory.close()


async def open_sqlite(
    data_dir: Path,
    secrets: SecretBox,
    node: str | None = None,
    *,
    connect: Connect = connect,
    mounts: Path = MOUNTS,
    wal_limit: int = WAL_LIMIT,
    limits: FileLimits = _LIMITS,
) -> SqliteStore:
    """Open the store in a data directory, making both if they are not there; turns that a dead process left are free after that.

    `node` is this process's id, a new one if none is given. Raises ConfigurationError for a directory that cannot be used or is in
    use, a database of a newer version, or one whose secrets were encrypted with another key.
    """
    directory = await asyncio.to_thread(DataDirectory, data_dir, mounts)
    node = node or new_id()
    path = data_dir / DATABASE
    try:
        connection = await asyncio.to_thread(open_writing, path, connect)
        try:
            owner = await asyncio.to_thread(_take_over, connection, path, secrets, node)
            readers = Readers([open_reading(path, connect) for _ in range(READERS)], open_reading(path, connect))
            checkpoints = Checkpoints(path, connect, wal_limit)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        directory.close()
        raise ConfigurationError(f"The database {path} cannot be opened: {error}.") from error
    except BaseException:
        directory.close()
        raise
    return SqliteStore(directory, connection, readers, checkpoints, secrets, owner, node, limits)


def _take_over(connection: SqliteConnection, path: Path, secrets: SecretBox, node: str) -> str:
    """Make the database this node's and return the id of the person at this machine."""
    prepare(connection.raw, path)
    connection.begin()
    try:
        check_secrets(connection, secrets, str(path), shared=False)
        # Whoever is there still has died, as this process holds the directory.
        nodes.bury(connection, [dead for (dead,) in connection.execute("SELECT id FROM node").fetchall()])
        nodes.join(connection, node)
        owner = ensure_owner(connection)
        connection.commit()
    finally:
        connection.rollback()
    return owner
