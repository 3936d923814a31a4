"""Calls: the tool calls that MCP clients have running on this node, how far they are, and how one is stopped."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from luxx.core.errors import LimitReached
from luxx.core.ports import STOP_CALL

T = TypeVar("T")
MOST_CALLS = 64
"""Calls of MCP clients that run on a node at once; more are refused."""
PAUSE = 0.25
"""Seconds between two reports of a call's progress; of those in between only the last one is sent."""

CallKey = tuple[str, str | int]
"""The session of a client, and the id that it gave its request."""
Send = Callable[[float, float | None, str | None], Awaitable[None]]
"""Sends a report: how far, of how much, and a message."""


class Stopped(Exception):
    """The client has cancelled the call."""


class Progress:
    """How far one call is. Reports may come from any thread; the last one is sent, and never one that goes back, as MCP forbids it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._latest: tuple[str, float | None, float | None] | None = None
        self._sent = 0.0
        self._news = asyncio.Event()
        self._over = asyncio.Event()

    def report(self, message: str, progress: float | None = None, total: float | None = None) -> None:
        """Note how far the call is; without a number, each report counts as one step."""
        self._loop.call_soon_threadsafe(self._note, (message, progress, total))

    def end(self) -> None:
        """Let `run` return when all is sent."""
        self._over.set()
        self._news.set()

    async def run(self) -> None:
        """Send what is reported, until the end."""
        while not self._over.is_set():
            await self._news.wait()
            self._news.clear()
            await self._send_latest()
            await _either(self._over.wait(), PAUSE)
        await self._send_latest()

    def _note(self, report: tuple[str, float | None, float | None]) -> None:
        self._latest = report
        self._news.set()

    async def _send_latest(self) -> None:
        if self._latest is None:
            return
        (message, progress, total), self._latest = self._latest, None
        number = self._sent + 1 if progress is None else progress
        if number > self._sent:
            self._sent = number
            await self._send(number, total, message or None)


class Calls:
    """Runs calls, at most `most` at once; owns the list of those that run."""

    def __init__(self, most: int = MOST_CALLS) -> None:
        self._most = most
        self._running = 0
        self._tasks: dict[CallKey, asyncio.Task[Any]] = {}

    async def run(self, key: CallKey | None, call: Callable[[], Coroutine[Any, Any, T]], progress: Progress) -> T:
        """Run a call and return its result when its progress is told.

        The call has a task of its own: so it is stopped in an orderly way whether its client cancels it or is gone. Raises
        LimitReached, Stopped.
        """
        if self._running >= self._most:
            raise LimitReached("too_many_calls", f"{self._most} calls of MCP clients are running: try again later.")
        self._running += 1
        try:
            task = await self._ended(key, call, progress)
        finally:
            self._running -= 1
        if task.cancelled():
            raise Stopped
        return task.result()

    def cancel(self, key: CallKey) -> bool:
        """Stop a call; tell whether it runs here."""
        task = self._tasks.get(key)
        return task is not None and task.cancel(STOP_CALL)

    async def _ended(
        self, key: CallKey | None, call: Callable[[], Coroutine[Any, Any, T]], progress: Progress
    ) -> asyncio.Task[T]:
        async with _Group() as group:
            task = group.create_task(call())
            task.add_done_callback(lambda _: progress.end())
            if key is not None:
                self._tasks[key] = task
                task.add_done_callback(lambda _: self._forget(key, task))
            group.create_task(progress.run())
        return task

    def _forget(self, key: CallKey, task: asyncio.Task[Any]) -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]


class _Group(asyncio.TaskGroup):
    """Raises the first failure itself, not a group of them."""

    async def __aexit__(self, *exc_info: object) -> None:
        try:
            await super().__aexit__(*exc_info)  # pyright: ignore[reportArgumentType]
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None


async def _either(wait: Awaitable[object], seconds: float) -> None:
    """Wait for something, but no longer than so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await wait
    except TimeoutError:
        return
