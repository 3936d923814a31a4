"""Streams without deltas: whatever the turn, the pauses and the place, a reader ends with the right steps."""

from collections.abc import Callable

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from luxx.core import steps
from luxx.core.events import Done, Event, LogEntry, ProcessStep, Recovered, StepDelta, TurnStarted, encode
from luxx.core.replay import Replay
from luxx.core.sse import ServerEvent, SSEParser
from luxx.core.steps import Step
from luxx.core.usage import Usage
from luxx.http.streams.sse import KEEP_ALIVE
from luxx.http.streams.whole_steps import INTERVAL, WholeSteps

START = TurnStarted(turn_id="t", message_id="m", user_message_id="u", conversation_id="c", provider="p", model="m")
DONE = Done(message_id="m", token_count=1, usage=Usage(), finish_reason="stop")


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now


def _log(*events: Event) -> list[LogEntry]:
    return [LogEntry(seq, event.name, encode(event)) for seq, event in enumerate(events, 1)]


def _grown(step: Step, text: str) -> Step:
    name = "arguments" if isinstance(step, steps.ToolCall) else "content"
    return msgspec.structs.replace(step, **{name: text, "state": "complete"})


@st.composite
def logs(draw: st.DrawFn) -> list[LogEntry]:
    """Logs in which steps grow one after the other or side by side, and some are voided."""
    makers: list[Callable[[int], Step]] = [
        lambda index: steps.text(index, 1),
        lambda index: steps.thinking(index, 1),
        lambda index: steps.tool_call(index, 1, "id", "tool"),
    ]
    events: list[Event] = [START]
    open_steps: dict[int, tuple[Step, str]] = {}
    for index in range(draw(st.integers(1, 4))):
        step = draw(st.sampled_from(makers))(index)
        open_steps[index] = (step, "")
        events.append(ProcessStep(step))
        for _ in range(draw(st.integers(0, 8))):
            grown = draw(st.sampled_from(sorted(open_steps)))
            text = draw(st.text("ab\n\u2028é", min_size=1, max_size=30))
            events.append(StepDelta(grown, text))
            open_steps[grown] = (open_steps[grown][0], open_steps[grown][1] + text)
        ending = draw(st.sampled_from(["complete", "void", "open"]))
        if ending == "complete":
            events.append(ProcessStep(_grown(*open_steps.pop(index))))
        elif ending == "void":
            open_steps.pop(index)
            events.append(Recovered(2, (index,)))
    events += [ProcessStep(_grown(*grown)) for grown in open_steps.values()]
    return _log(*events, DONE)


@st.composite
def batches(draw: st.DrawFn, log: list[LogEntry]) -> list[tuple[float, tuple[LogEntry, ...]]]:
    """The log as it comes: in pieces, each after a pause."""
    cuts = sorted(draw(st.sets(st.integers(1, len(log)), max_size=10)) | {len(log)})
    pieces = [tuple(log[start:end]) for start, end in zip([0, *cuts], cuts, strict=False)]
    return [(draw(st.sampled_from([0.0, 0.01, 0.1, 0.25, 5.0])), piece) for piece in pieces]


def _read(pieces: list[tuple[float, tuple[LogEntry, ...]]], after: int = 0) -> list[tuple[float, ServerEvent]]:
    """Return what a reader gets, with the time of each event."""
    clock, parser = Clock(), SSEParser()
    whole = WholeSteps(after, clock, heartbeat=1e9)
    events: list[tuple[float, ServerEvent]] = []
    for pause, piece in pieces:
        clock.now += pause
        events += [(clock.now, event) for event in parser.feed(whole.frames(piece))]
    return events


def _steps(events: list[ServerEvent]) -> dict[int, object]:
    """Fold as a client that knows only whole steps, and what is void."""
    found: dict[int, object] = {}
    for event in events:
        data = msgspec.json.decode(event.data)
        if event.event == "process_step":
            found[data["step"]["index"]] = data["step"]
        for index in data.get("discarded", ()) if event.event == "recovered" else ():
            found.pop(index, None)
    return found


