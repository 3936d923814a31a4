"""The loop: ask the model, run its tools while it still speaks, and ask again until it asks for nothing."""

import asyncio
import contextlib
import itertools
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from luxx.core.deltas import Delta, FileDelta, NoticeDelta
from luxx.core.errors import (
    AnswerIncomplete,
    AnswerTooLong,
    ContextOverflow,
    InvalidRequest,
    ProviderError,
    TooManyIterations,
)
from luxx.core.events import Approval, Done, Event, ProcessStep, Recovered
from luxx.core.files import FileRef, Files
from luxx.core.ids import step_id
from luxx.core.ports import Decision, Emit, Model, ModelCall, Toolbox
from luxx.core.prompts import AnswerPrompt, ModelRequest, UserPrompt
from luxx.core.steps import Step, Summary, ToolResult
from luxx.core.usage import Usage
from luxx.engine.approvals import Approvals, Rules, no_rules
from luxx.engine.contents import Contents
from luxx.engine.context import Context, Mark
from luxx.engine.estimate import usage_of
from luxx.engine.fold import Fold
from luxx.engine.resume import Claimed, Resumption
from luxx.engine.retry import pause
from luxx.engine.summing import notes_on
from luxx.engine.tool_calls import CallGroup, Surroundings, ToolCalls
from luxx.engine.transcript import Transcript

CONTINUE = "Continue your last answer exactly where it stopped. Do not repeat anything of it."
FILE_NAME = "file"
"""The name of a file to which the model gave none."""
LIMIT_TEXT = "Exceeded maximum tool call iterations"
TOO_LONG = (
    "The last message is longer than what the model can take. Shorten it, or choose a model with a larger window."
)
MOST_SHRINKS = 4
"""How often a turn makes room because the provider says that a request is too long."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a turn is to do.

    `request` holds the earlier messages as prompts, `rules` reads the person's on tools, and `approval_patience_s` is how long a call
    waits for a decision. `start`, `calls` and `approvals` are what an earlier owner left; `recovered` if it died, of which readers
    are told. `window` is what the model can take in tokens, where that is known, and `marks` say where the prompts can be cut;
    `summary` is one that a person wrote in the place of the model's.
    """

    turn_id: str
    message_id: str
    provider: str
    request: ModelRequest
    max_iterations: int
    attempts: int
    parallel_tools: int = 16
    max_tool_calls: int = 200
    max_answer_chars: int = 4_000_000
    owner: str = ""
    conversation_id: str = ""
    rules: Rules = no_rules
    approval_patience_s: float = 86_400.0
    epoch: int = 1
    recovered: bool = False
    start: Resumption | None = None
    calls: tuple[ModelCall, ...] = ()
    marks: tuple[Mark, ...] = ()
    window: int | None = None
    summary: Summary | None = None
    approvals: Mapping[int, Approval] = {}
    highest_index: int = -1


