"""Approvals and rules over HTTP."""

import pytest

from luxx.core.rules import ToolRule
from tests.http.world import World


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
