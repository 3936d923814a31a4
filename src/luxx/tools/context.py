"""Context: what a running tool may know of its call, and ask of its surroundings."""

import asyncio
import concurrent.futures
import contextlib
import math
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from luxx.core.files import Files
from luxx.core.ports import CallContext, Reply
from luxx.core.prompts import Prompt
from luxx.core.text import storable
from luxx.tools.errors import ToolError
from luxx.tools.results import shorten

T = TypeVar("T")
Pause = Callable[[], contextlib.AbstractAsyncContextManager[None]]
"""Makes a scope in which the tool's time stands still."""

MAX_QUESTIONS = 20
"""How many questions one call may ask, one after the other or at once."""

_MAX_MESSAGE_CHARS = 500


class CallOver(Exception):
    """The call has ended; a thread or a task that was left behind gets nothing more from it."""

    def __init__(self) -> None:
        super().__init__("the call is over")


class TooManyQuestions(ToolError):
    """A call has asked as many questions as it may."""


class ToolContext:
    """What a running tool may know of its call. A function gets it by an argument with this hint, hidden from the model.

    `key` is the call's idempotency key: a call that is run again after a crash has the same one. Methods and members that are
    async are for async functions; a blocking one hands their coroutines to `wait`.
    """

    def __init__(self, call: CallContext, pause: Pause = contextlib.nullcontext) -> None:
        self._call = call
        self._pause = pause
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._over = False
        self._waits: set[asyncio.Task[Any]] = set()
        self._open: set[asyncio.Timeout] = set()
        self._asked = 0

    @property
    def key(self) -> str:
        """The call's idempotency key."""
        return self._call.key

    @property
    def owner(self) -> str:
        """The id of the person whose turn it is."""
        return self._call.owner

    @property
    def conversation_id(self) -> str:
        """The conversation of the turn."""
        return self._call.conversation_id

    @property
    def files(self) -> Files:
        """The files of the conversation: keep, list, read."""
        return self._call.files

    def prompts(self) -> Sequence[Prompt]:
        """Return what the model has been told in this conversation up to the answer that made the call."""
        return self._call.prompts()

    def progress(self, message: str = "", progress: float | None = None, total: float | None = None) -> None:
        """Tell the reader how far the tool is, from any thread; without effect once the call is over."""
        if not self._over:
            self._call.progress(shorten(storable(message), _MAX_MESSAGE_CHARS), _finite(progress), _finite(total))

    async def ask(self, message: str, schema: dict[str, Any] | None = None, url: str | None = None) -> Reply:
        """Ask the person to fill in a form (a flat JSON schema) or to open `url`, and wait; meanwhile the tool's time stands
        still, and so do the turns' bounds on tools that run at once.

        Raises TooManyQuestions after MAX_QUESTIONS, and CallOver as soon as the call has ended, which ends open questions too: a
        task that is not the call's own may ask for it, and may outlive it.
        """
        if self._over:
            raise CallOver
        if self._asked >= MAX_QUESTIONS:
            raise TooManyQuestions(f"a call may ask {MAX_QUESTIONS} questions, and these were asked")
        self._asked += 1
        reply = await self._until_over(message, schema, url)
        if self._over:
            raise CallOver
        return reply

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine of this context from a blocking function: ``data = context.wait(context.files.read(file_id))``.

        Raises what it raises, CallOver once the call has ended, and RuntimeError in an async function.
        """
        if self._over or threading.get_ident() == self._thread:
            work.close()
            if self._over:
                raise CallOver
            raise RuntimeError("an async function awaits instead")
        try:
            return asyncio.run_coroutine_threadsafe(self._unless_over(work), self._loop).result()
        except concurrent.futures.CancelledError as error:
            raise CallOver from error

    def end(self) -> None:
        """Let nothing more be reported or asked: a thread that was left behind may still be at work."""
        self._over = True
        for task in tuple(self._waits):
            task.cancel()
        for clock in self._open:
            clock.reschedule(self._loop.time())
        self._open.clear()

    async def _until_over(self, message: str, schema: dict[str, Any] | None, url: str | None) -> Reply:
        try:
            async with asyncio.timeout(None) as clock:
                self._open.add(clock)
                try:
                    async with self._pause():
                        return await self._call.ask(message, schema, url)
                finally:
                    self._open.discard(clock)
        except TimeoutError as error:
            if self._over:
                raise CallOver from error
            raise

    async def _unless_over(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.current_task()
        if self._over or task is None:
            work.close()
            raise CallOver
        self._waits.add(task)
        try:
            return await work
        finally:
            self._waits.discard(task)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
