"""Box: the tools that a turn may use, and the one place where a call becomes an outcome, whatever happens."""

import asyncio
import contextlib
import difflib
import inspect
import time
import traceback
from collections.abc import AsyncGenerator, Iterable

import msgspec
import structlog

from luxx.core.ports import STOP_CALL, CallContext, ToolInfo, ToolOutcome
from luxx.core.prompts import Effect, ToolSpec
from luxx.core.steps import Unfinished
from luxx.core.text import storable
from luxx.tools.arguments import BadArguments
from luxx.tools.context import ToolContext
from luxx.tools.errors import OutcomeUnknown, ToolDefinitionError, ToolError
from luxx.tools.keeping import outcome_of
from luxx.tools.results import Result, cut, result_of, shorten
from luxx.tools.threads import Threads
from luxx.tools.tool import Tool

_MAX_ERROR_CHARS = 2_000
_MAX_TRACE_CHARS = 8_000
_SHOWN_NAME_CHARS = 80
_APPROVAL_PATIENCE_S = 5.0

log = structlog.stdlib.get_logger(__name__)


class Bounds:
    """What all calls of a node share: the threads, the places to run in, and the longest result in characters."""

    def __init__(self, max_threads: int, max_running: int, max_result_chars: int) -> None:
        self.threads = Threads(max_threads)
        self.places = asyncio.Semaphore(max_running)
        self.max_chars = max_result_chars


class Toolbox:
    """The tools of a node, or some of them (see `subset` and `beside`); implements luxx.core.ports.Toolbox.

    Owns the bounds of the node: `max_running` calls at once, `max_threads` of them in blocking functions. Calls beyond
    wait; the wait for a place does not count as the tool's time, nor does that for a person's answer; the wait for a thread does.
    A result is cut at `max_result_chars` characters, and all of it kept as a file.
    """

    def __init__(
        self,
        tools: Iterable[Tool] = (),
        *,
        max_threads: int = 8,
        max_running: int = 64,
        max_result_chars: int = 50_000,
        bounds: Bounds | None = None,
    ) -> None:
        self._tools = _by_name(tools)
        self._specs = tuple(tool.spec for tool in self._tools.values())
        self._bounds = bounds or Bounds(max_threads, max_running, max_result_chars)
        self._is_part = bounds is not None

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The tools in their order."""
        return tuple(self._tools.values())

    @property
    def abandoned_threads(self) -> int:
        """How many threads of this node are still at work for calls that timed out or were cancelled."""
        return self._bounds.threads.abandoned

    def subset(self, names: Iterable[str]) -> "Toolbox":
        """Return a box with the tools named, in this box's order and under its bounds; unknown names are left out."""
        wanted = set(names)
        return self.beside(tool for name, tool in self._tools.items() if name in wanted)

    def beside(self, tools: Iterable[Tool]) -> "Toolbox":
        """Return a box with other tools under the bounds of this one. Closing it closes none of them."""
        return Toolbox(tools, bounds=self._bounds)

    def specs(self) -> tuple[ToolSpec, ...]:
        """Return the tools as the model sees them, always in the same order."""
        return self._specs

    def infos(self) -> tuple[ToolInfo, ...]:
        """Return the tools as a person sees them, in the same order."""
        return tuple(tool.info for tool in self._tools.values())

    def effect(self, name: str) -> Effect:
        """Return a tool's effect; ``read`` for a name that is not there."""
        tool = self._tools.get(name)
        return tool.effect if tool else "read"

    async def must_ask(self, name: str, arguments: str, context: CallContext) -> bool:
        """Whether a person is to be asked before this call runs; true if the tool's own function for it fails."""
        tool = self._tools.get(name)
        if tool is None or tool.info.asks == "never":
            return False
        try:
            return await _asks(tool, tool.arguments.read(arguments), ToolContext(context))
        except BadArguments:
            return False
        except Exception as error:
            log.error("tool_approval_failed", tool=name, key=context.key, traceback=_trace_of(error))
            return True

    def misfit(self, name: str, arguments: str) -> str | None:
        """Return why a call would be refused for its arguments; None if they fit, or if only the tool itself can tell."""
        tool = self._tools.get(name)
        if tool is None:
            return None
        try:
            tool.arguments.read(arguments)
        except BadArguments as error:
            return cut(storable("; ".join(error.problems) or str(error)), _MAX_ERROR_CHARS)
        except Exception:
            log.exception("tool_arguments_not_checked", tool=name)
        return None

    async def run(self, name: str, arguments: str, context: CallContext) -> ToolOutcome:
        """Run a tool; see the port for what the arguments mean and how it ends."""
        began = time.monotonic()
        tool = self._tools.get(name)
        result = await self._call(tool, arguments, context) if tool else self._not_there(name)
        outcome = await self._kept(result, name, context)
        return msgspec.structs.replace(outcome, duration_ms=round((time.monotonic() - began) * 1000))

    async def aclose(self) -> None:
        """Free what the tools hold. A part of a box leaves that to the whole. Running calls are the caller's to end."""
        for tool in () if self._is_part else self._tools.values():
            if tool.close is not None:
                try:
                    await tool.close()
                except Exception:
                    log.exception("tool_not_closed", tool=tool.name)

    async def _call(self, tool: Tool, arguments: str, context: CallContext) -> Result:
        try:
            values = tool.arguments.read(arguments)
            return await _Call(tool, values, context, self._bounds).result()
        except BadArguments as error:
            return _failure(cut(str(error), self._bounds.max_chars))
        except Exception as error:
            log.error("tool_arguments_failed", tool=tool.name, key=context.key, traceback=_trace_of(error))
            return _failure(f"`{tool.name}` was not run, its arguments cannot be read: {_text_of(error)}")

    async def _kept(self, result: Result, name: str, context: CallContext) -> ToolOutcome:
        """Return the outcome with its files kept, or without them if that goes wrong: the tool has run."""
        max_chars = self._bounds.max_chars
        try:
            return await outcome_of(result, name, context.files, max_chars)
        except asyncio.CancelledError as error:
            caller = asyncio.current_task()
            if error.args != (STOP_CALL,) or caller is None or caller.uncancel() > 0:
                raise
        except Exception as error:
            log.error("tool_files_not_kept", tool=name, key=context.key, traceback=_trace_of(error))
        text = cut(result.text, max_chars)
        return ToolOutcome(content=text, failed=result.failed, files=result.files, unfinished=result.unfinished)

    def _not_there(self, name: str) -> Result:
        shown = shorten(storable(name), _SHOWN_NAME_CHARS)
        if not self._tools:
            return _failure(f"There is no tool `{shown}`; no tools can be used here.", "off")
        near = difflib.get_close_matches(name[:_SHOWN_NAME_CHARS], self._tools, n=1)
        hint = f" Did you mean `{near[0]}`?" if near else ""
        return _failure(f"There is no tool `{shown}`.{hint} The tools are: {', '.join(self._tools)}.", "missing")


