"""Turns that wait for a person: nobody holds them, and nothing is lost."""

import asyncio
import time
from pathlib import Path

import pytest

from luxx.core.errors import Conflict, NotFound
from luxx.core.events import Approval, LogEntry, decode
from luxx.core.ports import Decision
from luxx.core.rules import ToolRule
from luxx.engine.plan import RunLimits
from luxx.store.records import ConversationChange, SettingsChange, Status
from tests.engine.fakes import FakeToolbox, call, call_all, say
from tests.turns.bench import Bench, FakeEndpoint, bench

YES = Decision(state="approved")


def asking() -> FakeToolbox:
    async def pay(arguments: str) -> str:
        return f"paid {arguments}"

    async def get(arguments: str) -> str:
        return "got"

    return FakeToolbox({"pay": "unsafe"}, asking=["pay"], pay=pay, get=get)


async def waiting(at: Bench, turn_id: str, status: Status = "waiting") -> None:
    """Return when a turn waits for a person."""
    async with asyncio.timeout(10):
        while (await at.store.turns.get(at.store.owner, turn_id)).status != status:
            await asyncio.to_thread(time.sleep, 0.01)
        while status == "waiting" and at.supervisor.at_work():  # its task ends right after that is committed
            await asyncio.to_thread(time.sleep, 0.01)


def states(entries: list[LogEntry]) -> list[str]:
    events = (decode(entry.name, entry.data) for entry in entries)
    return [event.state for event in events if isinstance(event, Approval)]


async def test_a_call_that_asks_lets_the_turn_wait_without_a_process_until_it_is_approved(tmp_path: Path) -> None:
    box = asking()
    async with bench(tmp_path, FakeEndpoint(call_all("pay", "get"), say("done")), box) as at:
        turn = (await at.post()).turn
        await waiting(at, turn.id)
        assert at.supervisor.at_work() == {}
        assert [name for name, _, _ in box.ran] == ["get"]
        (found,) = await at.store.approvals.open(at.store.owner)
        assert (found.turn_id, found.approval.tool, found.approval.arguments) == (turn.id, "pay", {})
        shown = await at.last()
        assert shown.turn is not None
        assert [asked.index for asked in shown.turn.approvals] == [0]
        await at.supervisor.decide(at.store.owner, turn.id, 0, YES)
        entries = await at.follow(turn.id)
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
        assert [entry.name for entry in entries].count("recovered") == 0
        assert states(entries) == ["requested", "approved"]
        assert (await at.last()).text == "done"
        assert [name for name, _, _ in box.ran] == ["get", "pay"]
        assert await at.store.approvals.open(at.store.owner) == ()


async def test_a_reader_follows_a_turn_through_its_wait(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint(call_all("pay"), say("done")), asking()) as at:
        turn = (await at.post()).turn
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(at.follow(turn.id))
            await waiting(at, turn.id)
            await at.supervisor.decide(at.store.owner, turn.id, 0, YES)
        seqs = [entry.seq for entry in reader.result()]
        assert seqs == list(range(1, len(seqs) + 1))
        assert reader.result()[-1].name == "done"


@pytest.mark.parametrize("decided", ["before", "after"])
async def test_a_waiting_turn_survives_a_restart(tmp_path: Path, decided: str) -> None:
    async with bench(tmp_path, FakeEndpoint(call_all("pay")), asking()) as at:
        turn = (await at.post()).turn
        await waiting(at, turn.id)
        conversation_id = at.conversation_id
        if decided == "before":
            await at.store.approvals.decide(at.store.owner, turn.id, 0, YES)
    box = asking()
    async with bench(tmp_path, FakeEndpoint(say("done")), box, conversation_id) as at:
        if decided == "after":
            assert (await at.store.turns.get(at.store.owner, turn.id)).status == "waiting"
            await at.supervisor.decide(at.store.owner, turn.id, 0, YES)
        entries = await at.follow(turn.id)
        assert states(entries) == ["requested", "approved"]
        assert [name for name, _, _ in box.ran] == ["pay"]
        assert (await at.last()).text == "done"


async def test_two_calls_can_be_decided_one_after_the_other(tmp_path: Path) -> None:
    box = asking()
    async with bench(tmp_path, FakeEndpoint(call_all("pay", "pay"), say("done")), box) as at:
        turn = (await at.post()).turn
        await waiting(at, turn.id)
        await at.supervisor.decide(at.store.owner, turn.id, 1, Decision(state="denied"))
        await waiting(at, turn.id)
        assert box.ran == []
        await at.supervisor.decide(at.store.owner, turn.id, 0, Decision(state="approved", arguments={"to": "x"}))
        entries = await at.follow(turn.id)
        assert states(entries) == ["requested", "requested", "denied", "approved"]
        assert [arguments for _, arguments, _ in box.ran] == ['{"to":"x"}']


