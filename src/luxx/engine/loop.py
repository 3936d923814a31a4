"""The loop: ask the model, run its tools while it still speaks, and ask again until it asks for nothing."""

from msgspec.structs import replace

from luxx.core.errors import ContextOverflow, ProviderError, TooManyIterations
from luxx.core.events import Done, Recovered
from luxx.core.files import Files
from luxx.core.ports import Decision, Emit, Model, ModelCall, Toolbox
from luxx.core.prompts import AnswerPrompt, UserPrompt
from luxx.core.steps import Step, ToolResult
from luxx.core.usage import Usage
from luxx.engine.approvals import Approvals
from luxx.engine.asking import Asking
from luxx.engine.book import Book
from luxx.engine.contents import Contents
from luxx.engine.context import Context
from luxx.engine.fitting import Fitting
from luxx.engine.fold import Fold
from luxx.engine.plan import Plan
from luxx.engine.resume import OpenCall
from luxx.engine.tool_calls import CallGroup, Surroundings, ToolCalls
from luxx.engine.transcript import Transcript

CONTINUE = "Continue your last answer exactly where it stopped. Do not repeat anything of it."
LIMIT_TEXT = "Exceeded maximum tool call iterations"
UNTOLD = Usage(estimated=True)
"""What an answer has cost that ended with its process: nobody knows, so what the turn costs is not known either."""


class Loop:
    """One turn at work; owns its steps until they are in the log.

    `run` ends with a ``done`` event or raises: ProviderError, TooManyIterations, Fenced, StorageError, CancelledError, or Parked for
    a turn that only waits for a person. What was made until then is in the log, each step closed. `transcript` must have written
    the prompts of the request. `said_something` tells whether anything of the last answer came.
    """

    def __init__(
        self,
        plan: Plan,
        model: Model,
        toolbox: Toolbox,
        emit: Emit,
        transcript: Transcript,
        files: Files,
        contents: Contents | None = None,
    ) -> None:
        """`contents` is shared by all turns of the process."""
        self.said_something = False
        self._plan = plan
        limits = plan.limits
        self._transcript = transcript
        highest = max([plan.highest_index, *(-record.n for record in plan.calls)])
        self._book = book = Book(emit, highest, plan.provider, plan.request.model, model.format, plan.price)
        self._context = context = Context(plan.request.prompts, plan.marks)
        self._fitting = Fitting(context, transcript, model, plan.request, plan.window, book, files)
        self._asking = Asking(
            model, book, emit, files, contents or Contents(), limits.attempts, limits.max_answer_chars
        )
        self._approvals = Approvals(emit, plan.rules, plan.approvals, limits.approval_patience_s)
        around = Surroundings(
            turn_id=plan.turn_id,
            owner=plan.owner,
            conversation_id=plan.conversation_id,
            files=files,
            prompts=lambda: tuple(context.prompts),
        )
        self._calls = ToolCalls(
            around, toolbox, emit, self._approvals, book.indexes, limits.parallel_tools, limits.max_tool_calls
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

    def note(self, call: int, kind: str, text: str) -> None:
        """Tell the person something, under an index that nothing else of the turn has. Raises Fenced."""
        self._book.note(call, kind, text)

    async def run(self) -> None:
        """Go on until the model asks for no more tools."""
        try:
            await self._run()
        finally:
            self._approvals.give_up()  # a question may outlive the call that asked it

    async def _run(self) -> None:
        call, finish_reason = await self._start()
        while finish_reason is None:
            if call - self._fitting.summaries >= self._plan.max_iterations:
                raise TooManyIterations(LIMIT_TEXT)
            call, finish_reason = await self._next(call)
        usage = self._book.usage
        self._book.append(
            Done(
                message_id=self._plan.message_id,
                token_count=usage.total_tokens,
                usage=usage,
                finish_reason=finish_reason,
            )
        )

    async def _start(self) -> tuple[int, str | None]:
        """End what an earlier owner left open; return the last answer's number, and its finish reason if nothing is left to do."""
        plan, start = self._plan, self._plan.start
        if start is None:
            return (0 if plan.summary is None else self._fitting.give(plan.summary)), None
        if plan.recovered:
            self._book.append(Recovered(plan.epoch, start.discarded))
        self._approvals.close_questions()
        for record in plan.calls:
            self._book.count(record)
        if start.unfinished:
            self._book.broke_off(UNTOLD)
        last = [step for step in start.steps if step.call == start.call]
        self._remember([step for step in start.steps if step.call != start.call])
        self._calls.made = sum(isinstance(step, ToolResult) for step in start.steps)
        last += [self._calls.mark_unknown(one.claim) for one in start.unknown if one.claim is not None]
        async with CallGroup(self._calls) as calls:
            for one in start.rerun:
                if one.call.index in plan.stopped:
                    last.append(self._calls.stop(one))
                else:
                    calls.begin(one)
            await calls.all_ended()
        self._remember(_latest([*last, *calls.results]))
        if plan.summary is not None and start.call == 0:
            return self._fitting.give(plan.summary), None
        if start.whole:
            return start.call, next((c.finish_reason for c in plan.calls if c.n == start.call), "stop")
        if self._context.prompts and isinstance(self._context.prompts[-1], AnswerPrompt):
            self._context.add([UserPrompt(CONTINUE, by_person=False)])
        return start.call, None

    def _remember(self, made: list[Step]) -> None:
        """Take what stands of this turn's earlier calls into the context."""
        self._context.answer(made, self._plan.calls, self._transcript)
        self._fitting.remember(made)

    async def _next(self, call: int) -> tuple[int, str | None]:
        """Make the model call after this one, with room for it; return its number, and the finish reason if it asked for no tools."""
        call = await self._fitting.fit(call)
        while True:
            try:
                return call + 1, await self._answer(call + 1)
            except ContextOverflow:
                if self.said_something:
                    raise
                call = await self._fitting.refused(call)

    async def _answer(self, call: int) -> str | None:
        """Make one model call and run its tools; return the finish reason if it asked for none."""
        request = replace(self._plan.request, prompts=tuple(self._context.prompts))
        fold = Fold(call, self._book.indexes)
        record: ModelCall | ProviderError
        async with CallGroup(self._calls) as calls:
            try:
                record = await self._asking.ask(request, fold, lambda made: calls.begin(OpenCall(made)))
            except ProviderError as error:
                record = error  # raised after the tools that run already: their results are worth saving
                self._approvals.give_up()
            finally:
                self._asking.close(fold)
            await calls.all_ended()
        self.said_something = fold.started
        if isinstance(record, ProviderError):
            raise record
        records = (*(self._book.part(*part) for part in fold.verbatim.items()), record)
        self._context.add(self._transcript.answers(_latest([*fold.steps, *calls.results]), records), call)
        return None if calls.begun else record.finish_reason


def _latest(made: list[Step]) -> list[Step]:
    """Return the steps with each claim replaced by its result, in order."""
    by_index = {step.index: step for step in made}
    return [step for _, step in sorted(by_index.items())]
