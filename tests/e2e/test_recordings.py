"""Recorded streams and loops of real providers, through a running server: post a message, read the saved message."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import pytest

from luxx.client import Client, ConversationFields, Message, Overrides, ProviderFields
from luxx.core.prompts import ModelRequest, UserPrompt
from luxx.core.rules import ToolRule
from luxx.core.steps import Text, Thinking, ToolCall, ToolResult
from tests.e2e.plugin import install
from tests.e2e.server import Server
from tests.providers import cassettes
from tests.providers.conformance.formats import FORMATS
from tests.providers.conformance.parts import text
from tests.providers.endpoint import Answer, Endpoint, json_answer
from tests.providers.recorded.wires import WIRES, Wire
from tests.providers.told import decode_with

T = TypeVar("T")
AT_ONCE = 8
LAST_WORDS = "That is all."
LAST = MappingProxyType({format.name: Answer(pieces=format.whole(text(LAST_WORDS))) for format in FORMATS})
FORMAT = MappingProxyType(
    {
        "chat-completions": "openai",
        "anthropic-messages": "anthropic",
        "openai-responses": "responses",
        "gemini": "gemini",
    }
)
NO_MODELS = json_answer({"error": {"message": "not here"}}, 404)
NOTHING = cassettes.Expected()

pytestmark = pytest.mark.skipif(not cassettes.available(), reason="no recordings beside the repository")


async def saved_answer(
    client: Client, wire: Wire, endpoint: Endpoint, name: str, request: ModelRequest | None = None
) -> tuple[Message, list[str]]:
    """Ask a provider at the endpoint, and return the answer as it is saved, with the names of its events."""
    provider = await client.create_provider(
        ProviderFields(
            name=name, format=FORMAT[wire.kind], base_url=endpoint.url, api_key="sk-recorded", default_model="m"
        )
    )
    request = request or ModelRequest(model="m", prompts=(UserPrompt("hello"),))
    conversation = await client.create_conversation(
        ConversationFields(
            provider_id=provider.id,
            model=request.model,
            system_prompt=request.system,
            temperature=request.temperature,
            max_tokens=request.max_tokens,
            rules=(
                *(ToolRule(tool=tool.name, action="allow") for tool in request.tools),
                ToolRule(tool="*", action="deny"),
            ),
        )
    )
    (question,) = request.prompts
    assert isinstance(question, UserPrompt)
    handle = await client.post_message(conversation.id, question.text, Overrides(model=request.model))
    names = [entry.name async for entry in handle.follow()]
    page = await client.messages(conversation.id)
    return page.items[-1], names


def wrong_in(message: Message, wire: Wire, stream: cassettes.Stream, expected: cassettes.Expected) -> dict[str, object]:
    """Return where a saved answer says something else than what is expected, or than what the format's reader was told."""
    steps = message.steps
    told = decode_with(wire.decoder(), [stream.body])
    otherwise = wire.otherwise.get(stream.id)
    text = otherwise.text if otherwise and otherwise.text is not None else expected.text
    reasoning = otherwise.reasoning if otherwise and otherwise.text is None else expected.reasoning
    tools = told.tools if expected.tools is None else expected.tools
    found = {
        "text": "".join(step.content for step in steps if isinstance(step, Text)).removesuffix(LAST_WORDS),
        "reasoning": "".join(step.content for step in steps if isinstance(step, Thinking)),
        "tools": [(step.id_ref, step.name) for step in steps if isinstance(step, ToolCall)],
    }
    wanted = {
        "text": told.text if text is None else text,
        "reasoning": told.reasoning if reasoning is None else reasoning,
        "tools": [call[:2] for call in tools],
    }
    return {key: (found[key], value) for key, value in wanted.items() if found[key] != value}


async def check_stream(client: Client, wire: Wire, stream: cassettes.Stream, expected: cassettes.Expected) -> str:
    """Return what is wrong with the saved answer of a recorded stream, nothing if it is right."""
    last = LAST[FORMAT[wire.kind]]
    async with Endpoint(Answer(pieces=[stream.body]), last, listing=NO_MODELS) as endpoint:
        message, names = await saved_answer(client, wire, endpoint, stream.id)
    wrong = wrong_in(message, wire, stream, expected)
    whole = decode_with(wire.decoder(), [stream.body]).finish is not None
    if (names[-1] == "done") != whole:
        wrong["end"] = (names[-1], message.error, stream.features)
    return str(wrong) if wrong else ""


async def check_loop(client: Client, wire: Wire, loop: cassettes.Loop) -> str:
    """Return what is wrong with a recorded loop played through the engine, nothing if all is right."""
    first = wire.request(loop.interactions[0].request, ())
    answers = [Answer(pieces=[exchange.answer]) for exchange in loop.interactions]
    async with Endpoint(*answers, LAST[FORMAT[wire.kind]], listing=NO_MODELS) as endpoint:
        message, names = await saved_answer(client, wire, endpoint, loop.id, first)
    calls = [step for step in message.steps if isinstance(step, ToolCall)]
    results = [step for step in message.steps if isinstance(step, ToolResult)]
    if names[-1] != "done" or not message.text:
        return f"ended with {names[-1]}: {message.error}"
    if sorted(result.id_ref for result in results) != sorted(call.id for call in calls):
        return "not one result for each call"
    for asked, exchange in zip(endpoint.asked, loop.interactions, strict=False):
        try:
            wire.compare(asked.json, exchange.request, loop.id)
        except AssertionError as error:
            place = "".join(traceback.format_tb(error.__traceback__, -1))
            return f"another request than the recorded one: {error} {place}"
    return ""


async def in_parallel(things: Iterable[T], check: Callable[[T], Awaitable[str]]) -> list[str]:
    places = asyncio.Semaphore(AT_ONCE)

    async def one(thing: T) -> str:
        async with places:
            return await check(thing)

    return await asyncio.gather(*map(one, things))


async def test_every_recorded_stream_is_saved_as_expected(tmp_path: Path) -> None:
    expected = cassettes.expectations()
    streams = [(wire, stream) for wire in WIRES for stream in cassettes.streams(wire.kind)]
    async with Server(tmp_path / "data") as server, server.client() as client:
        wrong = await in_parallel(
            streams, lambda one: check_stream(client, *one, expected.get(one[1].id, NOTHING))
        )
    assert len(streams) > 80
    assert {stream.id: text for (_, stream), text in zip(streams, wrong, strict=True) if text} == {}


@pytest.mark.parametrize("place", range(len(WIRES)), ids=[FORMAT[wire.kind] for wire in WIRES])
async def test_every_recorded_loop_plays_through_the_engine(
    place: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = WIRES[place]
    loops = wire.loops()
    if not loops:
        return
    install(tmp_path, f"tests.e2e.recorded_tools:wire_{place}", monkeypatch)
    async with Server(tmp_path / "data") as server, server.client() as client:
        wrong = await in_parallel(loops, lambda loop: check_loop(client, wire, loop))
    assert {loop.id: text for loop, text in zip(loops, wrong, strict=True) if text} == {}
