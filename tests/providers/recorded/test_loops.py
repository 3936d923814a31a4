"""Recorded tool loops: played through a real connection, each next request says what the recorded one said."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from luxx.core.prompts import AnswerPrompt, CallPrompt, ModelRequest, Prompt, ResultPrompt, ToolSpec, UserPrompt
from luxx.providers.openai.model import OpenAIModel
from luxx.providers.transport import Transport
from tests.providers import cassettes
from tests.providers.endpoint import Answer, Endpoint
from tests.providers.told import Told

# Groq refused an answer because the client had demanded a call of a tool, which Luxx never does; what follows is that
# client's own complaint about the answer.
NO_LOOP = "groq-openai-gpt-oss-120b-952e"
# Here Groq refused a call, and the client made up an id for it.
INVENTED_IDS = "groq-openai-gpt-oss-120b-25e9"

LOOPS = [loop for loop in cassettes.loops("chat-completions") if loop.id != NO_LOOP]


@pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: loop.id)
async def test_a_recorded_loop_is_played_to_its_last_text(loop: cassettes.Loop) -> None:
    answers = [Answer(pieces=[exchange.answer]) for exchange in loop.interactions]
    transport = Transport()
    told: list[Told] = []
    async with Endpoint(*answers) as endpoint:
        model = OpenAIModel(endpoint.url, "key", transport)
        for exchange in loop.interactions:
            request = _request(exchange.request, told)
            told.append(await _ask(model, request))
            _compare(endpoint.asked[-1].json, exchange.request, exact_ids=loop.id != INVENTED_IDS)
        await transport.aclose()
    assert told[-1].text or told[-1].tools


async def _ask(model: OpenAIModel, request: ModelRequest) -> Told:
    told = Told()
    async for deltas in model.stream(request):
        assert deltas
        for delta in deltas:
            told.take(delta)
    return told


def _request(recorded: dict[str, Any], told: list[Told]) -> ModelRequest:
    """Return the next request: the recorded prompts and results, and the answers as they were told to us."""
    messages: list[dict[str, Any]] = recorded["messages"]
    prompts: list[Prompt] = []
    answers = iter(told)
    calls: list[CallPrompt] = []
    for message in messages:
        match message["role"]:
            case "user":
                prompts.append(UserPrompt(_text(message)))
            case "tool":
                called = calls.pop(0)
                prompts.append(ResultPrompt(id=called.id, name=called.name, content=_text(message)))
            case "assistant" if answer := _next(message, answers):
                prompts.append(answer)
                calls = list(answer.calls)
            case _:
                pass
    system = next((_text(m) for m in messages if m["role"] == "system"), None)
    return ModelRequest(
        model=recorded["model"],
        prompts=tuple(prompts),
        system=system,
        tools=tuple(map(_tool, recorded.get("tools", ()))),
    )


def _next(message: dict[str, Any], answers: Iterator[Told]) -> AnswerPrompt | None:
    """Return our answer in place of the recorded one; an empty message is an artefact of the recording client."""
    if not (message.get("content") or message.get("tool_calls")):
        return None
    answer = next(answers)
    assert answer.finish
    calls = tuple(
        CallPrompt(id=i or f"made-up-{slot}", name=name, arguments=arguments or "{}")
        for slot, (i, name, arguments) in enumerate(answer.tools)
    )
    return AnswerPrompt(
        text=answer.text, thinking=answer.reasoning, calls=calls, format="openai", raw=answer.finish.raw
    )


def _compare(ours: dict[str, Any], theirs: dict[str, Any], exact_ids: bool) -> None:
    assert ours["model"] == theirs["model"]
    assert ours["stream"] is True
    assert [t["function"]["name"] for t in ours.get("tools", [])] == [
        t["function"]["name"] for t in theirs.get("tools", [])
    ]
    assert _calls(ours, exact_ids) == _calls(theirs, exact_ids)
    assert _results(ours, exact_ids) == _results(theirs, exact_ids)
    asked = [_text(m) for m in ours["messages"] if m["role"] in ("system", "user")]
    assert asked == [_text(m) for m in theirs["messages"] if m["role"] in ("system", "user")]


def _calls(request: dict[str, Any], exact_ids: bool) -> list[list[tuple[str, str, object]]]:
    made = [message["tool_calls"] for message in request["messages"] if message.get("tool_calls")]
    return [
        [
            (c["id"] if exact_ids else "", c["function"]["name"], json.loads(c["function"]["arguments"] or "{}"))
            for c in calls
        ]
        for calls in made
    ]


def _results(request: dict[str, Any], exact_ids: bool) -> list[tuple[str, str]]:
    messages = [message for message in request["messages"] if message["role"] == "tool"]
    return [(message["tool_call_id"] if exact_ids else "", _text(message)) for message in messages]


def _text(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def _tool(tool: dict[str, Any]) -> ToolSpec:
    function = tool["function"]
    return ToolSpec(
        name=function["name"], description=function.get("description", ""), parameters=function.get("parameters", {})
    )
