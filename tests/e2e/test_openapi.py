"""Turns that call a web service of the owner's machine, on a real server, under the person's rules."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from luxx.client import ApiError, Client, OpenApiServerFields, TurnHandle
from luxx.core.rules import ToolRule
from luxx.core.steps import ToolResult, answer_text
from tests.e2e.reader import Reader, ask, check_whole
from tests.e2e.server import Server
from tests.e2e.test_waiting import until_waiting
from tests.tools.openapi.shop import document
from tests.tools.web.sites import Site, site

SECRET = "very-secret-0123456789"
LOOK = {"type": "call", "name": "shop__getItem", "arguments": {"id": "7"}}
PAY = {"type": "call", "name": "shop__addItem", "arguments": {"body": {"name": "tea", "price": 2}}}
DONE = [{"type": "text", "text": "Done."}]


async def with_shop(client: Client, at: Site, *, trusted: bool) -> None:
    at.page("/openapi.json", document(), "application/json")
    at.page("/v1/api/items/7", f'{{"id": 7, "seen": "{SECRET}"}}', "application/json")
    at.page("/v1/api/items", '{"id": 8}', "application/json", 201)
    await client.openapi_servers.add(
        OpenApiServerFields(
            name="shop", url=at.url("/openapi.json", "127.0.0.1"), secrets={"X-Key": SECRET}, trusted=trusted
        )
    )


async def played(
    client: Client, *rounds: list[dict[str, Any]], rules: tuple[ToolRule, ...] = (), approve: bool | None = None
) -> tuple[TurnHandle, Reader]:
    """Play a turn to its end; where a person is asked, decide as told."""
    handle = await ask(client, *rounds, rules=rules)
    reader = Reader(handle)
    async with asyncio.timeout(40), asyncio.TaskGroup() as group:
        group.create_task(reader.follow())
        if approve is not None:
            await reader.until(lambda replay: bool(replay.approvals))
            await decide(client, handle, approve=approve)
    return handle, reader


async def decide(client: Client, handle: TurnHandle, *, approve: bool) -> None:
    await until_waiting(client, handle)
    (found,) = await client.approvals()
    await client.decide(handle.turn_id, found.approval.index, approve=approve)


def results(reader: Reader) -> list[str]:
    return [step.content for step in reader.replay.steps() if isinstance(step, ToolResult)]


async def test_operations_are_called_as_the_person_allows(tmp_path: Path) -> None:
    async with site(address="127.0.0.1") as at, Server(tmp_path / "data") as server, server.client() as client:
        await with_shop(client, at, trusted=True)
        at.requests.clear()

        handle, reader = await played(client, [LOOK], DONE)
        assert results(reader) == ['{"id": 7, "seen": "[secret]"}']
        assert answer_text(reader.replay.steps()) == "Done."
        assert at.requests[0].headers["x-key"] == SECRET
        await check_whole(client, handle, reader)

        _, reader = await played(client, [PAY], DONE, approve=True)
        assert results(reader) == ['{"id": 8}']
        assert (at.requests[1].method, at.requests[1].body) == ("POST", b'{"name":"tea","price":2}')

        await played(client, [PAY], DONE, approve=False)
        await played(client, [PAY, LOOK], DONE, rules=(ToolRule(tool="shop__*", action="deny"),))
        assert len(at.requests) == 2

        _, reader = await played(client, [PAY], DONE, rules=(ToolRule(tool="shop__addItem", action="allow"),))
        assert results(reader) == ['{"id": 8}']
        assert SECRET not in str(reader.shown)


async def test_without_trust_each_call_asks(tmp_path: Path) -> None:
    async with site(address="127.0.0.1") as at, Server(tmp_path / "data") as server, server.client() as client:
        await with_shop(client, at, trusted=False)
        _, reader = await played(client, [LOOK], DONE, approve=True)
        assert results(reader) == ['{"id": 7, "seen": "[secret]"}']
        text = document(servers=[{"url": at.url("", "127.0.0.1")}]).decode()
        with pytest.raises(ApiError, match="The document says"):
            await client.openapi_servers.add(OpenApiServerFields(name="other", document=text))
