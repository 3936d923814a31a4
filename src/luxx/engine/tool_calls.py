"""Tool calls: from a call that is complete in the stream to its result in the log."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from luxx.core import steps
from luxx.core.endings import with_edit
from luxx.core.errors import StorageError
from luxx.core.events import ProcessStep, Question, ToolProgress
from luxx.core.files import Files
from luxx.core.ids import call_key
from luxx.core.ports import STOP_CALL, Emit, Reply, Toolbox, ToolOutcome
from luxx.core.prompts import Prompt
from luxx.core.steps import Step, ToolCall, ToolResult, Unfinished
from luxx.engine.approvals import FORBIDDEN, Approvals, GivenUp, Parked, Refused
from luxx.engine.resume import OpenCall
from luxx.engine.transcript import UNKNOWN

CANCELLED = "Cancelled before it ended."


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the calls of a turn are made: whose, in which conversation, with which files, and after which prompts."""

    turn_id: str
    owner: str
    conversation_id: str
    files: Files
    prompts: Callable[[], Sequence[Prompt]]


class ToolCalls:
    """Runs the calls of one turn: `parallel` at once, `most` in all; the others wait, or are refused."""

    def __init__(
        self,
        around: Surroundings,
        toolbox: Toolbox,
        emit: Emit,
        approvals: Approvals,
        indexes: Iterator[int],
        parallel: int,
        most: int,
    ) -> None:
        self.unsafe_running = 0
        self.approvals = approvals
        self._around = around
        self._toolbox = toolbox
        self._emit = emit
        self._indexes = indexes
        self._places = asyncio.Semaphore(parallel)
        self._most = most
        self.made = 0
        self._running: dict[int, asyncio.Task[object] | None] = {}
        self._stopped: set[int] = set()

    def cancel(self, index: int) -> bool:
        """Stop one tool that runs, by the index of its call; tell whether it does."""
        task = self._running.get(index)
        if task is None or index in self._stopped:
            return False
        self._stopped.add(index)
        return task.cancel(STOP_CALL)

    def mark_unknown(self, claim: ToolResult) -> ToolResult:
        """End a claimed call that must not be run again."""
        return self._end(claim, UNKNOWN, "unknown")

    def stop(self, one: OpenCall) -> ToolResult:
        """End a call that a person has stopped, and that is not at work."""
        return self._end(one.claim or self._new_claim(one.call), CANCELLED, "cancelled")

    async def run(self, one: OpenCall) -> ToolResult:
        """Run one tool when a person lets it and there is a place for it; return its result when that is committed.

        Raises GivenUp if the turn ends before a person has decided.
        """
        try:
            arguments = await self._allowed(one.call) if one.claim is None else self.approvals.changed(one.call)
        except Refused as refusal:
            return self._end(self._new_claim(one.call), str(refusal), refusal.why)
        unsafe = self._toolbox.effect(one.call.name) == "unsafe"
        async with self._place(one):
            self.unsafe_running += unsafe
            try:
                result = await self._result(one.call, one.claim or self._claim(one.call), arguments, unsafe)
                await self._emit.committed()
            finally:
                self.unsafe_running -= unsafe
        return result

    @contextlib.asynccontextmanager
    async def _place(self, one: OpenCall) -> AsyncGenerator[None]:
        """Wait for a place; a call that was claimed earlier, and is cancelled meanwhile, is ended."""
        try:
            await self._places.acquire()
        except asyncio.CancelledError:
            if one.claim is not None:
                self._end(one.claim, CANCELLED, "cancelled")
            raise
        try:
            yield
        finally:
            self._places.release()

    @contextlib.contextmanager
    def asking(self, call: ToolCall) -> Generator[None]:
        """Count a tool that waits for a person as one that does nothing: a server that stops need not wait for it."""
        unsafe = self._toolbox.effect(call.name) == "unsafe"
        self.unsafe_running -= unsafe
        try:
            yield
        finally:
            self.unsafe_running += unsafe

    async def _allowed(self, call: ToolCall) -> str | None:
        """Make sure that a call may run; return the arguments that a person gave it. Raises Refused, GivenUp."""
        self.made += 1
        if self.made > self._most:
            raise Refused(f"Not run: this answer has used up its {self._most} tool calls.", "limit")
        rule = await self.approvals.rule(call.name)
        if rule == "deny":
            self.approvals.refuse(call)
            raise Refused(FORBIDDEN, "forbidden")
        if not self.approvals.asked(call):
            if rule == "allow":
                return None
            known = any(spec.name == call.name for spec in self._toolbox.specs())
            must_ask = await self._toolbox.must_ask(call.name, call.arguments, self._context(call, call.index))
            if not must_ask and not (known and rule == "ask"):
                return None
        return await self.approvals.arguments(call)

    def _new_claim(self, call: ToolCall) -> ToolResult:
        return steps.tool_result(next(self._indexes), call, self._toolbox.effect(call.name))

    def _claim(self, call: ToolCall) -> ToolResult:
        claim = self._new_claim(call)
        self._emit.append(ProcessStep(claim))
        return claim

    async def _result(self, call: ToolCall, claim: ToolResult, arguments: str | None, unsafe: bool) -> ToolResult:
        """Run a tool after its claim is committed and append its result; one that is cancelled says so."""
        started = False
        self._running[call.index] = task = asyncio.current_task()
        try:
            await self._emit.committed()
            started = True
            context = self._context(call, claim.index)
            outcome = await self._toolbox.run(call.name, arguments or call.arguments, context)
        except asyncio.CancelledError:
            in_doubt = unsafe and started
            result = self._end(claim, *((UNKNOWN, "unknown") if in_doubt else (CANCELLED, "cancelled")))
            if task and call.index in self._stopped and not task.uncancel():  # it alone, not the turn
                return result
            raise
        finally:
            del self._running[call.index]
        content = outcome.content
        if arguments is not None:
            content = with_edit(content, arguments)
        result = replace(
            claim,
            state="failed" if outcome.failed else "complete",
            content=content,
            parts=_parts(outcome),
            duration_ms=outcome.duration_ms,
            unfinished=outcome.unfinished,
        )
        self._emit.append(ProcessStep(result))
        return result

    def _end(self, claim: ToolResult, content: str, why: Unfinished) -> ToolResult:
        result = replace(claim, state="failed", content=content, unfinished=why)
        self._emit.append(ProcessStep(result))
        return result

    def _context(self, call: ToolCall, index: int) -> "_Context":
        return _Context(self._around, call, self._emit, self, self._indexes, index)


