"""The event loop in a thread of its own, so that the main thread can read keys and take Ctrl-C."""

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")

_POLL_S = 0.05


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
        """Run and return its result; see `wait_for` for what Ctrl-C does."""
        return self.wait_for(self.start(work), on_interrupt)

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run beside what the main thread does."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def wait_for(self, future: Future[T], on_interrupt: Callable[[], Coroutine[Any, Any, None]] | None = None) -> T:
        """Return what something that was started gives.

        The first Ctrl-C runs `on_interrupt` beside it, and the wait goes on; the second, or the first where there is none,
        cancels the work and raises KeyboardInterrupt when it has ended.
        """
        heard = 0
        with _counted_interrupts() as interrupts:
            while not future.done():
                wait([future], timeout=_POLL_S)
                if len(interrupts) > heard and not future.done():
                    heard += 1
                    if heard > 1 or on_interrupt is None:
                        self._abandon(future)
                        raise KeyboardInterrupt
                    self.start(on_interrupt())
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


@contextmanager
def _counted_interrupts() -> Generator[list[int]]:
    """Collect the presses of Ctrl-C: an exception in the middle of a wait would leave its lock in disorder."""
    presses: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield presses
        return
    before = signal.signal(signal.SIGINT, lambda number, frame: presses.append(number))
    try:
        yield presses
    finally:
        signal.signal(signal.SIGINT, before)


async def _ended(tasks: set[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
