"""Luxx as an MCP server over several nodes on one database: each request may come to any of them."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from mcp import Client
from mcp_types import ElicitRequestParams, ElicitResult, InputRequiredResult

from luxx.core.rules import ToolRule
from tests.e2e.server import PATIENCE, Server
from tests.http.mcp_clients import LEGACY, MODES, client, text
from tests.postgres_server import PostgresServer

pytestmark = pytest.mark.timeout(PATIENCE + 10)
SLOW = json.dumps({"script": [[{"type": "text", "text": "word " * 40, "chunk": 5, "delay_ms": 30}]]})


@contextlib.asynccontextmanager
async def two_nodes(tmp_path: Path, postgres: PostgresServer) -> AsyncIterator[list[Server]]:
    settings = {"database_url": postgres.database(), "secret_key": Fernet.generate_key().decode()}
    async with asyncio.timeout(PATIENCE), contextlib.AsyncExitStack() as stack:
        servers = [Server(tmp_path / f"node{number}" / "data", **settings) for number in range(2)]
        for server in servers:
            server.data_dir.parent.mkdir()
            await stack.enter_async_context(server)
        yield servers


def connected(server: Server, mode: str, **options: Any) -> contextlib.AbstractAsyncContextManager[Client]:  # noqa: ANN401
    return client(server.url, (server.data_dir / "owner-token").read_text().strip(), mode, **options)


async def test_a_conversation_goes_on_at_another_node_in_the_middle_of_everything(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    async with two_nodes(tmp_path, postgres) as servers:
        for mode in MODES:
            await check_talk(servers, mode)
        await check_question(servers)
        await check_session(servers)


async def check_talk(servers: list[Server], mode: str) -> None:
    """An answer that was begun at one node is read, and a message that was sent is not sent again, at the other."""
    async with connected(servers[0], mode) as here, connected(servers[1], mode) as there:
        async with servers[0].client() as api:
            (scripted,) = [one.id for one in await api.providers() if one.format == "scripted"]
        body = {"text": SLOW, "provider_id": scripted, "client_request_id": f"id-{mode}", "wait_seconds": 0.1}
        sent = (await here.call_tool("send_message", body)).structured_content
        assert sent["status"] == "active"
        again = (await there.call_tool("send_message", body)).structured_content
        assert again["turn_id"] == sent["turn_id"]
        read = await there.call_tool("read_turn", {"turn_id": sent["turn_id"], "wait_seconds": 20})
        assert text(read) == "word " * 40


async def check_question(servers: list[Server]) -> None:
    """What one node asked the person may be answered at the other."""

    async def never(context: object, params: ElicitRequestParams) -> ElicitResult:
        raise AssertionError

    async with servers[0].client() as api:
        await api.set_rules([ToolRule(tool="wait_unsafe", action="ask")])
    async with (
        connected(servers[0], "auto", elicitation_callback=never) as here,
        connected(servers[1], "auto", elicitation_callback=never) as there,
    ):
        arguments = {"seconds": 0}
        asked = await here.session.call_tool("wait_unsafe", arguments, allow_input_required=True)
        assert isinstance(asked, InputRequiredResult)
        yes = {"allow": ElicitResult(action="accept", content={"run": True})}
        done = await there.session.call_tool(
            "wait_unsafe",
            arguments,
            input_responses=yes,
            request_state=asked.request_state,
            allow_input_required=True,
        )
        assert text(done) == "Waited 0 s."


async def check_session(servers: list[Server]) -> None:
    """A session that began at one node is as good at the other: nothing is kept under it."""
    async with connected(servers[0], LEGACY) as here, connected(servers[1], LEGACY) as there:
        for client_of_both in (here, there):
            assert text(await client_of_both.call_tool("calculator", {"expression": "6 * 7"})) == "42"


@pytest.mark.parametrize("mode", MODES)
async def test_a_server_that_is_started_by_its_command_serves_clients(tmp_path: Path, mode: str) -> None:
    async with asyncio.timeout(PATIENCE), Server(tmp_path / "data") as server, connected(server, mode) as at:
        assert text(await at.call_tool("calculator", {"expression": "6 * 7"})) == "42"
        assert "calculator" in [one.name for one in (await at.list_tools()).tools]