async def test_a_decision_for_a_turn_at_work_reaches_it(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def pay(arguments: str) -> str:
        release.set()
        return "paid"

    async def hold(arguments: str) -> str:
        await release.wait()
        return "held"

    box = FakeToolbox(asking=["pay"], pay=pay, hold=hold)
    async with bench(tmp_path, FakeEndpoint(call_all("pay", "hold"), say("done")), box) as at:
        turn = (await at.post()).turn
        async for entries in at.supervisor.follow(at.store.owner, turn.id, 0):
            if any(entry.name == "approval" for entry in entries):
                break
        await at.supervisor.decide(at.store.owner, turn.id, 0, YES)
        await at.follow(turn.id)
        assert (await at.last()).text == "done"


async def test_the_first_decision_stands_and_the_same_again_changes_nothing(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def pay(arguments: str) -> str:
        await release.wait()
        return "paid"

    box = FakeToolbox(asking=["pay"], pay=pay)
    async with bench(tmp_path, FakeEndpoint(call_all("pay"), say("done")), box) as at:
        turn = (await at.post()).turn
        await waiting(at, turn.id)
        owner, decide = at.store.owner, at.supervisor.decide
        await decide(owner, turn.id, 0, YES)
        await decide(owner, turn.id, 0, YES)
        with pytest.raises(Conflict) as refused:
            await decide(owner, turn.id, 0, Decision(state="denied"))
        assert refused.value.reason == "already_decided"
        with pytest.raises(NotFound):
            await decide(owner, turn.id, 5, YES)
        with pytest.raises(NotFound):
            await decide("another", turn.id, 0, YES)
        release.set()
        await at.follow(turn.id)
        with pytest.raises(Conflict, match="ended"):
            await decide(owner, turn.id, 0, Decision(state="denied"))


async def test_a_waiting_turn_is_cancelled_at_once(tmp_path: Path) -> None:
    box = asking()
    async with bench(tmp_path, FakeEndpoint(call_all("pay")), box) as at:
        turn = (await at.post()).turn
        await waiting(at, turn.id)
        stopped = await at.supervisor.cancel(at.store.owner, turn.id)
        assert stopped.status == "cancelled"
        assert box.ran == []
        assert await at.store.approvals.open(at.store.owner) == ()


async def test_nobody_decides_in_time_and_the_model_is_told(tmp_path: Path) -> None:
    box = asking()
    async with bench(
        tmp_path,
        FakeEndpoint(call_all("pay"), say("a pity")),
        box,
        limits=RunLimits(attempts=1, approval_patience_s=0.2),
    ) as at:
        turn = (await at.post()).turn
        entries = await at.follow(turn.id)
        assert states(entries) == ["requested", "expired"]
        assert (await at.last()).text == "a pity"
        assert box.ran == []


async def test_always_holds_for_the_conversation(tmp_path: Path) -> None:
    box = asking()
    model = FakeEndpoint(call_all("pay"), say("done"), call_all("pay"), say("again"))
    async with bench(tmp_path, model, box) as at:
        turn = (await at.post()).turn
        await waiting(at, turn.id)
        await at.supervisor.decide(at.store.owner, turn.id, 0, Decision(state="approved", always=True))
        await at.follow(turn.id)
        conversation = await at.store.conversations.get(at.store.owner, at.conversation_id)
        assert conversation.settings.rules == (ToolRule(tool="pay", action="allow"),)
        second = (await at.post("again")).turn
        assert states(await at.follow(second.id)) == []
        assert len(box.ran) == 2


async def test_a_denied_tool_is_not_offered(tmp_path: Path) -> None:
    model = FakeEndpoint(say("done"))
    async with bench(tmp_path, model, asking()) as at:
        await at.store.approvals.set_rules(at.store.owner, (ToolRule(tool="pa*", action="deny"),))
        started = await at.post()
        assert started.turn.settings.tools == ("get",)
        await at.follow(started.turn.id)


async def test_a_turn_whose_process_dies_while_it_asks_asks_again_for_what_was_made_again(tmp_path: Path) -> None:
    cut = [[*call(0, "pay")], asyncio.Event()]
    async with bench(tmp_path, FakeEndpoint(cut), asking()) as at:
        turn = (await at.post()).turn
        async for entries in at.supervisor.follow(at.store.owner, turn.id, 0):
            if any(entry.name == "approval" for entry in entries):
                break
        conversation_id = at.conversation_id
    async with bench(tmp_path, FakeEndpoint(call_all("pay"), say("done")), asking(), conversation_id) as at:
        await waiting(at, turn.id)
        (found,) = await at.store.approvals.open(at.store.owner)
        await at.supervisor.decide(at.store.owner, turn.id, found.approval.index, YES)
        entries = await at.follow(turn.id)
        assert [entry.name for entry in entries].count("recovered") == 1
        assert (await at.last()).text == "done"


async def test_a_rule_that_changes_while_a_turn_waits_counts_and_wakes_nothing_for_ever(tmp_path: Path) -> None:
    box = asking()
    async with bench(tmp_path, FakeEndpoint(call_all("pay", "pay"), say("done")), box) as at:
        turn = (await at.post()).turn
        await waiting(at, turn.id)
        settings = SettingsChange(rules=(ToolRule(tool="pay", action="deny"),))
        await at.store.conversations.change(at.store.owner, at.conversation_id, ConversationChange(settings=settings))
        await at.supervisor.decide(at.store.owner, turn.id, 0, YES)
        entries = await at.follow(turn.id)
        assert states(entries) == ["requested", "requested", "denied", "denied"]
        assert box.ran == []
        assert (await at.store.turns.get(at.store.owner, turn.id)).epoch == 2


async def test_a_rule_of_the_moment_holds_for_a_turn_that_was_queued_before(tmp_path: Path) -> None:
    box = asking()
    model = FakeEndpoint(call_all("pay"), say("done"), call_all("pay"), say("again"))
    async with bench(tmp_path, model, box) as at:
        first = (await at.post()).turn
        await waiting(at, first.id)
        second = (await at.post("next", on_busy="queue")).turn
        await at.supervisor.decide(at.store.owner, first.id, 0, Decision(state="approved", always=True))
        await at.follow(first.id)
        assert states(await at.follow(second.id)) == []
        assert len(box.ran) == 2


async def test_always_can_be_said_after_yes(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint(call_all("pay", "pay"), say("done")), asking()) as at:
        turn = (await at.post()).turn
        await waiting(at, turn.id)
        for always in (False, True):
            await at.supervisor.decide(at.store.owner, turn.id, 0, Decision(state="approved", always=always))
        conversation = await at.store.conversations.get(at.store.owner, at.conversation_id)
        assert conversation.settings.rules == (ToolRule(tool="pay", action="allow"),)


async def test_a_call_with_changed_arguments_is_run_again_with_those(tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def pay(arguments: str) -> str:
        if not begun.is_set():
            begun.set()
            await asyncio.Event().wait()
        return "paid"

    box = FakeToolbox({"pay": "idempotent"}, asking=["pay"], pay=pay)
    async with bench(tmp_path, FakeEndpoint(call_all("pay")), box) as at:
        turn = (await at.post()).turn
        await waiting(at, turn.id)
        await at.supervisor.decide(at.store.owner, turn.id, 0, Decision(state="approved", arguments={"to": "x"}))
        await begun.wait()
        conversation_id = at.conversation_id
    async with bench(tmp_path, FakeEndpoint(say("done")), box, conversation_id) as at:
        await at.follow(turn.id)
        assert [arguments for _, arguments, _ in box.ran] == ['{"to":"x"}'] * 2


async def test_a_turn_that_is_taken_up_as_it_is_parked_goes_on_without_a_takeover(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def hold(arguments: str) -> str:
        await release.wait()
        return "held"

    async def pay(arguments: str) -> str:
        return "paid"

    box = FakeToolbox(asking=["pay"], pay=pay, hold=hold)
    async with bench(tmp_path, FakeEndpoint(call_all("pay", "hold"), say("done")), box) as at:
        turn = (await at.post()).turn
        async for entries in at.supervisor.follow(at.store.owner, turn.id, 0):
            if any(entry.name == "approval" for entry in entries):
                break
        await at.store.approvals.decide(at.store.owner, turn.id, 0, YES)
        release.set()
        while not (await at.store.turns.get(at.store.owner, turn.id)).ended:
            at.supervisor.take_up(await at.store.turns.claim())
        entries = await at.follow(turn.id)
        assert [entry.name for entry in entries].count("recovered") == 0
        assert [name for name, _, _ in box.ran] == ["hold", "pay"]


async def test_a_turn_that_waited_wants_the_tools_as_they_led_when_it_began(tmp_path: Path) -> None:
    box = asking()
    box.leading = {"shop": "here"}
    async with bench(tmp_path, FakeEndpoint(call_all("pay"), say("done")), box) as at:
        turn = (await at.post()).turn
        await waiting(at, turn.id)
        box.leading = {"shop": "elsewhere"}
        await at.supervisor.decide(at.store.owner, turn.id, 0, YES)
        await at.follow(turn.id)
    assert box.wanted == [{"shop": "here"}] * 2
