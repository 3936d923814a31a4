"""The readers: a few threads that run reading jobs, each in one snapshot."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

from luxx.core.errors import StorageError
from luxx.store.sql.connection import Connection

T = TypeVar("T")


class Readers:
    """Owns the reading connections and a thread for each."""

    def __init__(self, connections: Sequence[Connection]) -> None:
        self._idle: SimpleQueue[Connection] = SimpleQueue()
        for connection in connections:
            self._idle.put(connection)
        self._threads = ThreadPoolExecutor(len(connections), "luxx-store-reader")
        self._closed = False

    async def read(self, job: Callable[[Connection], T]) -> T:
        """Run the job in a thread and return what it returned; all that it reads is of one moment.

        What the job raises is raised here, the engine's errors as StorageError. A job may be run twice.
        """
        if self._closed:
            raise StorageError("The store is closed.")
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, job)

    async def close(self) -> None:
        """End the threads after the jobs that wait."""
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)
        while not self._idle.empty():
            self._idle.get().close()

    def _read(self, job: Callable[[Connection], T]) -> T:
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
