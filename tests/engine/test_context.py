"""Conversations that are longer than what the model can take: summed up within the turn, never an error."""

import itertools
from collections.abc import AsyncGenerator, Sequence
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from luxx.core.deltas import Delta, Finish, TextDelta
from luxx.core.errors import ContextOverflow, ProviderError, ProviderUnreachable
from luxx.core.events import Done, LogEntry, ProcessStep, encode
from luxx.core.ports import ModelCall
from luxx.core.prompts import AnswerPrompt, ModelRequest, Prompt, ResultPrompt, ToolSpec, UserPrompt
from luxx.core.replay import Replay
from luxx.core.steps import Notice, Step, Summary, Text, ToolResult
from luxx.engine.context import Context, Mark
from luxx.engine.estimate import tokens_of
from luxx.engine.loop import Loop
from luxx.engine.plan import Plan, RunLimits
from luxx.engine.resume import resume
from luxx.engine.summing import SYSTEM
from luxx.engine.transcript import Transcript
from tests.engine.fakes import USAGE, Batch, FakeEmit, FakeFiles, FakeModel, FakeToolbox, call_all, say
from tests.engine.test_loop import final_steps

S = TypeVar("S", bound=Step)
LONG = "word " * 400


def past(exchanges: int) -> tuple[tuple[Prompt, ...], tuple[Mark, ...]]:
    prompts: list[Prompt] = []
    marks: list[Mark] = []
    for number in range(exchanges):
        prompts += [UserPrompt(f"question {number} {LONG}"), AnswerPrompt(text=f"answer {number} {LONG}")]
        marks.append(Mark(f"a{number}", 0, len(prompts)))
    return (*prompts, UserPrompt("now what?")), tuple(marks)


def tools_of(tokens: int) -> tuple[ToolSpec, ...]:
    """Tools whose definitions take about so many tokens."""
    return (ToolSpec(name="read", description="x" * int(tokens / 0.29), parameters={}),) if tokens else ()


def loop(
    model: FakeModel,
    emit: FakeEmit,
    window: int | None,
    exchanges: int = 5,
    box: FakeToolbox | None = None,
    tools: int = 0,
    files: FakeFiles | None = None,
    most: int = 3,
    system: str | None = None,
) -> Loop:
    prompts, marks = past(exchanges)
    plan = Plan(
        turn_id="t",
        message_id="m",
        provider="p",
        request=ModelRequest(model="m", prompts=prompts, tools=tools_of(tools), system=system),
        max_iterations=most,
        limits=RunLimits(attempts=1),
        marks=marks,
        window=lambda: window,
    )
    return Loop(plan, model, box or FakeToolbox(), emit, Transcript("p", "fake"), files or FakeFiles())


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


class Counted(str):
    """A text that counts how often it is measured."""

    __slots__ = ()
    measured = itertools.count()

    def isascii(self) -> bool:
        next(self.measured)
        return super().isascii()


def test_each_prompt_is_measured_once_to_find_where_to_cut() -> None:
    prompts = [UserPrompt(Counted("x" * 100)) for _ in range(1_000)]
    marks = [Mark(str(place), 0, place) for place in range(1, 1_000)]
    each = tokens_of(prompts[0])
    before = next(Counted.measured)
    assert Context(prompts, marks).cut(10.5 * each) == marks[-10]
    assert next(Counted.measured) - before == 1 + len(prompts)
    assert Context(prompts, marks).cut(0) == marks[-1]
    assert Context(prompts).cut(0) is None


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


def reader(*texts: str) -> FakeToolbox:
    """A tool that gives these texts one after the other."""
    left = list(texts)

    async def read(arguments: str) -> str:
        return left.pop(0)

    return FakeToolbox(read=read)


def results(model: FakeModel, request: int) -> list[str]:
    return [prompt.content for prompt in model.requests[request].prompts if isinstance(prompt, ResultPrompt)]


def of(kind: type[S], emit: FakeEmit) -> list[S]:
    return [step for step in final_steps(emit) if isinstance(step, kind)]


