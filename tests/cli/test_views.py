"""How a turn is shown: on a terminal, in a pipe, as JSON."""

import json

import msgspec
import pytest

from luxx.cli.console import Screen
from luxx.cli.views import BothViews, JsonView, TerminalView, TextView
from luxx.core import steps
from luxx.core.endings import with_edit
from luxx.core.events import Cancelled, Event, Failed, LogEntry, ProcessStep, Recovered, StepDelta, ToolProgress
from tests.cli.terminal import Terminal, pipe, play, seen, terminal
from tests.client.logs import DONE, STARTED, TOOL_TURN, call, log, result, text, thinking


def on_terminal(*events: Event) -> str:
    stream, screen = terminal()
    play(TerminalView(screen), log(STARTED, *events))
    return stream.getvalue()


def in_pipe(*events: Event) -> str:
    stream, screen = pipe()
    play(TextView(screen), log(STARTED, *events))
    return stream.getvalue()


def grown(index: int, content: str, model_call: int = 1) -> list[Event]:
    """A text step that is still growing."""
    return [ProcessStep(steps.text(index, model_call)), StepDelta(index, content)]


def test_a_terminal_shows_every_step_in_order() -> None:
    stream, screen = terminal()
    play(TerminalView(screen), TOOL_TURN)
    assert stream.getvalue() == (
        'Let me add.\n→ calculator {"expression": "2+2"}\n✓ calculator 12 ms  4\n\nIt is four ✓.\n'
    )


def test_thinking_is_dimmed_tools_are_coloured_and_the_answer_is_plain() -> None:
    stream = Terminal()
    play(TerminalView(Screen(stream, cursor=False)), TOOL_TURN)
    shown = stream.getvalue()
    assert "\x1b[2mLet me add.\x1b[0m" in shown
    assert "\x1b[32m✓ calculator 12 ms  4\x1b[0m" in shown
    assert "\nIt is four ✓." in shown


def test_a_turn_of_whole_steps_looks_like_one_of_deltas() -> None:
    compact = [
        entry for entry in TOOL_TURN if entry.name != "step_delta" and not entry.data.endswith(b'"running","call":1}}')
    ]
    (growing, one), (whole, other) = terminal(), terminal()
    play(TerminalView(one), TOOL_TURN)
    play(TerminalView(other), compact)
    assert growing.getvalue() == whole.getvalue()


def test_a_text_that_goes_on_in_a_later_model_call_is_one_with_what_was_cut() -> None:
    cut, rest = ProcessStep(text(0, "It is wa")), [*grown(1, "rm to", 2), StepDelta(1, "day."), DONE]
    assert on_terminal(cut, *rest) == in_pipe(cut, *rest) == "It is warm today.\n"
    lines = ProcessStep(text(0, "One.\n"))
    assert on_terminal(lines, *grown(1, "Two.", 2), DONE) == "One.\nTwo.\n"
    thought = ProcessStep(thinking(1, "Hm."))
    assert on_terminal(cut, thought, *grown(2, "rm.", 2), DONE) == "It is wa\n\nHm.\n\nrm.\n"


def test_a_failed_tool_is_marked() -> None:
    shown = on_terminal(ProcessStep(call(0, "web", "{}")), ProcessStep(result(1, 0, "web", "no\nnetwork", "failed")))
    assert "✗ web 12 ms  no⏎network\n" in shown


@pytest.mark.parametrize(
    ("why", "line"),
    [
        ("denied", "○ web: not run  Its words.\n"),
        ("off", "○ web: not run  Its words.\n"),
        ("missing", "○ web: no such tool  Its words.\n"),
        ("unknown", "○ web: outcome unknown  Its words.\n"),
    ],
)
def test_a_call_that_was_not_run_to_its_end_has_not_failed(why: steps.Unfinished, line: str) -> None:
    ended = msgspec.structs.replace(result(1, 0, "web", "Its words.", "failed"), unfinished=why, duration_ms=None)
    assert on_terminal(ProcessStep(ended)) == line


