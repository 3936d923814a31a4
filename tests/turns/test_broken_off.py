"""What answers have cost that broke off: it is kept with the turn and shown, as other usage is."""

import asyncio
from pathlib import Path

from msgspec.structs import replace

from luxx.core.deltas import Finish, TextDelta, ThinkingDelta, UsageDelta, VerbatimDelta
from luxx.core.errors import AnswerIncomplete, RateLimited
from luxx.core.events import Done
from luxx.core.steps import answer_text
from luxx.core.usage import Usage
from luxx.engine.plan import RunLimits
from luxx.turns.requests import AnswerAgain
from tests.engine.fakes import USAGE, Batch, FakeToolbox, call_all, say
from tests.turns.bench import Bench, FakeEndpoint, bench, hang_after, has_result, quick, replay, until
from tests.turns.test_fallback import chain

EARLY = Usage(input_tokens=70, output_tokens=1, total_tokens=71)
ATTEMPT: list[Batch] = [[UsageDelta(EARLY)], RateLimited("later", retry_after=0)]
THRICE = RunLimits(attempts=3)


async def spent(at: Bench, turn_id: str) -> Usage:
    """Follow a turn to its end; return what it is said to have cost."""
    folded = replay(await at.follow(turn_id))
    shown = (await at.last()).usage
    assert shown is not None
    assert not isinstance(folded.end, Done) or folded.end.usage == shown
    return shown


async def continued(at: Bench, message_id: str) -> tuple[str, Usage]:
    """Continue an answer to its end; return the message, and what it is said to have cost."""
    turn = (await at.supervisor.continue_answer(at.store.owner, AnswerAgain(message_id=message_id))).turn
    return turn.message_id, await spent(at, turn.id)


async def test_a_cancelled_answer_shows_what_it_has_cost(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint([[UsageDelta(EARLY)], [TextDelta("1234")], asyncio.Event()])) as at:
        started = await at.post()
        async for entries in at.supervisor.follow(at.store.owner, started.turn.id, 0):
            if entries[-1].name == "step_delta":
                break
        await at.supervisor.cancel(at.store.owner, started.turn.id)
        view = await at.last()
        assert view.status == "cancelled"
        assert view.usage == replace(EARLY, output_tokens=2, total_tokens=72, estimated=True)


async def test_an_answer_that_fails_shows_what_it_has_cost(tmp_path: Path) -> None:
    model = FakeEndpoint([[TextDelta("half"), UsageDelta(EARLY)], AnswerIncomplete("cut")])
    async with bench(tmp_path, model) as at:
        await at.follow((await at.post()).turn.id)
        view = await at.last()
        assert (view.status, view.text, view.usage) == ("failed", "half", EARLY)


async def test_attempts_that_cost_something_leave_room_for_the_parts_of_the_answer(tmp_path: Path) -> None:
    more: list[Batch] = [[ThinkingDelta("hm"), VerbatimDelta(b"1")], [TextDelta("a"), VerbatimDelta(b"2")]] * 2
    backup = FakeEndpoint([*more, [Finish(reason="stop", usage=USAGE)]])
    async with chain(tmp_path, FakeEndpoint(*[ATTEMPT] * 3), backup, limits=THRICE) as at:
        assert await spent(at, (await at.post()).turn.id) == EARLY + EARLY + EARLY + USAGE
        assert (await at.last()).status == "done"


async def test_no_step_has_the_index_of_an_attempt_that_cost_something(tmp_path: Path) -> None:
    async with chain(tmp_path, FakeEndpoint(*[ATTEMPT] * 3), FakeEndpoint(say("so")), limits=THRICE) as at:
        folded = replay(await at.follow((await at.post()).turn.id))
        assert [step.index for step in folded.steps()] == [3, 4]


async def test_a_continued_answer_has_cost_what_its_beginnings_did_once(tmp_path: Path) -> None:
    cut: list[Batch] = [[TextDelta("half"), UsageDelta(EARLY)], AnswerIncomplete("cut")]
    model = FakeEndpoint(*[ATTEMPT] * 3, cut, say("and half", "length"), say("."))
    async with chain(tmp_path, model, FakeEndpoint(cut), limits=THRICE) as at:
        turn = (await at.post()).turn
        first = await spent(at, turn.id)
        second_id, second = await continued(at, turn.message_id)
        third_id, third = await continued(at, second_id)
        _, fourth = await continued(at, third_id)
        assert (first, second) == (EARLY + EARLY + EARLY + EARLY, first + EARLY)
        assert (third, fourth) == (second + USAGE, third + USAGE)


async def test_an_answer_of_which_nothing_is_kept_costs_its_new_beginning_only(tmp_path: Path) -> None:
    model = FakeEndpoint([[UsageDelta(EARLY)], AnswerIncomplete("cut")], say("whole"))
    async with bench(tmp_path, model) as at:
        turn = (await at.post()).turn
        assert await spent(at, turn.id) == EARLY
        assert (await continued(at, turn.message_id))[1] == replace(USAGE, cost=None)


async def test_the_cost_of_an_answer_that_a_restart_made_void_is_not_told_by_half(tmp_path: Path) -> None:
    told = [[TextDelta("so")], [Finish(reason="stop", usage=replace(USAGE, cost=0.5))]]
    begun: list[Batch] = [[UsageDelta(EARLY), TextDelta("half")], asyncio.Event()]
    async with bench(tmp_path, FakeEndpoint(begun)) as at:
        turn = (await at.post()).turn
        await until(at, turn.id, lambda folded: answer_text(folded.steps()) == "half")
        conversation_id = at.conversation_id
    async with bench(tmp_path, FakeEndpoint(told, told), conversation_id=conversation_id) as at:
        assert await spent(at, turn.id) == replace(USAGE, estimated=True)
        assert await spent(at, (await at.post()).turn.id) == replace(USAGE, cost=0.5)


async def test_the_cost_is_whole_if_a_restart_came_between_two_model_calls(tmp_path: Path) -> None:
    started = asyncio.Event()
    calling = [*call_all("quick", "slow")[:-1], [Finish(reason="tool_calls", usage=replace(USAGE, cost=0.25))]]
    box = FakeToolbox(quick=quick, slow=hang_after(started))
    async with bench(tmp_path, FakeEndpoint(calling), box) as at:
        turn = (await at.post()).turn
        await started.wait()
        await until(at, turn.id, has_result)
        conversation_id = at.conversation_id
    told = [[TextDelta("so")], [Finish(reason="stop", usage=replace(USAGE, cost=0.5))]]
    after = FakeToolbox(quick=quick, slow=quick)
    async with bench(tmp_path, FakeEndpoint(told), after, conversation_id) as at:
        usage = await spent(at, turn.id)
        assert (usage.total_tokens, usage.cost, usage.estimated) == (10, 0.75, False)
