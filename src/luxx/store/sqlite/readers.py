"""The readers: a few threads that run reading jobs, each in one snapshot."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from luxx.core.errors import StorageError
from luxx.store.sqlite.connections import Connect, open_reading
from luxx.store.sqlite.failures import translated

T = TypeVar("T")

THREADS = 2


class Readers:
    """Owns the reading connections and their threads."""

    def __init__(self, path: Path, connect: Connect) -> None:
        self._idle: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        for _ in range(THREADS):
            self._idle.put(open_reading(path, connect))
        self._threads = ThreadPoolExecutor(THREADS, "luxx-store-reader")
        self._closed = False

    async def read(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run the job in a thread and return what it returned; all that it reads is of one moment.

        What the job raises is raised here, sqlite3's errors as StorageError.
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

    def _read(self, job: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._idle.get()
        try:
            connection.execute("BEGIN")
            try:
                return job(connection)
            finally:
                connection.execute("ROLLBACK")
        except (sqlite3.Error, ValueError, OverflowError) as error:
            raise translated(error) from error
        finally:
            self._idle.put(connection)
