"""Recorded streams and loops of real providers, through a running server: post a message, read the saved message."""

import asyncio
import random
import traceback
from collections.abc import Awaitable, Callable, Iterable
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import pytest

from luxx.client import Client, ConversationFields, Message, ProviderFields
from luxx.core.prompts import ModelRequest, UserPrompt
from luxx.core.rules import ToolRule
from luxx.core.steps import Text, Thinking, ToolCall, ToolResult
from tests.e2e.plugin import install
from tests.e2e.recorded_tools import answers_of
from tests.e2e.server import Server
from tests.providers import cassettes
from tests.providers.conformance.formats import FORMATS
from tests.providers.conformance.parts import text
from tests.providers.endpoint import Answer, Endpoint, json_answer
from tests.providers.recorded.wires import WIRES, Wire
from tests.providers.told import decode_with

T = TypeVar("T")
AT_ONCE = 8
CUTS = 20
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
HELLO = ModelRequest(model="m", prompts=(UserPrompt("hello"),))
NOTHING = cassettes.Expected()

pytestmark = pytest.mark.skipif(not cassettes.available(), reason="no recordings beside the repository")


def cut(body: bytes, name: str) -> list[bytes]:
    """Return a body in pieces, the same ones for the same name each time."""
    dice = random.Random(name)
    edges = sorted(dice.randrange(len(body) + 1) for _ in range(CUTS))
    return [body[a:b] for a, b in pairwise([0, *edges, len(body)])]


async def saved_answers(
    client: Client, wire: Wire, endpoint: Endpoint, name: str, request: ModelRequest
) -> tuple[list[Message], list[str]]:
    """Ask a provider at the endpoint, and return the answers as they are saved, with the names of all events."""
    provider = await client.create_provider(
        ProviderFields(
            name=name, format=FORMAT[wire.kind], base_url=endpoint.url, api_key="sk-recorded", default_model="m"
        )
    )
    allowed = [ToolRule(tool=tool.name, action="allow") for tool in request.tools]
    conversation = await client.create_conversation(
        ConversationFields(
            provider_id=provider.id,
            model=request.model,
            system_prompt=request.system,
            temperature=request.temperature,
            max_tokens=request.max_tokens,
            rules=(*allowed, ToolRule(tool="*", action="deny")),
        )
    )
    names: list[str] = []
    for question in request.prompts:
        if isinstance(question, UserPrompt):
            handle = await client.post_message(conversation.id, question.text)
            names += [entry.name async for entry in handle.follow()]
    page = await client.messages(conversation.id)
    return [message for message in page.items if message.role == "assistant"], names


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
    async with Endpoint(Answer(pieces=cut(stream.body, stream.id)), last, listing=NO_MODELS) as endpoint:
        (message,), names = await saved_answers(client, wire, endpoint, stream.id, HELLO)
    wrong = wrong_in(message, wire, stream, expected)
    whole = decode_with(wire.decoder(), [stream.body]).finish is not None
    if (names[-1] == "done") != whole:
        wrong["end"] = (names[-1], message.error, stream.features)
    return str(wrong) if wrong else ""


async def check_loop(client: Client, wire: Wire, loop: cassettes.Loop) -> str:
    """Return what is wrong with a recorded loop played through the engine, nothing if all is right."""
    answers = [Answer(pieces=cut(exchange.answer, loop.id)) for exchange in loop.interactions]
    async with Endpoint(*answers, LAST[FORMAT[wire.kind]], listing=NO_MODELS) as endpoint:
        request = wire.request(loop.interactions[-1].request, answers_of(wire, loop))
        messages, names = await saved_answers(client, wire, endpoint, loop.id, request)
    steps = [(message.id, step) for message in messages for step in message.steps]
    calls = [(id, step.id) for id, step in steps if isinstance(step, ToolCall)]
    results = [(id, step.id_ref) for id, step in steps if isinstance(step, ToolResult)]
    if names[-1] != "done" or not messages[-1].text or "error" in names:
        return f"ended with {names[-1]}: {messages[-1].error}"
    if sorted(results) != sorted(calls):
        return "not one result for each call"
    if len(endpoint.asked) < len(loop.interactions):
        return f"only {len(endpoint.asked)} of {len(loop.interactions)} requests"
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
        wrong = await in_parallel(streams, lambda one: check_stream(client, *one, expected.get(one[1].id, NOTHING)))
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
