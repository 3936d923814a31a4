"""Servers behind an address: what they answer costs one result, and is said in words."""

import contextlib
from collections.abc import AsyncIterator

import msgspec
import pytest

from luxx.core.ports import ToolOutcome
from luxx.core.tool_servers import HttpTarget, StdioTarget, ToolServerChange
from luxx.tools.mcp.connection import Limits
from tests.ports import free_port
from tests.tools.calls import call
from tests.tools.mcp.book import OWNER, QUICK, Bench, bench
from tests.tools.mcp.hostile_http import HostileHttp, hostile_http

IMPATIENT = msgspec.structs.replace(QUICK, patience=msgspec.structs.replace(QUICK.patience, call_s=3))


@contextlib.asynccontextmanager
async def one(
    *, trusted: bool = False, limits: Limits = QUICK, **secrets: str
) -> AsyncIterator[tuple[Bench, HostileHttp]]:
    """Give a bench with a server behind an address as `h`."""
    async with hostile_http() as http, bench(limits) as found:
        await found.add("h", HttpTarget(url=http.url), trusted=trusted, secrets=secrets)
        yield found, http


async def result(found: Bench, tool: str) -> ToolOutcome:
    return await call(await found.box(), {}, f"h__{tool}")


async def test_a_tool_behind_an_address_is_called_with_the_headers_given() -> None:
    async with one(Authorization="Bearer t0p-secret") as (found, http):
        assert (await result(found, "fine")).content == "well"
    assert all(headers["Authorization"] == "Bearer t0p-secret" for headers in http.headers)
    assert all(headers["Accept-Encoding"] == "identity" for headers in http.headers)
    assert http.sessions == set()


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ("status", "it answered with HTTP 503: try later"),
        ("page", "Unexpected content type"),
        ("packed", "its answer is packed with gzip, which was not asked for"),
        ("large", "more than 8,000,000 bytes"),
        ("flood", "it floods"),
        ("hang", "gave no result and no sign of life for 3 s"),
        ("broken", 'its answer is not valid: {"jsonrpc":'),
        ("cut", "ended without a response"),
        ("others_event", "ended without a response"),
        ("elsewhere", "not followed"),
        ("accepted", "202 Accepted"),
        ("latin", "it answered with HTTP 400"),
        ("nested", "it answered with HTTP 400"),
    ],
)
async def test_what_goes_wrong_costs_one_result_that_says_so(tool: str, words: str) -> None:
    async with one(limits=IMPATIENT if tool == "hang" else QUICK) as (found, _):
        failed = await result(found, tool)
        assert failed.failed
        assert words in failed.content
        assert (await result(found, "fine")).content == "well"


async def test_text_that_utf_8_cannot_hold_is_mended() -> None:
    async with one() as (found, _):
        assert (await result(found, "text")).content == "\ufffd"


async def test_an_answer_to_another_request_in_a_stream_is_passed_over() -> None:
    async with one() as (found, _):
        assert (await result(found, "others_and_own")).content == "well"


@pytest.mark.parametrize("tool", ["deep", "deep_event"])
async def test_what_is_nested_too_deep_is_cut_where_it_gets_so(tool: str) -> None:
    async with one() as (found, _):
        deep = await result(found, tool)
        assert deep.content == "well"


@pytest.mark.parametrize(("status", "trusted"), [(404, False), (404, True), (400, True)])
async def test_a_session_that_the_server_has_forgotten_is_begun_again(status: int, trusted: bool) -> None:
    async with one(trusted=trusted) as (found, http):
        assert (await result(found, "fine")).content == "well"
        http.sessions.clear()
        http.lost_status = status
        assert (await result(found, "fine")).content == "well"
        assert http.methods.count("initialize") == 2


async def test_an_unsafe_call_is_not_sent_again_after_a_400_though_the_next_has_a_new_session() -> None:
    async with one() as (found, http):
        assert (await result(found, "fine")).content == "well"
        http.sessions.clear()
        http.lost_status = 400
        failed = await result(found, "fine")
        assert "seems to have ended the session" in failed.content
        assert "The outcome is unknown" in failed.content
        assert (await result(found, "fine")).content == "well"
        assert http.methods.count("tools/call") == 3


@pytest.mark.parametrize(
    "tool", ["expression", "session_text", "session_error", "customer", "gateway", "said", "status", "latin"]
)
async def test_an_unsafe_call_that_the_server_may_have_run_is_sent_once(tool: str) -> None:
    async with one() as (found, http):
        assert (await result(found, "fine")).content == "well"
        before = http.methods.count("tools/call")
        assert (await result(found, tool)).failed
        assert http.methods.count("tools/call") - before == 1


