"""What chat-completions endpoints are sent."""

import json
from typing import Any

import pytest

from luxx.core.prompts import AnswerPrompt, CallPrompt, ModelRequest, Prompt, ResultPrompt, ToolSpec, UserPrompt
from luxx.providers.openai.request import encode_request
from tests.providers.chat import DONE, call, delta, event
from tests.providers.told import decode

_TOOL = ToolSpec(name="f", description="d", parameters={"type": "object", "properties": {"z": {}, "a": {}}})


def _messages(*prompts: Prompt, origin: str = "") -> list[dict[str, Any]]:
    return json.loads(encode_request(ModelRequest(model="m", prompts=prompts), origin=origin))["messages"]


def test_a_plain_request_holds_nothing_that_was_not_asked_for() -> None:
    body = json.loads(encode_request(ModelRequest(model="m", prompts=(UserPrompt("hi"),))))
    assert body == {
        "model": "m",
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [{"role": "user", "content": "hi"}],
    }


def test_a_full_request_holds_all_of_it() -> None:
    request = ModelRequest(
        model="m", prompts=(UserPrompt("hi"),), system="be", temperature=0.0, max_tokens=9, tools=(_TOOL,)
    )
    body = json.loads(encode_request(request, extra={"return_progress": True}))
    assert body["messages"][0] == {"role": "system", "content": "be"}
    assert (body["temperature"], body["max_tokens"], body["return_progress"]) == (0.0, 9, True)
    assert body["tools"] == [
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": _TOOL.parameters}}
    ]


def test_the_same_prompts_give_the_same_bytes_and_a_longer_history_begins_with_them() -> None:
    first = (UserPrompt("a"), AnswerPrompt(text="b"))
    short = encode_request(ModelRequest(model="m", prompts=first, tools=(_TOOL,)))
    again = encode_request(ModelRequest(model="m", prompts=first, tools=(_TOOL,)))
    longer = encode_request(ModelRequest(model="m", prompts=(*first, UserPrompt("c")), tools=(_TOOL,)))
    assert short == again
    assert longer.startswith(short.removesuffix(b"]}"))


def test_an_answer_with_calls_is_followed_by_one_message_for_each_result() -> None:
    calls = (CallPrompt(id="1", name="f", arguments='{"x": 1}'), CallPrompt(id="2", name="g", arguments="{}"))
    messages = _messages(
        AnswerPrompt(text="t", thinking="hm", calls=calls),
        ResultPrompt(id="1", name="f", content="one"),
        ResultPrompt(id="2", name="g", content="two", failed=True),
    )
    assert messages == [
        {
            "role": "assistant",
            "content": "t",
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}},
                {"id": "2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "1", "content": "one"},
        {"role": "tool", "tool_call_id": "2", "content": "two"},
    ]


def test_an_answer_without_text_is_null_beside_calls_and_empty_alone() -> None:
    called = AnswerPrompt(calls=(CallPrompt(id="1", name="f", arguments="{}"),))
    assert [message["content"] for message in _messages(called, AnswerPrompt())] == [None, ""]


@pytest.mark.parametrize("arguments", ["", "{", '{"x":1,}', "[]", "null", '"x"'])
def test_arguments_that_are_no_object_are_sent_as_an_empty_one(arguments: str) -> None:
    (message,) = _messages(AnswerPrompt(calls=(CallPrompt(id="1", name="f", arguments=arguments),)))
    assert message["tool_calls"][0]["function"]["arguments"] == "{}"


def test_half_a_surrogate_pair_in_a_prompt_does_not_stop_the_request() -> None:
    assert _messages(UserPrompt("a\ud83d"))[0]["content"] == "a?"


def _answered(body: bytes, origin: str = "") -> AnswerPrompt:
    told = decode([body])
    assert told.finish
    calls = tuple(CallPrompt(id=i, name=name, arguments=arguments) for i, name, arguments in told.tools)
    return AnswerPrompt(text=told.text, calls=calls, raw=told.raw)


_CALL = delta(tool_calls=[call(0, "1", "f", "{}")]) + delta("tool_calls") + DONE


