"""What an answer wants back is sent back to the model that made it."""

import json

import pytest

from luxx.core.prompts import (
    AnswerPrompt,
    CallPrompt,
    ModelRequest,
    ResultPrompt,
    UserPrompt,
)
from luxx.providers.anthropic.quirks import Quirks, Relief
from luxx.providers.anthropic.request import encode_request
from tests.providers.messages import begin, block, call, end, message, text, thinking
from tests.providers.messages_sent import NEW, OLD, answered, body_for, messages_for, said

_SIGNED = message(thinking(0, "hm", signature="sig"), text(1, "t"), call(2, "1", "f", '{"x":1}'), reason="tool_use")
_RESULT = ResultPrompt(id="1", name="f", content="r")


def test_thoughts_go_back_as_they_came_with_the_ids_of_this_request() -> None:
    answer = answered(_SIGNED)
    renamed = AnswerPrompt(
        text=answer.text, calls=(CallPrompt(id="1_2", name="f", arguments='{"x":1}'),), model=OLD, raw=answer.raw
    )
    messages = messages_for(UserPrompt("a"), renamed, ResultPrompt(id="1_2", name="f", content="r"))
    assert messages[1]["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        said("t"),
        {"type": "tool_use", "id": "1_2", "name": "f", "input": {"x": 1}},
    ]


def test_thoughts_of_another_provider_are_left_out() -> None:
    answer = answered(_SIGNED)
    foreign = AnswerPrompt(text=answer.text, thinking=answer.thinking, calls=answer.calls, model="gpt-5")
    assert [part["type"] for part in messages_for(UserPrompt("a"), foreign, _RESULT)[1]["content"]] == [
        "text",
        "tool_use",
    ]


def test_thoughts_of_another_model_are_left_out_and_the_rest_goes_back() -> None:
    assert [m["type"] for m in messages_for(UserPrompt("a"), answered(_SIGNED, model="claude-opus-4-1"), _RESULT)[1]["content"]] == [
        "text",
        "tool_use",
    ]  # fmt: skip


def test_thoughts_without_a_signature_go_back_only_to_those_who_do_not_sign() -> None:
    body = message(thinking(0, "hm"), call(1, "1", "f", "{}"), reason="tool_use")
    for model, kinds in ((OLD, ["tool_use"]), ("kimi-k2", ["thinking", "tool_use"])):
        messages = messages_for(UserPrompt("a"), answered(body, model), _RESULT, model=model)
        assert [part["type"] for part in messages[1]["content"]] == kinds


@pytest.mark.parametrize("raw", [b"\xff", b"{}", b'{"content":7}', b'{"content":[]}', b"[" * 9999])
def test_what_cannot_be_sent_back_is_written_anew(raw: bytes) -> None:
    answer = AnswerPrompt(text="t", calls=(CallPrompt(id="1", name="f", arguments="{}"),), raw=raw)
    assert [part["type"] for part in messages_for(UserPrompt("a"), answer, _RESULT)[1]["content"]] == [
        "text",
        "tool_use",
    ]


def test_calls_after_what_was_kept_follow_it() -> None:
    answer = answered(_SIGNED)
    for calls in ((), (*answer.calls, CallPrompt(id="2", name="f", arguments="{}"))):
        changed = AnswerPrompt(text="t", calls=calls, model=OLD, raw=answer.raw)
        results = tuple(ResultPrompt(id=c.id, name="f", content="r") for c in calls)
        kinds = [part["type"] for part in messages_for(UserPrompt("a"), changed, *results)[1]["content"]]
        assert kinds == ["thinking", "text", *("tool_use" for _ in calls)]


def test_an_answer_whose_calls_are_not_those_it_made_is_written_anew() -> None:
    body = message(call(0, "1", "f", "{}", mystery=1), thinking(1, "hm", signature="sig"), reason="tool_use")
    changed = AnswerPrompt(text="t", calls=(CallPrompt(id="1", name="g", arguments="{}"),), raw=answered(body).raw)
    messages = messages_for(UserPrompt("a"), changed, _RESULT)
    assert [part["type"] for part in messages[1]["content"]] == ["text", "tool_use"]


def test_an_answer_that_began_anew_goes_back_as_its_second_beginning() -> None:
    first = begin() + thinking(0, "one", signature="1")
    body = first + message(thinking(0, "two", signature="2"), text(1, "t"))
    (_, sent, _) = messages_for(UserPrompt("a"), answered(body), UserPrompt("b"))
    assert sent["content"] == [{"type": "thinking", "thinking": "two", "signature": "2"}, said("t")]


def test_server_tools_go_back_with_their_results_and_never_without() -> None:
    use = call(0, "s1", "web_search", "{}", kind="server_tool_use")
    found = block(1, type="web_search_tool_result", tool_use_id="s1", content=[{"encrypted_content": "e"}])
    lost = call(2, "s2", "web_search", "{}", kind="server_tool_use")
    messages = messages_for(UserPrompt("a"), answered(message(use, found, lost, text(3, "t"))), UserPrompt("b"))
    assert [part.get("id", part["type"]) for part in messages[1]["content"]] == ["s1", "web_search_tool_result", "text"]


def test_calls_that_a_server_tool_made_go_back_with_its_container() -> None:
    use = call(0, "s1", "code_execution", "{}", kind="server_tool_use")
    made = call(1, "1", "f", "{}", caller={"type": "code_execution_20250825", "tool_id": "s1"})
    body = message(use, made)[: -len(end())]
    told = answered(body + end("tool_use").replace(b'"stop_sequence"', b'"container": {"id": "box"}, "stop_sequence"'))
    sent = body_for(UserPrompt("a"), told, _RESULT)
    assert sent["container"] == "box"
    assert [part["type"] for part in sent["messages"][1]["content"]] == ["server_tool_use", "tool_use"]


def test_a_plain_history_has_texts_and_calls_only() -> None:
    messages = messages_for(UserPrompt("a"), answered(_SIGNED), _RESULT, plain=True)
    assert [part["type"] for part in messages[1]["content"]] == ["text", "tool_use"]


def test_thoughts_are_not_asked_for_when_those_before_the_results_are_missing() -> None:
    prompts = (UserPrompt("a"), answered(_SIGNED), _RESULT)
    assert "thinking" in body_for(*prompts, thinking="low")
    plain = Relief(quirks=Quirks(), plain=True)
    assert "thinking" not in body_for(*prompts, thinking="low", relief=plain)
    assert "thinking" in body_for(*prompts, UserPrompt("on"), model=NEW, thinking="low", relief=plain)


def test_ids_that_an_endpoint_gave_go_back_as_they_came() -> None:
    odd = "call_1__thought__a+b/c=" + "x" * 200
    answer = answered(message(call(0, odd, "f", "{}"), reason="tool_use"), "gemini-3")
    result = ResultPrompt(id=odd, name="f", content="r")
    request = ModelRequest(model="gemini-3", prompts=(UserPrompt("a"), answer, result))
    _, made, told = json.loads(encode_request(request).body)["messages"]
    assert made["content"][0]["id"] == told["content"][0]["tool_use_id"] == odd
