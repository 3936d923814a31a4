"""The embedded store: opened at start by the one process that holds the data directory."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

from luxx.core.errors import ConfigurationError, StorageError
from luxx.core.ids import new_id
from luxx.store.clock import timestamp
from luxx.store.directory import MOUNTS, DataDirectory
from luxx.store.secrets import SecretBox
from luxx.store.sqlite.checkpoints import WAL_LIMIT, Checkpoints
from luxx.store.sqlite.connections import Connect, connect, open_writing
from luxx.store.sqlite.conversations import SqliteConversations
from luxx.store.sqlite.providers import SqliteProviders, any_key, reseal
from luxx.store.sqlite.readers import Readers
from luxx.store.sqlite.schema import prepare
from luxx.store.sqlite.turns import SqliteTurns
from luxx.store.sqlite.writer import Writer

DATABASE = "luxx.db"
"""The database's name in the data directory."""

_FINGERPRINT = "secret_key_fingerprint"
_SET = "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"


class SqliteStore:
    """See luxx.store.interface.Store. Owns the data directory, the connections and their threads."""

    def __init__(
        self,
        directory: DataDirectory,
        connection: sqlite3.Connection,
        readers: Readers,
        checkpoints: Checkpoints,
        secrets: SecretBox,
        owner: str,
        node: str,
    ) -> None:
        self._directory = directory
        self._connection = connection
        self._readers = readers
        self._checkpoints = checkpoints
        self._writer = Writer(connection, checkpoints)
        self._owner = owner
        self._node = node
        self._closed = False
        self._turns = SqliteTurns(self._writer, readers, node)
        self._conversations = SqliteConversations(self._writer, readers, node)
        self._providers = SqliteProviders(self._writer, readers, secrets)

    @property
    def turns(self) -> SqliteTurns:
        """Turns and their logs."""
        return self._turns

    @property
    def conversations(self) -> SqliteConversations:
        """Conversations and their messages."""
        return self._conversations

    @property
    def providers(self) -> SqliteProviders:
        """Providers and their keys."""
        return self._providers

    @property
    def owner(self) -> str:
        """The user id of the person at this machine."""
        return self._owner

    @property
    def node(self) -> str:
        """The id of this process in the store; new at every start."""
        return self._node

    async def ping(self) -> None:
        """Make sure that the store can be written, by writing to it. Raises StorageError."""
        await self._writer.write(lambda connection: connection.execute(_SET, ("ping", timestamp())).rowcount)

    async def close(self) -> None:
        """Free this node's turns, end the threads and let the data directory go; what waits to be written is written."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(StorageError):  # if the disk is gone, the next start frees them
            await self._writer.write(
                lambda connection: connection.execute("DELETE FROM node WHERE id = ?", (self._node,)).rowcount
            )
        await self._writer.close()
        await self._readers.close()
        await asyncio.to_thread(self._close_files)

    def _close_files(self) -> None:
        self._checkpoints.close()
        with contextlib.suppress(sqlite3.Error):  # the log is whole; the next start reads it
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
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
            readers, checkpoints = Readers(path, connect), Checkpoints(path, connect, wal_limit)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        directory.close()
        raise ConfigurationError(f"The database {path} cannot be opened: {error}.") from error
    except BaseException:
        directory.close()
        raise
    return SqliteStore(directory, connection, readers, checkpoints, secrets, owner, node)


def _take_over(connection: sqlite3.Connection, path: Path, secrets: SecretBox, node: str) -> str:
    """Make the database this node's and return the id of the person at this machine."""
    prepare(connection, path)
    connection.execute("BEGIN IMMEDIATE")
    try:
        _check_secrets(connection, path, secrets)
        # Whoever is there still has died, as this process holds the directory; the foreign key frees its turns.
        connection.execute("UPDATE turn SET takeovers = takeovers + 1 WHERE node IS NOT NULL")
        connection.execute("DELETE FROM node")
        connection.execute("INSERT INTO node (id, started_at) VALUES (?, ?)", (node, timestamp()))
        owner = _owner(connection)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    return owner


def _check_secrets(connection: sqlite3.Connection, path: Path, secrets: SecretBox) -> None:
    """Make sure that the secret key is the one in use, or encrypt anew with a newer one. Raises ConfigurationError."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (_FINGERPRINT,)).fetchone()
    known = None if row is None else row[0]
    if known == secrets.fingerprint:
        return
    if known not in secrets.fingerprints and any_key(connection):
        raise ConfigurationError(
            f"The keys in {path} were encrypted with another secret key. Give that one again (LUXX_SECRET_KEY, or the file secret.key in"
            " the data directory); to change it, put the new one before it, separated by a comma."
        )
    reseal(connection, secrets)
    connection.execute(_SET, (_FINGERPRINT, secrets.fingerprint))


def _owner(connection: sqlite3.Connection) -> str:
    row = connection.execute("SELECT id FROM person WHERE role = 'owner' ORDER BY created_at LIMIT 1").fetchone()
    if row is not None:
        return row[0]
    owner = new_id()
    connection.execute(
        "INSERT INTO person (id, name, role, created_at) VALUES (?, 'Owner', 'owner', ?)", (owner, timestamp())
    )
    return owner
