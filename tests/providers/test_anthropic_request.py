"""What endpoints of the Messages API are sent."""

import itertools
import json
from typing import Any

import pytest

from luxx.core.prompts import (
    AnswerPrompt,
    CallPrompt,
    ModelRequest,
    Prompt,
    ResultPrompt,
    Thinking,
    ToolSpec,
    UserPrompt,
)
from luxx.providers.anthropic.request import encode_request
from tests.providers import messages_rules
from tests.providers.messages import block, call, message, thinking
from tests.providers.messages_sent import NEW, OLD, TOOL, answered, body_for, messages_for, said

_MARK = {"cache_control": {"type": "ephemeral"}}


def test_a_plain_request_holds_nothing_that_was_not_asked_for() -> None:
    assert body_for(UserPrompt("hi")) == {
        "model": OLD,
        "max_tokens": 64_000,
        "stream": True,
        "messages": [{"role": "user", "content": [{**said("hi"), **_MARK}]}],
    }


def test_a_full_request_holds_all_of_it() -> None:
    request = ModelRequest(
        model=OLD, prompts=(UserPrompt("hi"),), system="be", temperature=0.0, max_tokens=9, tools=(TOOL,)
    )
    search = {"type": "web_search_20250305", "name": "web_search"}
    body = json.loads(encode_request(request, extra={"top_k": 3, "tools": [search], "stream": False}).body)
    assert (body["temperature"], body["max_tokens"], body["top_k"], body["stream"]) == (0.0, 9, 3, False)
    assert body["system"] == [{**said("be"), **_MARK}]
    assert body["tools"] == [
        search,
        {"name": "f", "description": "d", "input_schema": TOOL.parameters, **_MARK},
    ]


_HISTORY: tuple[Prompt, ...] = (
    UserPrompt("a"),
    AnswerPrompt(text="b", calls=(CallPrompt(id="1", name="f", arguments="{}"),)),
    ResultPrompt(id="1", name="f", content="c"),
    AnswerPrompt(text="d"),
    UserPrompt("e"),
    AnswerPrompt(text="f"),
    UserPrompt("g"),
)


def _bytes(count: int) -> bytes:
    request = ModelRequest(model=OLD, prompts=_HISTORY[:count], system="be", tools=(TOOL,), conversation_id="c")
    return encode_request(request).body


def test_the_same_prompts_give_the_same_bytes_and_a_longer_history_begins_with_them() -> None:
    mark = b',"cache_control":{"type":"ephemeral"}'
    asked = [_bytes(count) for count in (1, 3, 5, 7)]
    assert asked == [_bytes(count) for count in (1, 3, 5, 7)]
    for short, longer in itertools.pairwise(asked):
        assert longer.replace(mark, b"").startswith(short.replace(mark, b"").removesuffix(b"]}"))


def test_each_call_marks_where_the_call_before_ended_and_where_it_ends_itself() -> None:
    marked = []
    for count in (1, 3, 5, 7):
        body = json.loads(_bytes(count))
        messages_rules.check(body)
        ends = [place for place, m in enumerate(body["messages"]) if "cache_control" in m["content"][-1]]
        marked.append(ends)
        assert body["tools"][-1]["cache_control"] == body["system"][-1]["cache_control"] == {"type": "ephemeral"}
    assert marked == [[0], [0, 2], [2, 4], [4, 6]]


def test_tools_whose_names_do_not_fit_are_offered_under_others() -> None:
    tools = tuple(
        ToolSpec(name=name, description="", parameters={"type": "object"}) for name in ("a.b", "a_b", "x" * 200)
    )
    assert [tool["name"] for tool in body_for(UserPrompt("a"), tools=tools)["tools"]] == ["a_b", "a_b_2", "x" * 128]


