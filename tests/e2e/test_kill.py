"""A turn is never lost: the server is killed at bad moments, and whoever comes back sees every event once and in order."""

import asyncio
import random
import signal
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from luxx.core.events import LogEntry, ProcessStep
from luxx.core.replay import Replay
from luxx.core.steps import ToolResult, answer_text
from luxx.tools.demo import read_ledger
from tests.e2e.reader import Reader, ask, check_whole, has_first_result, has_text
from tests.e2e.server import Server
from tests.eventually import eventually

LONG = "".join(f"word{number} " for number in range(400))
TEXT_ROUND = [{"type": "text", "text": LONG, "chunk": 8, "delay_ms": 4}]
TOOLS_ROUND = [
    {"type": "thinking", "text": "Let me see.", "chunk": 3, "delay_ms": 5},
    {"type": "call", "name": "wait", "arguments": {"seconds": 2, "label": "r"}},
    {"type": "call", "name": "wait_idempotent", "arguments": {"seconds": 2, "label": "i"}},
    {"type": "call", "name": "wait_unsafe", "arguments": {"seconds": 2, "label": "u"}},
    {"type": "call", "name": "calculator", "arguments": {"expression": "6*7"}},
]


async def until_started(data_dir: Path, tools: set[str]) -> None:
    """Return when these have noted their start, which threads do."""

    async def noted() -> bool:
        return tools <= {line.tool for line in read_ledger(data_dir / "tool-ledger.jsonl")}

    async with asyncio.timeout(20):
        await eventually(noted)


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
        await until_started(tmp_path / "data", {"wait", "wait_idempotent", "wait_unsafe"})
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