class Loop:
    """One turn at work; owns its steps until they are in the log.

    `run` ends with a ``done`` event or raises: ProviderError, TooManyIterations, Fenced, StorageError, CancelledError, or Parked for
    a turn that only waits for a person. What was made until then is in the log, each step closed. `transcript` must have written
    the prompts of the request. `said_something` tells whether anything of the last answer came.
    """

    def __init__(
        self, plan: Plan, model: Model, toolbox: Toolbox, emit: Emit, transcript: Transcript, files: Files
    ) -> None:
        self._plan = plan
        self._model = model
        self._emit = emit
        self._transcript = transcript
        self._files = files
        self._contents = Contents(files)
        self._indexes: Iterator[int] = itertools.count(plan.highest_index + 1)
        self._context = Context(plan.request.prompts, plan.marks, plan.window)
        self._usage = Usage()
        self.said_something = False
        self._summaries = 0
        self._shrunk = 0
        self._approvals = Approvals(emit, plan.rules, plan.approvals, plan.approval_patience_s)
        around = Surroundings(
            turn_id=plan.turn_id,
            owner=plan.owner,
            conversation_id=plan.conversation_id,
            files=files,
            prompts=lambda: tuple(self._context.prompts),
        )
        self._calls = ToolCalls(
            around, toolbox, emit, self._approvals, self._indexes, plan.parallel_tools, plan.max_tool_calls
        )

    @property
    def unsafe_running(self) -> int:
        """How many unsafe tools are under way."""
        return self._calls.unsafe_running

    def decided(self, index: int, decision: Decision) -> None:
        """Take what a person decided, once it is committed."""
        self._approvals.take(index, decision)

    def cancel_call(self, index: int) -> bool:
        """Stop one tool that runs, by the index of its call; tell whether it does."""
        return self._calls.cancel(index)

    async def run(self) -> None:
        """Go on until the model asks for no more tools."""
        try:
            await self._run()
        finally:
            self._approvals.give_up()  # a question may outlive the call that asked it

    async def _run(self) -> None:
        call, finish_reason = await self._start()
        while finish_reason is None:
            if call - self._summaries >= self._plan.max_iterations:
                raise TooManyIterations(LIMIT_TEXT)
            if self._context.too_long(self._plan.request):
                call = await self._sum_up(call + 1)
            try:
                finish_reason = await self._answer(call + 1)
                call += 1
            except ContextOverflow:
                if self.said_something:
                    raise
                call = await self._make_room(call + 1)
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
            return (0 if self._plan.summary is None else self._given(self._plan.summary)), None
        if self._plan.recovered:
            self._emit.append(Recovered(self._plan.epoch, start.discarded))
        self._approvals.close_questions()
        for record in self._plan.calls:
            self._usage += record.usage
        last = [step for step in start.steps if step.call == start.call]
        self._remember([step for step in start.steps if step.call != start.call])
        self._calls.made = sum(isinstance(step, ToolResult) for step in start.steps)
        last += [self._calls.mark_unknown(claim.result) for claim in start.unknown if claim.result is not None]
        async with CallGroup(self._calls) as calls:
            for claim in start.rerun:
                calls.begin(claim)
            await calls.settle()
        self._remember(_settled([*last, *calls.results]))
        if self._plan.summary is not None and start.call == 0:
            return self._given(self._plan.summary), None
        if start.whole:
            return start.call, next((c.finish_reason for c in self._plan.calls if c.n == start.call), "stop")
        if self._context.prompts and isinstance(self._context.prompts[-1], AnswerPrompt):
            self._context.add([UserPrompt(CONTINUE, by_person=False)])
        return start.call, None

    def _given(self, summary: Summary) -> int:
        """Begin with the summary that a person has written; return its call."""
        index = next(self._indexes)
        summary = replace(summary, id=step_id(index), index=index, call=1, state="complete")
        self._emit.append(ProcessStep(summary))
        self._emit.append(self._call_record(1, "summary", Usage()))
        self._summaries += 1
        self._context.take(summary, self._transcript)
        return 1

    def _remember(self, made: list[Step]) -> None:
        """Take what stands of this turn's earlier calls into the context."""
        self._context.answer(made, self._plan.calls, self._transcript)
        self._summaries += sum(isinstance(step, Summary) and step.state == "complete" for step in made)

    async def _make_room(self, call: int) -> int:
        """Sum up what is too long for the model, by its own account. Raises ContextOverflow if nothing can be summed up."""
        if self._shrunk >= MOST_SHRINKS:
            raise ContextOverflow(TOO_LONG)
        self._shrunk += 1
        self._context.shrink(self._plan.request)
        return await self._sum_up(call, must=True)

    async def _sum_up(self, call: int, must: bool = False) -> int:
        """Put a summary in the place of what is too long; return the number of the last call made.

        Raises ContextOverflow if it `must`, and there is nothing to sum up.
        """
        mark = self._context.cut(self._plan.request)
        if mark is None:
            if must:
                raise ContextOverflow(TOO_LONG)
            return call - 1
        index = next(self._indexes)
        summary = Summary(id=step_id(index), index=index, call=call, until=mark.message_id, until_call=mark.call)
        self._emit.append(ProcessStep(summary))
        try:
            text, usage = await notes_on(
                self._context.prompts[: mark.prompts], self._model, self._plan.request, self._context.window
            )
        except BaseException:
            self._emit.append(ProcessStep(replace(summary, state="failed")))
            raise
        summary = replace(summary, state="complete", content=text)
        self._emit.append(ProcessStep(summary))
        self._usage += usage
        self._emit.append(self._call_record(call, "summary", usage))
        self._summaries += 1
        self._context.take(summary, self._transcript)
        return call

    async def _answer(self, call: int) -> str | None:
        """Make one model call and run its tools; return the finish reason if it asked for none."""
        fold = Fold(call, self._indexes)
        record: ModelCall | ProviderError
        async with CallGroup(self._calls) as calls:
            try:
                record = await self._ask(fold, calls)
            except ProviderError as error:
                record = error  # raised after the tools that run already: their results are worth saving
                self._approvals.give_up()
            finally:
                self._append(fold.close())
            await calls.settle()
        self.said_something = fold.started
        if isinstance(record, ProviderError):
            raise record
        self._context.add(self._transcript.answers(_settled([*fold.steps, *calls.results]), (record,)), call)
        return None if calls.begun else record.finish_reason

    async def _ask(self, fold: Fold, calls: CallGroup) -> ModelCall:
        """Stream one answer, trying again as long as nothing of it came."""
        prompts = tuple(self._context.prompts)
        request = replace(self._plan.request, prompts=prompts, files=await self._contents.of(prompts))
        for attempt in range(1, self._plan.attempts + 1):
            try:
                await self._read(request, fold, calls)
                break
            except ProviderError as error:
                if fold.started or not error.retryable or attempt == self._plan.attempts:
                    raise
                await asyncio.sleep(pause(error, attempt))
        record = self._record(fold)
        self._usage += record.usage
        self._emit.append(record)
        return record

    async def _read(self, request: ModelRequest, fold: Fold, calls: CallGroup) -> None:
        """Read one stream into the log; each tool starts when its arguments are complete."""
        await self._emit.room()
        async with contextlib.aclosing(self._model.stream(request)) as stream:
            async for deltas in stream:
                self._append(fold.feed(await self._kept(deltas)))
                if fold.characters > self._plan.max_answer_chars:
                    raise AnswerTooLong(
                        f"Stopped: the answer is longer than {self._plan.max_answer_chars:,} characters."
                    )
                for call in fold.ready_calls():
                    calls.begin(Claimed(call, None))
                await self._emit.room()

    async def _kept(self, deltas: Sequence[Delta]) -> Sequence[Delta | FileRef]:
        """Store the files among the deltas, for what is shown is stored."""
        if not any(isinstance(delta, FileDelta) for delta in deltas):
            return deltas
        kept: list[Delta | FileRef] = []
        for delta in deltas:
            if not isinstance(delta, FileDelta):
                kept.append(delta)
                continue
            try:
                kept.append(await self._files.keep(delta.name or FILE_NAME, delta.data))
            except InvalidRequest as error:
                kept.append(NoticeDelta(kind="file_refused", text=f"A file of the model was not kept: {error.message}"))
        return kept

    def _append(self, events: list[Event]) -> None:
        for event in events:
            self._emit.append(event)

    def _record(self, fold: Fold) -> ModelCall:
        finish = fold.finish
        if finish is None:
            raise AnswerIncomplete("The provider's stream ended before the answer did.")
        asked = replace(self._plan.request, prompts=tuple(self._context.prompts))
        used = finish.usage or usage_of(asked, fold.characters)
        return self._call_record(fold.call, finish.reason, used, finish.raw)

    def _call_record(self, n: int, reason: str, usage: Usage, raw: bytes = b"") -> ModelCall:
        return ModelCall(
            n=n,
            provider=self._plan.provider,
            model=self._plan.request.model,
            format=self._model.format,
            finish_reason=reason,
            usage=usage,
            raw=raw,
        )


def _settled(made: list[Step]) -> list[Step]:
    """Return the steps with each claim replaced by its result, in order."""
    by_index = {step.index: step for step in made}
    return [step for _, step in sorted(by_index.items())]
