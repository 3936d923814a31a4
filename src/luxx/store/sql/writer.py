"""The writer: threads that run all writing jobs, on SQLite those that wait together in one transaction."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, NamedTuple, TypeVar

from luxx.core.errors import StorageError
from luxx.store.sql.connection import Connection

T = TypeVar("T")

Job = Callable[[Connection], T]

UNLIMITED = 2**30
TRIES = 4
"""How often a transaction is run that another node's came before."""


class _Work(NamedTuple):
    job: Job[object]
    waiting: asyncio.Future[Any]
    ended: Callable[[], None] | None


class _Outcome(NamedTuple):
    work: _Work
    result: object
    error: Exception | None


class Writer:
    """Owns the writing connections and a thread for each.

    A transaction begins when the last one has ended and takes up to `together` jobs that came meanwhile, so a lone job waits for
    nothing but its own commit. Where several share one, each runs under a savepoint: one that raises leaves no trace and takes
    nobody with it. `after_commit` is called in the thread after each transaction.
    """

    def __init__(
        self,
        connections: Sequence[Connection],
        *,
        together: int = UNLIMITED,
        after_commit: Callable[[], None] | None = None,
    ) -> None:
        self._together = together
        self._after_commit = after_commit
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        self._closed = False
        self._threads = [
            Thread(target=self._run, args=(connection,), name="luxx-store-writer", daemon=True)
            for connection in connections
        ]
        for thread in self._threads:
            thread.start()

    async def write(self, job: Job[T], ended: Callable[[], None] | None = None) -> T:
        """Run the job in a thread and return what it returned, once that is committed.

        What the job raises is raised here, the engine's errors as StorageError. StorageError may also say that the commit failed:
        then the outcome is unknown. A caller that is cancelled does not stop its job. A job may be run more than once, but only
        one run is committed. `ended` is called in the event loop once the job is through, whether anybody still waits or not, and
        before this returns.
        """
        if self._closed:
            raise StorageError("The store is closed.")
        return await self.submit(job, ended)

    def submit(self, job: Job[T], ended: Callable[[], None] | None = None) -> asyncio.Future[T]:
        """Hand in a job without waiting for it; called in the event loop. `ended` as in `write`."""
        waiting: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Work(job, waiting, ended))
        return waiting

    async def close(self) -> None:
        """End the threads after the jobs that wait."""
        self._closed = True
        self._queue.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _run(self, connection: Connection) -> None:
        last = False
        while not last:
            group, last = self._next_group()
            outcomes = _transact(connection, group) if group else []
            # The loop is gone only if it was stopped without closing the store: nobody waits any more.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(_resolve, outcomes)
            if self._after_commit:
                self._after_commit()
        self._queue.put(None)  # for the next thread

    def _next_group(self) -> tuple[list[_Work], bool]:
        """Wait for a job, take the others that are there, and tell whether they are the last."""
        group: list[_Work] = []
        work = self._queue.get()
        while work is not None:
            group.append(work)
            if len(group) == self._together:
                return group, False
            try:
                work = self._queue.get_nowait()
            except Empty:
                return group, False
        return group, True


def _transact(connection: Connection, group: list[_Work]) -> list[_Outcome]:
    if len(group) == 1:
        return [_transact_one(connection, group[0])]
    try:
        connection.begin()
        outcomes = [_attempt(connection, work) for work in group]
        connection.commit()
    except connection.failures as error:
        connection.rollback()
        return [_Outcome(work, None, connection.translated(error)) for work in group]
    return outcomes


def _transact_one(connection: Connection, work: _Work) -> _Outcome:
    """Run a job that shares its transaction with none."""
    for tries_left in range(TRIES - 1, -1, -1):
        try:
            connection.begin()
            result = work.job(connection)
            connection.commit()
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the caller who waits for it
            connection.rollback()
            if tries_left and connection.may_repeat(error):
                continue
            return _Outcome(work, None, connection.translated(error))
        return _Outcome(work, result, None)
    raise AssertionError("the last try returns")


def _attempt(connection: Connection, work: _Work) -> _Outcome:
    """Run one job of several. Raises the engine's error if the whole transaction is lost."""
    connection.savepoint("job")
    try:
        result = work.job(connection)
    except Exception as error:  # as above
        if not connection.in_transaction:  # SQLite has rolled all of it back, as it does on a full disk
            raise connection.failures(str(error)) from error
        connection.undo("job")
        return _Outcome(work, None, connection.translated(error))
    connection.release("job")
    return _Outcome(work, result, None)


def _resolve(outcomes: list[_Outcome]) -> None:
    for work, result, error in outcomes:
        waiting = work.waiting
        if work.ended:
            work.ended()
        if waiting.cancelled():
            continue
        if error is None:
            waiting.set_result(result)
        else:
            waiting.set_exception(error)
