"""Turns that wait behind an answer in progress."""

from collections.abc import Callable

import pytest

from luxx.core import steps
from luxx.core.errors import Conflict, NotFound
from luxx.core.events import Cancelled, End, decode
from luxx.store.interface import Store
from luxx.store.records import Turn
from tests.store.engines import Engine
from tests.store.talk import Talk, batch, cancelled, delta, done, ended, failed


async def test_a_message_after_an_answer_in_progress_is_rejected(talk: Talk) -> None:
    turn = (await talk.say("one")).turn
    with pytest.raises(Conflict) as busy:
        await talk.say("two")
    assert (busy.value.reason, busy.value.turn_id) == ("turn_running", turn.id)


async def test_a_queued_turn_has_its_first_event_and_no_owner(talk: Talk) -> None:
    await talk.say("one")
    queued = (await talk.say("two", on_busy="queue")).turn
    assert (queued.status, queued.epoch, queued.seq) == ("queued", 0, 1)


async def test_done_starts_the_turn_that_waits(talk: Talk) -> None:
    turn = (await talk.say("one")).turn
    queued = (await talk.say("two", on_busy="queue")).turn
    third = (await talk.say("three", on_busy="queue")).turn
    (released,) = (await talk.append(batch(turn, 2, done(turn)))).released
    assert (released.id, released.status, released.epoch) == (queued.id, "active", 1)
    assert (await talk.get(third)).status == "queued"
    (released,) = (await talk.append(batch(released, 2, done(released)))).released
    assert released.id == third.id


async def test_all_that_wait_for_the_same_answer_start(talk: Talk) -> None:
    turn = (await talk.say("one")).turn
    first = (await talk.say("two", on_busy="queue")).turn
    second = (await talk.say("or two", parent=turn.message_id, on_busy="queue")).turn
    third = (await talk.answer_again(first.user_message_id, on_busy="queue")).turn
    released = (await talk.append(batch(turn, 2, done(turn)))).released
    assert [turn.id for turn in released] == [first.id, second.id, third.id]


@pytest.mark.parametrize("end", [failed, cancelled])
async def test_another_end_cancels_all_that_wait(talk: Talk, end: Callable[[Turn], End]) -> None:
    turn = (await talk.say("one")).turn
    behind = [(await talk.say(on_busy="queue")).turn for _ in range(4)]
    other = (await talk.say("elsewhere", parent=None)).turn
    appended = await talk.append(batch(turn, 2, end(turn)))
    assert [dropped.id for dropped in appended.dropped] == [queued.id for queued in behind]
    assert all(dropped.status == "cancelled" and dropped.ended_at for dropped in appended.dropped)
    for queued in behind:
        last = (await talk.log(queued))[-1]
        assert (last.seq, decode(last.name, last.data)) == (2, Cancelled(queued.message_id))
    assert (await talk.get(other)).status == "active"


async def test_ten_wait_at_most(talk: Talk) -> None:
    turn = (await talk.say("one")).turn
    for _ in range(10):
        await talk.say(on_busy="queue")
    with pytest.raises(Conflict) as full:
        await talk.say(on_busy="queue")
    assert full.value.reason == "queue_full"
    await talk.append(batch(turn, 2, done(turn)))
    assert (await talk.say(on_busy="queue")).turn.status == "queued"


async def test_another_answer_waits_like_the_first(talk: Talk) -> None:
    turn = (await talk.say("one")).turn
    queued = (await talk.say("two", on_busy="queue")).turn
    with pytest.raises(Conflict):
        await talk.answer_again(queued.user_message_id)
    again = (await talk.answer_again(queued.user_message_id, on_busy="queue")).turn
    assert again.status == "queued"
    assert [t.id for t in await talk.store.turns.unfinished(talk.owner, talk.id)] == [turn.id, queued.id, again.id]