def test_the_line_of_a_call_whose_arguments_were_changed_tells_its_result() -> None:
    changed = with_edit("42\n", '{"expression":"6*7"}')
    assert on_terminal(ProcessStep(result(1, 0, "sum", changed))) == "✓ sum 12 ms (arguments changed)  42\n"


def test_results_of_parallel_tools_name_their_tool() -> None:
    shown = on_terminal(
        ProcessStep(call(0, "one", "{}")),
        ProcessStep(result(1, 0, "one", "", "running")),
        ProcessStep(call(2, "two", "{}")),
        ProcessStep(result(3, 2, "two", "", "running")),
        ProcessStep(result(3, 2, "two", "b")),
        ProcessStep(result(1, 0, "one", "a")),
        DONE,
    )
    assert shown == "→ one {}\n→ two {}\n✓ two 12 ms  b\n✓ one 12 ms  a\n"


def test_a_hostile_tool_cannot_write_control_sequences() -> None:
    hostile = "\x1b[2Jdone\r\n\x1b]52;c;cm0gLXJmIH4=\x07"
    shown = on_terminal(
        ProcessStep(call(0, "x\x1b[1A", '{"a": "\x1b"}')),
        ProcessStep(result(1, 0, "x\x1b[1A", hostile)),
        *grown(2, hostile),
        Failed(content=hostile, code="x", message_id="m"),
    )
    assert not set(shown) & {"\x1b", "\r", "\x07"}


def test_what_a_restart_voids_is_said_on_a_terminal() -> None:
    shown = on_terminal(*grown(0, "It is fi"), Recovered(2, (0,)), *grown(1, "It is four."), DONE)
    assert shown == (
        "It is fi\n↻ the server was restarted: the part above that was not finished is made again\n\nIt is four.\n"
    )


def test_a_restart_without_a_loss_is_said_too() -> None:
    assert "the answer goes on" in on_terminal(ProcessStep(text(0, "a")), Recovered(2, ()), DONE)


def test_the_status_line_tells_for_how_long_a_tool_runs_and_leaves_no_trace() -> None:
    stream, now = Terminal(), [0.0]
    view = TerminalView(Screen(stream, colour=False), clock=lambda: now[0])
    entries = log(STARTED, ProcessStep(call(0, "wait", "{}")), ProcessStep(result(1, 0, "wait", "", "running")))
    for entry, event in zip(
        entries,
        (STARTED, ProcessStep(call(0, "wait", "{}")), ProcessStep(result(1, 0, "wait", "", "running"))),
        strict=True,
    ):
        view.show(entry, event)
    now[0] = 3.2
    view.tick()
    assert stream.getvalue().endswith("\r\x1b[2K… wait 3 s")
    view.show(LogEntry(4, "tool_progress", b""), ToolProgress(index=1, message="half", progress=1, total=2))
    assert stream.getvalue().endswith("\r\x1b[2K… wait 50% half 3 s")
    view.close()
    assert stream.getvalue().endswith("\r\x1b[2K")


