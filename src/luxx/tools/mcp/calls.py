"""Calls: one tool call on a server, with its own patience, its progress and its questions; what goes wrong is a ToolError."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from luxx.core.ports import Reply
from luxx.core.prompts import Effect
from luxx.tools.context import CallOver, ToolContext, TooManyQuestions
from luxx.tools.errors import OutcomeUnknown, ToolError
from luxx.tools.mcp.connection import Connection, Patience
from luxx.tools.mcp.wire import (
    CallHooks,
    InDoubt,
    NotAsked,
    Question,
    ServerFailed,
    Session,
    SessionLost,
)

_PROGRESS_PAUSE_S = 0.1

T = TypeVar("T")


async def made_call(
    connection: Connection,
    server: str,
    effect: Effect,
    patience: Patience,
    context: ToolContext,
    work: Callable[[Session, CallHooks], Awaitable[T]],
) -> T:
    """Do the work in a session of the server. Raises ToolError.

    It is done once more if the server had not taken it, or if it may be done twice and there was no answer.
    """
    in_doubt = OutcomeUnknown if effect == "unsafe" else ToolError
    try:
        try:
            return await _attempt(connection, server, patience, context, work)
        except (SessionLost, InDoubt) as error:
            if effect == "unsafe" and isinstance(error, InDoubt):
                raise
            return await _attempt(connection, server, patience, context, work)
    except ServerFailed as error:
        words = f"The server {server} {error.verb}: {error}".rstrip(".")
        raise (in_doubt if isinstance(error, InDoubt) else ToolError)(f"{words}.") from error
    except TimeoutError as error:
        words = (
            f"The server {server} gave no result and no sign of life for {patience.call_s:g} s; the call was cancelled."
        )
        raise in_doubt(words) from error


async def _attempt(
    connection: Connection,
    server: str,
    patience: Patience,
    context: ToolContext,
    work: Callable[[Session, CallHooks], Awaitable[T]],
) -> T:
    async with connection.session() as session:
        async with asyncio.timeout(patience.call_s) as clock:
            hooks = _Hooks(server, patience.call_s, context, clock)
            try:
                return await work(session, hooks)
            finally:
                hooks.end()


class _Hooks:
    """See CallHooks. A sign of life gives the call its time again; while the person is asked, the time stands still.

    The SDK's own tasks report and ask, so that both can come when the call has ended.
    """

    def __init__(self, server: str, patience_s: float, context: ToolContext, clock: asyncio.Timeout) -> None:
        self._server = server
        self._patience_s = patience_s
        self._context = context
        self._clock = clock
        self._questions = 0
        self._reported = 0.0
        self._over = False

    @property
    def conversation_id(self) -> str:
        return self._context.conversation_id

    def end(self) -> None:
        """Let the clock be, and nothing more be asked."""
        self._over = True

    def progress(self, message: str, progress: float, total: float | None) -> None:
        now = asyncio.get_running_loop().time()
        self._begin_anew()
        if now - self._reported >= _PROGRESS_PAUSE_S or progress == total:
            self._reported = now
            self._context.progress(message, progress, total)

    async def ask(self, question: Question) -> Reply:
        if self._over:
            raise NotAsked("the call is over")
        self._questions += 1
        self._set(None)
        try:
            return await self._context.ask(f"{self._server}: {question.message}", question.schema, question.url)
        except (CallOver, TooManyQuestions) as error:
            raise NotAsked(str(error)) from error
        finally:
            self._questions -= 1
            self._begin_anew()

    def _begin_anew(self) -> None:
        if not self._questions:
            self._set(asyncio.get_running_loop().time() + self._patience_s)

    def _set(self, when: float | None) -> None:
        if not self._over and not self._clock.expired() and self._clock.when() != when:
            self._clock.reschedule(when)
