"""Servers that want a log-in: the person is led to the page, and the tokens are kept with the server's secrets."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from luxx.core.tool_servers import HttpTarget, NewToolServer, ToolServer, ToolServerChange
from luxx.tools.mcp.logins import Logins, ServerLogin, leave
from luxx.tools.mcp.wire import ServerFailed
from tests.tools.calls import call
from tests.tools.mcp.book import OWNER, Bench, Book, bench
from tests.tools.mcp.oauth_server import OAuthServer, oauth_server
from tests.tools.mcp.person import REDIRECT, log_in


@contextlib.asynccontextmanager
async def one(book: Book | None = None) -> AsyncIterator[tuple[Bench, OAuthServer, ToolServer]]:
    async with oauth_server() as http, bench(book=book) as found:
        found.servers.logins.redirect_uri = REDIRECT
        yield found, http, await found.add("o", HttpTarget(url=http.url))


async def logged_in(found: Bench, server: ToolServer, back: Bench | None = None) -> None:
    """Have the person log in, until the server can be used."""
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        person = tasks.create_task(log_in(found, server, back))
        while not (await found.servers.check(OWNER, server.id)).ok:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        person.cancel()


async def test_a_server_that_wants_a_log_in_says_where() -> None:
    async with one() as (found, http, server):
        checked = await found.servers.check(OWNER, server.id)
        assert not checked.ok
        assert f"it wants you to log in: open {http.base}/authorize?" in checked.detail
        page = found.servers.state(server).login_url
        assert page is not None
        assert page in checked.detail
        assert await found.names() == []


async def test_after_the_log_in_the_tools_are_there_and_the_tokens_kept_as_secrets() -> None:
    async with one() as (found, http, server):
        await logged_in(found, server)
        assert await found.names() == ["o__fine"]
        assert (await call(await found.box(), {}, "o__fine")).content == "well"
        assert found.servers.state(server).login_url is None
        assert http.logins == 1
        assert found.book.secrets[server.id].keys() == {"oauth:client", "oauth:tokens"}
        assert next(iter(http.good)) in found.book.secrets[server.id]["oauth:tokens"]


async def test_a_browser_may_come_back_to_another_node() -> None:
    async with one() as (found, http, server), bench(book=found.book) as other:
        await logged_in(found, server, other)
        assert (await call(await found.box(), {}, "o__fine")).content == "well"
        assert http.logins == 1
        assert found.book.secrets[server.id].keys() == {"oauth:client", "oauth:tokens"}
        other.servers.logins.redirect_uri = REDIRECT
        assert (await call(await other.box(), {}, "o__fine")).content == "well"
        assert http.logins == 1


async def test_another_node_takes_what_is_waited_for_once_and_in_time() -> None:
    async with one() as (found, _, server), bench(book=found.book) as other:
        await found.servers.check(OWNER, server.id)
        page = found.servers.state(server).login_url
        assert page is not None
        state = parse_qs(urlsplit(page).query)["state"][0]
        assert state not in str(found.book.secrets)
        waiting = found.book.secrets[server.id]
        over = {name: re.sub(r'"until":[\d.]+', '"until":1.0', text) for name, text in waiting.items()}
        found.book.secrets[server.id] = over
        assert not await other.servers.logged_in(OWNER, state, "code", None)
        found.book.secrets[server.id] = waiting
        assert not await other.servers.logged_in(OWNER, "another", "code", None)
        assert await other.servers.logged_in(OWNER, state, "code", None)
        assert not await other.servers.logged_in(OWNER, state, "code", None)


class SlowBook(Book):
    """A book whose readers meet between reading and writing."""

    async def credentials(self, owner: str, server_id: str) -> tuple[ToolServer, dict[str, str]]:
        found = await super().credentials(owner, server_id)
        await asyncio.sleep(0)
        return found


async def test_two_log_ins_and_a_change_of_the_secrets_at_once_are_all_kept() -> None:
    book = SlowBook()
    server = await book.create(OWNER, NewToolServer(name="o", target=HttpTarget(url="https://o.example/mcp")))
    logins = Logins()
    logins.redirect_uri = REDIRECT
    one, other = (ServerLogin(logins, book, OWNER, server) for _ in range(2))
    change = ToolServerChange(secrets={"X-Key": "1"})
    await asyncio.gather(
        one.load("client"), book.change(OWNER, server.id, change), one.expect("a", 60), other.expect("b", 60)
    )
    await asyncio.gather(one.save("client", "{}"), leave(book, OWNER, "a", "code a", None), other.expect("c", 60))
    assert await leave(book, OWNER, "b", "code b", None)
    found = [await one.left("a"), await other.left("b")]
    assert [one and one.code for one in found] == ["code a", "code b"]
    assert (book.secrets[server.id]["X-Key"], await other.load("client")) == ("1", "{}")
    await one.save("tokens", "{}")
    assert book.secrets[server.id].keys() == {"X-Key", "oauth:client", "oauth:tokens"}
    await book.delete(OWNER, server.id)
    with pytest.raises(ServerFailed, match="removed"):
        await one.expect("d", 60)


async def test_the_tokens_are_good_after_a_restart() -> None:
    async with one() as (found, http, server):
        await logged_in(found, server)
        async with bench(book=found.book) as again:
            again.servers.logins.redirect_uri = REDIRECT
            assert (await call(await again.box(), {}, "o__fine")).content == "well"
        assert (http.logins, http.refreshes) == (1, 0)


async def test_tokens_that_have_ended_are_refreshed_without_the_person() -> None:
    async with one() as (found, http, server):
        http.lives_s = 1
        await logged_in(found, server)
        async with bench(book=found.book) as again:
            again.servers.logins.redirect_uri = REDIRECT
            http.lives_s = 3600
            assert (await call(await again.box(), {}, "o__fine")).content == "well"
        assert http.logins == 1
        assert http.refreshes >= 1


async def test_a_log_in_at_another_machines_plain_address_is_refused() -> None:
    async with one() as (found, http, server):
        http.login_host = "http://169.254.169.254"
        checked = await found.servers.check(OWNER, server.id)
        assert not checked.ok
        assert "it wants to log in at http://169.254.169.254, which is refused" in checked.detail


async def test_what_nobody_waits_for_is_not_taken() -> None:
    async with one() as (found, _, server):
        assert not await found.servers.logged_in(OWNER, "state", "code", None)
        given = msgspec.structs.replace(server, id="other")
        assert found.servers.state(given).login_url is None


async def test_a_token_given_by_hand_is_used_instead_of_a_log_in() -> None:
    async with one() as (found, http, _):
        http.good = {"by-hand"}
        headers = {"Authorization": "Bearer by-hand"}
        server = await found.add("h", HttpTarget(url=http.url), secrets=headers)
        assert (await found.servers.check(OWNER, server.id)).ok
        assert http.logins == 0