@pytest.mark.parametrize("above", [0, 1, 2, 5])
def test_a_status_stands_below_a_text_that_has_not_ended_its_line_and_the_text_goes_on_in_it(
    above: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    stream, now = Terminal(), [0.0]
    view = TerminalView(Screen(stream, colour=False), clock=lambda: now[0])
    before = ["line"] * above

    def show(*events: Event) -> None:
        for event in events:
            view.show(LogEntry(1, event.name, b""), event)

    show(*grown(0, "\n".join([*before, "It is"])))
    view.tick()
    assert seen(stream.getvalue()) == padded(*before, "It is")
    for seconds in (5, 6):
        now[0] = seconds
        view.tick()
        assert seen(stream.getvalue()) == padded(*before, "It is", f"… the model {seconds} s")
    show(StepDelta(0, " war"))
    assert seen(stream.getvalue()) == padded(*before, "It is war", "")
    show(ProcessStep(text(0, "\n".join([*before, "It is war"]))))
    now[0] = 7
    view.tick()
    assert seen(stream.getvalue()) == padded(*before, "It is war", "… the model 1 s")
    show(*grown(1, "m.", 2))
    assert seen(stream.getvalue()) == padded(*before, "It is warm.", "")
    view.close()
    assert seen(stream.getvalue()) == padded(*before, "It is warm.", "")


def padded(*lines: str) -> list[str]:
    """What a terminal of three lines shows."""
    last = list(lines[-3:])
    return last + [""] * (3 - len(last))


def test_no_status_stands_below_a_full_line_which_a_terminal_would_then_write_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    stream, now = Terminal(), [0.0]
    view = TerminalView(Screen(stream, colour=False), clock=lambda: now[0])
    for event in grown(0, "x" * 40):
        view.show(LogEntry(1, event.name, b""), event)
    now[0] = 9
    view.tick()
    assert stream.getvalue() == "x" * 40


def test_a_pipe_gets_the_text_alone_and_a_line_end() -> None:
    stream, screen = pipe()
    play(TextView(screen), TOOL_TURN)
    assert stream.getvalue() == "It is four ✓.\n"


def test_a_pipe_gets_text_as_it_is() -> None:
    assert in_pipe(*grown(0, "a\x1b[1m\r\n"), DONE) == "a\x1b[1m\r\n"


def test_a_pipe_gets_the_answer_once_if_a_restart_makes_it_again() -> None:
    assert in_pipe(*grown(0, "It is fi"), Recovered(2, (0,)), *grown(1, "It is four."), DONE) == "It is four.\n"


def test_a_pipe_gets_a_whole_step_once_if_its_answer_is_made_again() -> None:
    shown = in_pipe(
        ProcessStep(text(0, "I look. ")),
        ProcessStep(steps.tool_call(1, 1, "x", "web")),
        Recovered(2, (0, 1)),
        ProcessStep(text(2, "I search. ")),
        ProcessStep(call(3, "web", "{}")),
        ProcessStep(result(4, 3, "web", "", "running")),
        Recovered(3, ()),
        ProcessStep(result(4, 3, "web", "x")),
        *grown(5, "Found", 2),
        DONE,
    )
    assert shown == "I search. Found\n"


def test_a_pipe_gets_text_as_soon_as_a_tool_after_it_runs() -> None:
    stream, screen = pipe()
    view = TextView(screen)
    events = (
        STARTED,
        ProcessStep(text(0, "First.\n")),
        ProcessStep(call(1, "web", "{}")),
        ProcessStep(result(2, 1, "web", "", "running")),
        *grown(3, "Second."),
    )
    for entry, event in zip(log(*events), events, strict=True):
        view.show(entry, event)
    assert stream.getvalue() == "First.\n"


@pytest.mark.parametrize("end", [Cancelled("m"), Failed(content="x", code="y", message_id="m")])
def test_a_pipe_gets_what_was_made_of_an_answer_that_was_cut(end: Event) -> None:
    assert in_pipe(*grown(0, "It is"), end) == "It is\n"


def test_json_gives_each_event_as_it_came() -> None:
    stream, screen = pipe()
    play(JsonView(screen), TOOL_TURN)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["seq"], line["event"]) for line in lines] == [(entry.seq, entry.name) for entry in TOOL_TURN]
    assert [line["data"] for line in lines] == [json.loads(entry.data) for entry in TOOL_TURN]


def test_steps_go_to_the_terminal_and_text_to_the_pipe() -> None:
    (answer, out), (steps_shown, err) = pipe(), terminal()
    play(BothViews(TextView(out), TerminalView(err, text=False)), TOOL_TURN)
    assert answer.getvalue() == "It is four ✓.\n"
    assert "four" not in steps_shown.getvalue()
    assert "✓ calculator" in steps_shown.getvalue()


def test_events_of_a_newer_server_are_passed_over() -> None:
    (_, screen), (_, other), (stream, third) = terminal(), pipe(), pipe()
    view = BothViews(TerminalView(screen), TextView(other), JsonView(third))
    view.show(LogEntry(1, "surprise", b'{"a": 1}'), None)
    assert json.loads(stream.getvalue())["data"] == {"a": 1}


def test_thinking_alone_leaves_a_tidy_line() -> None:
    assert on_terminal(ProcessStep(thinking(0, "Hm")), DONE) == "Hm\n"