class _Call:
    """One run of a tool with good arguments; it gives its place back while a person is asked."""

    def __init__(self, tool: Tool, values: dict[str, object], context: CallContext, bounds: Bounds) -> None:
        self._tool = tool
        self._values = values
        self._bounds = bounds
        self._context = ToolContext(context, self._paused)
        self._clock = asyncio.timeout(None)
        self._left = tool.timeout
        self._in_time = False
        self._questions = 0
        self._has_place = False
        self._taking = asyncio.Lock()
        self._started = False
        self._over = False

    async def result(self) -> Result:
        """Run the tool. Raises CancelledError if the caller was cancelled otherwise than with STOP_CALL, and nothing else."""
        caller = asyncio.current_task()
        cancels = caller.cancelling() if caller else 0
        try:
            await self._take_place()
            result = await self._timed()
        except asyncio.CancelledError as error:
            if caller is None or caller.cancelling() <= cancels:
                result = self._ended_early("was cancelled from within")
            elif error.args == (STOP_CALL,) and caller.uncancel() <= cancels:
                result = self._stopped()
            else:
                raise
        finally:
            self._over = True
            self._context.end()
            self._give_place()
        if caller and caller.cancelling() > cancels:  # the tool swallowed it
            raise asyncio.CancelledError
        return result

    async def _timed(self) -> Result:
        try:
            async with self._clock:
                self._in_time = True
                self._run_clock()
                return await self._run()
        except (Exception, SystemExit, BaseExceptionGroup) as error:
            return self._timed_out() if self._clock.expired() else self._failed(error)
        finally:
            self._in_time = False

    async def _run(self) -> Result:
        tool, values, context, threads = self._tool, self._values, self._context, self._bounds.threads
        if tool.blocking:
            await threads.reserve()
            self._started = True
            return await threads.run(lambda: result_of(tool.run(values, context), tool.name))
        self._started = True
        return result_of(await tool.run(values, context), tool.name)

    @contextlib.asynccontextmanager
    async def _paused(self) -> AsyncGenerator[None]:
        """Let the clock stand still and the place go to others; questions may overlap, and outlive the call."""
        if self._questions == 0:
            self._stop_clock()
            self._give_place()
        self._questions += 1
        cancelled = False
        try:
            yield
        except asyncio.CancelledError:
            cancelled = True
            raise
        finally:
            self._questions -= 1
            if self._questions == 0:
                if not cancelled:
                    await self._take_place()
                if self._questions == 0:
                    self._run_clock()

    def _stop_clock(self) -> None:
        when = self._clock.when()
        if when is not None and self._in_time and not self._clock.expired():
            self._left = when - asyncio.get_running_loop().time()
            self._clock.reschedule(None)

    def _run_clock(self) -> None:
        if self._in_time and self._clock.when() is None and not self._clock.expired():
            self._clock.reschedule(asyncio.get_running_loop().time() + self._left)

    async def _take_place(self) -> None:
        """Wait for the place; one that comes when it is not wanted any longer goes to others, as nobody would give it back."""
        async with self._taking:
            if self._wants_place:
                await self._bounds.places.acquire()
                self._has_place = True
            if self._over or self._questions:
                self._give_place()

    @property
    def _wants_place(self) -> bool:
        return not (self._has_place or self._over or self._questions)

    def _give_place(self) -> None:
        if self._has_place:
            self._has_place = False
            self._bounds.places.release()

    def _timed_out(self) -> Result:
        seconds = f"{self._tool.timeout:g} s"
        if not self._started:
            text = f"`{self._tool.name}` was not run: it timed out after {seconds} of waiting for a free thread."
            return _failure(text)
        log.warning("tool_timed_out", tool=self._tool.name, key=self._context.key, seconds=self._tool.timeout)
        return self._ended_early(f"timed out after {seconds}")

    def _stopped(self) -> Result:
        if not self._started:
            return _failure(f"`{self._tool.name}` was not run: a person stopped it.", "cancelled")
        return self._ended_early("was stopped by a person", "cancelled")

    def _ended_early(self, what: str, why: Unfinished | None = None) -> Result:
        text = f"`{self._tool.name}` {what}."
        if self._tool.effect == "unsafe":
            return self._failed(OutcomeUnknown(text))
        return _failure(text, why)

    def _failed(self, error: BaseException) -> Result:
        if isinstance(error, ToolError):
            text = cut(storable(str(error)), self._bounds.max_chars)
            return _failure(text, "unknown" if isinstance(error, OutcomeUnknown) else None)
        log.error("tool_failed", tool=self._tool.name, key=self._context.key, traceback=_trace_of(error))
        return _failure(f"`{self._tool.name}` failed: {_text_of(error)}")


async def _asks(tool: Tool, values: dict[str, object], context: ToolContext) -> bool:
    if not callable(tool.approval):
        return True
    asks = tool.approval(values, context)
    if not inspect.isawaitable(asks):
        return bool(asks)
    async with asyncio.timeout(_APPROVAL_PATIENCE_S):
        return bool(await asks)


def _by_name(tools: Iterable[Tool]) -> dict[str, Tool]:
    named: dict[str, Tool] = {}
    for tool in tools:
        if tool.name in named:
            raise ToolDefinitionError(f"there are two tools with the name {tool.name}")
        named[tool.name] = tool
    return named


def _failure(text: str, why: Unfinished | None = None) -> Result:
    return Result(text=text, failed=True, unfinished=why)


def _trace_of(error: BaseException) -> str:
    """Return the traceback for the log, bounded whatever the tool put into its error."""
    return cut("".join(traceback.format_exception(error)), _MAX_TRACE_CHARS)


def _text_of(error: BaseException) -> str:
    name = type(error).__name__
    try:
        message = str(error)
    except Exception:
        message = ""
    return cut(storable(f"{name}: {message}" if message else name), _MAX_ERROR_CHARS)
