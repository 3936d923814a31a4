"""Threads: a bounded number of threads for functions that block."""

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_Ended = tuple[T | None, BaseException | None]


class Threads:
    """Runs blocking functions, at most `limit` at a time; owns the count of its threads.

    A thread cannot be stopped. One whose caller has gone keeps its place until its function returns, so that hanging
    functions cannot use up the machine. The threads are daemons: a function that hangs does not hold up the end of the
    process, as it would in a ThreadPoolExecutor.
    """

    def __init__(self, limit: int) -> None:
        self._places = asyncio.Semaphore(limit)
        self._abandoned = 0

    @property
    def abandoned(self) -> int:
        """How many threads are still at work for a caller that has gone."""
        return self._abandoned

    async def reserve(self) -> None:
        """Wait for a free place and take it; `run` has to follow at once."""
        await self._places.acquire()

    async def run(self, function: Callable[[], T]) -> T:
        """Run a function in the place taken before; the place is free again when the function has returned.

        Raises what the function raised. If the caller is cancelled, the function goes on alone.
        """
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[_Ended[T]] = loop.create_future()
        context = contextvars.copy_context()

        def work() -> None:
            result = _attempt(lambda: context.run(function))
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(self._settle, ended, result)

        try:
            threading.Thread(target=work, name="luxx-tool", daemon=True).start()
        except RuntimeError:
            self._places.release()
            raise
        return await self._result(ended)

    async def _result(self, ended: "asyncio.Future[_Ended[T]]") -> T:
        try:
            value, error = await ended
        except asyncio.CancelledError:
            if ended.cancelled():
                self._abandoned += 1
            raise
        if error is None:
            return value  # type: ignore[return-value]
        if isinstance(error, (Exception, asyncio.CancelledError)):
            raise error
        raise RuntimeError(f"{type(error).__name__}: {error}") from error

    def _settle(self, ended: "asyncio.Future[_Ended[T]]", result: _Ended[T]) -> None:
        self._places.release()
        if ended.cancelled():
            self._abandoned -= 1
        else:
            ended.set_result(result)


def _attempt(function: Callable[[], T]) -> _Ended[T]:
    """Return the value or the error: a future does not take every exception (StopIteration), and SystemExit must not end
    the process."""
    try:
        return function(), None
    except BaseException as error:  # noqa: BLE001 - raised again in the caller's task
        return None, error
