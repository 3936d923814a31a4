"""A turn is never lost: the server is killed at bad moments, and whoever comes back sees every event once and in order."""

import asyncio
import json
import random
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from luxx.client import Client, ConversationFields, TurnHandle
from luxx.core.events import LogEntry, ProcessStep
from luxx.core.replay import Replay
from luxx.core.steps import Text, ToolResult, answer_text
from luxx.tools.demo import read_ledger
from tests.e2e.server import Server

LONG = "".join(f"word{number} " for number in range(400))
TEXT_ROUND = [{"type": "text", "text": LONG, "chunk": 8, "delay_ms": 4}]
TOOLS_ROUND = [
    {"type": "thinking", "text": "Let me see.", "chunk": 3, "delay_ms": 5},
    {"type": "call", "name": "wait", "arguments": {"seconds": 1, "label": "r"}},
    {"type": "call", "name": "wait_idempotent", "arguments": {"seconds": 1, "label": "i"}},
    {"type": "call", "name": "wait_unsafe", "arguments": {"seconds": 1, "label": "u"}},
    {"type": "call", "name": "calculator", "arguments": {"expression": "6*7"}},
]


async def ask(client: Client, *rounds: list[dict[str, Any]]) -> TurnHandle:
    scripted = next(provider for provider in await client.providers() if provider.format == "scripted")
    conversation = await client.create_conversation(ConversationFields(provider_id=scripted.id))
    return await client.post_message(conversation.id, json.dumps({"script": list(rounds)}))


class Reader:
    """Follows a turn through whatever happens, and keeps all that it was shown."""

    def __init__(self, handle: TurnHandle) -> None:
        self._handle = handle
        self.shown: list[LogEntry] = []
        self.replay = Replay()
        self._moved = asyncio.Event()

    async def follow(self) -> None:
        """Read to the turn's end."""
        async for entry in self._handle.follow():
            self.shown.append(entry)
            self.replay.apply(entry)
            self._moved.set()

    async def until(self, wanted: Callable[[Replay], bool]) -> None:
        """Wait until what was shown is as wanted."""
        while not wanted(self.replay):
            self._moved.clear()
            await self._moved.wait()


async def check_whole(client: Client, handle: TurnHandle, reader: Reader) -> None:
    """Check that nothing is lost or doubled, and that the saved message is what was shown."""
    assert [entry.seq for entry in reader.shown] == list(range(1, len(reader.shown) + 1))
    again = [entry async for entry in handle.follow()]
    assert again == reader.shown
    turn = await client.turn(handle.turn_id)
    saved = (await client.messages(turn.conversation_id)).items[-1]
    assert saved.steps == reader.replay.steps()
    assert saved.text == answer_text(reader.replay.steps())


def has_text(replay: Replay) -> bool:
    return any(isinstance(step, Text) and len(step.content) > 200 for step in replay.steps())


def has_first_result(replay: Replay) -> bool:
    return any(isinstance(step, ToolResult) and step.state == "complete" for step in replay.steps())


async def test_killed_in_the_middle_of_text_the_answer_is_made_again_and_read_on(tmp_path: Path) -> None:
    async with Server(tmp_path / "data") as server, server.client() as client, asyncio.TaskGroup() as group:
        handle = await ask(client, TEXT_ROUND)
        reader = Reader(handle)
        following = group.create_task(reader.follow())
        await reader.until(has_text)
        await server.kill()
        await server.start()
        await following
        assert [entry.name for entry in reader.shown].count("recovered") == 1
        assert answer_text(reader.replay.steps()) == LONG
        await check_whole(client, handle, reader)


