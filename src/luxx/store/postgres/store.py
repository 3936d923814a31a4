"""The store of many nodes: each opens it over the same PostgreSQL database, with the same secret key."""

import asyncio
import contextlib

import psycopg

from luxx.core.errors import ConfigurationError, StorageError
from luxx.core.ids import new_id
from luxx.store.migrations import ONE_AT_A_TIME
from luxx.store.postgres.address import Address, parsed
from luxx.store.postgres.connection import PostgresConnection
from luxx.store.postgres.lease import Lease, LeaseTimes
from luxx.store.postgres.members import Members
from luxx.store.postgres.others import Ears
from luxx.store.postgres.schema import prepare
from luxx.store.postgres.search_index import sort_in
from luxx.store.records import FileLimits
from luxx.store.secrets import SecretBox
from luxx.store.sql.installation import check_secrets, ensure_owner
from luxx.store.sql.readers import Readers
from luxx.store.sql.store import SqlStore
from luxx.store.sql.writer import Writer

WRITERS = 3
READERS = 3

_TIMES = LeaseTimes()
_LIMITS = FileLimits()

SLOW = 15.0
"""Seconds that a command may take on which no lease depends: a search, the end of a large conversation."""


class PostgresStore(SqlStore[Members]):
    """See luxx.store.interface.Store. Owns the connections and their threads.

    Each job has a transaction of its own, so that locks of one never wait for those of another; the server itself lets
    transactions share their writes to the disk. The flushes, which the journal has grouped already, have a connection to themselves.
    """

    def __init__(
        self,
        flushes: PostgresConnection,
        writers: list[PostgresConnection],
        readers: list[PostgresConnection],
        searching: PostgresConnection,
        address: Address,
        lease: Lease,
        lost: asyncio.Event,
        secrets: SecretBox,
        owner: str,
        limits: FileLimits,
    ) -> None:
        self._connections = [flushes, *writers]
        self._flushes = Writer([flushes], together=1)
        writer = Writer(writers, together=1)
        super().__init__(
            flushes=self._flushes,
            writer=writer,
            readers=Readers(readers, searching),
            nodes=Members(lease, Ears(address, lambda: lease.node), lost, writer),
            secrets=secrets,
            owner=owner,
            limits=limits,
            index=sort_in,
        )
        self._closed = False

    async def close(self) -> None:
        """Write what waits, free this node's turns, end the threads and the connections."""
        if self._closed:
            return
        self._closed = True
        await self._flushes.close()
        with contextlib.suppress(StorageError):  # if the database is away, the lease expires
            await self.nodes.leave()
        await self.nodes.close()
        await self._writer.close()
        await self._readers.close()
        for connection in self._connections:
            connection.close()


async def open_postgres(
    url: str,
    secrets: SecretBox,
    node: str | None = None,
    *,
    times: LeaseTimes = _TIMES,
    limits: FileLimits = _LIMITS,
) -> PostgresStore:
    """Open the store in a PostgreSQL database, making its tables if they are not there, and join those that work on it.

    `node` is this process's id, which must never have been used before; a new one if none is given.
    Raises ConfigurationError for a database that cannot be reached or used, one of a newer version, or one whose secret key is
    another.
    """
    address = parsed(url, times.patience)
    lost = asyncio.Event()
    lease = Lease(address, times, lost.set)
    opened: list[PostgresConnection] = []
    try:
        owner = await asyncio.to_thread(_open, address, secrets, opened)
        await asyncio.to_thread(lease.hold, node or new_id())
        flushes, searching, *others = opened
        writers, readers = others[:WRITERS], others[WRITERS:]
        return PostgresStore(flushes, writers, readers, searching, address, lease, lost, secrets, owner, limits)
    except BaseException as error:
        for connection in opened:
            connection.close()
        if isinstance(error, psycopg.Error):
            reason = str(error).strip().replace("\n", " ")
            raise ConfigurationError(f"The database {address} cannot be opened: {reason}") from error
        raise


def _open(address: Address, secrets: SecretBox, opened: list[PostgresConnection]) -> str:
    """Open the connections, make the database ready and return the id of the person who installed this."""
    opened.append(PostgresConnection(address))
    opened += [PostgresConnection(address, SLOW) for _ in range(1 + WRITERS + READERS)]
    connection = opened[1]
    prepare(connection, address)
    connection.begin()
    try:
        connection.execute("SELECT pg_advisory_xact_lock(?)", (ONE_AT_A_TIME,))
        check_secrets(connection, secrets, str(address), shared=True)
        owner = ensure_owner(connection)
        connection.commit()
    finally:
        connection.rollback()
    return owner