@pytest.mark.parametrize("tool", ["expression", "session_text"])
async def test_a_400_without_an_error_about_the_session_ends_no_session(tool: str) -> None:
    async with one(trusted=True) as (found, http):
        assert (await result(found, "fine")).content == "well"
        assert "it answered with HTTP 400: paid, but" in (await result(found, tool)).content
        assert http.methods.count("initialize") == 1


async def test_a_server_that_wants_a_token_is_said_to() -> None:
    async with one(Authorization="Bearer wrong-token") as (found, http):
        http.refusal = 401
        checked = await found.servers.check(OWNER, "server-1")
        assert not checked.ok
        assert "it answered with HTTP 401 (not authorized: it wants a token in a header)" in checked.detail
        assert "wrong-token" not in checked.detail


@pytest.mark.parametrize(("body", "words"), [('{"detail": "Not Found"}', ": Not Found"), ("<h1>404</h1>", "")])
async def test_a_wrong_address_is_said_once_and_in_words(body: str, words: str) -> None:
    async with one() as (found, http):
        http.refusal, http.refusing = 404, body
        checked = await found.servers.check(OWNER, "server-1")
    said = "it answered with HTTP 404 (no MCP server is at this address: check its path)"
    assert checked.detail == f"The server cannot be used: {said}{words}"


async def test_a_server_that_is_not_there_is_said_to_be() -> None:
    async with bench() as found:
        server = await found.add("h", HttpTarget(url=f"http://127.0.0.1:{free_port()}/mcp"))
        checked = await found.servers.check(OWNER, server.id)
        assert not checked.ok
        assert "it cannot be reached" in checked.detail


async def test_changed_secrets_are_used_with_the_next_call() -> None:
    async with one(Authorization="Bearer one") as (found, http):
        box = await found.box()
        await call(box, {}, "h__fine")
        await found.book.change(OWNER, "server-1", ToolServerChange(secrets={"Authorization": "Bearer two"}))
        assert (await call(box, {}, "h__fine")).content == "well"
        assert http.headers[-1]["Authorization"] == "Bearer two" or http.headers[-2]["Authorization"] == "Bearer two"


@pytest.mark.parametrize(
    "change",
    [
        ToolServerChange(enabled=False),
        ToolServerChange(target=StdioTarget(command="other")),
    ],
)
async def test_a_box_made_before_a_change_calls_nothing_that_was_changed(change: ToolServerChange) -> None:
    async with one() as (found, http):
        box = await found.box()
        calls = len(http.methods)
        await found.book.change(OWNER, "server-1", change)
        refused = await call(box, {}, "h__fine")
        assert refused.failed
        assert "was changed or switched off" in refused.content
        assert len(http.methods) == calls


async def test_a_box_of_a_trusted_server_does_not_call_it_when_the_trust_is_gone() -> None:
    async with one() as (found, _):
        await found.book.change(OWNER, "server-1", ToolServerChange(trusted=True))
        box = await found.box()
        await found.book.change(OWNER, "server-1", ToolServerChange(trusted=False))
        assert "was changed or switched off" in (await call(box, {}, "h__fine")).content
        await found.book.delete(OWNER, "server-1")
        assert "was removed" in (await call(box, {}, "h__fine")).content


async def test_a_turn_that_waited_meanwhile_does_not_call_a_server_elsewhere() -> None:
    async with one() as (found, http):
        names = tuple(await found.names())
        began = await found.sources.targets(OWNER)
        assert not (await call(await found.sources.box(OWNER, names, began), {}, "h__fine")).failed
        await found.book.change(OWNER, "server-1", ToolServerChange(target=HttpTarget(url=f"{http.url}?other")))
        found.servers.changed(OWNER, "server-1")
        assert tuple(await found.names()) == names
        calls = len(http.methods)
        refused = await call(await found.sources.box(OWNER, names, began), {}, "h__fine")
        assert refused.content == "The call was not made: h was changed since this turn began."
        assert len(http.methods) == calls


async def test_the_tools_are_the_same_after_a_restart_without_a_server_running() -> None:
    async with one() as (found, http):
        before = (await found.box()).specs()
        asked = len(http.methods)
        async with bench(book=found.book) as again:
            assert (await again.box()).specs() == before
            assert len(http.methods) == asked
