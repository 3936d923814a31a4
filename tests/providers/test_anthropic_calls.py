"""Calls of tools in answers of the Messages API."""

import json

import pytest

from luxx.core.deltas import ToolCallDelta, ToolCallDone
from luxx.providers.anthropic.answer import AnswerDecoder
from tests.providers.messages import (
    begin,
    block,
    call,
    decode,
    end,
    event,
    message,
    piece,
    raw,
    start,
    stop,
    text,
    thinking,
)


def test_a_call_is_done_as_soon_as_its_arguments_are_whole() -> None:
    decoder = AnswerDecoder()
    assert decoder.feed(begin() + start(0, type="tool_use", id="x", name="f", input={})) == [
        ToolCallDelta(slot=0, id="x", name="f")
    ]
    pieces = piece(0, "input_json_delta", partial_json="") + piece(0, "input_json_delta", partial_json='{"a":1}')
    assert decoder.feed(pieces) == [ToolCallDelta(slot=0, arguments='{"a":1}')]
    assert decoder.feed(stop(0)) == [ToolCallDone(0)]


def test_a_call_without_arguments_gets_an_empty_object_when_it_is_sure_that_it_was_not_cut() -> None:
    decoder = AnswerDecoder()
    decoder.feed(begin() + start(0, type="tool_use", id="x", name="f", input={}))
    assert decoder.feed(piece(0, "input_json_delta", partial_json="") + stop(0)) == []
    assert decoder.feed(start(1, type="tool_use", id="y", name="g", input={}))[:2] == [
        ToolCallDelta(slot=0, arguments="{}"),
        ToolCallDone(0),
    ]
    assert decoder.feed(stop(1) + end("tool_use")) == [ToolCallDelta(slot=1, arguments="{}"), ToolCallDone(1)]


def test_arguments_that_come_with_the_start_of_a_call_are_taken() -> None:
    told = decode(message(block(0, type="tool_use", id="x", name="f", input={"a": "é"}), reason="tool_use"))
    assert told.tools == [("x", "f", '{"a": "é"}')]
    assert told.done == {0}


@pytest.mark.parametrize("reason", ["max_tokens", "model_context_window_exceeded", "refusal"])
@pytest.mark.parametrize("arguments", [[], ['{"a": "hal']])
def test_a_call_that_is_cut_is_not_run(reason: str, arguments: list[str]) -> None:
    told = decode(message(text(0, "a"), call(1, "x", "f", *arguments), reason=reason))
    assert told.done == set()
    assert told.reason == ("refusal" if reason == "refusal" else "length")
    assert all(part["type"] != "tool_use" for part in raw(told))


def test_a_whole_call_before_a_cut_one_is_run() -> None:
    told = decode(message(call(0, "x", "f", "{}"), call(1, "y", "g", '{"a'), reason="max_tokens"))
    assert told.done == {0}
    assert told.reason == "length"


def test_broken_arguments_of_a_whole_call_reach_its_tool() -> None:
    told = decode(message(call(0, "x", "f", '{"a": oops}'), reason="tool_use"))
    assert (told.tools, told.done, told.reason) == ([("x", "f", '{"a": oops}')], {0}, "tool_calls")


def test_calls_whose_pieces_are_mixed_are_kept_apart() -> None:
    body = begin() + start(0, type="tool_use", id="x", name="f", input={}) + start(1, type="tool_use", id="y", name="g")
    body += piece(1, "input_json_delta", partial_json='{"b":2}') + piece(0, "input_json_delta", partial_json='{"a":1}')
    told = decode(body + stop(1) + stop(0) + end("tool_use"))
    assert told.tools == [("x", "f", '{"a":1}'), ("y", "g", '{"b":2}')]
    assert told.done == {0, 1}


def test_blocks_without_their_ends_end_with_the_answer() -> None:
    body = begin() + start(0, type="text", text="a") + start(1, type="tool_use", id="x", name="f", input={})
    told = decode(body + piece(1, "input_json_delta", partial_json="{}") + end("tool_use"))
    assert (told.text, told.done) == ("a", {0})


def test_an_answer_that_calls_tools_wants_their_results_whatever_its_reason() -> None:
    for word in ("end_turn", "pause_turn", "tool_use"):
        assert decode(message(call(0, "x", "f", "{}"), reason=word)).reason == "tool_calls"


def test_an_answer_that_begins_anew_is_that_of_its_second_beginning() -> None:
    first = begin() + thinking(0, "one", signature="1") + start(1, type="tool_use", id="x", name="f", input={})
    first += piece(1, "input_json_delta", partial_json='{"a": "h')
    second = message(thinking(0, "two", signature="2"), call(1, "y", "f", '{"a": "b"}'), reason="tool_use")
    told = decode(first + second)
    assert told.whole_tools == [("y", "f", '{"a": "b"}')]
    assert [json.loads(part) for part in told.parts[1:]] == [
        {"content": [], "anew": True},
        {"content": [{"type": "thinking", "thinking": "two", "signature": "2"}]},
    ]


def test_a_message_that_comes_whole_at_its_start_is_taken() -> None:
    content = [
        {"type": "code_execution_tool_result", "tool_use_id": "s", "content": {"type": "code_execution_result"}},
        {"type": "tool_use", "id": "x", "name": "f", "input": {"a": 1}, "caller": {"type": "c", "tool_id": "s"}},
    ]
    message = {"content": content, "container": {"id": "box"}, "stop_reason": "tool_use", "usage": {}}
    told = decode(event("message_start", message=message) + event("message_stop"))
    assert (told.tools, told.done, told.reason) == ([("x", "f", '{"a": 1}')], {0}, "tool_calls")
    assert raw(told) == content
    assert json.loads(told.parts[-1])["container"] == "box"


def test_the_tools_are_called_by_their_own_names() -> None:
    decoder = AnswerDecoder(names={"my_tool": "my.tool"})
    assert decoder.feed(begin() + start(0, type="tool_use", id="x", name="my_tool", input={})) == [
        ToolCallDelta(slot=0, id="x", name="my.tool")
    ]