@pytest.mark.parametrize(
    ("model", "level", "fields"),
    [
        ("claude-3-5-haiku-20241022", "high", {}),
        ("claude-3-7-sonnet@20250219", None, {}),
        ("claude-sonnet-4-20250514", "off", {}),
        ("claude-sonnet-4-5", "low", {"thinking": {"type": "enabled", "budget_tokens": 4096}}),
        (
            "us.anthropic.claude-opus-4-1-20250805-v1:0",
            "high",
            {"thinking": {"type": "enabled", "budget_tokens": 16000}},
        ),
        ("claude-opus-4-6", None, {}),
        ("claude-opus-4-6", "high", {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
        ("anthropic/claude-opus-4.7", None, {}),
        (
            "anthropic/claude-4.7-opus",
            "low",
            {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "low"}},
        ),
        ("claude-opus-5", None, {"thinking": {"type": "adaptive", "display": "summarized"}}),
        ("claude-opus-5", "off", {"thinking": {"type": "disabled"}}),
        ("claude-haiku-5-5", "off", {"thinking": {"type": "disabled"}}),
        ("claude-sonnet-5-5", "off", {"thinking": {"type": "between_tools"}}),
        (
            "claude-fable-5-1",
            "off",
            {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "low"}},
        ),
        ("claude-mythos-preview", None, {"thinking": {"type": "adaptive", "display": "summarized"}}),
        ("kimi-k2", None, {}),
        ("glm-5", "off", {"thinking": {"type": "disabled"}}),
        ("glm-5", "medium", {"thinking": {"type": "enabled", "budget_tokens": 16000}}),
    ],
)
def test_each_model_is_asked_to_think_in_its_own_words(
    model: str, level: Thinking | None, fields: dict[str, Any]
) -> None:
    body = body_for(UserPrompt("a"), model=model, thinking=level)
    assert {key: body[key] for key in ("thinking", "output_config") if key in body} == fields


def test_a_limit_too_small_for_thoughts_leaves_them_out() -> None:
    assert "thinking" not in body_for(UserPrompt("a"), thinking="high", max_tokens=2000)
    body = body_for(UserPrompt("a"), thinking="high", max_tokens=4000)
    assert (body["max_tokens"], body["thinking"]["budget_tokens"]) == (4000, 2000)


def test_the_temperature_is_sent_only_where_it_is_taken() -> None:
    assert body_for(UserPrompt("a"), temperature=0.5)["temperature"] == 0.5
    assert "temperature" not in body_for(UserPrompt("a"), temperature=0.5, thinking="low")
    assert "temperature" not in body_for(UserPrompt("a"), temperature=0.5, model=NEW, thinking="off")
    assert body_for(UserPrompt("a"), temperature=0.5, model="claude-opus-4-6")["temperature"] == 0.5


@pytest.mark.parametrize(
    ("model", "limit"),
    [
        ("claude-3-opus-20240229", 4096),
        ("claude-2.1", 4096),
        ("claude-3-5-sonnet-latest", 8192),
        ("claude-opus-4-20250514", 32_000),
        ("claude-opus-4-5-20251101", 64_000),
        ("claude-haiku-4-5", 64_000),
        ("claude-fable-5", 128_000),
        ("claude-next", 128_000),
        ("deepseek-chat", 32_000),
    ],
)
def test_without_a_limit_a_model_may_write_all_that_it_can(model: str, limit: int) -> None:
    assert body_for(UserPrompt("a"), model=model)["max_tokens"] == limit


def test_half_a_surrogate_pair_does_not_stop_the_request() -> None:
    tool = ToolSpec(name="f", description="\ud83d", parameters={"type": "object", "description": "\ud83d"})
    body = body_for(UserPrompt("a\ud83d\0"), system="\ud83d", tools=(tool,))
    assert body["messages"][0]["content"][0]["text"] == "a\ufffd\ufffd"


def test_what_was_said_before_a_pause_is_sent_without_white_space_at_its_end() -> None:
    request = ModelRequest(model=OLD, prompts=(UserPrompt("a"),))
    body = json.loads(encode_request(request, paused=[said(" "), said("b \n")]).body)
    messages_rules.check(body)
    assert body["messages"][1] == {"role": "assistant", "content": [said("b")]}


def test_a_model_that_thought_before_its_first_call_thinks_on_after_the_second() -> None:
    first = answered(message(thinking(0, "hm", signature="S"), call(1, "a", "f", "{}"), reason="tool_use"))
    second = answered(message(call(0, "b", "f", "{}"), reason="tool_use"))
    third = answered(message(call(0, "c", "f", "{}"), reason="tool_use"))
    results = [ResultPrompt(id=id, name="f", content="ok") for id in ("a", "b")]
    loop = (UserPrompt("q"), first, results[0], second, results[1])
    assert body_for(*loop, thinking="low")["thinking"]["type"] == "enabled"
    assert "thinking" not in body_for(UserPrompt("q"), second, results[1], thinking="low")
    earlier = (*loop, AnswerPrompt(text="so"), UserPrompt("q"), third)
    assert "thinking" not in body_for(*earlier, ResultPrompt(id="c", name="f", content="ok"), thinking="low")


def test_an_answer_that_is_only_thoughts_is_left_out_because_no_message_may_end_with_one() -> None:
    thought = answered(message(thinking(0, "hm", signature="S"), block(1, type="redacted_thinking", data="R")))
    assert messages_for(UserPrompt("q"), thought, UserPrompt("again")) == [
        {"role": "user", "content": [said("q"), said("again")]}
    ]
