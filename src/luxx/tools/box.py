"""Box: the tools that a turn may use, and the one place where a call becomes an outcome, whatever happens."""

import asyncio
import difflib
import time
import traceback
from collections.abc import Iterable

import msgspec
import structlog

from luxx.core.ports import Progress, ToolInfo, ToolOutcome
from luxx.core.prompts import Effect, ToolSpec
from luxx.core.text import storable
from luxx.tools.arguments import BadArguments
from luxx.tools.errors import ToolDefinitionError, ToolError
from luxx.tools.results import cut, outcome_of, shorten
from luxx.tools.threads import Threads
from luxx.tools.tool import Tool, ToolContext

_MAX_ERROR_CHARS = 2_000
_MAX_TRACE_CHARS = 8_000
_SHOWN_NAME_CHARS = 80

log = structlog.stdlib.get_logger(__name__)


class Toolbox:
    """The tools of a node, or some of them (see `subset`); implements luxx.core.ports.Toolbox.

    Owns the bounds of the node: `max_running` calls at once, `max_threads` of them in blocking functions. Calls beyond
    wait; the wait for a place does not count as the tool's time, the wait for a thread does. A result is cut at
    `max_result_chars` characters.
    """

    def __init__(
        self,
        tools: Iterable[Tool] = (),
        *,
        max_threads: int = 8,
        max_running: int = 64,
        max_result_chars: int = 50_000,
    ) -> None:
        self._tools = _by_name(tools)
        self._specs = tuple(tool.spec for tool in self._tools.values())
        self._threads = Threads(max_threads)
        self._running = asyncio.Semaphore(max_running)
        self._max_result_chars = max_result_chars
        self._whole: Toolbox | None = None

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The tools in their order."""
        return tuple(self._tools.values())

    @property
    def abandoned_threads(self) -> int:
        """How many threads of this node are still at work for calls that timed out or were cancelled."""
        return self._threads.abandoned

    def subset(self, names: Iterable[str]) -> "Toolbox":
        """Return a box with the tools named, in this box's order and under its bounds; unknown names are left out."""
        wanted = set(names)
        part = Toolbox(
            (tool for name, tool in self._tools.items() if name in wanted), max_result_chars=self._max_result_chars
        )
        part._threads, part._running, part._whole = self._threads, self._running, self._whole or self
        return part

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

    async def run(self, name: str, arguments: str, key: str, progress: Progress) -> ToolOutcome:
        """Run a tool; see the port for what the arguments mean and how it ends."""
        began = time.monotonic()
        tool = self._tools.get(name)
        outcome = await self._call(tool, arguments, key, progress) if tool else _failed(self._unknown(name))
        return msgspec.structs.replace(outcome, duration_ms=round((time.monotonic() - began) * 1000))

    async def aclose(self) -> None:
        """Free what the tools hold. A subset leaves that to the whole box. Running calls are the caller's to end."""
        if self._whole is not None:
            return
        for tool in self._tools.values():
            if tool.close is not None:
                try:
                    await tool.close()
                except Exception:
                    log.exception("tool_not_closed", tool=tool.name)

    async def _call(self, tool: Tool, arguments: str, key: str, progress: Progress) -> ToolOutcome:
        context = ToolContext(key, progress)
        try:
            values = tool.arguments.read(arguments)
            if tool.context:
                values[tool.context] = context
            async with self._running:
                return await _Call(tool, values, key, self._threads, self._max_result_chars).outcome()
        except BadArguments as error:
            return _failed(cut(str(error), self._max_result_chars))
        except Exception as error:
            log.error("tool_arguments_failed", tool=tool.name, key=key, traceback=_trace_of(error))
            return _failed(f"`{tool.name}` was not run, its arguments cannot be read: {_text_of(error)}")
        finally:
            context.end()

    def _unknown(self, name: str) -> str:
        shown = shorten(storable(name), _SHOWN_NAME_CHARS)
        if not self._tools:
            return f"There is no tool `{shown}`; no tools can be used here."
        near = difflib.get_close_matches(name[:_SHOWN_NAME_CHARS], self._tools, n=1)
        hint = f" Did you mean `{near[0]}`?" if near else ""
        return f"There is no tool `{shown}`.{hint} The tools are: {', '.join(self._tools)}."


class _Call:
    """One run of a tool with good arguments."""

    def __init__(self, tool: Tool, values: dict[str, object], key: str, threads: Threads, max_chars: int) -> None:
        self._tool = tool
        self._values = values
        self._key = key
        self._threads = threads
        self._max_chars = max_chars
        self._started = False

    async def outcome(self) -> ToolOutcome:
        """Run the tool within its time. Raises CancelledError if the caller was cancelled, and nothing else."""
        caller = asyncio.current_task()
        cancels = caller.cancelling() if caller else 0
        clock = asyncio.timeout(self._tool.timeout)
        try:
            async with clock:
                outcome = await self._run()
        except asyncio.CancelledError:
            if caller and caller.cancelling() > cancels:
                raise
            outcome = self._ended_early("was cancelled from within")
        except (Exception, SystemExit, BaseExceptionGroup) as error:
            outcome = self._timed_out() if clock.expired() else self._failed(error)
        if caller and caller.cancelling() > cancels:  # the tool swallowed it
            raise asyncio.CancelledError
        return outcome

    async def _run(self) -> ToolOutcome:
        tool, values = self._tool, self._values
        if tool.blocking:
            await self._threads.reserve()
            self._started = True
            return await self._threads.run(lambda: outcome_of(tool.function(**values), self._max_chars))
        self._started = True
        return outcome_of(await tool.function(**values), self._max_chars)

    def _timed_out(self) -> ToolOutcome:
        seconds = f"{self._tool.timeout:g} s"
        if not self._started:
            text = f"`{self._tool.name}` was not run: it timed out after {seconds} of waiting for a free thread."
            return _failed(text)
        log.warning("tool_timed_out", tool=self._tool.name, key=self._key, seconds=self._tool.timeout)
        return self._ended_early(f"timed out after {seconds}")

    def _ended_early(self, what: str) -> ToolOutcome:
        text = f"`{self._tool.name}` {what}."
        if self._tool.effect == "unsafe":
            text += " The outcome is unknown: it may have taken effect or not. Find out before you call it again."
        return _failed(text)

    def _failed(self, error: BaseException) -> ToolOutcome:
        if isinstance(error, ToolError):
            return _failed(cut(storable(str(error)), self._max_chars))
        log.error("tool_failed", tool=self._tool.name, key=self._key, traceback=_trace_of(error))
        return _failed(f"`{self._tool.name}` failed: {_text_of(error)}")


def _by_name(tools: Iterable[Tool]) -> dict[str, Tool]:
    named: dict[str, Tool] = {}
    for tool in tools:
        if tool.name in named:
            raise ToolDefinitionError(f"there are two tools with the name {tool.name}")
        named[tool.name] = tool
    return named


def _failed(text: str) -> ToolOutcome:
    return ToolOutcome(content=text, failed=True)


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