async def test_what_tools_brought_is_summed_up_within_the_turn_once_it_was_seen_and_the_question_stays() -> None:
    brought = [f"{number} {LONG}" * 2 for number in range(4)]
    model, emit = Noting(*[call_all("read")] * 4, say("so")), FakeEmit()
    await loop(model, emit, window=4_000, exchanges=0, box=reader(*brought), most=9).run()
    assert [results(model, request)[-1:] for request in range(1, 5)] == [[text] for text in brought]
    assert {(step.until, step.until_call > 0) for step in of(Summary, emit)} == {("", True)}
    assert "the notes" in told(model, 4)[0]
    assert "now what?" in told(model, 4)
    assert [step.content for step in of(ToolResult, emit)] == brought


async def test_a_result_that_is_longer_than_the_window_is_shortened_for_the_model_alone() -> None:
    whole = f"{LONG * 8}The end of it."
    model, emit, files = Noting(call_all("read"), say("so")), FakeEmit(), FakeFiles()
    await loop(model, emit, window=4_000, exchanges=2, box=reader(whole), files=files).run()
    (shown,) = results(model, 1)
    assert 4_000 < len(shown) < 12_000
    assert whole.startswith(shown[:4_000])
    assert shown.endswith("The end of it.")
    assert f"of {len(whole):,} characters left out" in shown
    assert "in the file f0" in shown
    assert files.contents["f0"] == whole.encode()
    assert [step.content for step in of(ToolResult, emit)] == [whole]


async def test_of_several_results_the_longest_are_shortened() -> None:
    model, emit = Noting(call_all("read", "read", "read"), say("so")), FakeEmit()
    await loop(model, emit, window=4_000, exchanges=0, box=reader(LONG * 9, "short", LONG * 6)).run()
    first, short, last = results(model, 1)
    assert short == "short"
    assert abs(len(first) - len(last)) < 20
    assert len(of(Summary, emit)) == 0


async def test_tools_that_leave_no_room_are_told_of_once_and_nothing_is_left_out() -> None:
    model, emit = Noting(call_all("read"), call_all("read"), say("so")), FakeEmit()
    await loop(model, emit, window=4_000, exchanges=3, box=reader("one", "two"), tools=3_600).run()
    assert [step.content for step in of(Notice, emit)] == [
        "The tools that are switched on take about 3,600 of the 4,000 tokens that the model can take: switch some off."
    ]
    assert of(Summary, emit) == []
    assert model.asked == []
    assert [len(request.prompts) for request in model.requests] == [7, 9, 11]


async def test_a_system_prompt_that_leaves_no_room_is_told_of() -> None:
    model, emit = Noting(say("so")), FakeEmit()
    await loop(model, emit, window=4_000, exchanges=3, system="Be kind. " * 1_500).run()
    assert [step.content[:30] for step in of(Notice, emit)] == ["The system prompt takes about "]


async def test_tools_and_a_short_conversation_that_fit_are_not_told_of() -> None:
    model, emit = Noting(say("so")), FakeEmit()
    await loop(model, emit, window=40_000, exchanges=0, tools=29_500).run()
    assert of(Notice, emit) == []


async def test_a_conversation_is_summed_up_beside_tools_that_take_their_fixed_share() -> None:
    model, emit = Noting(say("so")), FakeEmit()
    await loop(model, emit, window=8_000, exchanges=5, tools=4_000).run()
    assert [step.until for step in of(Summary, emit)] == ["a4"]
    assert told(model, 0)[1:] == ["now what?"]


async def test_tools_that_alone_are_too_long_for_the_provider_end_the_turn_with_their_share() -> None:
    model, emit = Noting(*[[ContextOverflow("maximum context length")]] * 9), FakeEmit()
    with pytest.raises(ContextOverflow, match=r"take about 30,000 of the .* switch some off"):
        await loop(model, emit, window=None, exchanges=1, tools=30_000).run()
    assert len(model.requests) == 1
    assert of(Summary, emit) == []


