"""Compaction of the logs of ended turns, and the end of deleted conversations."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from luxx.core import steps
from luxx.core.errors import NotFound
from luxx.core.events import Approval, Event, Recovered, ToolProgress
from luxx.core.replay import Replay
from luxx.core.steps import Step
from luxx.store.interface import Store
from luxx.store.records import ClientRequest, Turn
from tests.store.talk import Talk, batch, call, cancelled, delta, done, ended, whole

LATER = "9999-12-31T00:00:00.000000Z"
EARLIER = "2000-01-01T00:00:00.000000Z"


async def compact_all(store: Store, before: str = LATER) -> int:
    """Compact until there is nothing left to do."""
    total = 0
    while made := await store.turns.compact(before):
        total += made
    return total


async def test_what_stays_keeps_its_seq_and_its_data(talk: Talk) -> None:
    turn = (await talk.say()).turn
    lost, text, asked = steps.text(0, 1), steps.text(1, 1), steps.tool_call(2, 1, "c", "clock")
    answer = steps.tool_result(3, asked)
    await talk.append(batch(turn, 2, lost, delta(), ended(lost, "lost")))
    await talk.append(batch(turn, 5, Recovered(2, (0,)), text, delta("x", 1), ended(text, "x"), void=(0,)))
    await talk.append(batch(turn, 9, asked, ended(asked, "{}"), answer, ToolProgress(index=3), call()))
    await talk.append(batch(turn, 13, ended(answer, "no", "failed"), done(turn)))
    hot = {entry.seq: entry for entry in await talk.log(turn)}

    assert await compact_all(talk.store) == 1
    log = await talk.log(turn)
    assert [entry.seq for entry in log] == [1, 5, 8, 10, 13, 14]
    assert [entry.name for entry in log] == ["turn", "recovered", *["process_step"] * 3, "done"]
    assert all(entry == hot[entry.seq] for entry in log)
    compacted = await talk.get(turn)
    assert (compacted.compacted, compacted.seq) == (True, 14)
    assert [entry.seq for entry in await talk.log(turn, after=6)] == [8, 10, 13, 14]


async def test_decided_approvals_stay(talk: Talk) -> None:
    turn = (await talk.say()).turn
    arguments = {"state": "requested", "text": '"state":"requested"'}
    await talk.append(
        batch(
            turn,
            2,
            Approval(index=0, tool="pay", arguments=arguments, state="requested"),
            Approval(index=0, tool="pay", arguments=arguments, state="approved"),
            done(turn),
        )
    )
    await compact_all(talk.store)
    assert [entry.seq for entry in await talk.log(turn)] == [1, 3, 4]


async def test_a_turn_in_progress_or_ended_just_now_is_left_alone(talk: Talk) -> None:
    running, over = (await talk.say()).turn, (await talk.say(parent=None)).turn
    await talk.append(batch(running, 2, delta()), batch(over, 2, delta(), done(over)))
    assert await compact_all(talk.store, EARLIER) == 0
    assert [entry.seq for entry in await talk.log(over)] == [1, 2, 3]
    assert await compact_all(talk.store) == 1
    assert [entry.seq for entry in await talk.log(running)] == [1, 2]


async def test_a_turn_is_compacted_once(talk: Talk) -> None:
    await talk.answered("one", "1")
    assert await compact_all(talk.store) == 1
    assert await compact_all(talk.store) == 0


async def test_more_turns_than_one_call_takes_are_compacted_by_the_next(talk: Talk) -> None:
    turns = [(await talk.say(parent=None)).turn for _ in range(205)]
    await talk.append(*(batch(turn, 2, done(turn)) for turn in turns))
    assert await talk.store.turns.compact(LATER) == 200
    assert await talk.store.turns.compact(LATER) == 5


PIECES = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["grow", "end", "fail", "progress"])), max_size=25)


@given(pieces=PIECES, recovered=st.booleans())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_compact_log_folds_to_the_same_steps(
    talk: Talk, pieces: list[tuple[int, str]], recovered: bool
) -> None:
    turn = (await talk.say(parent=None)).turn
    entries: list[Event | Step] = []
    state: dict[int, str] = {}
    for index, what in pieces:
        if index not in state:
            entries.append(steps.text(index, 1))
            state[index] = "running"
        if state[index] == "running":
            entries.append(_grown(index, what))
            state[index] = "ended" if what in ("end", "fail") else "running"
    void = tuple(index for index in state if state[index] == "running" or (recovered and index % 2))
    await talk.append(batch(turn, 2, *entries, Recovered(2, void), done(turn), void=void))

    hot = _folded(await talk.log(turn))
    await compact_all(talk.store)
    compact = _folded(await talk.log(turn))
    assert compact.steps() == hot.steps()
    assert (compact.seq, compact.end, compact.started) == (hot.seq, hot.end, hot.started)


def _grown(index: int, what: str) -> Event | Step:
    match what:
        case "end" | "fail":
            return ended(steps.text(index, 1), f"text {index}", "complete" if what == "end" else "failed")
        case "grow":
            return delta("x", index)
        case _:
            return ToolProgress(index=index, message="working")


def _folded(log: tuple) -> Replay:  # pyright: ignore[reportMissingTypeArgument]
    replay = Replay()
    for entry in log:
        replay.apply(entry)
    return replay


# --- deleting


async def test_a_deleted_conversation_is_gone_for_every_reader(talk: Talk) -> None:
    turn = await talk.answered("one", "1")
    assert await talk.store.conversations.delete(talk.owner, talk.id) == ()
    conversations = talk.store.conversations
    for attempt in (
        conversations.get(talk.owner, talk.id),
        conversations.message(talk.owner, turn.message_id),
        conversations.branch(talk.owner, talk.id, None, None, 10, whole),
        conversations.delete(talk.owner, talk.id),
        talk.get(turn),
        talk.say("two"),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert (await conversations.list(talk.owner, 10, None, None)).items == ()
    assert not await conversations.retitle(talk.owner, talk.id, "New")


async def test_deleting_stops_the_turns(talk: Talk) -> None:
    turn = (await talk.say("one")).turn
    queued = [(await talk.say(on_busy="queue")).turn for _ in range(2)]
    stopped = await talk.store.conversations.delete(talk.owner, talk.id)
    assert stopped == (turn.id, *(waiting.id for waiting in queued))
    assert [await _status(talk, waiting) for waiting in queued] == ["cancelled", "cancelled"]
    page = await talk.store.turns.log(talk.owner, turn.id, 0, 10)
    assert (page.turn.status, page.turn.cancel) == ("active", True)


async def test_a_deleted_conversation_is_purged_after_its_turns_have_ended(talk: Talk) -> None:
    request = ClientRequest("r1", "target", b"hash")
    turn = (await talk.say("one", request=request)).turn
    other = await Talk.begin(talk.store)
    kept = await other.answered("two", "2")
    await talk.store.conversations.delete(talk.owner, talk.id)
    await compact_all(talk.store)
    await talk.append(batch(turn, 2, ended(steps.text(0, 1), "x"), call(), cancelled(turn)))
    assert [entry.name for entry in await talk.log(turn)] == ["turn", "process_step", "cancelled"]

    await compact_all(talk.store)
    with pytest.raises(NotFound):
        await talk.log(turn)
    assert await talk.store.turns.replayed(talk.owner, request) is None
    assert (await other.get(kept)).compacted


async def _status(talk: Talk, turn: Turn) -> str:
    return (await talk.store.turns.log(talk.owner, turn.id, 0, 1)).turn.status
