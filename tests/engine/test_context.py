"""Conversations that are longer than what the model can take: summed up within the turn, never an error."""

from collections.abc import AsyncGenerator, Sequence

import pytest
from msgspec.structs import replace

from luxx.core.deltas import Delta, Finish, TextDelta
from luxx.core.errors import ContextOverflow, ProviderError, ProviderUnreachable
from luxx.core.events import Done, LogEntry, ProcessStep, encode
from luxx.core.ports import ModelCall
from luxx.core.prompts import AnswerPrompt, ModelRequest, Prompt, UserPrompt
from luxx.core.replay import Replay
from luxx.core.steps import Summary, Text, ToolResult
from luxx.engine.context import Mark
from luxx.engine.loop import Loop, Plan
from luxx.engine.resume import resume
from luxx.engine.summing import NOTED, SYSTEM, notes_on
from luxx.engine.transcript import Transcript
from tests.engine.fakes import USAGE, Batch, FakeEmit, FakeFiles, FakeModel, FakeToolbox, call_all, say
from tests.engine.test_loop import final_steps

LONG = "word " * 400


def past(exchanges: int) -> tuple[tuple[Prompt, ...], tuple[Mark, ...]]:
    prompts: list[Prompt] = []
    marks: list[Mark] = []
    for number in range(exchanges):
        prompts += [UserPrompt(f"question {number} {LONG}"), AnswerPrompt(text=f"answer {number} {LONG}")]
        marks.append(Mark(f"a{number}", 0, len(prompts)))
    return (*prompts, UserPrompt("now what?")), tuple(marks)


def loop(
    model: FakeModel, emit: FakeEmit, window: int | None, exchanges: int = 5, box: FakeToolbox | None = None
) -> Loop:
    prompts, marks = past(exchanges)
    plan = Plan(
        turn_id="t",
        message_id="m",
        provider="p",
        request=ModelRequest(model="m", prompts=prompts),
        max_iterations=3,
        attempts=1,
        marks=marks,
        window=window,
    )
    return Loop(plan, model, box or FakeToolbox(), emit, Transcript("p", "fake"), FakeFiles())


class Noting(FakeModel):
    """A fake model that sums up whatever it is given, with the same notes; `asked` are the requests for that."""

    def __init__(self, *answers: Sequence[Batch], notes: Sequence[Batch] = ()) -> None:
        super().__init__(*answers)
        self.asked: list[ModelRequest] = []
        self._notes = notes or say("the notes")

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Sequence[Delta], None]:
        if request.system != SYSTEM:
            async for deltas in super().stream(request):
                yield deltas
            return
        self.asked.append(request)
        for batch in self._notes:
            if isinstance(batch, ProviderError):
                raise batch
            assert isinstance(batch, list)
            yield batch


def told(model: FakeModel, request: int) -> list[str]:
    return [prompt.text for prompt in model.requests[request].prompts if isinstance(prompt, UserPrompt | AnswerPrompt)]


async def test_what_fits_is_not_summed_up() -> None:
    model, emit = FakeModel(say("so")), FakeEmit()
    await loop(model, emit, window=100_000).run()
    assert len(model.requests) == 1
    assert len(model.requests[0].prompts) == 11


async def test_a_conversation_that_outgrows_the_window_is_summed_up_and_goes_on() -> None:
    model, emit = Noting(say("so")), FakeEmit()
    await loop(model, emit, window=5_000).run()
    summary, text = final_steps(emit)
    assert isinstance(summary, Summary)
    assert not next(prompt.by_person for prompt in model.requests[0].prompts if isinstance(prompt, UserPrompt))
    assert (summary.state, summary.content, summary.until) == ("complete", "the notes", "a3")
    assert isinstance(text, Text)
    assert summary.call < text.call
    first, *rest = told(model, 0)
    assert "the notes" in first
    assert [text[:10] for text in rest] == ["question 4", "answer 4 w", "now what?"]
    asked = "".join(str(request.prompts) for request in model.asked)
    assert all(f"question {number}" in asked for number in range(4))
    assert "question 4" not in asked
    assert isinstance(emit.events[-1], Done)
    assert emit.events[-1].token_count == 5 * (1 + len(model.asked))


async def test_a_provider_that_says_too_long_is_asked_again_with_less() -> None:
    overflow: list[Batch] = [ContextOverflow("maximum context length")]
    model, emit = Noting(overflow, overflow, say("so")), FakeEmit()
    await loop(model, emit, window=None, exchanges=10).run()
    assert [type(step).__name__ for step in final_steps(emit)] == ["Summary", "Summary", "Text"]
    assert len(model.requests[2].prompts) < len(model.requests[1].prompts) < len(model.requests[0].prompts)


