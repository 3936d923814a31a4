"""How chat-completions models are told how much to think, and what is tried where that is refused."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from luxx.core.prompts import ModelRequest, Thinking, UserPrompt
from luxx.providers.failures import Report
from luxx.providers.openai.model import OpenAIModel
from luxx.providers.openai.request import Quirk, encode_request, quirk_in
from luxx.providers.transport import Transport
from tests.providers.chat import text
from tests.providers.endpoint import Answer, Endpoint, json_answer

_ANSWER = Answer(pieces=[text("a")])


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    transport = Transport()
    yield transport
    await transport.aclose()


def _request(thinking: Thinking | None) -> ModelRequest:
    return ModelRequest(model="m", prompts=(UserPrompt("hi"),), thinking=thinking)


def _refusal(message: str) -> Answer:
    return json_answer({"error": {"message": message, "param": "reasoning_effort"}}, 400)


def _said(thinking: Thinking | None, host: str, quirks: frozenset[Quirk] = frozenset()) -> dict[str, Any]:
    body = json.loads(encode_request(_request(thinking), origin=f"{host}:443", quirks=quirks))
    return {name: body[name] for name in ("reasoning_effort", "thinking", "enable_thinking") if name in body}


async def _efforts(transport: Transport, refusals: list[Answer], *wanted: Thinking) -> list[str | None]:
    async with Endpoint(*refusals, _ANSWER) as endpoint:
        model = OpenAIModel(endpoint.url, "key", transport)
        for thinking in wanted:
            assert [deltas async for deltas in model.stream(_request(thinking))]
    return [asked.json.get("reasoning_effort") for asked in endpoint.asked]


@pytest.mark.parametrize(
    "words",
    [
        "Unsupported value: 'reasoning_effort' does not support 'none' with this model.",
        "`reasoning_effort` must be one of `low`, `medium`, or `high`",
        "reasoning_effort: unknown variant `none`, expected one of `low`, `high`",
        "Input should be 'high' or 'low' (reasoning_effort)",
    ],
)
async def test_a_model_that_cannot_be_kept_from_thinking_thinks_as_little_as_it_can(
    transport: Transport, words: str
) -> None:
    efforts = await _efforts(transport, [_refusal(words)] * 2, "off", "high", "off")
    assert efforts == ["none", "minimal", "low", "high", "low"]


async def test_a_level_that_is_not_known_is_left_out_and_the_others_stay(transport: Transport) -> None:
    words = "`reasoning_effort` must be one of `none` or `default`"
    assert await _efforts(transport, [_refusal(words)], "low", "off", "low") == ["low", None, "none", None]


@pytest.mark.parametrize(
    "words",
    ["reasoning_effort is not allowed for this model", "Unexpected field: reasoning_effort", "No reasoningEffort here"],
)
async def test_a_model_that_takes_no_effort_is_asked_once_more_only(transport: Transport, words: str) -> None:
    assert await _efforts(transport, [_refusal(words)], "off", "high") == ["none", None, None]


@pytest.mark.parametrize(
    ("host", "fields"),
    [
        ("api.deepseek.com", {"thinking": {"type": "disabled"}}),
        ("api.moonshot.ai", {"thinking": {"type": "disabled"}}),
        ("api.z.ai", {"thinking": {"type": "disabled"}}),
        ("dashscope-intl.aliyuncs.com", {"enable_thinking": False}),
        ("api.deepseek.com.example", {"reasoning_effort": "none"}),
        ("openrouter.ai", {"reasoning_effort": "none"}),
    ],
)
def test_a_host_with_a_switch_of_its_own_gets_that_to_think_nothing(host: str, fields: dict[str, Any]) -> None:
    assert _said("off", host) == fields
    assert _said("high", host) == {"reasoning_effort": "high"}
    assert _said(None, host) == {}


def test_a_model_that_refuses_the_switch_is_asked_for_the_least() -> None:
    refusal = Report(text="invalid thinking: only type=enabled is allowed for this model")
    assert quirk_in(refusal, _request("off"), origin="api.moonshot.ai:443") == "no_switch"
    assert _said("off", "api.moonshot.ai", frozenset({"no_switch"})) == {"reasoning_effort": "none"}
    missing = Report(
        text="thinking is enabled but reasoning_content is missing in assistant tool call message at index 2"
    )
    assert quirk_in(missing, _request("off"), origin="api.moonshot.ai:443") == "reasoning_always"


@pytest.mark.parametrize(
    ("host", "refusal"),
    [
        ("api.moonshot.ai", Report(text="Unsupported parameter: 'thinking'")),
        ("api.moonshot.ai", Report(text="thinking cannot be disabled for kimi-k2-thinking")),
        ("api.deepseek.com", Report(text="Unrecognized request argument supplied: thinking")),
        ("api.deepseek.com", Report(text="thinking.type: unknown variant `disabled`, expected `enabled`")),
        ("api.deepseek.com", Report(text="body.thinking: Extra inputs are not permitted")),
        ("api.deepseek.com", Report(text="Extra inputs are not permitted, field: 'thinking'")),
        ("api.z.ai", Report(text="property 'thinking' is unsupported")),
        ("api.z.ai", Report(text="This model does not support the thinking parameter")),
        ("api.z.ai", Report(text="Invalid value", param="thinking.type")),
        ("api.z.ai", Report(text="The thinking field is not allowed here")),
        ("aliyuncs.com", Report(text="The value of the enable_thinking parameter is restricted to True.")),
        ("aliyuncs.com", Report(text="Invalid value", param="enable_thinking")),
    ],
)
def test_a_refusal_that_names_the_switch_ends_it(host: str, refusal: Report) -> None:
    assert quirk_in(refusal, _request("off"), origin=f"{host}:443") == "no_switch"


@pytest.mark.parametrize("host", ["api.deepseek.com", "api.moonshot.ai", "api.z.ai", "aliyuncs.com"])
@pytest.mark.parametrize(
    "words",
    [
        "tools are not supported in thinking mode",
        "Invalid tool_choice for thinking mode",
        "Invalid request: thinking mode does not support tools",
        "The tool_choice parameter does not support being set to required or object in thinking mode",
        "Thinking is not supported with tool_choice",
        "max_tokens must be greater than thinking.budget_tokens",
        "Invalid `signature` in `thinking` block",
        "body.messages.1.content.0.thinking: Extra inputs are not permitted",
        "The model kimi-k2-thinking is not allowed for your account",
        "Invalid model: kimi-thinking-preview",
        "The `reasoning_content` of the thinking type must be text",
    ],
)
def test_a_refusal_of_something_else_leaves_the_switch(host: str, words: str) -> None:
    assert quirk_in(Report(text=words), _request("off"), origin=f"{host}:443") is None
