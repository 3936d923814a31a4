"""The readers: a few threads that run reading jobs, each in one snapshot, and one for searches."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

from luxx.core.errors import StorageError
from luxx.store.sql.connection import Connection

T = TypeVar("T")


class Readers:
    """Owns the reading connections and a thread for each.

    Searches, which may take seconds, have a connection to themselves and wait for each other: nothing else waits behind them.
    """

    def __init__(self, connections: Sequence[Connection], searching: Connection) -> None:
        self._quick = _Pool(connections, "luxx-store-reader")
        self._slow = _Pool([searching], "luxx-store-search")
        self._closed = False

    async def read(self, job: Callable[[Connection], T]) -> T:
        """Run the job in a thread and return what it returned; all that it reads is of one moment.

        What the job raises is raised here, the engine's errors as StorageError. A job may be run twice.
        """
        return await self._run(self._quick, job)

    async def search(self, job: Callable[[Connection], T]) -> T:
        """Do the same for a job that may take long."""
        return await self._run(self._slow, job)

    async def close(self) -> None:
        """End the threads after the jobs that wait."""
        self._closed = True
        for pool in (self._quick, self._slow):
            await asyncio.to_thread(pool.close)

    async def _run(self, pool: "_Pool", job: Callable[[Connection], T]) -> T:
        if self._closed:
            raise StorageError("The store is closed.")
        return await asyncio.get_running_loop().run_in_executor(pool.threads, pool.read, job)


class _Pool:
    """Threads, each with a connection to read from."""

    def __init__(self, connections: Sequence[Connection], name: str) -> None:
        self.threads = ThreadPoolExecutor(len(connections), name)
        self._idle: SimpleQueue[Connection] = SimpleQueue()
        for connection in connections:
            self._idle.put(connection)

    def close(self) -> None:
        """End the threads, then the connections."""
        self.threads.shutdown()
        while not self._idle.empty():
            self._idle.get().close()

    def read(self, job: Callable[[Connection], T]) -> T:
        """Run a job on an idle connection."""
        connection = self._idle.get()
        try:
            return _read(connection, job)
        finally:
            self._idle.put(connection)


def _read(connection: Connection, job: Callable[[Connection], T], again: bool = True) -> T:
    try:
        connection.begin_reading()
        try:
            return job(connection)
        finally:
            connection.rollback()
    except (connection.failures, ValueError, OverflowError) as error:
        if not (again and connection.may_repeat(error)):
            raise connection.translated(error) from error
    return _read(connection, job, again=False)