class CallGroup(asyncio.TaskGroup):
    """The calls of one answer, at work side by side. It raises the first failure itself, not a group of them.

    `results` are those that have ended, in the order of their ends.
    """

    def __init__(self, calls: ToolCalls) -> None:
        super().__init__()
        self.results: list[Step] = []
        self.begun = 0
        self._calls = calls
        self._open = 0

    def begin(self, one: OpenCall) -> None:
        """Begin a call."""
        self.begun += 1
        self._open += 1
        self.create_task(self._run(one))

    async def all_ended(self) -> None:
        """Return when all calls have ended. Raises Parked when all that are left wait for a person."""
        approvals = self._calls.approvals
        while self._open:
            approvals.moved.clear()
            if approvals.wait_for_all(self._open):
                raise Parked
            await approvals.moved.wait()

    async def _run(self, one: OpenCall) -> None:
        try:
            with contextlib.suppress(GivenUp):
                self.results.append(await self._calls.run(one))
        finally:
            self._open -= 1
            self._calls.approvals.moved.set()

    async def __aexit__(self, *exc_info: object) -> None:
        try:
            await super().__aexit__(*exc_info)  # pyright: ignore[reportArgumentType]
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None


class _Context:
    """See luxx.core.ports.CallContext. Reports may come from any thread: the last one of a turn of the event loop is logged."""

    def __init__(
        self,
        around: Surroundings,
        call: ToolCall,
        emit: Emit,
        calls: ToolCalls,
        indexes: Iterator[int],
        index: int,
    ) -> None:
        self.key = call_key(around.turn_id, call.index)
        self.owner = around.owner
        self.conversation_id = around.conversation_id
        self.files = around.files
        self.prompts = around.prompts
        self._call = call
        self._emit = emit
        self._calls = calls
        self._indexes = indexes
        self._index = index
        self._loop = asyncio.get_running_loop()
        self._last: ToolProgress | None = None

    def progress(self, message: str, progress: float | None, total: float | None) -> None:
        """See CallContext."""
        waiting = self._last is not None
        self._last = ToolProgress(index=self._index, message=message, progress=progress, total=total)
        if not waiting:
            self._loop.call_soon_threadsafe(self._report)

    async def ask(self, message: str, schema: dict[str, Any] | None = None, url: str | None = None) -> Reply:
        """See CallContext."""
        question = Question(call=self._call.index, message=message, schema=schema, url=url)
        try:
            with self._calls.asking(self._call):
                answer = await self._calls.approvals.answer(next(self._indexes), self._call.name, question)
        except GivenUp:
            return Reply(action="expired")
        match answer.state:
            case "approved":
                return Reply(action="accept", content=answer.arguments)
            case "denied":
                return Reply(action="decline")
            case _:
                return Reply(action="expired")

    def _report(self) -> None:
        report, self._last = self._last, None
        if report is not None:
            with contextlib.suppress(StorageError):  # of a turn that is no longer ours: its task hears of it itself
                self._emit.append(report)


def _parts(outcome: ToolOutcome) -> tuple[dict[str, Any], ...]:
    parts: list[dict[str, Any]] = [{"type": "file", **msgspec.structs.asdict(file)} for file in outcome.files]
    if outcome.data is not None:
        parts.append({"type": "json", "value": outcome.data})
    return tuple(parts)