def test_reasoning_goes_back_under_its_own_name_with_an_answer_that_called_tools() -> None:
    for name in ("reasoning_content", "reasoning"):
        (message,) = _messages(_answered(delta(**{name: "think "}) + delta(**{name: "hard"}) + _CALL))
        assert message[name] == "think hard"


def test_reasoning_of_a_last_answer_does_not_go_back() -> None:
    (message,) = _messages(_answered(delta(reasoning_content="r") + delta(content="t") + delta("stop") + DONE))
    assert message == {"role": "assistant", "content": "t"}


def test_reasoning_does_not_go_to_another_host_or_format() -> None:
    answer = _answered(delta(reasoning_content="r") + _CALL)
    assert "reasoning_content" not in _messages(answer, origin="other:443")[0]
    for raw in (b'[{"type": "thinking"}]', b"\xff{"):
        (message,) = _messages(AnswerPrompt(calls=answer.calls, raw=raw))
        assert message["tool_calls"]
        assert "reasoning_content" not in message


def test_reasoning_details_go_back_with_their_blocks_joined_and_their_signatures() -> None:
    def details(*blocks: dict[str, Any]) -> bytes:
        return delta(reasoning_details=list(blocks))

    text = {"type": "reasoning.text", "index": 0}
    body = (
        details({**text, "text": "a", "signature": None})
        + details({**text, "text": "b"}, {"type": "reasoning.encrypted", "index": 1, "data": "zz"})
        + details({**text, "index": 2, "text": "c"})
        + details({**text, "index": 2, "text": None, "signature": "s"})
    )
    (message,) = _messages(_answered(body + _CALL))
    assert message["reasoning_details"] == [
        {"type": "reasoning.text", "index": 0, "text": "ab", "signature": None},
        {"type": "reasoning.encrypted", "index": 1, "data": "zz"},
        {"type": "reasoning.text", "index": 2, "text": "c", "signature": "s"},
    ]


def test_what_a_provider_attached_to_a_call_goes_back_with_it() -> None:
    signed = {"google": {"thought_signature": "s"}}
    body = event({"choices": [{"delta": {"tool_calls": [call(0, "1", "f", "{}", extra_content=signed)]}}]})
    answer = _answered(body + delta(tool_calls=[call(1, "2", "g", "{}")]) + delta("tool_calls") + DONE)
    first, second = _messages(answer)[0]["tool_calls"]
    assert first["extra_content"] == signed
    assert "extra_content" not in second
    fewer = AnswerPrompt(calls=answer.calls[:1], raw=answer.raw)
    assert _messages(fewer)[0]["tool_calls"][0]["extra_content"] == signed


def _attached(answer: AnswerPrompt) -> dict[str, object]:
    return {sent["id"]: sent.get("extra_content") for sent in _messages(answer)[0]["tool_calls"]}


def test_what_came_with_a_call_that_closes_last_stays_with_it() -> None:
    body = delta(tool_calls=[call(0, "a", "now", "{}", extra_content={"s": 1})])
    body += delta(tool_calls=[call(1, "b", "f", '{"x": 1}')])
    body += delta(tool_calls=[call(2, "c", "g", '{"y": 1}', extra_content={"s": 3})])
    answer = _answered(body + delta("tool_calls") + DONE)
    assert _attached(answer) == {"a": {"s": 1}, "b": None, "c": {"s": 3}}
    renamed = tuple(CallPrompt(id=f"{one.id}_2", name=one.name, arguments=one.arguments) for one in answer.calls)
    assert _attached(AnswerPrompt(calls=renamed, raw=answer.raw)) == {"a_2": {"s": 1}, "b_2": None, "c_2": {"s": 3}}
    without = AnswerPrompt(calls=answer.calls[1:], raw=answer.raw)
    assert _attached(without) == {"b": None, "c": {"s": 3}}


def test_what_was_kept_with_calls_in_their_order_goes_back_in_it() -> None:
    older = json.dumps({"origin": "", "fields": {}, "calls": [["a", None], ["b", {"s": 2}]]}).encode()
    calls = tuple(CallPrompt(id=id, name="f", arguments="{}") for id in ("a", "b_2"))
    assert _attached(AnswerPrompt(calls=calls, raw=older)) == {"a": None, "b_2": {"s": 2}}
