"""Luxx as an MCP server: who may come in, and what becomes of messages that are none."""

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from mcp.shared.exceptions import MCPError

from luxx.core.ports import ToolInfo
from luxx.tools.box import Toolbox
from tests.http.mcp_clients import ACCEPT, INITIALIZE, MODES, BoxTools, McpWorld, mcp_world
from tests.http.world import TOKEN, World


class BrokenTools(BoxTools):
    """Tools that cannot be listed."""

    async def offered(self, owner: str) -> tuple[ToolInfo, ...]:
        """Fail as no tool source should."""
        raise RuntimeError("a word about the inside")


@pytest.fixture
async def mcp(tmp_path: Path) -> AsyncIterator[McpWorld]:
    """A server whose bodies are bounded, and whose tools are broken."""
    async with mcp_world(tmp_path, offering=BrokenTools(Toolbox()), max_body=100_000) as found:
        yield found


@pytest.mark.parametrize("mode", MODES)
async def test_a_failure_inside_is_told_without_its_words(mcp: McpWorld, mode: str) -> None:
    async with mcp.client(mode) as client:
        for asking in (client.list_tools, lambda: client.call_tool("look", {})):
            with pytest.raises(MCPError) as raised:
                await asking()
            assert raised.value.code == -32603
            assert raised.value.message.startswith("Something went wrong inside Luxx")


async def test_nobody_comes_in_without_the_owners_secret(at: World) -> None:
    for authorization in (None, "Bearer wrong", "Bearer", f"Basic {TOKEN}", "Bearer \xff"):
        headers = ACCEPT if authorization is None else {**ACCEPT, "authorization": authorization}
        answer = await at.client.post("/mcp", INITIALIZE, **headers)
        assert (answer.status, answer.json["code"]) == (401, "owner_secret_required"), authorization
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_the_cookie_of_the_page_does_not_open_it(at: World) -> None:
    entered = await at.client.get(f"/open?token={TOKEN}")
    cookie = entered.headers["set-cookie"].split(";")[0]
    assert (await at.client.post("/mcp", INITIALIZE, cookie=cookie, **ACCEPT)).status == 401


FOREIGN: tuple[tuple[dict[str, str], str], ...] = (
    ({"origin": "https://evil.example"}, "foreign_origin"),
    ({"origin": "null"}, "foreign_origin"),
    ({"host": "evil.example"}, "foreign_host"),
    ({"sec_fetch_site": "cross-site"}, "cross_site"),
    ({"x_forwarded_for": "1.2.3.4"}, "behind_proxy"),
)


async def test_the_rules_of_trust_hold_with_the_secret_too(at: World) -> None:
    for headers, code in FOREIGN:
        answer = await at.owner.post("/mcp", INITIALIZE, **{**ACCEPT, **headers})
        assert (answer.status, answer.json["code"]) == (403, code)


async def test_a_body_of_another_type_is_refused(at: World) -> None:
    answer = await at.owner.send("POST", "/mcp", b"{}", {**ACCEPT, "content-type": "text/plain"})
    assert answer.status == 415


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_there_is_no_stream_to_open_and_no_session_to_end(at: World, method: str) -> None:
    answer = await at.owner.send(method, "/mcp", headers=ACCEPT)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


async def test_a_body_that_is_too_large_is_refused_declared_or_not(mcp: McpWorld) -> None:
    huge = b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"' + b"x" * 100_000 + b'"}}'
    headers = {**ACCEPT, "content-type": "application/json"}
    declared = {**headers, "content-length": str(len(huge))}
    assert (await mcp.at.owner.send("POST", "/mcp", huge, declared)).status == 413
    assert (await mcp.at.owner.send("POST", "/mcp", [huge[:60_000], huge[60_000:]], headers)).status == 413


BAD_MESSAGES = (
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"jsonrpc":"2.0"}',
    b'{"jsonrpc":"2.0","id":{},"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}',
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":3}}',
    b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{"a":1}}}',
    b'{"jsonrpc":"2.0","method":"notifications/cancelled"}',
    b'{"jsonrpc":"2.0","id":1,"result":{}}',
    b"[" * 50_000,
    b"\xff\xfe",
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"look","arguments":{"word":"\\ud800"}}}',
    b'{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"luxx://[/x"}}',
)


async def test_a_bad_message_gets_an_answer_and_no_failure(at: World) -> None:
    headers = {**ACCEPT, "content-type": "application/json", "mcp-session-id": "s"}
    versions = ("2025-11-25", "2026-07-28", None, "1999-01-01", "\xff")
    for version, body in itertools.product(versions, BAD_MESSAGES):
        answer = await at.owner.send(
            "POST", "/mcp", body, headers if version is None else {**headers, "mcp-protocol-version": version}
        )
        assert answer.status < 500, body


async def test_every_answer_has_the_security_headers(at: World) -> None:
    answer = await at.owner.post("/mcp", INITIALIZE, **ACCEPT)
    assert answer.status == 200
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_surface_is_there_before_the_sdk_is() -> None:
    code = (
        "import sys, luxx.http.application; sys.exit(any(m.split('.')[0] in ('mcp', 'mcp_types') for m in sys.modules))"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    assert await asyncio.wait_for(process.wait(), 30) == 0
