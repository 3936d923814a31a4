"""The loop: ask the model, run its tools while it still speaks, and ask again until it asks for nothing."""

import asyncio
import contextlib
import itertools
import random
from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from luxx.core import steps
from luxx.core.errors import (
    AnswerIncomplete,
    AnswerTooLong,
    ProviderError,
    RateLimited,
    StorageError,
    TooManyIterations,
)
from luxx.core.events import Done, Event, ProcessStep, Recovered, ToolProgress
from luxx.core.ids import call_key
from luxx.core.ports import Emit, Model, ModelCall, Toolbox
from luxx.core.prompts import AnswerPrompt, ModelRequest, Prompt, ResultPrompt, UserPrompt
from luxx.core.steps import Step, ToolCall, ToolResult
from luxx.core.usage import Usage
from luxx.engine.fold import Fold
from luxx.engine.resume import Claimed, Resumption
from luxx.engine.transcript import UNKNOWN, Transcript

CONTINUE = "Continue your last answer exactly where it stopped. Do not repeat anything of it."
CANCELLED = "Cancelled before it ended."
LIMIT_TEXT = "Exceeded maximum tool call iterations"
LONGEST_WAIT = 30.0
"""Seconds; a provider that asks for a longer pause than this before a retry ends the turn instead."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a turn is to do. `request` holds the earlier messages as prompts; `epoch` is above 1 after a takeover."""

    turn_id: str
    message_id: str
    provider: str
    request: ModelRequest
    max_iterations: int
    attempts: int
    parallel_tools: int = 16
    max_answer_chars: int = 4_000_000
    epoch: int = 1
    start: Resumption | None = None
    calls: tuple[ModelCall, ...] = ()
    highest_index: int = -1


class Loop:
    """One turn at work; owns its steps until they are in the log.

    `run` ends with a ``done`` event or raises: ProviderError, TooManyIterations, Fenced, StorageError, CancelledError. What was
    made until then is in the log, each step closed. `transcript` must have written the prompts of the request.
    """

    def __init__(self, plan: Plan, model: Model, toolbox: Toolbox, emit: Emit, transcript: Transcript) -> None:
        self._plan = plan
        self._model = model
        self._toolbox = toolbox
        self._emit = emit
        self._transcript = transcript
        self._indexes: Iterator[int] = itertools.count(plan.highest_index + 1)
        self._prompts: list[Prompt] = list(plan.request.prompts)
        self._usage = Usage()
        self._places = asyncio.Semaphore(plan.parallel_tools)
        self.unsafe_running = 0

    async def run(self) -> None:
        """Go on until the model asks for no more tools."""
        call, finish_reason = await self._start()
        while finish_reason is None:
            if call >= self._plan.max_iterations:
                raise TooManyIterations(LIMIT_TEXT)
            call += 1
            finish_reason = await self._answer(call)
        self._emit.append(
            Done(
                message_id=self._plan.message_id,
                token_count=self._usage.total_tokens,
                usage=self._usage,
                finish_reason=finish_reason,
            )
        )

    async def _start(self) -> tuple[int, str | None]:
        """Settle what an earlier owner left; return the last answer's number, and its finish reason if nothing is left to do."""
        start = self._plan.start
        if start is None:
            return 0, None
        if self._plan.epoch > 1:
            self._emit.append(Recovered(self._plan.epoch, start.discarded))
        for record in self._plan.calls:
            self._usage += record.usage
        made = list(start.steps)
        made += [self._unknown(claim) for claim in start.unknown]
        async with _Tools() as tools:
            for claim in start.rerun:
                tools.create_task(self._use(claim, made))
        self._prompts += self._transcript.answers(_settled(made), self._plan.calls)
        if start.whole:
            return start.call, next((c.finish_reason for c in self._plan.calls if c.n == start.call), "stop")
        if self._prompts and isinstance(self._prompts[-1], AnswerPrompt):
            self._prompts.append(UserPrompt(CONTINUE))
        return start.call, None

    async def _answer(self, call: int) -> str | None:
        """Make one model call and run its tools; return the finish reason if it asked for none."""
        fold = Fold(call, self._indexes)
        results: list[Step] = []
        record: ModelCall | ProviderError
        async with _Tools() as tools:
            try:
                record = await self._ask(fold, tools, results)
            except ProviderError as error:
                record = error  # raised after the tools that run already: their results are worth saving
            finally:
                self._append(fold.close())
        if isinstance(record, ProviderError):
            raise record
        self._prompts += self._transcript.answers(_settled([*fold.steps, *results]), (record,))
        return None if results else record.finish_reason

    async def _ask(self, fold: Fold, tools: asyncio.TaskGroup, results: list[Step]) -> ModelCall:
        """Stream one answer, trying again as long as nothing of it came."""
        request = replace(self._plan.request, prompts=tuple(self._prompts))
        for attempt in range(1, self._plan.attempts + 1):
            try:
                await self._read(request, fold, tools, results)
                break
            except ProviderError as error:
                if fold.started or not error.retryable or attempt == self._plan.attempts:
                    raise
                await asyncio.sleep(_pause(error, attempt))
        record = self._record(fold)
        self._usage += record.usage
        self._emit.append(record)
        return record

    async def _read(self, request: ModelRequest, fold: Fold, tools: asyncio.TaskGroup, results: list[Step]) -> None:
        """Read one stream into the log; each tool starts when its arguments are complete."""
        await self._emit.room()
        async with contextlib.aclosing(self._model.stream(request)) as stream:
            async for deltas in stream:
                self._append(fold.feed(deltas))
                if fold.characters > self._plan.max_answer_chars:
                    raise AnswerTooLong(
                        f"Stopped: the answer is longer than {self._plan.max_answer_chars:,} characters."
                    )
                for call in fold.ready_calls():
                    tools.create_task(self._use(Claimed(call, None), results))
                await self._emit.room()

    def _append(self, events: list[Event]) -> None:
        for event in events:
            self._emit.append(event)

    def _record(self, fold: Fold) -> ModelCall:
        finish = fold.finish
        if finish is None:
            raise AnswerIncomplete("The provider's stream ended before the answer did.")
        usage = finish.usage or _estimate(self._plan.request, self._prompts, fold)
        return ModelCall(
            n=fold.call,
            provider=self._plan.provider,
            model=self._plan.request.model,
            format=self._model.format,
            finish_reason=finish.reason,
            usage=usage,
            raw=finish.raw,
        )

    def _claim(self, call: ToolCall) -> ToolResult:
        claim = steps.tool_result(next(self._indexes), call)
        self._emit.append(ProcessStep(claim))
        return claim

    def _unknown(self, claim: Claimed) -> ToolResult:
        assert claim.result is not None
        result = replace(claim.result, state="failed", content=UNKNOWN)
        self._emit.append(ProcessStep(result))
        return result

    async def _use(self, claim: Claimed, results: list[Step]) -> None:
        """Run one tool when there is a place for it; places are given, and so claims made, in call order."""
        unsafe = self._toolbox.effect(claim.call.name) == "unsafe"
        async with self._places:
            self.unsafe_running += unsafe
            try:
                result = await self._run(claim.call, claim.result or self._claim(claim.call), unsafe)
                results.append(result)
                self._emit.append(ProcessStep(result))
                await self._emit.committed()
            finally:
                self.unsafe_running -= unsafe

    async def _run(self, call: ToolCall, claim: ToolResult, unsafe: bool) -> ToolResult:
        """Run a tool after its claim is committed and return its result; a cancelled one says so in the log itself."""
        started = False
        try:
            await self._emit.committed()
            started = True
            key = call_key(self._plan.turn_id, call.index)
            outcome = await self._toolbox.run(call.name, call.arguments, key, _Progress(claim.index, self._emit))
        except asyncio.CancelledError:
            content = UNKNOWN if unsafe and started else CANCELLED
            self._emit.append(ProcessStep(replace(claim, state="failed", content=content)))
            raise
        return replace(
            claim,
            state="failed" if outcome.failed else "complete",
            content=outcome.content,
            parts=outcome.parts,
            duration_ms=outcome.duration_ms,
        )


