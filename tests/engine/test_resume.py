"""After a crash the log alone decides how a turn goes on."""

from luxx.core.prompts import Effect
from luxx.core.steps import State, Step, Text, ToolCall, ToolResult, tool_result
from luxx.engine.resume import closed, resume
from luxx.engine.transcript import UNKNOWN


def text(i: int, call: int, state: State = "complete") -> Text:
    return Text(id=f"step-{i}", index=i, call=call, state=state, content="t")


def tool(i: int, call: int, name: str = "get", state: State = "complete") -> ToolCall:
    return ToolCall(id=f"step-{i}", index=i, call=call, state=state, name=name, arguments="{}")


def result(i: int, call: int, of: int, state: State = "complete") -> ToolResult:
    return ToolResult(id=f"step-{i}", index=i, call=call, state=state, id_ref=f"step-{of}", name="get")


def effect(name: str) -> Effect:
    return "unsafe" if name == "send" else "read"


def kept(steps: tuple[Step, ...]) -> list[int]:
    return [step.index for step in steps]


def test_an_unsafe_call_stays_unsafe_when_its_tool_is_gone() -> None:
    call = tool(0, 1, "pay")
    claim = tool_result(1, call, "unsafe")
    resumed = resume([call, claim], {1}, lambda _: "read")
    assert [claimed.call for claimed in resumed.unknown] == [call]
    assert resumed.rerun == ()


def test_an_answer_cut_in_its_text_is_made_again_from_its_first_step() -> None:
    found = resume([text(0, 1, "running")], answered=(), effect=effect)
    assert (kept(found.steps), found.discarded, found.call, found.whole) == ([], (0,), 0, False)


def test_earlier_answers_stand_when_a_later_one_is_cut() -> None:
    log = [tool(0, 1), result(1, 1, of=0), text(2, 2, "running")]
    found = resume(log, answered={1}, effect=effect)
    assert (kept(found.steps), found.discarded, found.call) == ([0, 1], (2,), 1)
    assert found.rerun == ()


def test_an_answer_with_a_claimed_call_is_cut_after_its_last_complete_call() -> None:
    log = [text(0, 1), tool(1, 1), result(2, 1, of=1, state="running"), tool(3, 1), tool(4, 1, state="running")]
    found = resume(log, answered=(), effect=effect)
    assert (kept(found.steps), found.discarded, found.call) == ([0, 1, 2, 3], (4,), 1)
    assert [(one.call.index, one.claim and one.claim.index) for one in found.rerun] == [(1, 2), (3, None)]


def test_finished_results_stand_and_are_not_run_again() -> None:
    log = [tool(0, 1), tool(1, 1), result(2, 1, of=0), result(3, 1, of=1, state="running")]
    found = resume(log, answered={1}, effect=effect)
    assert [claim.call.index for claim in found.rerun] == [1]


def test_an_unsafe_call_under_way_has_an_unknown_outcome() -> None:
    log = [tool(0, 1, "send"), tool(1, 1), result(2, 1, of=0, state="running"), result(3, 1, of=1, state="running")]
    found = resume(log, answered={1}, effect=effect)
    assert [one.call.name for one in found.unknown] == ["send"]
    assert [claim.call.name for claim in found.rerun] == ["get"]


def test_an_unsafe_call_that_was_never_claimed_is_run() -> None:
    found = resume([tool(0, 1, "send")], answered={1}, effect=effect)
    assert [(one.call.name, one.claim) for one in found.rerun] == [("send", None)]


def test_a_whole_answer_without_calls_leaves_nothing_to_do() -> None:
    assert resume([text(0, 1)], answered={1}, effect=effect).whole


def test_an_empty_log_starts_from_the_beginning() -> None:
    found = resume([], answered=(), effect=effect)
    assert (found.call, found.whole, found.discarded) == (0, False, ())


def test_calls_taken_over_from_a_continued_answer_are_not_run() -> None:
    found = resume([tool(0, 1, "send")], answered={1}, effect=effect, kept_calls=1)
    assert (kept(found.steps), found.rerun, found.discarded, found.whole) == ([0], (), (), False)


def test_an_answer_made_after_the_kept_one_is_made_again() -> None:
    found = resume([text(0, 1), text(1, 2, "running")], answered=(), effect=effect, kept_calls=1)
    assert (kept(found.steps), found.discarded, found.call) == ([0], (1,), 1)


def test_what_is_open_is_settled_when_a_turn_ends_without_going_on() -> None:
    log = [
        text(0, 1),
        text(1, 1, "running"),
        tool(2, 1, state="running"),
        tool(3, 1),
        result(4, 1, of=3, state="running"),
    ]
    ended = closed(log)
    assert [(step.index, step.state) for step in ended] == [(1, "complete"), (2, "failed"), (4, "failed")]
    assert isinstance(ended[-1], ToolResult)
    assert (ended[-1].content, ended[-1].unfinished) == (UNKNOWN, "unknown")
