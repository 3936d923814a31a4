"""Recorded streams and loops of real providers, through a running server: post a message, read the saved message."""

import asyncio
import json
from pathlib import Path

import pytest

from luxx.client import Client, ConversationFields, Message, ProviderFields
from luxx.core.steps import Text, Thinking, ToolCall, ToolResult
from tests.e2e.server import Server
from tests.providers import cassettes
from tests.providers.endpoint import Answer, Endpoint
from tests.providers.recorded.test_streams import OTHERWISE

AT_ONCE = 8
LAST_WORDS = "That is all."
LAST = b'data: {"choices":[{"index":0,"delta":{"content":"That is all."},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
NO_LOOP = "groq-openai-gpt-oss-120b-952e"
"""The client of this recording demanded a tool call and made its own complaint of the refusal; a chat does neither."""
WHOLE_WITHOUT_REASON = {
    "openai__gpt-4.1-mini__2efb30",  # complete tool calls, usage and the end mark say enough
    "syn__json-not-sse",  # an endpoint that does not stream gives its answer whole
}

pytestmark = pytest.mark.skipif(not cassettes.available(), reason="no recordings beside the repository")


async def saved_answer(client: Client, endpoint: Endpoint, name: str) -> tuple[Message, list[str]]:
    """Ask a provider at the endpoint, and return the answer as it is saved, with the names of its events."""
    provider = await client.create_provider(
        ProviderFields(name=name, format="openai", base_url=endpoint.url, api_key="sk-recorded", default_model="m")
    )
    conversation = await client.create_conversation(ConversationFields(provider_id=provider.id))
    handle = await client.post_message(conversation.id, "hello")
    names = [entry.name async for entry in handle.follow()]
    page = await client.messages(conversation.id)
    return page.items[-1], names


def found_in(message: Message) -> dict[str, object]:
    steps = message.steps
    text = "".join(step.content for step in steps if isinstance(step, Text))
    return {
        "text": text.removesuffix(LAST_WORDS),
        "reasoning": "".join(step.content for step in steps if isinstance(step, Thinking)),
        "tools": [(s.id_ref, s.name) for s in steps if isinstance(s, ToolCall)],
    }


async def check_stream(client: Client, stream: cassettes.Stream, expected: cassettes.Expected) -> str | None:
    """Return what is wrong with the saved answer of a recorded stream, or None."""
    async with Endpoint(Answer(pieces=[stream.body]), Answer(pieces=[LAST])) as endpoint:
        message, names = await saved_answer(client, endpoint, stream.id)
    found = found_in(message)
    otherwise = OTHERWISE.get(stream.id)
    wanted = {"text": expected.text, "reasoning": expected.reasoning}
    if otherwise:
        wanted = {"text": otherwise.text or expected.text, "reasoning": otherwise.reasoning}
    wrong: dict[str, object] = {
        key: (found[key], value) for key, value in wanted.items() if value is not None and found[key] != value
    }
    if expected.tools is not None:
        calls = [call[:2] for call in expected.tools]
        if calls != found["tools"]:
            wrong["tools"] = (found["tools"], calls)
    if (names[-1] == "done") != (stream.has_reason or stream.id in WHOLE_WITHOUT_REASON):
        wrong["end"] = (names[-1], stream.features)
    return str(wrong) if wrong else None


async def check_loop(client: Client, loop: cassettes.Loop) -> str | None:
    """Return what is wrong with a recorded loop played through the engine, or None."""
    answers = [Answer(pieces=[exchange.answer]) for exchange in loop.interactions]
    async with Endpoint(*answers, Answer(pieces=[LAST])) as endpoint:
        message, names = await saved_answer(client, endpoint, loop.id)
        asked = [request.json for request in endpoint.asked]
    calls = [step for step in message.steps if isinstance(step, ToolCall)]
    results = [step for step in message.steps if isinstance(step, ToolResult)]
    if names[-1] != "done" or not message.text:
        return f"ended with {names[-1]}: {message.error}"
    if sorted(result.id_ref for result in results) != sorted(call.id for call in calls):
        return "not one result for each call"
    sent = [call for m in asked[-1]["messages"] for call in m.get("tool_calls", ())]
    answered = [m["tool_call_id"] for m in asked[-1]["messages"] if m["role"] == "tool"]
    if [(c["function"]["name"], json.loads(c["function"]["arguments"])) for c in sent] != [
        (call.name, json.loads(call.arguments or "{}")) for call in calls
    ]:
        return "the calls sent back are not those that were made"
    if [call["id"] for call in sent] != answered:
        return "the results sent back are not in the order of their calls"
    return None


async def test_every_recorded_stream_is_saved_as_expected(tmp_path: Path) -> None:
    expected = cassettes.expectations()
    streams = [stream for stream in cassettes.streams("chat-completions") if stream.id in expected]
    async with Server(tmp_path / "data") as server, server.client() as client:
        places = asyncio.Semaphore(AT_ONCE)

        async def check(stream: cassettes.Stream) -> str | None:
            async with places:
                return await check_stream(client, stream, expected[stream.id])

        wrong = await asyncio.gather(*map(check, streams))
    assert len(streams) > 50
    assert {stream.id: text for stream, text in zip(streams, wrong, strict=True) if text} == {}


async def test_every_recorded_loop_plays_through_the_engine(tmp_path: Path) -> None:
    loops = [loop for loop in cassettes.loops("chat-completions") if loop.id != NO_LOOP]
    async with Server(tmp_path / "data") as server, server.client() as client:
        places = asyncio.Semaphore(AT_ONCE)

        async def check(loop: cassettes.Loop) -> str | None:
            async with places:
                return await check_loop(client, loop)

        wrong = await asyncio.gather(*map(check, loops))
    assert {loop.id: text for loop, text in zip(loops, wrong, strict=True) if text} == {}
