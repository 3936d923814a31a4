"""The fold makes steps and events of deltas."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luxx.core import events, steps
from luxx.core.deltas import (
    Delta,
    Finish,
    NoticeDelta,
    SourceDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallDone,
    VerbatimDelta,
)
from luxx.core.events import LogEntry, ProcessStep, StepDelta
from luxx.core.replay import Replay
from luxx.engine.fold import Fold

STOP = Finish(reason="stop")


def fold_all(*deltas: Delta) -> tuple[Fold, list[events.Event]]:
    fold = Fold(1, itertools.count())
    return fold, fold.feed(deltas) + fold.close()


def replayed(made: list[events.Event]) -> tuple[steps.Step, ...]:
    replay = Replay()
    for seq, event in enumerate(made, 1):
        replay.apply(LogEntry(seq, event.name, events.encode(event)))
    return replay.steps()


def test_a_text_is_a_step_that_starts_grows_and_ends() -> None:
    _, made = fold_all(TextDelta("a"), TextDelta("b"), STOP)
    started = steps.text(0, 1)
    ended = steps.Text(id="step-0", index=0, state="complete", call=1, content="ab")
    assert made == [ProcessStep(started), StepDelta(0, "a"), StepDelta(0, "b"), ProcessStep(ended)]


def test_thinking_between_texts_makes_steps_in_the_order_of_the_stream() -> None:
    fold, _ = fold_all(ThinkingDelta("r1"), TextDelta("t1"), ThinkingDelta("r2"), TextDelta("t2"), STOP)
    assert [(step.index, type(step).__name__) for step in fold.steps] == [
        (0, "Thinking"),
        (1, "Text"),
        (2, "Thinking"),
        (3, "Text"),
    ]


def test_thinking_tells_how_long_it_took() -> None:
    moments = iter([100.0, 102.5, 103.0, 104.0])
    fold = Fold(1, itertools.count(), lambda: next(moments))
    fold.feed([ThinkingDelta("so "), ThinkingDelta("it is"), TextDelta("t"), STOP])
    thought, said = fold.steps
    assert isinstance(thought, steps.Thinking)
    assert (thought.content, thought.duration_ms) == ("so it is", 2500)
    assert isinstance(said, steps.Text)


def test_a_tool_call_is_shown_with_its_whole_name_when_its_arguments_begin() -> None:
    _, made = fold_all(
        ToolCallDelta(slot=0, id="x", name="get_"),
        ToolCallDelta(slot=0, name="a"),
        ToolCallDelta(slot=0, arguments='{"x":'),
        ToolCallDelta(slot=0, arguments="1}"),
        ToolCallDone(0),
        STOP,
    )
    shown = made[0]
    assert isinstance(shown, ProcessStep)
    assert shown.step == steps.tool_call(0, 1, "x", "get_a")
    assert made[1:3] == [StepDelta(0, '{"x":'), StepDelta(0, "1}")]


def test_arguments_that_come_before_the_name_are_kept() -> None:
    fold, made = fold_all(
        ToolCallDelta(slot=0, id="x", arguments='{"x":'),
        ToolCallDelta(slot=0, name="get_a", arguments="1}"),
        ToolCallDone(0),
        STOP,
    )
    assert made[1] == StepDelta(0, '{"x":1}')
    assert [step.arguments for step in fold.steps if isinstance(step, steps.ToolCall)] == ['{"x":1}']


def test_a_call_is_ready_only_after_the_calls_before_it() -> None:
    fold = Fold(1, itertools.count())
    fold.feed([ToolCallDelta(slot=0, name="a", arguments="{"), ToolCallDelta(slot=1, name="b", arguments="{}")])
    fold.feed([ToolCallDone(1)])
    assert fold.ready_calls() == []
    fold.feed([ToolCallDelta(slot=0, arguments="}"), ToolCallDone(0)])
    assert [call.name for call in fold.ready_calls()] == ["a", "b"]
    assert fold.ready_calls() == []


def test_a_call_without_an_end_has_failed_and_is_never_ready() -> None:
    fold, _ = fold_all(ToolCallDelta(slot=0, name="a", arguments='{"x'), Finish(reason="length"))
    assert [(step.state) for step in fold.steps] == ["failed"]
    assert fold.ready_calls() == []


def test_what_is_open_when_the_stream_is_cut_keeps_its_text() -> None:
    fold, _ = fold_all(ThinkingDelta("r"), TextDelta("half an ans"))
    assert [step.content for step in fold.steps if isinstance(step, steps.Text)] == ["half an ans"]


def test_what_goes_back_verbatim_is_kept_with_the_step_that_ends_next() -> None:
    fold, _ = fold_all(
        ThinkingDelta("r"),
        VerbatimDelta(b"thought"),
        ToolCallDelta(slot=0, id="x", name="f", arguments="{}"),
        VerbatimDelta(b"called"),
        ToolCallDone(0),
        VerbatimDelta(b"more"),
        VerbatimDelta(b"last"),
        STOP,
    )
    assert fold.verbatim == {0: b"thought", 1: b"called"}
    assert fold.rest == b"more\nlast"


def test_a_text_that_is_cut_keeps_what_goes_back_before_it() -> None:
    fold, _ = fold_all(VerbatimDelta(b"hidden thought"), TextDelta("half an ans"))
    assert fold.verbatim == {0: b"hidden thought"}
    assert not fold.rest


def test_what_came_of_a_try_that_failed_is_forgotten() -> None:
    fold = Fold(1, itertools.count())
    fold.feed([VerbatimDelta(b"first")])
    fold.begin_again()
    fold.feed([VerbatimDelta(b"second"), TextDelta("a"), STOP])
    assert fold.verbatim == {0: b"second"}


def test_an_answer_cites_no_source_of_a_try_that_failed() -> None:
    fold = Fold(1, itertools.count())
    fold.feed([SourceDelta(url="https://first.example", title="first")])
    fold.begin_again()
    fold.feed([TextDelta("a"), SourceDelta(url="https://second.example", title="second"), STOP])
    assert [step.url for step in fold.steps if isinstance(step, steps.Source)] == ["https://second.example"]


@pytest.mark.parametrize("said", [(), (ThinkingDelta("hm"),), (TextDelta(" \n"),)])
@pytest.mark.parametrize(
    ("reason", "words"), [("stop", "empty answer"), ("length", "greatest length"), ("odd_reason", "odd_reason")]
)
def test_an_answer_with_nothing_in_it_says_so(said: tuple[Delta, ...], reason: str, words: str) -> None:
    fold, _ = fold_all(*said, Finish(reason=reason))
    (notice,) = [step for step in fold.steps if isinstance(step, steps.Notice)]
    assert notice.kind == "empty_answer"
    assert words in notice.content


@pytest.mark.parametrize("said", [TextDelta("a"), NoticeDelta(kind="content_filter", text="No.")])
def test_an_answer_that_says_something_needs_no_word_about_it(said: Delta) -> None:
    fold, _ = fold_all(said, Finish(reason="content_filter"))
    assert not [step for step in fold.steps if isinstance(step, steps.Notice) and step.kind == "empty_answer"]


deltas = st.one_of(
    st.builds(TextDelta, st.text(st.characters(codec="utf-8"), min_size=1, max_size=4)),
    st.builds(ThinkingDelta, st.text(st.characters(codec="utf-8"), min_size=1, max_size=4)),
    st.builds(
        ToolCallDelta,
        slot=st.integers(0, 2),
        id=st.just("i"),
        name=st.sampled_from(["", "n"]),
        arguments=st.text("{}1"),
    ),
    st.builds(ToolCallDone, st.integers(0, 2)),
    st.just(VerbatimDelta(b"v")),
)


@given(st.lists(deltas, max_size=30), st.booleans())
def test_a_reader_of_the_events_has_the_same_steps_as_the_fold(parts: list[Delta], finished: bool) -> None:
    fold, made = fold_all(*parts, *([STOP] if finished else []))
    assert replayed(made) == tuple(sorted(fold.steps, key=lambda step: step.index))


@given(st.lists(deltas, max_size=30), st.data())
def test_cutting_the_stream_into_other_batches_changes_nothing(parts: list[Delta], data: st.DataObject) -> None:
    whole = Fold(1, itertools.count(), lambda: 0.0)
    expected = whole.feed(parts)
    cut = data.draw(st.integers(0, len(parts)))
    again = Fold(1, itertools.count(), lambda: 0.0)
    assert again.feed(parts[:cut]) + again.feed(parts[cut:]) == expected
