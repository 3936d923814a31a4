"""Background: the tasks beside the turns, each watched: none of them dies unseen."""

import asyncio
from collections.abc import Callable, Coroutine

import structlog

_log = structlog.get_logger()


class Background:
    """Owns the tasks. `on_death` is called when a vital one ends while nobody asked for it."""

    def __init__(self, on_death: Callable[[], None] = lambda: None) -> None:
        self._on_death = on_death
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    def spawn(self, work: Coroutine[None, None, None], vital: bool = False) -> None:
        """Begin a task."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._vital_ended if vital else self._ended)

    async def close(self) -> None:
        """Stop all tasks; return when they have ended."""
        self._closing = True
        while tasks := set(self._tasks):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=1)  # one that was about to return from a wait may have missed it

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("background work failed", exc_info=error)

    def _vital_ended(self, task: asyncio.Task[None]) -> None:
        self._ended(task)
        if not self._closing:
            _log.critical("a vital part of the server has died, it stops")
            self._on_death()
