"""The scripted model plays what it is told to."""

import asyncio
import functools
import json

import pytest

from luxx.core.deltas import Delta, Finish, TextDelta, ThinkingDelta, ToolCallDelta, ToolCallDone
from luxx.core.errors import AnswerIncomplete, ProviderError, ProviderRejected, RateLimited
from luxx.core.prompts import AnswerPrompt, CallPrompt, ModelRequest, Prompt, ResultPrompt, ToolSpec, UserPrompt
from luxx.core.usage import Usage
from luxx.providers.scripted import ScriptedModel
from tests.providers.told import Told

_DEEP = functools.reduce(lambda inner, _: {"a": inner}, range(600), {})
_CLOCK = ToolSpec(name="current_time", description="", parameters={"type": "object", "properties": {}})
_SUMS = ToolSpec(
    name="calculator",
    description="",
    parameters={"type": "object", "properties": {"expression": {"type": "string"}}, "required": ["expression"]},
)


def _request(*prompts: Prompt, tools: tuple[ToolSpec, ...] = ()) -> ModelRequest:
    return ModelRequest(model="scripted", prompts=prompts, tools=tools)


async def _play(model: ScriptedModel, request: ModelRequest) -> list[Delta]:
    return [delta async for deltas in model.stream(request) for delta in deltas]


async def _script(*actions: dict[str, object]) -> list[Delta]:
    return await _play(ScriptedModel([list(actions)]), _request(UserPrompt("hi")))


async def test_text_and_thinking_come_in_chunks() -> None:
    assert await _script({"type": "thinking", "text": "hm"}, {"type": "text", "text": "abcde", "chunk": 2}) == [
        ThinkingDelta("hm"),
        TextDelta("ab"),
        TextDelta("cd"),
        TextDelta("e"),
        Finish(reason="stop"),
    ]


async def test_a_text_is_repeated_without_being_held_in_memory() -> None:
    stream = ScriptedModel([[{"type": "text", "text": "x", "repeat": 10**12}]]).stream(_request(UserPrompt("hi")))
    assert [await anext(stream) for _ in range(1000)] == [(TextDelta("x"),)] * 1000
    await stream.aclose()


async def test_calls_have_ids_and_end_with_tool_calls() -> None:
    deltas = await _script(
        {"type": "call", "name": "f", "arguments": {"x": 1}, "chunk": 4}, {"type": "call", "name": "g", "id": "mine"}
    )
    assert deltas == [
        ToolCallDelta(slot=0, id="call-1-1", name="f"),
        ToolCallDelta(slot=0, arguments='{"x"'),
        ToolCallDelta(slot=0, arguments=":1}"),
        ToolCallDone(0),
        ToolCallDelta(slot=1, id="mine", name="g"),
        ToolCallDelta(slot=1, arguments="{}"),
        ToolCallDone(1),
        Finish(reason="tool_calls"),
    ]


async def test_arguments_may_be_of_any_size() -> None:
    [_, call, *_] = await _script({"type": "call", "name": "f", "arguments": {"x": 10**30}})
    assert call == ToolCallDelta(slot=0, arguments=f'{{"x":{10**30}}}')


async def test_a_call_may_be_wrong_and_cut() -> None:
    told = Told(
        await _script(
            {"type": "call", "name": "f", "arguments": "{not json"},
            {"type": "call", "name": "g", "arguments": '{"x', "complete": False},
            {"type": "finish", "reason": "length"},
        )
    )
    assert told.tools == [("call-1-1", "f", "{not json"), ("call-1-2", "g", '{"x')]
    assert told.done == {0}
    assert told.reason == "length"


async def test_usage_is_reported() -> None:
    told = Told(await _script({"type": "usage", "input_tokens": 5, "output_tokens": 2, "cached_tokens": 1}))
    assert told.finish
    assert told.finish.usage == Usage(input_tokens=5, output_tokens=2, total_tokens=7, cached_tokens=1)


async def test_a_failure_comes_after_what_was_played() -> None:
    model = ScriptedModel([[{"type": "text", "text": "a"}, {"type": "fail", "code": "answer_incomplete"}]])
    stream = model.stream(_request(UserPrompt("hi")))
    assert await anext(stream) == (TextDelta("a"),)
    with pytest.raises(AnswerIncomplete):
        await anext(stream)


@pytest.mark.parametrize(
    "code",
    [
        *("provider_error", "provider_unreachable", "provider_timeout", "provider_auth", "rate_limited"),
        *("credit_exhausted", "context_overflow", "provider_rejected", "provider_overloaded", "answer_incomplete"),
    ],
)
async def test_every_failure_of_a_provider_can_be_played(code: str) -> None:
    with pytest.raises(ProviderError, match="boom") as caught:
        await _script({"type": "fail", "code": code, "message": "boom", "retry_after": 2})
    assert caught.value.code == code
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after == 2


async def test_a_failure_of_the_first_attempts_passes_and_counts_anew_afterwards() -> None:
    model = ScriptedModel([[{"type": "fail", "code": "rate_limited", "attempts": 2}, {"type": "text", "text": "a"}]])
    for _ in range(2):
        for _ in range(2):
            with pytest.raises(RateLimited):
                await _play(model, _request(UserPrompt("hi")))
        assert Told(await _play(model, _request(UserPrompt("hi")))).text == "a"