async def test_a_message_that_is_too_long_by_itself_ends_the_turn_with_advice() -> None:
    model = FakeModel(*[[ContextOverflow("maximum context length")]] * 9)
    with pytest.raises(ContextOverflow, match="larger window"):
        await loop(model, FakeEmit(), window=None, exchanges=0).run()


async def test_what_tools_brought_is_summed_up_within_the_turn_and_the_question_stays() -> None:
    async def read(arguments: str) -> str:
        return LONG * 8

    model, emit = Noting(call_all("read"), say("so")), FakeEmit()
    await loop(model, emit, window=4_000, exchanges=0, box=FakeToolbox(read=read)).run()
    summary = next(step for step in final_steps(emit) if isinstance(step, Summary))
    assert (summary.until, summary.until_call) == ("", 1)
    assert told(model, 1)[1:] == ["now what?"]
    assert "the notes" in told(model, 1)[0]
    assert any(isinstance(step, ToolResult) for step in final_steps(emit))


async def test_a_model_that_cannot_sum_up_does_not_stop_the_turn() -> None:
    model, emit = Noting(say("so"), notes=[ProviderUnreachable("down")]), FakeEmit()
    await loop(model, emit, window=4_000).run()
    summary = final_steps(emit)[0]
    assert isinstance(summary, Summary)
    assert "- question 0" in summary.content


class Failing(FakeModel):
    """A fake model that writes notes so many times, and then fails."""

    def __init__(self, notes: int) -> None:
        super().__init__()
        self._notes = notes

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Sequence[Delta], None]:
        if not self._notes:
            raise ProviderUnreachable("gone")
        self._notes -= 1
        yield [TextDelta("the first notes"), Finish(reason="stop")]


async def test_notes_that_break_off_say_what_they_leave_out() -> None:
    earlier = UserPrompt(f"{NOTED}\n\n{'Ann and Bob. ' * 50}The end.")
    prompts = [earlier, *past(20)[0]]
    notes, _ = await notes_on(prompts, Failing(1), ModelRequest(model="m", prompts=()), 4_000)
    assert notes.startswith("the first notes")
    assert "Ann and Bob. The end." in notes
    assert "- question 19" in notes


async def test_notes_leave_room_for_the_thoughts_before_them() -> None:
    model = Noting()
    await notes_on(past(2)[0], model, ModelRequest(model="m", prompts=()), 200_000)
    await notes_on(past(2)[0], model, ModelRequest(model="m", prompts=()), 8_000)
    assert [request.max_tokens for request in model.asked] == [8_000, 2_000]


async def test_a_turn_that_goes_on_after_its_summary_tells_the_same() -> None:
    model, emit = Noting([[TextDelta("ha")], [Finish(reason="stop", usage=USAGE)]]), FakeEmit()
    await loop(model, emit, window=4_000).run()
    folded = Replay()
    for seq, event in enumerate(emit.events[:-3], 1):
        folded.apply(LogEntry(seq, event.name, encode(event)))
    records = [entry for entry in emit.entries if isinstance(entry, ModelCall)][:1]
    assert [record.finish_reason for record in records] == ["summary"]
    start = resume(folded.steps(), {1}, lambda _: "read")
    assert not start.whole
    prompts, marks = past(5)
    plan = Plan(
        turn_id="t",
        message_id="m",
        provider="p",
        request=ModelRequest(model="m", prompts=prompts),
        max_iterations=3,
        attempts=1,
        marks=marks,
        window=4_000,
        start=start,
        calls=tuple(records),
        highest_index=folded.highest_index,
    )
    again, rest = FakeModel(say("hi")), FakeEmit()
    await Loop(plan, again, FakeToolbox(), rest, Transcript("p", "fake"), FakeFiles()).run()
    assert again.requests[0].prompts == model.requests[0].prompts


async def test_a_summary_that_a_person_wrote_is_told_instead() -> None:
    model, emit = FakeModel(say("so")), FakeEmit()
    prompts, marks = past(3)
    plan = Plan(
        turn_id="t",
        message_id="m",
        provider="p",
        request=ModelRequest(model="m", prompts=prompts),
        max_iterations=3,
        attempts=1,
        marks=marks,
        summary=Summary(id="step-7", index=7, call=4, until="a1", content="mine"),
    )
    await Loop(plan, model, FakeToolbox(), emit, Transcript("p", "fake"), FakeFiles()).run()
    assert "mine" in told(model, 0)[0]
    assert [text[:10] for text in told(model, 0)[1:]] == ["question 2", "answer 2 w", "now what?"]
    first = final_steps(emit)[0]
    assert isinstance(first, Summary)
    assert (first.index, first.content) == (0, "mine")


def test_a_cancelled_summary_is_nothing() -> None:
    running = Summary(id="step-0", index=0, call=1, until="a1")
    assert resume([running], set(), lambda _: "read").discarded == (0,)
    assert ProcessStep(replace(running, state="failed")).step.state == "failed"