async def test_a_queued_turn_that_is_cancelled_ends_at_once_and_those_behind_it_move_up(talk: Talk) -> None:
    turn = (await talk.say("one")).turn
    first, second, third = [(await talk.say(on_busy="queue")).turn for _ in range(3)]
    stopped = await talk.store.turns.request_cancel(talk.owner, second.id)
    assert (stopped.turn.status, stopped.turn.seq, stopped.dropped) == ("cancelled", 2, ())
    assert [(await talk.get(waiting)).status for waiting in (first, third)] == ["queued", "queued"]
    (released,) = (await talk.append(batch(turn, 2, done(turn)))).released
    assert released.id == first.id
    (released,) = (await talk.append(batch(released, 2, done(released)))).released
    assert released.id == third.id


async def test_the_branch_shown_ends_before_a_queued_turn_that_was_cancelled(talk: Talk) -> None:
    turn = (await talk.say("one")).turn
    queued = (await talk.say("two", on_busy="queue")).turn
    await talk.store.turns.request_cancel(talk.owner, queued.id)
    assert (await talk.store.conversations.get(talk.owner, talk.id)).leaf_id == turn.message_id
    assert (await talk.say("three", on_busy="queue")).turn.status == "queued"


@pytest.mark.parametrize("end", [done, failed, cancelled])
async def test_a_turn_that_steers_starts_after_any_end(talk: Talk, end: Callable[[Turn], End]) -> None:
    turn = (await talk.say("one")).turn
    first, second = [(await talk.say(on_busy="queue")).turn for _ in range(2)]
    assert await talk.store.turns.steer(talk.owner, first.id) == turn.id
    appended = await talk.append(batch(turn, 2, end(turn)))
    assert ([released.id for released in appended.released], appended.dropped) == ([first.id], ())
    assert (await talk.get(second)).status == "queued"
    assert await talk.store.turns.steer(talk.owner, first.id) is None


async def test_only_the_first_in_the_line_steers(talk: Talk) -> None:
    await talk.say("one")
    first, second = [(await talk.say(on_busy="queue")).turn for _ in range(2)]
    for attempt in (talk.store.turns.steer(talk.owner, second.id), talk.say("four", on_busy="interrupt")):
        with pytest.raises(Conflict) as refused:
            await attempt
        assert refused.value.reason == "turn_running"
    assert await talk.store.turns.steer(talk.owner, first.id)
    with pytest.raises(NotFound):
        await talk.store.turns.steer(talk.owner, "nothing")


async def test_cancelling_a_turn_that_has_ended_changes_nothing(talk: Talk) -> None:
    turn = await talk.answered("one", "1")
    stopped = await talk.store.turns.request_cancel(talk.owner, turn.id)
    assert stopped.turn == turn
    with pytest.raises(NotFound):
        await talk.store.turns.request_cancel(talk.owner, "nothing")


async def test_a_queue_outlives_the_server(engine: Engine, talk: Talk) -> None:
    await talk.say("one")
    queued = (await talk.say("two", on_busy="queue")).turn
    talk.store = await engine.die_and_open()
    (taken,) = await talk.store.turns.claim()
    (released,) = (await talk.append(batch(taken, 2, done(taken)))).released
    assert released.id == queued.id
    assert not (await talk.append(batch(released, 2, delta()))).fenced


async def test_an_answer_that_ends_in_a_shared_flush_starts_its_own_queue_only(talk: Talk, store: Store) -> None:
    async def waiting() -> tuple[Turn, Turn]:
        place = await Talk.begin(store)
        return (await place.say("one")).turn, (await place.say("two", on_busy="queue")).turn

    (one, behind_one), (two, behind_two) = await waiting(), await waiting()
    appended = await talk.append(
        batch(one, 2, ended(steps.text(0, 1), "x"), done(one)), batch(two, 1, delta(), cancelled(two))
    )
    assert [turn.id for turn in appended.released] == [behind_one.id]
    assert appended.refused.keys() == {two.id}
    assert appended.dropped == ()
    assert (await talk.get(behind_two)).status == "queued"
