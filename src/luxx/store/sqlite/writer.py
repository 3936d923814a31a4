"""The writer: one thread that runs all writing jobs, those that wait together in one transaction."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, NamedTuple, TypeVar

from luxx.core.errors import StorageError
from luxx.store.sqlite.checkpoints import Checkpoints
from luxx.store.sqlite.failures import translated

T = TypeVar("T")


class _Work(NamedTuple):
    job: Callable[[sqlite3.Connection], object]
    waiting: asyncio.Future[Any]


class _Outcome(NamedTuple):
    waiting: asyncio.Future[Any]
    result: object
    error: BaseException | None


class Writer:
    """Owns the writing connection and its thread.

    A transaction begins when the last one has ended and takes all jobs that came meanwhile, so a lone job waits for nothing but
    its own commit. Each runs under a savepoint: one that raises leaves no trace and takes nobody with it.
    """

    def __init__(self, connection: sqlite3.Connection, checkpoints: Checkpoints) -> None:
        self._connection = connection
        self._checkpoints = checkpoints
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        self._closed = False
        self._thread = Thread(target=self._run, name="luxx-store-writer", daemon=True)
        self._thread.start()

    async def write(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run the job in the thread and return what it returned, once that is committed.

        What the job raises is raised here, sqlite3's errors as StorageError. StorageError may also say that the commit failed:
        then the outcome is unknown. A caller that is cancelled does not stop its job.
        """
        if self._closed:
            raise StorageError("The store is closed.")
        waiting: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Work(job, waiting))
        return await waiting

    async def close(self) -> None:
        """End the thread after the jobs that wait."""
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        last = False
        while not last:
            group, last = self._next_group()
            outcomes = self._transact(group) if group else []
            # The loop is gone only if it was stopped without closing the store: nobody waits any more.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(_resolve, outcomes)
            self._checkpoints.after_commit(self._connection)

    def _next_group(self) -> tuple[list[_Work], bool]:
        """Wait for a job, take all others that are there, and tell whether they are the last."""
        group: list[_Work] = []
        work = self._queue.get()
        while work is not None:
            group.append(work)
            try:
                work = self._queue.get_nowait()
            except Empty:
                return group, False
        return group, True

    def _transact(self, group: list[_Work]) -> list[_Outcome]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            outcomes = [self._attempt(work) for work in group]
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            return [_Outcome(work.waiting, None, translated(error)) for work in group]
        return outcomes

    def _attempt(self, work: _Work) -> _Outcome:
        """Run one job. Raises sqlite3.Error if the whole transaction is lost."""
        self._connection.execute("SAVEPOINT job")
        try:
            result = work.job(self._connection)
        except Exception as error:  # whatever it is, it belongs to the caller who waits for it
            if not self._connection.in_transaction:  # SQLite has rolled all of it back, as it does on a full disk
                raise sqlite3.OperationalError(str(error)) from error
            self._connection.execute("ROLLBACK TO job")
            self._connection.execute("RELEASE job")
            return _Outcome(work.waiting, None, translated(error))
        self._connection.execute("RELEASE job")
        return _Outcome(work.waiting, result, None)


def _resolve(outcomes: list[_Outcome]) -> None:
    for waiting, result, error in outcomes:
        if waiting.cancelled():
            continue
        if error is None:
            waiting.set_result(result)
        else:
            waiting.set_exception(error)
