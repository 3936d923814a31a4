"""Readers fold events back to steps, and pass over what they do not know."""

import msgspec
import pytest

from luxx.core import events, steps
from luxx.core.events import LogEntry, ProcessStep, Recovered, StepDelta
from luxx.core.replay import Replay


def entry(seq: int, event: events.Event) -> LogEntry:
    return LogEntry(seq, event.name, events.encode(event))


def test_deltas_grow_the_step_that_they_name() -> None:
    replay = Replay()
    replay.apply(entry(1, ProcessStep(steps.text(0, 1))))
    replay.apply(entry(2, StepDelta(0, "a")))
    replay.apply(entry(3, StepDelta(0, "b")))
    assert steps.answer_text(replay.steps()) == "ab"


def test_an_entry_that_comes_twice_counts_once() -> None:
    replay = Replay()
    replay.apply(entry(1, ProcessStep(steps.text(0, 1))))
    for _ in range(2):
        replay.apply(entry(2, StepDelta(0, "a")))
    assert steps.answer_text(replay.steps()) == "a"


def test_void_steps_are_left_out_and_their_indexes_stay_used() -> None:
    replay = Replay()
    replay.apply(entry(1, ProcessStep(steps.text(0, 1))))
    replay.apply(entry(2, Recovered(2, (0,))))
    replay.apply(entry(3, Recovered(3, ())))
    assert replay.steps() == ()
    assert (replay.recovered, replay.remade) == ([-1, -1], [-1])
    assert replay.highest_index == 0


def test_unknown_events_and_types_of_steps_are_passed_over() -> None:
    replay = Replay()
    assert replay.apply(LogEntry(1, "hologram", b"{}")) is None
    assert replay.apply(LogEntry(2, "process_step", b'{"step":{"type":"hologram","id":"step-0","index":0}}')) is None
    replay.apply(entry(3, StepDelta(0, "lost")))
    assert (replay.seq, replay.steps()) == (3, ())


def test_data_that_does_not_fit_its_name_is_an_error() -> None:
    with pytest.raises(msgspec.ValidationError):
        Replay().apply(LogEntry(1, "process_step", b'{"step":{"type":"text","index":"zero"}}'))