def _truth(log: list[LogEntry]) -> dict[int, object]:
    replay = Replay()
    for entry in log:
        replay.apply(entry)
    return {step.index: msgspec.to_builtins(step) for step in replay.steps()}


@given(st.data())
def test_a_reader_ends_with_the_right_steps(data: st.DataObject) -> None:
    log = data.draw(logs())
    events = [event for _, event in _read(data.draw(batches(log)))]
    assert _steps(events) == _truth(log)
    assert "step_delta" not in [event.event for event in events]
    assert [(event.event, event.id) for event in (events[0], events[-1])] == [("turn", "1"), ("done", str(len(log)))]


@given(st.data())
def test_a_reader_may_go_on_from_every_event(data: st.DataObject) -> None:
    log = data.draw(logs())
    pieces = data.draw(batches(log))
    whole = [event for _, event in _read(pieces)]
    place = data.draw(st.integers(0, len(whole) - 1))
    rest = [event for _, event in _read(data.draw(batches(log)), int(whole[place].id))]
    assert all(int(event.id) > int(whole[place].id) for event in rest)
    assert _steps([*whole[: place + 1], *rest]) == _truth(log)


@given(st.data())
def test_ids_never_go_back_and_name_what_was_folded(data: st.DataObject) -> None:
    log = data.draw(logs())
    events = [event for _, event in _read(data.draw(batches(log)))]
    ids = [int(event.id) for event in events]
    assert ids == sorted(ids)
    for event in events:
        if event.event == "process_step":
            step = msgspec.json.decode(event.data)["step"]
            assert step == _truth(log[: int(event.id)]).get(step["index"], step)


@given(st.data())
def test_a_growing_step_comes_neither_often_nor_for_little(data: st.DataObject) -> None:
    events = _read(data.draw(batches(data.draw(logs()))))
    last: dict[int, tuple[float, int]] = {}
    for now, event in events:
        step = msgspec.json.decode(event.data).get("step", {})
        if step.get("state") != "running":
            continue
        size = len(step.get("content", step.get("arguments")))
        if size and step["index"] in last:
            then, before = last[step["index"]]
            assert now - then >= INTERVAL
            assert (size - before) * 10 >= before
        if size:
            last[step["index"]] = now, size


def test_the_first_event_after_a_resume_holds_the_whole_text_at_once() -> None:
    log = _log(START, ProcessStep(steps.text(0, 1)), StepDelta(0, "x" * 100), StepDelta(0, "y"), StepDelta(0, "z"))
    ((_, event),) = _read([(0, tuple(log[:4])), (0, tuple(log[4:]))], after=4)
    assert (event.id, msgspec.json.decode(event.data)["step"]["content"]) == ("5", "x" * 100 + "yz")


def test_a_long_answer_costs_linear_bytes() -> None:
    log = _log(START, ProcessStep(steps.text(0, 1)), *(StepDelta(0, "word ") for _ in range(5000)))
    sent = sum(len(event.data) for _, event in _read([(0.25, (entry,)) for entry in log]))
    assert sent < 15 * 5000 * len("word ")


def test_a_reader_for_whom_everything_is_held_back_hears_that_the_stream_lives() -> None:
    clock = Clock()
    whole = WholeSteps(0, clock, heartbeat=15)
    log = _log(START, ProcessStep(steps.text(0, 1)), StepDelta(0, "x" * 1000), *(StepDelta(0, "y") for _ in range(20)))
    whole.frames(tuple(log[:3]))
    said: list[bytes] = []
    for entry in log[3:]:
        clock.now += 1
        said.append(whole.frames((entry,)))
    assert said[14] == KEEP_ALIVE
    assert [piece for piece in said if piece] == [KEEP_ALIVE]


def test_silence_is_told_apart_from_holding_back() -> None:
    assert WholeSteps(0, Clock(), heartbeat=15).frames(()) == KEEP_ALIVE