async def test_a_summary_without_effect_is_not_tried_again_in_this_turn() -> None:
    model = Noting(*[call_all("read")] * 5, say("so"), notes=say(LONG * 10))
    emit = FakeEmit()
    await loop(model, emit, window=4_000, exchanges=5, box=reader(*[LONG] * 5), most=9).run()
    assert len(of(Summary, emit)) == 1


@pytest.mark.parametrize("window", [None, 20_000, 50_000])
async def test_a_refused_request_is_summed_up_once_and_sent_once_more(window: int | None) -> None:
    model, emit = Noting([ContextOverflow("maximum context length")], say("so")), FakeEmit()
    turn = loop(model, emit, window=window, exchanges=6, tools=6_000)
    await turn.run()
    assert len(of(Summary, emit)) == 1
    assert len(model.requests) == 2


async def test_a_result_that_the_provider_refuses_is_shortened_where_nobody_knows_the_window() -> None:
    overflow: list[Batch] = [ContextOverflow("maximum context length")]
    model, emit, files = Noting(call_all("read"), overflow, overflow, say("so")), FakeEmit(), FakeFiles()
    await loop(model, emit, window=None, exchanges=0, box=reader(LONG * 8), files=files).run()
    assert len(results(model, 1)[0]) > len(results(model, 2)[0]) > len(results(model, 3)[0]) > 1_000
    assert f"of {len(LONG * 8):,} characters left out" in results(model, 3)[0]
    assert set(files.contents.values()) == {(LONG * 8).encode()}
    assert of(Summary, emit) == []


class Bounded(Noting):
    """A fake model that takes so many characters, calls a tool so often, and sums up in few words."""

    def __init__(self, most: int, calls: int) -> None:
        super().__init__(*[call_all("read")] * calls, say("so"))
        self.most = most
        self.seen: list[ModelRequest] = []
        self.refused = 0

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Sequence[Delta], None]:
        texts = [p.content if isinstance(p, ResultPrompt) else p.text for p in request.prompts]
        if sum(map(len, texts)) + sum(len(tool.description) for tool in request.tools) > self.most:
            self.refused += 1
            raise ContextOverflow("maximum context length")
        self.seen.append(request)
        async for deltas in super().stream(request):
            yield deltas


@given(
    window=st.integers(500, 20_000),
    known=st.sampled_from([None, 0.5, 1.0, 2.0]),
    tools=st.sampled_from([0.0, 0.3, 0.6, 0.9, 1.2]),
    exchanges=st.integers(0, 8),
    brought=st.lists(st.integers(0, 40_000), max_size=6),
)
@settings(deadline=None, max_examples=60)
async def test_whatever_the_sizes_a_turn_ends_and_the_model_has_seen_each_result(
    window: int, known: float | None, tools: float, exchanges: int, brought: list[int]
) -> None:
    model, emit = Bounded(4 * window, len(brought)), FakeEmit()
    box = reader(*(f"<{number}>{'x' * size}" for number, size in enumerate(brought)))
    told_window = None if known is None else int(window * known)
    try:
        turn = loop(model, emit, told_window, exchanges, box, int(tools * window), most=9)
        await turn.run()
        ended = True
    except ContextOverflow:
        ended = False
    answered = [request for request in model.seen if request.system != SYSTEM]
    for number, request in enumerate(answered[1:]):
        last = request.prompts[-1]
        assert isinstance(last, ResultPrompt)
        assert last.content.startswith(f"<{number}>")
    assert not ended or len(answered) == len(brought) + 1
    assert ended or tools or exchanges or brought
    assert model.refused <= 40
    assert len(of(Notice, emit)) <= 1
    assert len(of(Summary, emit)) <= 2 * len(brought) + 5


async def test_a_model_that_cannot_sum_up_does_not_stop_the_turn() -> None:
    model, emit = Noting(say("so"), notes=[ProviderUnreachable("down")]), FakeEmit()
    await loop(model, emit, window=4_000).run()
    summary = final_steps(emit)[0]
    assert isinstance(summary, Summary)
    assert "- question 0" in summary.content


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
        limits=RunLimits(attempts=1),
        marks=marks,
        window=lambda: 4_000,
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
        limits=RunLimits(attempts=1),
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
