"""Luxx as an MCP server: which tools there are, and by which rules they run."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import (
    ElicitRequestParams,
    ElicitResult,
    ImageContent,
    InputRequiredResult,
    RequestParamsMeta,
    ResourceLink,
)

from luxx.core.rules import Action, ToolRule
from luxx.http.mcp_server.calls import MOST_CALLS
from luxx.tools.errors import ToolError
from luxx.tools.results import ToolFile
from luxx.tools.tool import ToolContext, tool
from tests.http.mcp_clients import ACCEPT, INITIALIZE, MODES, PNG, McpWorld, mcp_world, text


class Tools:
    """Tools that do what the tests want to see; `running` has the keys of calls that began, `ended` how they went."""

    def __init__(self) -> None:
        self.running: asyncio.Queue[str] = asyncio.Queue()
        self.ended: asyncio.Queue[str] = asyncio.Queue()
        self.go_on = asyncio.Event()

    async def look(self, word: str, context: ToolContext) -> str:
        """Look a word up."""
        self.running.put_nowait(context.key)
        return f"{word} means something"

    async def put(self, name: str) -> str:
        """Put something somewhere."""
        return f"put {name}"

    async def erase(self, name: str) -> str:
        """Erase something."""
        self.running.put_nowait(name)
        return f"erased {name}"

    async def fail(self) -> str:
        """Fail."""
        raise ToolError("It is broken.")

    async def hang(self, context: ToolContext) -> str:
        """Take as long as the test wants."""
        context.progress("half way", 1, 2)
        context.progress("a step back", 0.5, 2)
        self.running.put_nowait(context.key)
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.ended.put_nowait("cancelled")
            raise
        context.progress("all of it", 2, 2)
        return "done"

    async def paint(self, context: ToolContext) -> Any:  # noqa: ANN401 - what tools may return
        """Paint a picture, and write about it."""
        return ["painted", ToolFile("dot.png", PNG), ToolFile("about.txt", b"a dot")]

    async def inquire(self, context: ToolContext) -> str:
        """Ask the person something."""
        return (await context.ask("What is your name?")).action


@pytest.fixture
def tools() -> Tools:
    """The tools of a test."""
    return Tools()


@pytest.fixture
async def mcp(tmp_path: Path, tools: Tools) -> AsyncIterator[McpWorld]:
    """A server with the tools."""
    made = (
        tool(tools.look, effect="read"),
        tool(tools.put, effect="idempotent"),
        tool(tools.erase, effect="unsafe"),
        tool(tools.fail, effect="read"),
        tool(tools.hang, effect="read"),
        tool(tools.paint, effect="read"),
        tool(tools.inquire, effect="read"),
    )
    async with mcp_world(tmp_path, *made, max_body=100_000) as found:
        yield found


async def rule(mcp: McpWorld, pattern: str, action: Action) -> None:
    store = mcp.at.store
    await store.approvals.set_rules(store.owner, [ToolRule(tool=pattern, action=action)])


def answering(action: str, **content: bool) -> Any:  # noqa: ANN401 - the SDK's callback
    """Return a person who gives this answer, and the questions that they were asked."""
    asked: list[str] = []

    async def answer(context: object, params: ElicitRequestParams) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action=action, content=content or None)

    return answer, asked


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_finds_the_tools_with_what_they_do(mcp: McpWorld, mode: str) -> None:
    async with mcp.client(mode) as client:
        found = {one.name: one for one in (await client.list_tools()).tools}
        assert client.server_capabilities.resources is not None
    hints = {name: one.annotations for name, one in found.items()}
    assert list(found)[:5] == ["list_conversations", "read_conversation", "send_message", "read_turn", "cancel_turn"]
    assert (hints["look"].read_only_hint, hints["look"].destructive_hint) == (True, False)
    assert (hints["put"].read_only_hint, hints["put"].idempotent_hint) == (False, True)
    assert (hints["erase"].read_only_hint, hints["erase"].destructive_hint) == (False, True)
    assert found["look"].description == "Look a word up."
    assert found["look"].input_schema["required"] == ["word"]
    assert "context" not in found["look"].input_schema["properties"]


@pytest.mark.parametrize("mode", MODES)
async def test_a_tool_is_called(mcp: McpWorld, mode: str) -> None:
    async with mcp.client(mode) as client:
        result = await client.call_tool("look", {"word": "tree"})
    assert (text(result), result.is_error) == ("tree means something", False)


@pytest.mark.parametrize("mode", MODES)
async def test_a_tool_that_fails_says_so_in_its_result(mcp: McpWorld, mode: str) -> None:
    async with mcp.client(mode) as client:
        failed = await client.call_tool("fail", {})
        wrong = await client.call_tool("look", {"wrod": 1})
    assert (text(failed), failed.is_error) == ("It is broken.", True)
    assert wrong.is_error
    assert "word" in text(wrong)


@pytest.mark.parametrize("mode", MODES)
async def test_an_unknown_tool_is_an_error_of_the_protocol(mcp: McpWorld, mode: str) -> None:
    async with mcp.client(mode) as client:
        with pytest.raises(MCPError, match="Unknown tool: nonsense"):
            await client.call_tool("nonsense", {})


async def test_a_call_has_the_clients_own_id_as_its_key_if_it_gives_one(mcp: McpWorld, tools: Tools) -> None:
    async with mcp.client() as client:
        await client.call_tool("look", {"word": "a"}, meta={"luxx/client_request_id": "mine"})
        await client.call_tool("look", {"word": "a"})
        await client.call_tool("look", {"word": "a"})
    keys = [tools.running.get_nowait() for _ in range(3)]
    assert keys[0] == "mcp:mine"
    assert keys[1] != keys[2]


@pytest.mark.parametrize("mode", MODES)
async def test_a_call_that_is_sent_again_under_its_own_id_is_made_once(mcp: McpWorld, tools: Tools, mode: str) -> None:
    await rule(mcp, "erase", "allow")
    mine: RequestParamsMeta = {"luxx/client_request_id": "mine"}
    async with mcp.client(mode) as client:
        first = await client.call_tool("erase", {"name": "a"}, meta=mine)
        again = await client.call_tool("erase", {"name": "a"}, meta=mine)
        other = await client.call_tool("erase", {"name": "b"}, meta=mine)
    assert (text(first), text(again)) == ("erased a", "erased a")
    assert (text(other), other.is_error) == ("This client_request_id was given to another call.", True)
    assert tools.running.qsize() == 1


async def test_a_call_that_was_not_allowed_may_be_sent_again_under_its_id(mcp: McpWorld, tools: Tools) -> None:
    mine: RequestParamsMeta = {"luxx/client_request_id": "mine"}
    async with mcp.client() as client:
        assert (await client.call_tool("erase", {"name": "a"}, meta=mine)).is_error
        await rule(mcp, "erase", "allow")
        assert text(await client.call_tool("erase", {"name": "a"}, meta=mine)) == "erased a"


async def test_a_call_that_runs_or_was_stopped_is_not_made_again_under_its_id(mcp: McpWorld, tools: Tools) -> None:
    mine: RequestParamsMeta = {"luxx/client_request_id": "mine"}
    async with mcp.client() as client:
        async with asyncio.TaskGroup() as group:
            first = group.create_task(client.call_tool("hang", {}, meta=mine))
            await tools.running.get()
            assert "still running" in text(await client.call_tool("hang", {}, meta=mine))
            first.cancel()
        assert await tools.ended.get() == "cancelled"
        async with asyncio.timeout(10):
            while "still running" in (said := text(await client.call_tool("hang", {}, meta=mine))):
                pass
    assert "was stopped" in said
    assert tools.running.empty()


@pytest.mark.parametrize("mode", MODES)
async def test_what_a_tool_made_comes_along_and_can_be_read(mcp: McpWorld, mode: str) -> None:
    async with mcp.client(mode) as client:
        result = await client.call_tool("paint", {})
        (image,) = [part for part in result.content if isinstance(part, ImageContent)]
        (link,) = [part for part in result.content if isinstance(part, ResourceLink)]
        read = (await client.read_resource(link.uri)).contents[0]
    assert image.mime_type == "image/png"
    assert (link.name, link.mime_type, link.size) == ("about.txt", "text/plain", 5)
    assert read.text == "a dot"


async def test_files_of_clients_share_one_conversation_and_a_deleted_one_is_not_come_back_to(mcp: McpWorld) -> None:
    async with mcp.client() as client:
        await client.call_tool("paint", {})
        await client.call_tool("paint", {})
        (first,) = (await mcp.at.client.get("/api/conversations")).json["items"]
        await mcp.at.client.delete(f"/api/conversations/{first['id']}")
        assert not (await client.call_tool("paint", {})).is_error
        (second,) = (await mcp.at.client.get("/api/conversations")).json["items"]
    assert second["id"] != first["id"]
    assert second["title"] == "Files of MCP clients"


async def test_a_tool_that_asks_the_person_is_told_that_nobody_answers(mcp: McpWorld) -> None:
    async with mcp.client() as client:
        assert text(await client.call_tool("inquire", {})) == "decline"


@pytest.mark.parametrize("mode", MODES)
async def test_a_tool_that_is_denied_is_not_there(mcp: McpWorld, mode: str) -> None:
    await rule(mcp, "[ls]*", "deny")
    async with mcp.client(mode) as client:
        names = [one.name for one in (await client.list_tools()).tools]
        assert not {"look", "list_conversations", "send_message"} & set(names)
        for name in ("look", "send_message"):
            with pytest.raises(MCPError, match="Unknown tool"):
                await client.call_tool(name, {"word": "tree", "text": "hi"})


@pytest.mark.parametrize("mode", MODES)
async def test_what_asks_first_is_refused_where_nobody_can_be_asked(mcp: McpWorld, tools: Tools, mode: str) -> None:
    async with mcp.client(mode) as client:
        result = await client.call_tool("erase", {"name": "all"})
    assert result.is_error
    assert "A rule in Luxx that allows `erase`" in text(result)
    assert tools.running.empty()


@pytest.mark.parametrize("mode", MODES)
async def test_a_rule_lets_an_unsafe_tool_run(mcp: McpWorld, mode: str) -> None:
    await rule(mcp, "erase", "allow")
    async with mcp.client(mode) as client:
        assert text(await client.call_tool("erase", {"name": "all"})) == "erased all"


async def test_the_person_is_asked_through_a_client_that_can(mcp: McpWorld) -> None:
    answer, asked = answering("accept", run=True)
    async with mcp.client(elicitation_callback=answer) as client:
        assert text(await client.call_tool("erase", {"name": "all"})) == "erased all"
    (message,) = asked
    assert "erase" in message
    assert '"name": "all"' in message


@pytest.mark.parametrize("given", [("accept", {"run": False}), ("accept", {}), ("decline", {}), ("cancel", {})])
async def test_what_the_person_does_not_allow_is_not_run(
    mcp: McpWorld, tools: Tools, given: tuple[str, dict[str, bool]]
) -> None:
    answer, _ = answering(given[0], **given[1])
    async with mcp.client(elicitation_callback=answer) as client:
        result = await client.call_tool("erase", {"name": "all"})
    assert result.is_error
    assert "did not allow" in text(result)
    assert tools.running.empty()


async def test_a_rule_makes_any_tool_ask(mcp: McpWorld) -> None:
    await rule(mcp, "l*", "ask")
    answer, asked = answering("accept", run=True)
    async with mcp.client(elicitation_callback=answer) as client:
        await client.call_tool("look", {"word": "tree"})
        await client.call_tool("list_conversations", {})
    assert len(asked) == 2


async def test_an_answer_counts_only_for_the_call_that_was_asked_for(mcp: McpWorld, tools: Tools) -> None:
    answer, _ = answering("accept", run=True)
    yes = ElicitResult(action="accept", content={"run": True})
    async with mcp.client(elicitation_callback=answer) as client:
        asked = await call(client, {"name": "one"})
        assert isinstance(asked, InputRequiredResult)
        for state in (asked.request_state, "asked", None):
            other = client.session.call_tool(
                "erase",
                {"name": "other"},
                input_responses={"allow": yes},
                request_state=state,
                allow_input_required=True,
            )
            if state is None:
                assert isinstance(await other, InputRequiredResult)
            else:
                with pytest.raises(MCPError, match="requestState"):
                    await other
    assert tools.running.empty()


async def call(client: Client, arguments: dict[str, Any]) -> object:
    return await client.session.call_tool("erase", arguments, allow_input_required=True)


@pytest.mark.parametrize("mode", MODES)
async def test_progress_is_told_and_never_goes_back(mcp: McpWorld, tools: Tools, mode: str) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    async with mcp.client(mode) as client, asyncio.TaskGroup() as group:
        result = group.create_task(client.call_tool("hang", {}, progress_callback=note))
        await asyncio.wait_for(tools.running.get(), 10)
        tools.go_on.set()
        assert text(await asyncio.wait_for(result, 10)) == "done"
    assert told[-1] == (2.0, 2.0, "all of it")
    assert [one[0] for one in told] == sorted({one[0] for one in told})


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_that_cancels_or_leaves_stops_its_call(mcp: McpWorld, tools: Tools, mode: str) -> None:
    async with mcp.client(mode) as client:
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            running = group.create_task(client.call_tool("hang", {}))
            await tools.running.get()
            running.cancel()
            assert await tools.ended.get() == "cancelled"
        assert text(await client.call_tool("look", {"word": "tree"}))


async def test_a_cancel_stops_the_call_of_its_own_session_only(mcp: McpWorld, tools: Tools) -> None:
    owner = mcp.at.owner
    sessions = [(await owner.post("/mcp", INITIALIZE, **ACCEPT)).headers["mcp-session-id"] for _ in range(2)]
    assert sessions[0] != sessions[1]
    hang = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "hang", "arguments": {}}}
    cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        calls = [group.create_task(owner.post("/mcp", hang, mcp_session_id=one, **ACCEPT)) for one in sessions]
        for _ in calls:
            await tools.running.get()
        assert (await owner.post("/mcp", cancel, mcp_session_id=sessions[0], **ACCEPT)).status == 202
        assert (await owner.post("/mcp", cancel, mcp_session_id="other", **ACCEPT)).status == 202
        assert "stopped" in (await calls[0]).body.decode()
        assert not calls[1].done()
        tools.go_on.set()
        assert "done" in (await calls[1]).body.decode()


async def test_no_more_calls_run_than_there_are_places(mcp: McpWorld, tools: Tools) -> None:
    async with asyncio.timeout(20), mcp.client() as client, asyncio.TaskGroup() as group:
        running = [group.create_task(client.call_tool("hang", {})) for _ in range(MOST_CALLS)]
        for _ in running:
            await tools.running.get()
        refused = await client.call_tool("look", {"word": "tree"})
        tools.go_on.set()
        assert [text(await one) for one in running] == ["done"] * MOST_CALLS
        assert not (await client.call_tool("look", {"word": "tree"})).is_error
    assert (text(refused), refused.is_error) == ("64 calls of MCP clients are running: try again later.", True)