class _Progress:
    """Takes a tool's reports from any thread and hands the last one of a turn of the event loop to the log."""

    def __init__(self, index: int, emit: Emit) -> None:
        self._index = index
        self._emit = emit
        self._loop = asyncio.get_running_loop()
        self._last: ToolProgress | None = None

    def __call__(self, message: str, progress: float | None, total: float | None) -> None:
        waiting = self._last is not None
        self._last = ToolProgress(index=self._index, message=message, progress=progress, total=total)
        if not waiting:
            self._loop.call_soon_threadsafe(self._report)

    def _report(self) -> None:
        report, self._last = self._last, None
        if report is not None:
            with contextlib.suppress(StorageError):  # of a turn that is no longer ours: its task hears of it itself
                self._emit.append(report)


class _Tools(asyncio.TaskGroup):
    """A task group that raises the first failure itself, not a group of them."""

    async def __aexit__(self, *exc_info: object) -> None:
        try:
            await super().__aexit__(*exc_info)  # pyright: ignore[reportArgumentType]
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None


def _settled(made: list[Step]) -> list[Step]:
    """Return the steps with each claim replaced by its result, in order."""
    by_index = {step.index: step for step in made}
    return [step for _, step in sorted(by_index.items())]


def _pause(error: ProviderError, attempt: int) -> float:
    """Return the seconds to wait before the next try: what the provider asked for, else back-off with jitter."""
    if isinstance(error, RateLimited) and error.retry_after is not None:
        if error.retry_after > LONGEST_WAIT:
            raise error
        return error.retry_after
    return 0.5 * 2 ** (attempt - 1) * random.uniform(0.75, 1.25)


def _estimate(request: ModelRequest, prompts: list[Prompt], fold: Fold) -> Usage:
    """Count four characters as a token, for a provider that gives no usage."""
    characters = len(request.system or "")
    for prompt in prompts:
        match prompt:
            case UserPrompt(text=text):
                characters += len(text)
            case AnswerPrompt(text=text, calls=calls):
                characters += len(text) + sum(len(call.arguments) for call in calls)
            case ResultPrompt(content=content):
                characters += len(content)
    read, written = -(-characters // 4), -(-fold.characters // 4)
    return Usage(input_tokens=read, output_tokens=written, total_tokens=read + written, estimated=True)
