"""Conversations for MCP clients: read as tools and as resources, and talked in, with answers that no cut connection loses."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError

from luxx.core.deltas import Finish, ToolCallDelta, ToolCallDone
from luxx.core.rules import Action, ToolRule
from luxx.core.usage import Usage
from luxx.http.mcp_server.markdown import MOST_CHARS, conversation, newest
from luxx.store.records import ConversationSettings
from luxx.tools.tool import tool
from luxx.turns.requests import UserMessageView
from tests.http.mcp_clients import MODES, McpWorld, mcp_world, text


def erase(name: str) -> str:
    """Erase something."""
    return f"erased {name}"


@pytest.fixture
async def mcp(tmp_path: Path) -> AsyncIterator[McpWorld]:
    """A server with a tool that asks first."""
    async with mcp_world(tmp_path, tool(erase, effect="unsafe"), max_message_chars=60_000) as found:
        yield found


@pytest.mark.parametrize("mode", MODES)
async def test_a_message_is_answered_in_a_new_conversation_and_gone_on_with(mcp: McpWorld, mode: str) -> None:
    mcp.at.model.say("It is ", "four.", end=True)
    async with mcp.client(mode) as client:
        first = await client.call_tool("send_message", {"text": "two and two?"})
        data = first.structured_content
        mcp.at.model.say("Five.", end=True)
        more = {"text": "and one?", "conversation_id": data["conversation_id"]}
        second = (await client.call_tool("send_message", more)).structured_content
        read = await client.call_tool("read_conversation", {"conversation_id": data["conversation_id"]})
    assert (text(first), data["text"], data["status"]) == ("It is four.", "It is four.", "done")
    assert second["conversation_id"] == data["conversation_id"]
    assert [(one["role"], one["text"]) for one in read.structured_content["messages"]] == [
        ("user", "two and two?"),
        ("assistant", "It is four."),
        ("user", "and one?"),
        ("assistant", "Five."),
    ]
    assert text(read) == (
        "# two and two?\n\n## Person\n\ntwo and two?\n\n## Assistant (m)\n\nIt is four.\n\n"
        "## Person\n\nand one?\n\n## Assistant (m)\n\nFive."
    )


@pytest.mark.parametrize("mode", MODES)
async def test_an_answer_that_takes_longer_is_read_later(mcp: McpWorld, mode: str) -> None:
    mcp.at.model.say("It ")
    async with mcp.client(mode) as client:
        sent = await client.call_tool("send_message", {"text": "hi", "wait_seconds": 0.2})
        turn_id = sent.structured_content["turn_id"]
        assert sent.structured_content["status"] == "active"
        assert f'read_turn("{turn_id}")' in text(sent)
        mcp.at.model.say("goes on.", end=True)
        read = await client.call_tool("read_turn", {"turn_id": turn_id, "wait_seconds": 20})
        again = await client.call_tool("read_turn", {"turn_id": turn_id})
    assert (text(read), text(again)) == ("It goes on.", "It goes on.")


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_that_leaves_stops_waiting_and_not_the_turn(mcp: McpWorld, mode: str) -> None:
    mcp.at.model.say("It ")
    body = {"text": "hi", "client_request_id": "mine"}
    async with asyncio.timeout(20), mcp.client(mode) as client:
        begun = asyncio.Event()

        async def note(progress: float, total: float | None, message: str | None) -> None:
            begun.set()

        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(client.call_tool("send_message", body, progress_callback=note))
            await begun.wait()
            waiting.cancel()
    mcp.at.model.say("goes on.", end=True)
    async with mcp.client(mode) as client:
        assert text(await client.call_tool("send_message", body)) == "It goes on."
    assert len(mcp.at.model.requests) == 1


async def test_the_same_message_with_the_same_id_is_sent_once(mcp: McpWorld) -> None:
    mcp.at.model.say("Once.", end=True)
    body = {"text": "hi", "client_request_id": "mine"}
    async with mcp.client() as client:
        first = (await client.call_tool("send_message", body)).structured_content
        second = (await client.call_tool("send_message", body)).structured_content
        other = await client.call_tool("send_message", {**body, "text": "another"})
    assert second == first
    assert other.is_error
    assert len((await mcp.at.client.get("/api/conversations")).json["items"]) == 1


async def test_progress_says_how_much_is_written(mcp: McpWorld) -> None:
    told: list[str | None] = []
    begun = asyncio.Event()

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append(message)
        begun.set()

    async with asyncio.timeout(20), mcp.client() as client, asyncio.TaskGroup() as group:
        sent = group.create_task(client.call_tool("send_message", {"text": "hi"}, progress_callback=note))
        mcp.at.model.say("12345", "67890")
        await begun.wait()
        mcp.at.model.say("!", end=True)
        await sent
    assert all(message and message.endswith("characters written") for message in told)


async def test_an_answer_that_waits_for_the_person_says_for_what(mcp: McpWorld) -> None:
    call = ToolCallDelta(slot=0, id="c", name="erase", arguments='{"name": "all"}')
    for word in (call, ToolCallDone(0), Finish(reason="tool_calls", usage=Usage())):
        mcp.at.model.words.put_nowait(word)
    async with asyncio.timeout(20), mcp.client() as client:
        sent = await client.call_tool("send_message", {"text": "hi", "wait_seconds": 15})
        data = sent.structured_content
        assert data["waits_for"] == ["erase"]
        assert "has to decide about erase in Luxx" in text(sent)
        (open_one,) = (await mcp.at.client.get("/api/approvals")).json["items"]
        mcp.at.model.say("Done.", end=True)
        path = f"/api/turns/{data['turn_id']}/approvals/{open_one['approval']['index']}"
        assert (await mcp.at.client.post(path, {"approve": True})).status == 200
        read = await client.call_tool("read_turn", {"turn_id": data["turn_id"], "wait_seconds": 15})
    assert (text(read), read.structured_content["waits_for"]) == ("Done.", [])


async def test_an_answer_is_stopped(mcp: McpWorld) -> None:
    mcp.at.model.say("It ")
    async with mcp.client() as client:
        sent = await client.call_tool("send_message", {"text": "hi", "wait_seconds": 0.2})
        turn = {"turn_id": sent.structured_content["turn_id"]}
        async with mcp.at.client.stream("GET", f"/api/turns/{turn['turn_id']}/events") as events:
            await events.until_text(b"It ")
        stopped = await client.call_tool("cancel_turn", turn)
        again = await client.call_tool("cancel_turn", turn)
        read = await client.call_tool("read_turn", turn)
    assert [one.structured_content["status"] for one in (stopped, again, read)] == ["cancelled"] * 3
    assert text(read) == "It \n\n[The answer was stopped.]"


async def test_a_model_that_is_not_the_conversations_is_asked(mcp: McpWorld) -> None:
    mcp.at.model.say("yes", end=True)
    async with mcp.client() as client:
        await client.call_tool("send_message", {"text": "hi", "model": "another"})
    assert mcp.at.model.requests[0].model == "another"


WRONG: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("send_message", {}, "text"),
    ("send_message", {"text": " "}, "empty"),
    ("send_message", {"text": "x" * 60_001}, "at most"),
    ("send_message", {"text": "hi", "wait_seconds": -1}, "wait_seconds"),
    ("send_message", {"text": "hi", "conversation_id": "none"}, "no such conversation"),
    ("send_message", {"text": "hi", "parent_id": "x"}, "parent_id"),
    ("read_conversation", {"conversation_id": "../x"}, "conversation_id"),
    ("read_conversation", {"conversation_id": "none"}, "no such conversation"),
    ("read_turn", {"turn_id": "none"}, "no such turn"),
    ("cancel_turn", {"turn_id": "none"}, "no such turn"),
    ("list_conversations", {"limit": 0}, "limit"),
    ("list_conversations", {"cursor": "nonsense"}, "cursor"),
)


async def test_what_is_wrong_with_the_arguments_is_said_in_the_result(mcp: McpWorld) -> None:
    async with mcp.client() as client:
        for name, arguments, says in WRONG:
            result = await client.call_tool(name, arguments)
            assert result.is_error, (name, arguments)
            assert says in text(result), (name, arguments)


async def test_conversations_are_listed_and_looked_for_page_by_page(mcp: McpWorld) -> None:
    store = mcp.at.store
    for number in range(5):
        await store.conversations.create(store.owner, f"about {number}", ConversationSettings())
    async with mcp.client() as client:
        first = (await client.call_tool("list_conversations", {"limit": 3})).structured_content
        rest = await client.call_tool("list_conversations", {"limit": 3, "cursor": first["next_cursor"]})
        found = await client.call_tool("list_conversations", {"query": "about 2"})
        none = await client.call_tool("list_conversations", {"query": "nowhere"})
    assert [one["title"] for one in first["items"]] == ["about 4", "about 3", "about 2"]
    assert [one["title"] for one in rest.structured_content["items"]] == ["about 1", "about 0"]
    assert [one["title"] for one in found.structured_content["items"]] == ["about 2"]
    assert text(none) == "There are no such conversations."


@pytest.mark.parametrize("mode", MODES)
async def test_conversations_are_resources(mcp: McpWorld, mode: str) -> None:
    started = await mcp.at.finished("Hello.")
    store = mcp.at.store
    for number in range(50):
        await store.conversations.create(store.owner, f"about {number}", ConversationSettings())
    async with mcp.client(mode) as client:
        first = await client.list_resources()
        second = await client.list_resources(cursor=first.next_cursor)
        (last,) = second.resources
        read = (await client.read_resource(last.uri)).contents[0]
        forms = [one.uri_template for one in (await client.list_resource_templates()).resource_templates]
    assert (len(first.resources), last.name, last.mime_type) == (50, "hi", "text/markdown")
    assert read.text == "# hi\n\n## Person\n\nhi\n\n## Assistant (m)\n\nHello."
    assert forms == ["luxx://conversations/{id}{?before}", "luxx://files/{id}"]
    assert started["turn_id"]


@pytest.mark.parametrize("action", ["deny", "ask"])
async def test_what_the_rules_close_is_closed_as_a_resource_too(mcp: McpWorld, action: Action) -> None:
    conversation_id = await mcp.at.conversation(title="secret")
    await mcp.at.store.approvals.set_rules(mcp.at.store.owner, [ToolRule(tool="*_conversation*", action=action)])
    async with mcp.client() as client:
        assert (await client.list_resources()).resources == []
        with pytest.raises(MCPError, match="does not allow"):
            await client.read_resource(f"luxx://conversations/{conversation_id}")


NOWHERE = (
    "luxx://conversations/none",
    "luxx://files/none",
    "luxx://providers/x",
    "luxx://conversations/",
    "file:///etc/passwd",
    "luxx://conversations/a/b",
    "luxx://[x",
    "",
)


async def test_what_is_not_there_cannot_be_read(mcp: McpWorld) -> None:
    async with mcp.client() as client:
        for uri in NOWHERE:
            with pytest.raises(MCPError) as raised:
                await client.read_resource(uri)
            assert raised.value.code == -32602, uri


async def test_a_bad_cursor_is_the_callers_fault(mcp: McpWorld) -> None:
    async with mcp.client() as client:
        for listing in (client.list_resources, client.list_tools):
            with pytest.raises(MCPError) as raised:
                await listing(cursor="nonsense")
            assert raised.value.code == -32602


async def test_a_long_conversation_is_read_from_its_end_piece_by_piece(mcp: McpWorld) -> None:
    conversation_id = await mcp.at.conversation(title="long")
    async with asyncio.timeout(20), mcp.client() as client:
        for number in range(3):
            mcp.at.model.say(f"a{number}", end=True)
            await client.call_tool("send_message", {"text": f"q{number}", "conversation_id": conversation_id})
        seen: list[str] = []
        arguments = {"conversation_id": conversation_id, "limit": 4}
        while True:
            page = await client.call_tool("read_conversation", arguments)
            seen = [one["text"] for one in page.structured_content["messages"]] + seen
            if (before := page.structured_content["before"]) is None:
                break
            assert f"before {before}" in text(page)
            arguments = {**arguments, "before": before}
        uri = f"luxx://conversations/{conversation_id}?before={page.structured_content['messages'][1]['id']}"
        assert (await client.read_resource(uri)).contents[0].text == "# long\n\n## Person\n\nq0"
    assert seen == ["q0", "a0", "q1", "a1", "q2", "a2"]


def message(name: str, characters: int) -> UserMessageView:
    return UserMessageView(
        id=name,
        conversation_id="c",
        parent_id=None,
        role="user",
        text="x" * characters,
        attachments=(),
        created_at="",
        siblings=(),
    )


@pytest.mark.parametrize(
    ("lengths", "fit"),
    [((), 0), ((10,), 1), ((MOST_CHARS * 2,), 1), ((10, MOST_CHARS * 2), 1), ((40_000, 9_000, 20_000, 20_000), 3)],
)
def test_as_many_messages_are_told_as_fit(lengths: tuple[int, ...], fit: int) -> None:
    messages = tuple(message(str(place), length) for place, length in enumerate(lengths))
    assert newest(messages) == messages[len(messages) - fit :]
    assert len(conversation("title", newest(messages), before=None)) < MOST_CHARS + 300


async def test_an_answer_too_long_for_one_reply_is_cut_and_says_so(mcp: McpWorld) -> None:
    mcp.at.model.say("\U0001f600" * (MOST_CHARS + 1), end=True)
    async with mcp.client("legacy") as client:
        sent = await client.call_tool("send_message", {"text": "hi"})
    assert f"[cut: the first {MOST_CHARS:,} of {MOST_CHARS + 1:,} characters" in text(sent)


async def test_a_large_file_is_not_read_here(mcp: McpWorld) -> None:
    store = mcp.at.store
    large = await store.files.keep(store.owner, None, "large.txt", b"x" * 500_001)
    binary = await store.files.keep(store.owner, None, "zeros", b"\0\1" * 10)
    async with mcp.client() as client:
        with pytest.raises(MCPError, match="at most"):
            await client.read_resource(f"luxx://files/{large.id}")
        assert (await client.read_resource(f"luxx://files/{binary.id}")).contents[0].blob