async def test_killed_in_the_middle_of_tools_no_finished_or_unsafe_tool_runs_again(tmp_path: Path) -> None:
    async with Server(tmp_path / "data") as server, server.client() as client, asyncio.TaskGroup() as group:
        handle = await ask(client, TOOLS_ROUND, [{"type": "text", "text": "Done."}])
        reader = Reader(handle)
        following = group.create_task(reader.follow())
        await reader.until(has_first_result)
        await server.kill()
        await server.start()
        await following
        await check_whole(client, handle, reader)
        results = {step.name: step for step in reader.replay.steps() if isinstance(step, ToolResult)}
        assert {name: result.state for name, result in results.items()} == {
            "wait": "complete",
            "wait_idempotent": "complete",
            "wait_unsafe": "failed",
            "calculator": "complete",
        }
        assert "unknown" in results["wait_unsafe"].content
        assert answer_text(reader.replay.steps()) == "Done."
    lines = read_ledger(tmp_path / "data" / "tool-ledger.jsonl")
    starts = Counter(line.tool for line in lines if line.event == "start")
    assert starts["wait_unsafe"] == 1
    assert (starts["wait"], starts["wait_idempotent"]) == (2, 2)
    assert len({line.key for line in lines}) == 3


async def test_killed_again_and_again_at_random_moments_every_turn_still_ends_whole(tmp_path: Path) -> None:
    dice = random.Random(20261122)
    quick = [{"type": "call", "name": "wait_unsafe", "arguments": {"seconds": 0.05, "label": str(n)}} for n in range(3)]
    rounds = ([{"type": "text", "text": LONG[:600], "chunk": 8, "delay_ms": 2}, *quick], TEXT_ROUND)
    async with Server(tmp_path / "data") as server, server.client() as client, asyncio.TaskGroup() as group:
        handles = [await ask(client, *rounds) for _ in range(8)]
        readers = [Reader(handle) for handle in handles]
        following = [group.create_task(reader.follow()) for reader in readers]
        for _ in range(4):
            await asyncio.sleep(dice.uniform(0.05, 0.6))  # the moment of the kill is the point
            await server.kill()
            await server.start()
        await asyncio.gather(*following)
        for handle, reader in zip(handles, readers, strict=True):
            await check_whole(client, handle, reader)
            assert reader.shown[-1].name == "done"
    starts = Counter(line.key for line in read_ledger(tmp_path / "data" / "tool-ledger.jsonl") if line.event == "start")
    assert set(starts.values()) <= {1}


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_a_stopped_server_ends_its_streams_and_the_turn_goes_on_after_the_next_start(
    tmp_path: Path, how: signal.Signals
) -> None:
    settings = {"drain_timeout": "0.2"}
    async with Server(tmp_path / "data", **settings) as server, server.client() as client:
        handle = await ask(client, TEXT_ROUND)
        url = f"{server.url}/api/turns/{handle.turn_id}/events"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            await response.content.readuntil(b"event: step_delta")
            assert await server.kill(how) == 0
            rest = await response.content.read()
        assert rest.rstrip().endswith(b"retry: 500")
        await server.start()
        reader = Reader(handle)
        await reader.follow()
        assert answer_text(reader.replay.steps()) == LONG
        await check_whole(client, handle, reader)


async def test_cancelling_stops_the_turn_and_keeps_the_text(tmp_path: Path) -> None:
    async with Server(tmp_path / "data") as server, server.client() as client, asyncio.TaskGroup() as group:
        handle = await ask(client, TEXT_ROUND)
        reader = Reader(handle)
        following = group.create_task(reader.follow())
        await reader.until(has_text)
        assert (await handle.cancel()).status == "cancelled"
        await following
        assert reader.shown[-1].name == "cancelled"
        assert LONG.startswith(answer_text(reader.replay.steps()))
        await check_whole(client, handle, reader)


async def test_a_client_that_knows_only_whole_steps_ends_with_the_same_answer(tmp_path: Path) -> None:
    async with Server(tmp_path / "data") as server, server.client() as client:
        handle = await ask(client, TEXT_ROUND)
        replay = Replay()
        url = f"{server.url}/api/turns/{handle.turn_id}/events?deltas=false"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            body = (await response.read()).decode()
        for block in body.strip().split("\n\n"):
            if not block.startswith(":"):
                fields = dict(line.split(": ", 1) for line in block.split("\n"))
                event = replay.apply(LogEntry(int(fields["id"]), fields["event"], fields["data"].encode()))
                assert event is None or not isinstance(event, ProcessStep) or event.step.index == 0
        assert "step_delta" not in body
        assert answer_text(replay.steps()) == LONG
