"""The event loop in a thread of its own, so that the main thread can read keys and take Ctrl-C."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, wait
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")

_POLL_S = 0.2


class Background:
    """Runs coroutines in its thread for the main thread, which waits for each. It owns the loop and ends it on exit."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="luxx-loop", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def run(
        self, work: Coroutine[Any, Any, T], on_interrupt: Callable[[], Coroutine[Any, Any, None]] | None = None
    ) -> T:
        """Run and return its result.

        The first Ctrl-C runs `on_interrupt` beside it, and the wait goes on; the second, or the first where there is none,
        cancels the work and raises KeyboardInterrupt when it has ended.
        """
        future = self.start(work)
        try:
            return self.wait_for(future)
        except KeyboardInterrupt:
            if on_interrupt is None:
                self._abandon(future)
                raise
        try:
            self.start(on_interrupt())
            return self.wait_for(future)
        except KeyboardInterrupt:
            self._abandon(future)
            raise

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run beside what the main thread does."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def wait_for(self, future: Future[T]) -> T:
        """Return what something that was started gives."""
        # A wait without bound cannot be interrupted on every system.
        while not future.done():
            wait([future], timeout=_POLL_S)
        return future.result()

    def _abandon(self, future: Future[Any]) -> None:
        future.cancel()
        wait([future], timeout=1)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            for task in (pending := asyncio.all_tasks(self._loop)):
                task.cancel()
            self._loop.run_until_complete(_ended(pending))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()


async def _ended(tasks: set[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
