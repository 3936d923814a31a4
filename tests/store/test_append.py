"""Appending to logs: fencing, outcomes, steps, and what is refused."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from luxx.core import steps
from luxx.core.events import Cancelled, Failed, Recovered, ToolProgress, encode
from luxx.store.records import NewEntry, StepRow, Turn
from tests.store.engines import Engine
from tests.store.talk import USAGE, Talk, batch, call, cancelled, delta, done, ended, entry, failed


async def test_what_is_appended_is_read_back_under_its_seqs(talk: Talk) -> None:
    turn = (await talk.say()).turn
    step = steps.text(0, 1)
    sealed = batch(turn, 2, step, delta("Hel"), delta("lo"), ended(step, "Hello"), ToolProgress(index=1), done(turn))
    appended = await talk.append(sealed)
    assert not appended.fenced | appended.refused.keys()
    log = await talk.log(turn)
    assert [entry.seq for entry in log] == [1, 2, 3, 4, 5, 6, 7]
    assert [(e.seq, e.name, e.data) for e in log[1:]] == [(e.seq, e.name, e.data) for e in sealed.entries]


async def test_a_log_is_read_in_parts(talk: Talk) -> None:
    turn = (await talk.say()).turn
    await talk.append(batch(turn, 2, delta("a"), delta("b"), delta("c")))
    assert [entry.seq for entry in await talk.log(turn, after=1, limit=2)] == [2, 3]
    assert [entry.seq for entry in await talk.log(turn, after=3)] == [4]
    assert await talk.log(turn, after=4) == ()
    page = await talk.store.turns.log(talk.owner, turn.id, 4, 10)
    assert (page.turn.seq, page.turn.ended) == (4, False)


async def test_a_part_of_a_log_holds_no_more_bytes_than_asked_for_but_for_one_large_entry(talk: Talk) -> None:
    turn = (await talk.say()).turn
    long = ended(steps.text(0, 1), "x" * 5_000)
    await talk.append(batch(turn, 2, delta("a" * 300), delta("b" * 300), long, delta("c", index=1)))
    seen: list[list[int]] = []
    after = 1
    while (page := await talk.store.turns.log(talk.owner, turn.id, after, 100, 700)).entries:
        seen.append([entry.seq for entry in page.entries])
        after = page.entries[-1].seq
        assert page.whole == (after == 5)
    assert seen == [[2, 3], [4], [5]]


async def test_many_turns_share_a_flush(talk: Talk) -> None:
    turns = [(await talk.say(parent=None)).turn for _ in range(20)]
    await talk.append(*(batch(turn, 2, delta(turn.id), done(turn)) for turn in turns))
    for turn in turns:
        assert await talk.told(turn) == [(1, "turn"), (2, "step_delta"), (3, "done")]


async def test_done_sets_the_outcome_and_the_text(talk: Talk) -> None:
    turn = (await talk.say()).turn
    first, thought, second = steps.text(0, 1), steps.thinking(1, 1), steps.text(2, 2)
    await talk.append(batch(turn, 2, ended(first, "one "), ended(thought, "hm"), ended(second, "two")))
    await talk.append(batch(turn, 5, done(turn)))
    after = await talk.get(turn)
    assert (after.status, after.finish_reason, after.token_count, after.usage) == ("done", "stop", 7, USAGE)
    assert after.ended
    assert after.ended_at is not None
    message = await talk.store.conversations.message(talk.owner, turn.message_id)
    assert message.text == "one two"
    assert await talk.store.turns.unfinished(talk.owner, talk.id) == ()


async def test_an_error_sets_the_outcome(talk: Talk) -> None:
    turn = (await talk.say()).turn
    await talk.append(batch(turn, 2, failed(turn)))
    after = await talk.get(turn)
    assert (after.status, after.error_code, after.error_content) == ("failed", "provider_error", "It broke.")


@pytest.mark.parametrize("end", [failed, cancelled])
async def test_the_calls_of_a_turn_that_did_not_succeed_are_counted_too(
    talk: Talk, end: Callable[[Turn], Failed | Cancelled]
) -> None:
    turn = (await talk.say()).turn
    await talk.append(batch(turn, 2, ended(steps.text(0, 1), "one"), call(1), call(2)))
    await talk.append(batch(turn, 3, end(turn)))
    after = await talk.get(turn)
    assert (after.usage, after.token_count) == (USAGE + USAGE, 2 * USAGE.total_tokens)


@pytest.mark.parametrize("end", [failed, cancelled])
async def test_a_turn_without_a_call_has_no_usage(talk: Talk, end: Callable[[Turn], Failed | Cancelled]) -> None:
    turn = (await talk.say()).turn
    await talk.append(batch(turn, 2, end(turn)))
    after = await talk.get(turn)
    assert (after.usage, after.token_count) == (None, None)


async def test_a_cancel_sets_the_outcome_and_saves_the_text(talk: Talk) -> None:
    turn = (await talk.say()).turn
    await talk.append(batch(turn, 2, ended(steps.text(0, 1), "half"), cancelled(turn)))
    assert (await talk.get(turn)).status == "cancelled"
    assert (await talk.store.conversations.message(talk.owner, turn.message_id)).text == "half"


async def test_void_steps_are_left_out_of_the_message_but_stay_in_the_log(talk: Talk) -> None:
    turn = (await talk.say()).turn
    lost, running, made = ended(steps.text(0, 1), "lost"), steps.text(1, 1), ended(steps.text(2, 1), "made")
    await talk.append(batch(turn, 2, lost, running))
    before = await talk.log(turn)
    await talk.append(batch(turn, 4, Recovered(2, (0, 1)), made, done(turn), void=(0, 1)))
    assert (await talk.log(turn))[:3] == before
    message = await talk.store.conversations.message(talk.owner, turn.message_id)
    assert message.text == "made"
    assert [bytes(step) for step in message.steps] == [batch(turn, 1, made).entries[0].step.body]  # pyright: ignore[reportOptionalMemberAccess]


async def test_a_step_grows_from_running_to_its_end(talk: Talk) -> None:
    turn = (await talk.say()).turn
    asked = steps.tool_call(0, 1, "c1", "clock")
    claim = steps.tool_result(1, asked)
    await talk.append(batch(turn, 2, asked, ended(asked, "{}"), claim))
    message = await talk.store.conversations.message(talk.owner, turn.message_id)
    assert len(message.steps) == 1
    await talk.append(batch(turn, 5, ended(claim, "12:00"), call()))
    message = await talk.store.conversations.message(talk.owner, turn.message_id)
    assert len(message.steps) == 2
    assert [entry.seq for entry in message.log] == [1, 2, 3, 4, 5]


# --- fencing


async def test_a_batch_of_another_epoch_is_fenced(talk: Talk) -> None:
    turn = (await talk.say()).turn
    appended = await talk.append(replace(batch(turn, 2, delta(), done(turn)), epoch=2))
    assert appended.fenced == {turn.id}
    assert await talk.told(turn) == [(1, "turn")]


async def test_an_ended_or_unknown_turn_is_fenced(talk: Talk) -> None:
    turn = await talk.answered("one", "1")
    unknown = replace(turn, id="nothing")
    appended = await talk.append(batch(turn, turn.seq + 1, delta()), batch(unknown, 2, delta()))
    assert appended.fenced == {turn.id, "nothing"}
    assert (await talk.get(turn)).seq == turn.seq


async def test_a_queued_turn_is_fenced(talk: Talk) -> None:
    await talk.say("one")
    queued = (await talk.say("two", on_busy="queue")).turn
    assert (await talk.append(batch(queued, 2, delta()))).fenced == {queued.id}


async def test_the_owner_before_a_takeover_is_fenced(engine: Engine, talk: Talk) -> None:
    turn = (await talk.say()).turn
    talk.store = await engine.die_and_open()
    (taken,) = await talk.store.turns.claim()
    assert (taken.id, taken.epoch, taken.takeovers) == (turn.id, 2, 1)
    appended = await talk.append(batch(turn, 2, delta()))
    assert appended.fenced == {turn.id}
    assert not (await talk.append(batch(taken, 2, delta()))).fenced


async def test_a_fenced_turn_does_not_hinder_the_others(talk: Talk) -> None:
    fenced, other = (await talk.say()).turn, (await talk.say(parent=None)).turn
    appended = await talk.append(replace(batch(fenced, 2, delta()), epoch=9), batch(other, 2, delta()))
    assert appended.fenced == {fenced.id}
    assert (await talk.get(other)).seq == 2


# --- claiming


async def test_turns_of_a_server_that_was_shut_down_are_claimed(engine: Engine, talk: Talk) -> None:
    first, second = (await talk.say()).turn, (await talk.say(parent=None)).turn
    await talk.append(batch(second, 2, done(second)))
    await talk.store.close()
    store = await engine.open()
    (taken,) = await store.turns.claim()
    assert (taken.id, taken.epoch, taken.takeovers, taken.status) == (first.id, 2, 0, "active")
    assert await store.turns.claim() == ()


async def test_a_queued_turn_is_not_claimed(engine: Engine, talk: Talk) -> None:
    await talk.say("one")
    queued = (await talk.say("two", on_busy="queue")).turn
    store = await engine.die_and_open()
    assert queued.id not in [turn.id for turn in await store.turns.claim()]
    assert (await store.turns.get(talk.owner, queued.id)).status == "queued"


async def test_deaths_are_counted_until_a_step_is_completed(engine: Engine, talk: Talk) -> None:
    await talk.say()
    for deaths in (1, 2):
        talk.store = await engine.die_and_open()
        (turn,) = await talk.store.turns.claim()
        assert turn.takeovers == deaths
    await talk.append(batch(turn, 2, steps.text(0, 1), delta()))
    assert (await talk.get(turn)).takeovers == 2
    await talk.append(batch(turn, 4, ended(steps.text(0, 1), "x")))
    assert (await talk.get(turn)).takeovers == 0


async def test_a_claimed_turn_remembers_which_of_its_calls_were_stopped(engine: Engine, talk: Talk) -> None:
    turn = (await talk.say()).turn
    for owner, index in ((talk.owner, 3), (talk.owner, 5), (talk.owner, 3), ("somebody", 7)):
        await talk.store.turns.stop_call(owner, turn.id, index)
    await talk.store.close()
    (claimed,) = await (await engine.open()).turns.claim()
    assert claimed.settings == replace(turn.settings, stopped=(3, 5))


async def test_a_claimed_turn_remembers_that_it_is_to_be_stopped(engine: Engine, talk: Talk) -> None:
    turn = (await talk.say()).turn
    stopped = await talk.store.turns.request_cancel(talk.owner, turn.id)
    assert (stopped.turn.status, stopped.turn.cancel, stopped.dropped) == ("active", True, ())
    (taken,) = await (await engine.die_and_open()).turns.claim()
    assert taken.cancel


# --- refusals


async def test_a_seq_that_stands_is_refused(talk: Talk) -> None:
    turn = (await talk.say()).turn
    appended = await talk.append(batch(turn, 1, delta()))
    assert appended.refused.keys() == {turn.id}
    assert await talk.told(turn) == [(1, "turn")]


async def test_a_refused_turn_leaves_the_others(talk: Talk) -> None:
    good, bad = [(await talk.say(parent=None)).turn for _ in range(3)], (await talk.say(parent=None)).turn
    wrong = batch(bad, 1, ended(steps.text(0, 1)), call(), done(bad))
    ends = [batch(turn, 2, ended(steps.text(0, 1), "fine"), call(), done(turn)) for turn in good]
    appended = await talk.append(ends[0], wrong, *ends[1:])
    assert appended.refused.keys() == {bad.id}
    assert not appended.fenced
    for turn in good:
        assert await talk.told(turn) == [(1, "turn"), (2, "process_step"), (3, "done")]
    assert (await talk.get(bad)).status == "active"
    assert (await talk.store.conversations.message(talk.owner, bad.message_id)).steps == ()


async def test_a_refused_turn_can_be_ended(talk: Talk) -> None:
    turn = (await talk.say()).turn
    await talk.append(batch(turn, 1, delta()))
    assert not (await talk.append(batch(turn, 2, failed(turn)))).refused
    assert (await talk.get(turn)).status == "failed"


async def test_a_step_that_has_ended_is_not_changed(talk: Talk) -> None:
    turn = (await talk.say()).turn
    step = steps.text(0, 1)
    await talk.append(batch(turn, 2, ended(step, "said")))
    for change in (step, ended(step, "said otherwise")):
        assert (await talk.append(batch(turn, 3, change))).refused.keys() == {turn.id}
    message = await talk.store.conversations.message(talk.owner, turn.message_id)
    assert b"otherwise" not in bytes(message.steps[0])


async def test_data_that_no_database_takes_is_refused_alone(talk: Talk) -> None:
    good, bad, worse = [(await talk.say(parent=None)).turn for _ in range(3)]
    surrogate = replace(batch(bad, 2), entries=(NewEntry(2, "\udc80", b"{}"),))
    row = StepRow(0, 1, "text", "no such state", b"{}")
    strange = replace(batch(worse, 2), entries=(NewEntry(2, "process_step", b"{}", row),))
    appended = await talk.append(surrogate, batch(good, 2, delta()), strange)
    assert appended.refused.keys() == {bad.id, worse.id}
    assert (await talk.get(good)).seq == 2


async def test_a_model_call_is_recorded_once(talk: Talk) -> None:
    turn = (await talk.say()).turn
    await talk.append(batch(turn, 2, call(1)))
    assert (await talk.append(batch(turn, 2, delta(), call(1)))).refused.keys() == {turn.id}
    assert [e.seq for e in await talk.log(turn)] == [1]


async def test_an_empty_flush_is_nothing(talk: Talk) -> None:
    appended = await talk.append()
    assert appended == await talk.append()
    assert (appended.fenced, appended.refused, appended.released, appended.dropped) == (frozenset(), {}, (), ())


async def test_unknown_events_are_kept_as_they_are(talk: Talk) -> None:
    turn = (await talk.say()).turn
    await talk.append(replace(batch(turn, 2), entries=(NewEntry(2, "from_the_future", b'{"a":1}'), entry(3, delta()))))
    assert [(e.name, e.data) for e in (await talk.log(turn))[1:]] == [
        ("from_the_future", b'{"a":1}'),
        ("step_delta", encode(delta())),
    ]
