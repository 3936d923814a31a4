"""Earlier answers are told to a model as valid prompts, always in the same bytes."""

import msgspec

from luxx.core.ports import ModelCall
from luxx.core.prompts import AnswerPrompt, CallPrompt, ResultPrompt
from luxx.core.steps import State, Text, Thinking, ToolCall, ToolResult
from luxx.core.usage import Usage
from luxx.engine.transcript import NOT_RUN, UNKNOWN, Transcript


def record(n: int, provider: str = "p", raw: bytes = b"") -> ModelCall:
    return ModelCall(n=n, provider=provider, model="m", format="f", finish_reason="stop", usage=Usage(), raw=raw)


def tool(i: int, id_ref: str, state: State = "complete") -> ToolCall:
    return ToolCall(id=f"step-{i}", index=i, state=state, id_ref=id_ref, name="get", arguments="{}")


def result(i: int, of: int, state: State = "complete", content: str = "r") -> ToolResult:
    return ToolResult(id=f"step-{i}", index=i, state=state, id_ref=f"step-{of}", name="get", content=content)


def test_an_answer_with_calls_is_followed_by_one_result_for_each() -> None:
    steps = [Text(id="step-0", index=0, content="hm"), tool(1, "a"), tool(2, "b"), result(3, 1), result(4, 2)]
    assert Transcript("p", "f").answers(steps, ()) == [
        AnswerPrompt(
            text="hm",
            calls=(CallPrompt(id="a", name="get", arguments="{}"), CallPrompt(id="b", name="get", arguments="{}")),
        ),
        ResultPrompt(id="a", name="get", content="r"),
        ResultPrompt(id="b", name="get", content="r"),
    ]


def test_missing_and_repeated_ids_are_made_unique_within_the_request() -> None:
    transcript = Transcript("p", "f")
    first = transcript.answers([tool(0, "same"), tool(1, "same"), tool(2, "")], ())
    second = transcript.answers([tool(0, "same")], ())
    ids = [call.id for prompt in (*first, *second) if isinstance(prompt, AnswerPrompt) for call in prompt.calls]
    assert ids == ["same", "same_2", "call_2", "same_3"]


def test_a_call_without_its_arguments_is_left_out() -> None:
    assert Transcript("p", "f").answers([tool(0, "a", state="failed")], ()) == []


def test_a_call_without_a_result_gets_one_that_says_so() -> None:
    told = Transcript("p", "f").answers([tool(0, "a"), tool(1, "b"), result(2, 1, state="running")], ())
    assert [p.content for p in told if isinstance(p, ResultPrompt)] == [NOT_RUN, UNKNOWN]


def test_reasoning_goes_back_only_to_the_provider_that_gave_it() -> None:
    steps = [Thinking(id="step-0", index=0, content="why"), Text(id="step-1", index=1, content="so")]
    calls = (record(1, raw=b'{"sig":1}'),)
    own, other = Transcript("p", "f").answers(steps, calls), Transcript("q", "f").answers(steps, calls)
    assert [p.raw for p in own if isinstance(p, AnswerPrompt)] == [b'{"sig":1}']
    assert [p.raw for p in other if isinstance(p, AnswerPrompt)] == [b""]


def part(index: int, raw: bytes, provider: str = "p") -> ModelCall:
    return msgspec.structs.replace(record(-index, provider, raw), finish_reason="")


def test_what_goes_back_with_each_step_is_put_together_in_their_order() -> None:
    steps = [Thinking(id="step-0", index=0, content="why"), tool(1, "a"), result(2, 1)]
    calls = (part(1, b"called"), part(0, b"thought"), record(1, raw=b"rest"))
    (answer, _) = Transcript("p", "f").answers(steps, calls)
    assert isinstance(answer, AnswerPrompt)
    assert answer.raw == b"thought\ncalled\nrest"


def test_an_answer_that_was_cut_goes_back_with_what_its_steps_kept() -> None:
    steps = [Thinking(id="step-3", index=3, content="why"), Text(id="step-4", index=4, content="so")]
    calls = (part(0, b"of a step that is void"), part(3, b"thought"))
    own, other = Transcript("p", "f").answers(steps, calls), Transcript("q", "f").answers(steps, calls)
    assert own == [AnswerPrompt(text="so", thinking="why", model="m", raw=b"thought")]
    assert other == [AnswerPrompt(text="so", thinking="why", model="m")]


def test_each_model_call_is_an_answer_of_its_own() -> None:
    later = msgspec.structs.replace(Text(id="step-3", index=3, content="done"), call=2)
    told = Transcript("p", "f").answers([tool(0, "a"), result(1, 0), later], (record(1), record(2)))
    assert [type(prompt).__name__ for prompt in told] == ["AnswerPrompt", "ResultPrompt", "AnswerPrompt"]
