"""A flush whose outcome is unknown, tried again byte for byte."""

from msgspec.structs import replace

from luxx.core import steps
from tests.store.talk import Talk, batch, call, cancelled, delta, done, ended


async def test_a_flush_that_was_committed_is_not_written_twice(talk: Talk) -> None:
    turn = (await talk.say()).turn
    sealed = batch(turn, 2, steps.text(0, 1), delta(), ended(steps.text(0, 1), "x"), call())
    await talk.append(sealed)
    again = await talk.append(sealed, retry=True)
    assert not again.fenced | again.refused.keys()
    assert [entry.seq for entry in await talk.log(turn)] == [1, 2, 3, 4]


async def test_the_parts_of_an_answer_are_known_again_in_whatever_order_they_stand(talk: Talk) -> None:
    turn = (await talk.say()).turn
    thoughts = [ended(steps.thinking(index, 1), "x") for index in range(2)]
    sealed = batch(turn, 2, thoughts[0], call(0), thoughts[1], call(-1), call(1))
    assert not (await talk.append(sealed)).refused
    assert not (await talk.append(sealed, retry=True)).refused
    other = replace(sealed, calls=(call(0), replace(call(-1), raw=b"other"), call(1)))
    assert (await talk.append(other, retry=True)).refused.keys() == {turn.id}


async def test_a_flush_that_was_lost_is_written(talk: Talk) -> None:
    turn = (await talk.say()).turn
    again = await talk.append(batch(turn, 2, delta(), call()), retry=True)
    assert not again.fenced | again.refused.keys()
    assert (await talk.get(turn)).seq == 2


async def test_other_entries_in_the_place_are_refused(talk: Talk) -> None:
    turns = [(await talk.say(parent=None)).turn for _ in range(4)]
    step = ended(steps.text(0, 1), "x")
    await talk.append(*(batch(turn, 2, delta("a"), step) for turn in turns))
    data, name, epoch, body = turns
    again = await talk.append(
        batch(data, 2, delta("b"), step),
        batch(name, 2, steps.text(1, 1), step),
        replace(batch(epoch, 2, delta("a"), step), epoch=2),
        batch(body, 2, delta("a"), ended(steps.text(0, 1), "y")),
        retry=True,
    )
    assert again.refused.keys() == {turn.id for turn in turns} - {epoch.id}
    assert again.fenced == {epoch.id}


async def test_a_flush_that_stands_in_part_is_refused(talk: Talk) -> None:
    turn = (await talk.say()).turn
    await talk.append(batch(turn, 2, delta("a")))
    again = await talk.append(batch(turn, 2, delta("a"), delta("b")), retry=True)
    assert again.refused.keys() == {turn.id}


async def test_without_retry_an_equal_entry_is_refused(talk: Talk) -> None:
    turn = (await talk.say()).turn
    sealed = batch(turn, 2, delta())
    await talk.append(sealed)
    assert (await talk.append(sealed)).refused.keys() == {turn.id}


async def test_an_end_that_was_committed_counts_as_written(talk: Talk) -> None:
    turn = (await talk.say()).turn
    sealed = batch(turn, 2, ended(steps.text(0, 1), "x"), done(turn))
    await talk.append(sealed)
    before = await talk.get(turn)
    again = await talk.append(sealed, retry=True)
    assert not again.fenced | again.refused.keys()
    assert await talk.get(turn) == before


async def test_the_turns_that_a_committed_end_started_are_told_again(talk: Talk) -> None:
    turn = (await talk.say()).turn
    queued = (await talk.say(on_busy="queue")).turn
    sealed = batch(turn, 2, done(turn))
    first = await talk.append(sealed)
    later = (await talk.say("an edit", parent=turn.message_id)).turn
    again = await talk.append(sealed, retry=True)
    assert [released.id for released in first.released] == [queued.id]
    assert again.released == first.released
    assert later.id not in [released.id for released in again.released]


async def test_the_turns_that_a_committed_end_cancelled_are_told_again(talk: Talk) -> None:
    turn = (await talk.say()).turn
    behind = [(await talk.say(on_busy="queue")).turn.id for _ in range(3)]
    sealed = batch(turn, 2, cancelled(turn))
    first = await talk.append(sealed)
    again = await talk.append(sealed, retry=True)
    assert [dropped.id for dropped in first.dropped] == behind
    assert again.dropped == first.dropped


async def test_a_flush_that_was_committed_for_some_is_completed(talk: Talk) -> None:
    written, lost = (await talk.say()).turn, (await talk.say(parent=None)).turn
    await talk.append(batch(written, 2, delta()))
    again = await talk.append(batch(written, 2, delta()), batch(lost, 2, delta()), retry=True)
    assert not again.fenced | again.refused.keys()
    assert [(await talk.get(turn)).seq for turn in (written, lost)] == [2, 2]


async def test_a_model_call_alone_is_known_again(talk: Talk) -> None:
    turn = (await talk.say()).turn
    sealed = batch(turn, 2, call(1))
    await talk.append(sealed)
    assert not (await talk.append(sealed, retry=True)).refused
    other = replace(sealed, calls=(replace(call(1), raw=b"[]"),))
    assert (await talk.append(other, retry=True)).refused.keys() == {turn.id}


async def test_a_flush_tried_again_is_fenced_if_the_turn_was_taken_over(talk: Talk) -> None:
    turn = (await talk.say()).turn
    again = await talk.append(replace(batch(turn, 2, delta()), epoch=2), retry=True)
    assert again.fenced == {turn.id}


async def test_a_retry_of_what_another_owner_wrote_since_is_fenced_and_not_refused(talk: Talk) -> None:
    turn = await talk.say("hi")
    (again,) = await talk.store.turns.reclaim([turn.turn.id])
    await talk.append(batch(again, 2, delta("theirs")))
    late = await talk.append(batch(turn.turn, 2, delta("mine")), retry=True)
    assert (late.fenced, late.refused) == (frozenset({again.id}), {})
