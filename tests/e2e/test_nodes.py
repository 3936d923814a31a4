"""Several servers on one PostgreSQL database: any of them streams and cancels any turn, and takes over from one that dies."""

import asyncio
import contextlib
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from luxx.client import Client, TurnHandle
from luxx.core.steps import answer_text
from luxx.tools.demo import read_ledger
from tests.e2e.reader import Reader, ask, check_whole, has_first_result, has_text
from tests.e2e.server import Server
from tests.postgres_server import PostgresServer

TTL = 3.0
LONG = "".join(f"word{number} " for number in range(400))
TEXT_ROUND = [{"type": "text", "text": LONG, "chunk": 8, "delay_ms": 6}]


class Nodes:
    """Some servers, and a client of each."""

    def __init__(self, servers: list[Server], clients: list[Client]) -> None:
        self.servers = servers
        self.clients = clients

    def on(self, node: int, handle: TurnHandle) -> TurnHandle:
        """Return the same turn, asked of another node."""
        return TurnHandle(self.clients[node], handle.started)

    def starts(self) -> Counter[str]:
        """Count how often each call of a waiting tool was started, on all nodes."""
        ledgers = [read_ledger(server.data_dir / "tool-ledger.jsonl") for server in self.servers]
        return Counter(line.key for ledger in ledgers for line in ledger if line.event == "start")


@contextlib.asynccontextmanager
async def nodes(tmp_path: Path, postgres: PostgresServer, count: int = 2) -> AsyncIterator[Nodes]:
    settings = {
        "database_url": postgres.database(),
        "secret_key": Fernet.generate_key().decode(),
        "lease_ttl": str(TTL),
        "drain_timeout": "0.2",
    }
    async with contextlib.AsyncExitStack() as stack:
        servers = [Server(tmp_path / f"node{n}" / "data", **settings) for n in range(count)]
        for server in servers:
            server.data_dir.parent.mkdir()
            await stack.enter_async_context(server)
        yield Nodes(servers, [await stack.enter_async_context(server.client()) for server in servers])


async def test_a_turn_is_followed_on_another_node_as_it_comes(tmp_path: Path, postgres: PostgresServer) -> None:
    async with nodes(tmp_path, postgres) as at:
        handle = await ask(at.clients[0], TEXT_ROUND)
        here, there = Reader(handle), Reader(at.on(1, handle))
        await asyncio.gather(here.follow(), there.follow())
        assert there.shown == here.shown
        assert answer_text(there.replay.steps()) == LONG
        await check_whole(at.clients[0], handle, there)


async def test_a_turn_is_cancelled_through_another_node(tmp_path: Path, postgres: PostgresServer) -> None:
    async with nodes(tmp_path, postgres) as at, asyncio.TaskGroup() as group:
        handle = await ask(at.clients[0], TEXT_ROUND)
        reader = Reader(at.on(1, handle))
        following = group.create_task(reader.follow())
        await reader.until(has_text)
        await at.on(1, handle).cancel()
        await following
        assert reader.shown[-1].name == "cancelled"
        await check_whole(at.clients[0], handle, reader)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_another_node_goes_on_with_the_turns_of_one_that_ends(
    tmp_path: Path, postgres: PostgresServer, how: signal.Signals
) -> None:
    tools = [
        {"type": "call", "name": "wait", "arguments": {"seconds": 0.8, "label": "r"}},
        {"type": "call", "name": "calculator", "arguments": {"expression": "6*7"}},
    ]
    async with nodes(tmp_path, postgres) as at, asyncio.TaskGroup() as group:
        handle = await ask(at.clients[0], tools, TEXT_ROUND)
        reader = Reader(at.on(1, handle))
        following = group.create_task(reader.follow())
        await reader.until(has_first_result)
        await at.servers[0].kill(how)
        await following
        assert answer_text(reader.replay.steps()) == LONG
        await check_whole(at.clients[1], at.on(1, handle), reader)
        assert (await at.clients[1].turn(handle.turn_id)).epoch == 2


async def test_a_frozen_node_that_wakes_shows_nothing_and_works_again(tmp_path: Path, postgres: PostgresServer) -> None:
    unsafe = {"type": "call", "name": "wait_unsafe", "arguments": {"seconds": 0.4, "label": "u"}}
    async with nodes(tmp_path, postgres) as at, asyncio.TaskGroup() as group:
        handle = await ask(at.clients[0], [*TEXT_ROUND, unsafe], [{"type": "text", "text": "Done."}])
        reader = Reader(at.on(1, handle))
        following = group.create_task(reader.follow())
        await reader.until(has_text)
        at.servers[0].send(signal.SIGSTOP)
        await reader.until(lambda replay: any(entry.name == "recovered" for entry in reader.shown))
        at.servers[0].send(signal.SIGCONT)
        await following
        await check_whole(at.clients[1], at.on(1, handle), reader)
        again = await ask(at.clients[0], [{"type": "text", "text": "Awake."}])
        awake = Reader(again)
        await awake.follow()
        assert answer_text(awake.replay.steps()) == "Awake."
        assert max(at.starts().values()) == 1


async def test_a_killed_database_that_comes_back_loses_nothing(tmp_path: Path, postgres: PostgresServer) -> None:
    async with nodes(tmp_path, postgres) as at, asyncio.TaskGroup() as group:
        handle = await ask(at.clients[0], TEXT_ROUND)
        readers = [Reader(handle), Reader(at.on(1, handle))]
        following = [group.create_task(reader.follow()) for reader in readers]
        await readers[0].until(has_text)
        await asyncio.to_thread(postgres.kill)
        await asyncio.to_thread(postgres.start)
        await asyncio.gather(*following)
        assert readers[0].shown == readers[1].shown
        assert answer_text(readers[0].replay.steps()) == LONG
        await check_whole(at.clients[0], handle, readers[0])


async def test_many_turns_survive_the_restart_of_all_nodes_one_after_the_other(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    async with nodes(tmp_path, postgres) as at, asyncio.TaskGroup() as group:
        handles = [await ask(at.clients[0], TEXT_ROUND) for _ in range(6)]
        readers = [Reader(at.on(n % 2, handle)) for n, handle in enumerate(handles)]
        following = [group.create_task(reader.follow()) for reader in readers]
        for server in at.servers:
            await server.kill(signal.SIGTERM)
            await server.start()
        await asyncio.gather(*following)
        for handle, reader in zip(handles, readers, strict=True):
            assert answer_text(reader.replay.steps()) == LONG
            await check_whole(at.clients[0], handle, reader)
