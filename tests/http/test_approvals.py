"""Approvals and rules over HTTP."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from luxx.core.deltas import Finish, ToolCallDelta, ToolCallDone
from luxx.core.rules import ToolRule
from luxx.core.usage import Usage
from luxx.tools.box import Toolbox
from luxx.tools.context import ToolContext
from luxx.tools.sources import ToolSources
from luxx.tools.tool import Tool, tool
from tests.http.mcp_clients import BoxTools
from tests.http.world import END, World, world


async def test_rules_are_read_and_replaced(at: World) -> None:
    assert (await at.client.get("/api/rules")).json == {"items": []}
    rules = {"items": [{"tool": "web_*", "action": "ask"}, {"tool": "*", "action": "deny"}]}
    assert (await at.client.put("/api/rules", rules)).json == rules
    assert (await at.client.get("/api/rules")).json == rules
    assert await at.store.approvals.rules(at.store.owner) == (
        ToolRule(tool="web_*", action="ask"),
        ToolRule(tool="*", action="deny"),
    )


@pytest.mark.parametrize(
    "rule", [{"tool": "", "action": "ask"}, {"tool": "x", "action": "maybe"}, {"tool": "a b", "action": "ask"}]
)
async def test_a_bad_rule_is_refused(at: World, rule: dict[str, str]) -> None:
    answer = await at.client.put("/api/rules", {"items": [rule]})
    assert answer.status == 422


async def test_a_conversation_has_rules_and_thinking_of_its_own(at: World) -> None:
    rules = [{"tool": "pay", "action": "deny"}]
    conversation_id = await at.conversation(rules=rules, thinking="low")
    shown = (await at.client.get(f"/api/conversations/{conversation_id}")).json
    assert (shown["rules"], shown["thinking"]) == (rules, "low")
    shown = (await at.client.patch(f"/api/conversations/{conversation_id}", {"rules": None, "thinking": None})).json
    assert (shown["rules"], shown["thinking"]) == ([], None)


async def test_what_is_not_asked_for_cannot_be_decided(at: World) -> None:
    started = await at.finished("hi")
    answer = await at.client.post(f"/api/turns/{started['turn_id']}/approvals/0", {"approve": True})
    assert (answer.status, answer.json["code"]) == (404, "not_found")
    answer = await at.client.post(f"/api/turns/{started['turn_id']}/calls/0/cancel", {})
    assert (answer.status, answer.json["code"]) == (409, "not_running")
    assert (await at.client.get("/api/approvals")).json == {"items": []}


@tool(effect="unsafe")
async def pay(amount: int, to: str = "") -> str:
    """Pay somebody."""
    return f"Paid {amount} to {to}."


@tool(effect="read")
async def inquire(context: ToolContext) -> str:
    """Ask who it is."""
    age = {"type": "integer", "minimum": 1}
    form = {"properties": {"age": age, "name": {"type": "string", "default": "Ada"}}, "required": ["age", "name"]}
    reply = await context.ask("Who?", {"type": "object", **form})
    return f"{reply.action} {msgspec.json.encode(reply.content).decode()}"


async def asked_to_pay(at: World) -> tuple[str, str]:
    """Start a turn that asks whether it may pay; return its id and the path of the decision."""
    return await asked(at, "pay", '{"amount": 1}')


class Shop:
    """A source of one tool, which can lead elsewhere from some time on."""

    target = "here"

    async def tools(self, owner: str) -> Sequence[Tool]:
        return (msgspec.structs.replace(pay, source="shop", target=self.target),)


async def asked(at: World, name: str, arguments: str) -> tuple[str, str]:
    """Start a turn that calls a tool and asks the person for something; return its id and the path of the decision."""
    call = ToolCallDelta(slot=0, id="c", name=name, arguments=arguments)
    for word in (call, ToolCallDone(0), Finish(reason="tool_calls", usage=Usage()), END):
        at.model.words.put_nowait(word)
    turn_id = (await at.start())["turn_id"]
    async for entries in at.supervisor.follow(at.store.owner, turn_id, 0):
        if any(entry.name == "approval" for entry in entries):
            break
    (waiting,) = await at.store.approvals.open(at.store.owner)
    return turn_id, f"/api/turns/{turn_id}/approvals/{waiting.approval.index}"


async def test_arguments_that_do_not_fit_are_refused_in_words_and_the_call_waits_on(tmp_path: Path) -> None:
    async with world(tmp_path, tools=BoxTools(Toolbox([pay]))) as at:
        turn_id, path = await asked_to_pay(at)
        body = {"approve": True, "arguments": {"amount": "much", "two": "Ada"}}
        answer = await at.client.post(path, body)
        assert (answer.status, answer.json["code"]) == (422, "invalid_request")
        (error,) = answer.json["errors"]
        assert error["field"] == "arguments"
        assert '`amount`: expected `int`, got `str`; it was "much"' in error["message"]
        assert "`two` is not an argument of this tool; did you mean `to`?" in error["message"]
        assert len((await at.client.get("/api/approvals")).json["items"]) == 1
        again = await at.client.post(path, {"approve": True, "arguments": {"amount": 2, "to": "Ada"}})
        assert again.status == 200
        events = [entry async for entries in at.supervisor.follow(at.store.owner, turn_id, 0) for entry in entries]
        assert any(b"Paid 2 to Ada." in entry.data for entry in events)
        late = await at.client.post(path, body)
        assert (late.status, late.json["code"]) == (409, "turn_ended")


async def test_arguments_of_a_tool_that_is_not_here_are_left_to_the_call(tmp_path: Path) -> None:
    tools = BoxTools(Toolbox([pay]))
    async with world(tmp_path, tools=tools) as at:
        _, path = await asked_to_pay(at)
        tools.replace(Toolbox())
        assert (await at.client.post(path, {"approve": True, "arguments": {"amount": "much"}})).status == 200


async def test_a_denied_call_needs_no_arguments_that_fit(tmp_path: Path) -> None:
    async with world(tmp_path, tools=BoxTools(Toolbox([pay]))) as at:
        _, path = await asked_to_pay(at)
        assert (await at.client.post(path, {"approve": False, "arguments": {"amount": "much"}})).status == 200


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"age": "x"}, "arguments.age is not of the type integer"),
        ({"age": {"n": 1}}, "arguments.age is not of the type integer"),
        ({"age": None}, "arguments.age is not of the type integer"),
        ({"age": 0}, "arguments.age is out of range"),
        ({"age": 3, "zzz": 1}, "arguments.zzz must not be there"),
        ({}, "arguments.age is missing"),
        (None, "arguments.age is missing"),
    ],
)
async def test_an_answer_that_does_not_fit_its_form_is_refused_in_words_and_the_question_waits_on(
    tmp_path: Path, answer: object, words: str
) -> None:
    async with world(tmp_path, tools=BoxTools(Toolbox([inquire]))) as at:
        turn_id, path = await asked(at, "inquire", "{}")
        refused = await at.client.post(path, {"approve": True, "arguments": answer})
        assert refused.status == 422
        assert refused.json["errors"] == [{"field": "arguments", "message": words}]
        assert (await at.client.post(path, {"approve": True, "arguments": {"age": 3}})).status == 200
        events = [entry async for entries in at.supervisor.follow(at.store.owner, turn_id, 0) for entry in entries]
        assert any(rb"accept {\"age\":3}" in entry.data for entry in events)


async def test_a_question_that_is_declined_needs_no_answer(tmp_path: Path) -> None:
    async with world(tmp_path, tools=BoxTools(Toolbox([inquire]))) as at:
        _, path = await asked(at, "inquire", "{}")
        assert (await at.client.post(path, {"approve": False})).status == 200


@pytest.mark.parametrize(("target", "words"), [("here", "Paid 1 to ."), ("elsewhere", "shop was changed since")])
async def test_a_call_that_waited_goes_where_it_was_to_go_or_nowhere(tmp_path: Path, target: str, words: str) -> None:
    shop = Shop()
    async with world(tmp_path, tools=ToolSources(Toolbox(), [shop])) as at:
        turn_id, path = await asked_to_pay(at)
        async with asyncio.timeout(10):
            while at.supervisor.at_work():  # noqa: ASYNC110 - until the turn is parked
                await asyncio.sleep(0.01)
        shop.target = target
        assert (await at.client.post(path, {"approve": True})).status == 200
        events = [entry async for entries in at.supervisor.follow(at.store.owner, turn_id, 0) for entry in entries]
        assert any(words in entry.data.decode() for entry in events)


async def test_half_a_character_in_changed_arguments_becomes_a_mark(tmp_path: Path) -> None:
    async with world(tmp_path, tools=BoxTools(Toolbox([pay]))) as at:
        turn_id, path = await asked_to_pay(at)
        key = await at.client.post(
            path, json.dumps({"approve": True, "arguments": {"amount": 1, "t\ud800": ""}}).encode()
        )
        assert (key.status, key.json["errors"][0]["field"]) == (422, "arguments")
        value = json.dumps({"approve": True, "arguments": {"amount": 1, "to": "\ud800"}}).encode()
        assert (await at.client.post(path, value)).status == 200
        events = [entry async for entries in at.supervisor.follow(at.store.owner, turn_id, 0) for entry in entries]
        assert any("Paid 1 to \ufffd." in entry.data.decode() for entry in events)
