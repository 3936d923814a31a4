"""Turns that wait for a person, on real servers: they survive everything, and any node takes the decision."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest

from luxx.client import ApiError, Client, TurnHandle
from luxx.core.rules import ToolRule
from luxx.core.steps import ToolResult, answer_text
from luxx.tools.demo import read_ledger
from tests.e2e.reader import Reader, ask, check_whole
from tests.e2e.server import Server
from tests.e2e.test_nodes import nodes
from tests.postgres_server import PostgresServer

PAY = {"type": "call", "name": "wait_unsafe", "arguments": {"seconds": 0.01, "label": "pay"}}
LOOK = {"type": "call", "name": "calculator", "arguments": {"expression": "6*7"}}
DONE = [{"type": "text", "text": "Done."}]
ASKING = (ToolRule(tool="wait_unsafe", action="ask"),)


async def waiting(client: Client, *rounds: list[dict[str, Any]]) -> tuple[TurnHandle, Reader]:
    """Start a turn and return when it waits for a person."""
    handle = await ask(client, *rounds, rules=ASKING)
    reader = Reader(handle)
    async with asyncio.TaskGroup() as group:
        following = group.create_task(reader.follow())
        await reader.until(lambda replay: bool(replay.approvals))
        following.cancel()
    await until_waiting(client, handle)
    return handle, reader


async def until_waiting(client: Client, handle: TurnHandle) -> None:
    async with asyncio.timeout(20):
        while True:
            if (await client.turn(handle.turn_id)).status == "waiting":
                return
            await asyncio.sleep(0.02)


def paid(*servers: Server) -> int:
    ledgers = [read_ledger(server.data_dir / "tool-ledger.jsonl") for server in servers]
    return sum(line.event == "start" for ledger in ledgers for line in ledger)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_a_waiting_turn_survives_its_server_and_goes_on_when_it_is_allowed(
    tmp_path: Path, how: signal.Signals
) -> None:
    async with Server(tmp_path / "data") as server, server.client() as client:
        handle, _ = await waiting(client, [PAY, LOOK], DONE)
        await server.kill(how)
        await server.start()
        (found,) = await client.approvals()
        assert (found.turn_id, found.approval.tool) == (handle.turn_id, "wait_unsafe")
        assert paid(server) == 0
        reader = Reader(handle)
        async with asyncio.TaskGroup() as group:
            group.create_task(reader.follow())
            await client.decide(handle.turn_id, found.approval.index, approve=True)
        assert answer_text(reader.replay.steps()) == "Done."
        assert "recovered" not in [entry.name for entry in reader.shown]
        assert paid(server) == 1
        await check_whole(client, handle, reader)


async def test_a_decision_is_taken_by_any_node_and_while_its_owner_is_dead(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    async with nodes(tmp_path, postgres) as at:
        handle, _ = await waiting(at.clients[0], [PAY, PAY], DONE)
        await at.servers[0].kill()
        there = at.on(1, handle)
        reader = Reader(there)
        async with asyncio.TaskGroup() as group:
            group.create_task(reader.follow())
            await at.clients[1].decide(handle.turn_id, 0, approve=False)
            await until_waiting(at.clients[1], handle)
            await at.clients[1].decide(handle.turn_id, 1, approve=True, arguments={"seconds": 0.01, "label": "b"})
        results = [step for step in reader.replay.steps() if isinstance(step, ToolResult)]
        assert sorted(step.state for step in results) == ["complete", "failed"]
        assert paid(*at.servers) == 1
        await check_whole(at.clients[1], there, reader)


async def test_nodes_that_decide_at_once_agree_and_the_call_runs_once(tmp_path: Path, postgres: PostgresServer) -> None:
    async with nodes(tmp_path, postgres) as at:
        handle, _ = await waiting(at.clients[0], [PAY], DONE)
        decided = await asyncio.gather(
            *(client.decide(handle.turn_id, 0, approve=True) for client in (*at.clients, *at.clients)),
            return_exceptions=True,
        )
        assert any(not isinstance(each, BaseException) for each in decided)
        assert {each.reason for each in decided if isinstance(each, ApiError)} <= {"turn_ended"}
        reader = Reader(at.on(1, handle))
        await reader.follow()
        assert paid(*at.servers) == 1
        await check_whole(at.clients[1], at.on(1, handle), reader)


async def test_a_waiting_turn_is_cancelled_from_any_node(tmp_path: Path, postgres: PostgresServer) -> None:
    async with nodes(tmp_path, postgres) as at:
        handle, _ = await waiting(at.clients[0], [PAY], DONE)
        assert (await at.clients[1].cancel(handle.turn_id)).status == "cancelled"
        assert paid(*at.servers) == 0


async def test_a_call_that_nobody_allows_in_time_is_not_run(tmp_path: Path) -> None:
    async with Server(tmp_path / "data", approval_timeout="0.5") as server, server.client() as client:
        handle = await ask(client, [PAY], DONE, rules=ASKING)
        reader = Reader(handle)
        await reader.follow()
        assert answer_text(reader.replay.steps()) == "Done."
        assert paid(server) == 0