def _message(value: object) -> UserPrompt:
    return UserPrompt(json.dumps(value))


async def test_a_message_can_be_the_script_and_its_rounds_follow_the_answers() -> None:
    rounds = [[{"type": "text", "text": word}] for word in ("one", "two")]
    user = _message({"script": rounds})
    answer = AnswerPrompt(text="one", calls=(CallPrompt(id="1", name="f", arguments="{}"),))
    result = ResultPrompt(id="1", name="f", content="r")
    model = ScriptedModel()
    earlier = (UserPrompt("hi"), AnswerPrompt(text="a"))
    assert Told(await _play(model, _request(*earlier, user))).text == "one"
    assert Told(await _play(model, _request(*earlier, user, answer, result))).text == "two"
    assert await _play(model, _request(user, answer, result, answer, result)) == [Finish(reason="stop")]


async def test_a_loop_plays_its_last_round_again_and_again() -> None:
    model = ScriptedModel({"rounds": [[{"type": "call", "name": "f"}]], "loop": True})
    told = Told(await _play(model, _request(UserPrompt("hi"), *[AnswerPrompt()] * 7)))
    assert told.reason == "tool_calls"
    assert told.calls[0][0] == "call-8-1"


@pytest.mark.parametrize(
    ("script", "place"),
    [
        ([[{"type": "text"}]], r"\$\[0\]\[0\]"),
        ({"rounds": [[], [{"type": "text", "text": 7}]]}, r"\$\.rounds\[1\]\[0\]\.text"),
        ([[{"type": "sing"}]], r"\$\[0\]\[0\]\.type"),
        ([[{"type": "text", "text": "a", "chunk": 0}]], r"\.chunk"),
        ([[{"type": "text", "text": "a", "speed": 1}]], "speed"),
        ([[{"type": "pause", "ms": -1}]], r"\.ms"),
        ([[{"type": "fail", "code": "internal"}]], r"\$\.rounds\[0\]\[0\]\.code"),
        ([[{"type": "usage", "input_tokens": 10**30}]], r"input_tokens|int"),
        ([[{"type": "call", "name": "f", "arguments": _DEEP}]], "too deep"),
        (7, "array|object"),
        ({}, "rounds"),
    ],
)
async def test_a_wrong_script_is_refused_with_its_place(script: object, place: str) -> None:
    with pytest.raises(ProviderRejected, match=place):
        await _play(ScriptedModel(), _request(_message({"script": script})))
    if script is not None:
        with pytest.raises(ProviderRejected, match=place):
            ScriptedModel(script)


async def test_a_message_that_is_meant_as_a_script_but_is_no_json_is_refused() -> None:
    with pytest.raises(ProviderRejected, match="line 1"):
        await _play(ScriptedModel(), _request(UserPrompt('{"script": [[}')))


@pytest.mark.parametrize("text", ["", "hi", "{", '{"a": 1}', "[1]", "{" * 5000])
async def test_any_other_message_gets_the_demonstration(text: str) -> None:
    told = Told(await _play(ScriptedModel(pace=0), _request(UserPrompt(text))))
    assert "scripted model" in told.text
    assert told.reasoning


async def test_the_demonstration_asks_two_tools_at_once_and_tells_what_they_gave() -> None:
    model = ScriptedModel(pace=0)
    user = UserPrompt("<b>*hi*</b>")
    first = Told(await _play(model, _request(user, tools=(_CLOCK, _SUMS))))
    assert first.tools == [("call-1-1", "current_time", "{}"), ("call-1-2", "calculator", '{"expression":"6 * 7"}')]
    assert first.done == {0, 1}
    results = (
        ResultPrompt(id="call-1-1", name="current_time", content="noon\n# now"),
        ResultPrompt(id="call-1-2", name="calculator", content="42"),
    )
    second = Told(await _play(model, _request(user, AnswerPrompt(), *results, tools=(_CLOCK, _SUMS))))
    assert "> \\<b\\>\\*hi\\*\\</b\\>" in second.text
    assert "    noon\n    # now" in second.text
    assert "    42" in second.text
    assert second.reason == "stop"


async def test_half_a_surrogate_pair_in_a_script_is_replaced() -> None:
    message = UserPrompt(
        '{"script": [[{"type": "text", "text": "a\\ud83d\\u0000"}, {"type": "call", "name": "f\\ude00"}]]}'
    )
    told = Told(await _play(ScriptedModel(pace=0), _request(message)))
    assert (told.text, told.calls[0][1]) == ("a\ufffd\ufffd", "f\ufffd")
    told = Told(await _script({"type": "finish", "reason": "\0\ud83d"}))
    assert told.reason == "\ufffd\ufffd"


async def test_closing_the_stream_ends_a_pause() -> None:
    script = [[{"type": "text", "text": "a"}, {"type": "pause", "ms": 3_600_000}]]
    began = asyncio.Event()

    async def listen() -> None:
        async for _ in ScriptedModel(script).stream(_request(UserPrompt("hi"))):
            began.set()

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        task = group.create_task(listen())
        await began.wait()
        task.cancel()


async def test_it_lists_itself_and_is_always_well() -> None:
    assert [model.id for model in await ScriptedModel(pace=0).list_models()] == ["scripted"]
    assert (await ScriptedModel(pace=0).check()).ok
