"""Approvals in the store, on both engines: one decision, one owner, and a wait that needs no process."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from luxx.core.errors import Conflict, InvalidRequest, NotFound
from luxx.core.events import Approval
from luxx.core.ports import Decision
from luxx.core.rules import ToolRule, action_for
from luxx.store.interface import Store
from luxx.store.records import Turn
from tests.store.engines import Engine
from tests.store.talk import Talk, batch, done

YES, NO = Decision(state="approved"), Decision(state="denied")


def request(index: int = 0, seconds: float = 60) -> Approval:
    expires = datetime.now(UTC) + timedelta(seconds=seconds)
    return Approval(
        index=index,
        tool="pay",
        arguments={"to": "a"},
        state="requested",
        expires_at=expires.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    )


async def ask(talk: Talk, *approvals: Approval, parked: bool = True) -> Turn:
    """Start a turn that asks for something, and let it wait."""
    turn = (await talk.say(parent=None)).turn
    asking = replace(batch(turn, 2, *approvals), approvals=approvals, parked=parked)
    assert not (await talk.append(asking)).refused
    return turn


async def test_a_parked_turn_is_nobodys_and_is_not_claimed(store: Store, talk: Talk) -> None:
    turn = await ask(talk, request())
    assert (await store.turns.get(talk.owner, turn.id)).status == "waiting"
    assert await store.turns.owned() == ()
    assert await store.turns.claim() == ()
    assert (await talk.append(batch(turn, 3, done(turn)))).fenced == {turn.id}


@pytest.mark.parametrize("why", ["decided", "expired", "cancelled"])
async def test_a_waiting_turn_is_claimed_when_there_is_something_to_do(store: Store, talk: Talk, why: str) -> None:
    turn = await ask(talk, request(seconds=-1 if why == "expired" else 60))
    if why == "decided":
        await store.approvals.decide(talk.owner, turn.id, 0, YES)
    elif why == "cancelled":
        await store.turns.request_cancel(talk.owner, turn.id)
    (claimed,) = await store.turns.claim()
    assert (claimed.id, claimed.status, claimed.woken, claimed.epoch) == (turn.id, "active", True, 2)
    found = await store.approvals.decisions(store.nodes.id)
    states = {"decided": ["approved"], "expired": ["expired"], "cancelled": []}
    assert [decided.decision.state for decided in found] == states[why]


async def test_a_decision_is_told_until_it_is_in_the_log(store: Store, talk: Talk) -> None:
    turn = await ask(talk, request(), parked=False)
    changed = Decision(state="approved", arguments={"to": "b"}, always=True)
    await store.approvals.decide(talk.owner, turn.id, 0, changed)
    (decided,) = await store.approvals.decisions(store.nodes.id)
    assert (decided.turn_id, decided.index, decided.decision) == (turn.id, 0, changed)
    settled = replace(request(), state="approved")
    await talk.append(replace(batch(turn, 3, settled), approvals=(settled,)))
    assert await store.approvals.decisions(store.nodes.id) == ()


async def test_the_first_decision_stands(store: Store, talk: Talk) -> None:
    turn = await ask(talk, request())
    await store.approvals.decide(talk.owner, turn.id, 0, YES)
    await store.approvals.decide(talk.owner, turn.id, 0, YES)
    for other in (NO, Decision(state="approved", arguments={"to": "b"})):
        with pytest.raises(Conflict) as refused:
            await store.approvals.decide(talk.owner, turn.id, 0, other)
        assert refused.value.reason == "already_decided"


async def test_what_has_expired_cannot_be_approved(store: Store, talk: Talk) -> None:
    turn = await ask(talk, request(seconds=-1))
    with pytest.raises(Conflict, match="expired"):
        await store.approvals.decide(talk.owner, turn.id, 0, YES)


async def test_what_is_anothers_or_gone_cannot_be_decided(store: Store, talk: Talk) -> None:
    turn = await ask(talk, request(), parked=False)
    with pytest.raises(NotFound):
        await store.approvals.decide("another", turn.id, 0, YES)
    with pytest.raises(NotFound):
        await store.approvals.decide(talk.owner, turn.id, 1, YES)
    await talk.append(batch(turn, 3, done(turn)))
    with pytest.raises(Conflict) as refused:
        await store.approvals.decide(talk.owner, turn.id, 0, YES)
    assert refused.value.reason == "turn_ended"
    assert await store.approvals.open(talk.owner) == ()


async def test_open_approvals_are_listed_for_their_owner(store: Store, talk: Talk) -> None:
    turn = await ask(talk, request(), request(1))
    found = await store.approvals.open(talk.owner)
    assert [(each.turn_id, each.conversation_id, each.approval.index) for each in found] == [
        (turn.id, talk.id, 0),
        (turn.id, talk.id, 1),
    ]
    assert found[0].approval.arguments == {"to": "a"}
    assert await store.approvals.open("another") == ()


async def test_what_was_asked_for_void_steps_waits_for_nobody(store: Store, talk: Talk) -> None:
    turn = await ask(talk, request(), parked=False)
    await talk.append(batch(turn, 3, void=(0,)))
    assert await store.approvals.open(talk.owner) == ()


async def test_always_is_a_rule_of_the_conversation_and_rules_survive(engine: Engine, store: Store, talk: Talk) -> None:
    turn = await ask(talk, request())
    await store.approvals.decide(talk.owner, turn.id, 0, Decision(state="approved", always=True))
    mine = (ToolRule(tool="web_*", action="ask"), ToolRule(tool="*", action="deny"))
    await store.approvals.set_rules(talk.owner, mine)
    store = await engine.die_and_open()
    conversation = await store.conversations.get(talk.owner, talk.id)
    assert conversation.settings.rules == (ToolRule(tool="pay", action="allow"),)
    assert conversation.person_rules == mine
    assert await store.approvals.rules(talk.owner) == mine


async def test_too_many_rules_are_refused(store: Store, talk: Talk) -> None:
    with pytest.raises(InvalidRequest):
        await store.approvals.set_rules(talk.owner, [ToolRule(tool="x", action="ask")] * 201)


async def test_a_deleted_conversation_takes_its_approvals_along(store: Store, talk: Talk) -> None:
    turn = await ask(talk, request())
    await store.conversations.delete(talk.owner, talk.id)
    assert await store.approvals.open(talk.owner) == ()
    (claimed,) = await store.turns.claim()
    assert claimed.id == turn.id
    talk.store = store
    await talk.append(batch(claimed, 3, done(claimed)))
    while await store.turns.compact("9999"):
        pass


async def test_a_claim_takes_no_more_than_its_limit_of_both_kinds(engine: Engine, talk: Talk) -> None:
    for _ in range(2):
        turn = await ask(talk, request())
        await talk.store.approvals.decide(talk.owner, turn.id, 0, YES)
        await talk.say(parent=None)
    store = await engine.die_and_open()
    assert [len(await store.turns.claim(3)), len(await store.turns.claim(3))] == [3, 1]


async def test_always_allows_the_tool_of_that_name_and_no_other(store: Store, talk: Talk) -> None:
    turn = await ask(talk, replace(request(), tool="*"))
    await store.approvals.decide(talk.owner, turn.id, 0, Decision(state="approved", always=True))
    rules = (await store.conversations.get(talk.owner, talk.id)).settings.rules
    assert (action_for(rules, "*"), action_for(rules, "pay")) == ("allow", None)
