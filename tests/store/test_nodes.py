"""Many nodes on one database: who owns what, who takes over, and what they hear of each other."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from luxx.core import steps
from luxx.core.errors import Fenced, InvalidRequest, StorageError
from luxx.store.news import CancelWanted, LogsGrew, Missed, Told, TurnsFreed
from luxx.store.postgres.store import PostgresStore
from luxx.store.records import (
    ClientRequest,
    ConversationSettings,
    Turn,
)
from tests.postgres_server import PostgresServer
from tests.store.cluster import QUICK, WATCHFUL, Cluster, hears
from tests.store.engines import reaped
from tests.store.talk import Talk, batch, delta, done, ended


@pytest.fixture
async def cluster(postgres: PostgresServer) -> AsyncIterator[Cluster]:
    cluster = Cluster(postgres)
    async with asyncio.timeout(50):
        yield cluster
        await cluster.close()


async def started(talk: Talk, number: int) -> list[Turn]:
    return [(await talk.say(parent=None)).turn for _ in range(number)]


async def claimed(store: PostgresStore, limit: int | None = None) -> set[str]:
    return {turn.id for turn in await store.turns.claim(limit)}


# --- owning


async def test_only_the_owner_appends_and_everyone_reads(cluster: Cluster) -> None:
    one, two = await cluster.open(), await cluster.open()
    talk = await Talk.begin(one)
    turn = (await talk.say()).turn
    talk.store = two
    assert (await talk.append(batch(turn, 2, delta("stolen")))).fenced == {turn.id}
    talk.store = one
    await talk.append(batch(turn, 2, delta("a"), delta("b")))
    log = await two.turns.log(two.owner, turn.id, 0, 10)
    assert [entry.seq for entry in log.entries] == [1, 2, 3]
    assert [each.turn_id for each in await one.turns.owned()] == [turn.id]
    assert await two.turns.owned() == ()


async def test_many_logs_are_read_at_once(cluster: Cluster) -> None:
    one, two = await cluster.open(), await cluster.open()
    talk = await Talk.begin(one)
    turns = await started(talk, 3)
    step = steps.text(0, 1)
    await talk.append(batch(turns[0], 2, step, delta("x"), ended(step, "x")), batch(turns[1], 2, delta("y")))
    after = {turns[0].id: 1, turns[1].id: 2, turns[2].id: 0, "nothing": 0}
    logs = await two.turns.logs(after, 2)
    assert logs == {turns[0].id: (await talk.log(turns[0]))[1:3], turns[2].id: await talk.log(turns[2])}
    assert (await two.turns.logs({turns[0].id: 3}, 9))[turns[0].id] == (await talk.log(turns[0]))[3:]
    assert await two.turns.logs({}, 9) == {}


async def test_turns_are_shared_out_without_one_being_given_twice(cluster: Cluster) -> None:
    stores = [await cluster.open() for _ in range(3)]
    talk = await Talk.begin(stores[0])
    turns = {turn.id for turn in await started(talk, 60)}
    await stores[0].nodes.leave()
    claims = await asyncio.gather(*(claimed(store, 5) for _ in range(10) for store in stores[1:]))
    got = [turn_id for claim in claims for turn_id in claim]
    assert max(len(claim) for claim in claims) <= 5
    assert len(got) == len(set(got))
    assert set(got) | await claimed(stores[1]) == turns


async def test_a_turn_that_nobody_works_on_is_taken_up_by_its_own_node(cluster: Cluster) -> None:
    one, two = await cluster.open(), await cluster.open()
    talk = await Talk.begin(one)
    mine, over = await started(talk, 2)
    await talk.append(batch(over, 2, done(over)))
    (taken,) = await one.turns.reclaim([mine.id, over.id, "nothing"])
    assert (taken.id, taken.epoch) == (mine.id, 2)
    assert (await talk.append(batch(mine, 2, delta()))).fenced == {mine.id}
    assert not (await talk.append(batch(taken, 2, delta()))).fenced
    assert await two.turns.reclaim([mine.id]) == ()


async def test_a_turn_that_another_node_wants_stopped_is_found(cluster: Cluster) -> None:
    one, two = await cluster.open(), await cluster.open()
    talk = await Talk.begin(one)
    turn, _ = await started(talk, 2)
    assert await one.turns.cancelled() == ()
    await two.turns.request_cancel(talk.owner, turn.id)
    assert await one.turns.cancelled() == (turn.id,)
    assert [each.cancel for each in await one.turns.owned()] == [True, False]


async def test_the_same_request_sent_to_two_nodes_makes_one_turn(cluster: Cluster) -> None:
    stores = [await cluster.open() for _ in range(2)]
    talk = await Talk.begin(stores[0])
    for number in range(10):
        request = ClientRequest(f"r{number}", f"conversations/{talk.id}/messages", b"hash")
        talks = [Talk(store, await store.conversations.get(store.owner, talk.id)) for store in stores * 2]
        made = await asyncio.gather(*(each.say("one", parent=None, request=request) for each in talks))
        assert len({started.turn.id for started in made}) == 1
        assert sorted(started.replayed for started in made) == [False, True, True, True]


async def test_the_same_request_for_a_conversation_sent_to_two_nodes_makes_one(cluster: Cluster) -> None:
    stores = [await cluster.open() for _ in range(2)]
    for number in range(10):
        request = ClientRequest(f"r{number}", "conversations", b"hash")
        made = await asyncio.gather(
            *(store.conversations.create(store.owner, "x", ConversationSettings(), request) for store in stores * 2)
        )
        assert len({conversation.id for conversation in made}) == 1


async def test_nodes_that_work_in_the_same_conversations_do_not_get_stuck(cluster: Cluster) -> None:
    stores = [await cluster.open() for _ in range(3)]
    talks = [await Talk.begin(stores[0]) for _ in range(3)]

    async def work(store: PostgresStore, turns: int) -> int:
        for number in range(turns):
            here = [Talk(store, await store.conversations.get(store.owner, talk.id)) for talk in talks]
            begun = [(await talk.say(parent=None)).turn for talk in here]
            pairs = zip(here, begun, strict=True)
            behind = [(await talk.say("b", turn.message_id, on_busy="queue")).turn for talk, turn in pairs]
            await asyncio.gather(*(store.turns.request_cancel(store.owner, turn.id) for turn in behind[::2]))
            sealed = [batch(turn, 2, done(turn)) for turn in begun]
            appended = await store.turns.append(tuple(sealed if number % 2 else sealed[::-1]))
            assert not appended.fenced | appended.refused.keys()
            await store.turns.append(tuple(batch(turn, turn.seq + 1, done(turn)) for turn in appended.released))
        return turns

    assert sum(await asyncio.gather(*(work(store, 12) for store in stores))) == 36
    for talk in talks:
        assert await talk.store.turns.unfinished(talk.owner, talk.id) == ()


# --- the lease


async def test_a_lease_that_has_run_out_fences_every_write(cluster: Cluster) -> None:
    store = await cluster.open()
    talk = await Talk.begin(store)
    first, second = await started(talk, 2)
    cluster.expire(store)
    appended = await talk.append(batch(first, 2, delta()), batch(second, 2, done(second)))
    assert appended.fenced == {first.id, second.id}
    with pytest.raises(Fenced):
        await talk.say(parent=None)
    with pytest.raises(Fenced):
        await store.turns.reclaim([first.id])
    assert await store.turns.claim() == ()
    assert (await talk.get(second)).seq == 1


async def test_the_turns_of_a_dead_node_are_taken_over(cluster: Cluster) -> None:
    one, two = await cluster.open(), await cluster.open(QUICK)
    talk = await Talk.begin(one)
    turn = (await talk.say()).turn
    assert await two.turns.claim() == ()
    cluster.expire(one)
    assert await reaped(two) == 1
    (taken,) = await two.turns.claim()
    assert (taken.id, taken.epoch, taken.takeovers) == (turn.id, 2, 1)
    assert (await talk.append(batch(turn, 2, delta("too late")))).fenced == {turn.id}
    talk.store = two
    await talk.append(batch(taken, 2, delta("in time"), done(taken)))
    assert [entry.seq for entry in await talk.log(turn)] == [1, 2, 3]


async def test_a_node_learns_that_its_lease_is_lost_and_works_under_a_new_id(cluster: Cluster) -> None:
    one, two = await cluster.open(WATCHFUL), await cluster.open()
    talk = await Talk.begin(one)
    turn = (await talk.say()).turn
    old = one.node
    one.nodes.check()
    cluster.run(f"DELETE FROM node WHERE id = '{old}'")
    await one.nodes.lost()
    with pytest.raises(Fenced):
        one.nodes.check()
    (taken,) = await two.turns.claim()
    await one.nodes.join()
    one.nodes.check()
    assert one.node == one.nodes.id != old
    assert (await talk.append(batch(turn, 2, delta()))).fenced == {turn.id}
    again = (await talk.say(parent=None)).turn
    assert not (await talk.append(batch(again, 2, delta()))).fenced
    assert not (await two.turns.append((batch(taken, 2, delta()),))).fenced


async def test_a_lease_is_renewed_while_the_event_loop_is_busy(cluster: Cluster) -> None:
    one, two = await cluster.open(QUICK), await cluster.open(QUICK)
    turn = (await (await Talk.begin(one)).say()).turn
    expires = f"SELECT expires FROM node WHERE id = '{one.node}'"
    before = cluster.ask(expires)
    while cluster.ask(expires) < before + timedelta(seconds=QUICK.ttl):
        pass  # the loop is to be blocked for longer than a lease lives
    one.nodes.check()
    assert await two.nodes.reap() == 0
    assert [owned.turn_id for owned in await one.turns.owned()] == [turn.id]


async def test_a_node_reaps_only_after_a_whole_lease_without_fault(cluster: Cluster) -> None:
    one = await cluster.open()
    await Talk.begin(one)
    cluster.expire(one)
    before = time.monotonic()
    two = await cluster.open(QUICK)
    assert await reaped(two) == 1
    assert time.monotonic() - before >= QUICK.ttl


async def test_a_node_that_leaves_gives_its_turns_up_at_once(cluster: Cluster) -> None:
    one, two = await cluster.open(), await cluster.open()
    talk = await Talk.begin(one)
    turn = (await talk.say()).turn
    news = two.nodes.listen()
    await hears(news, Missed)
    await one.nodes.leave()
    await hears(news, TurnsFreed)
    (taken,) = await two.turns.claim()
    assert (taken.id, taken.takeovers) == (turn.id, 0)
    assert (await talk.append(batch(turn, 2, delta()))).fenced == {turn.id}
    with pytest.raises(Fenced):
        one.nodes.check()


# --- what is heard


async def test_what_a_node_writes_is_heard_by_the_others(cluster: Cluster) -> None:
    one, two = await cluster.open(), await cluster.open()
    talk = await Talk.begin(one)
    turn = (await talk.say()).turn
    heard, own = two.nodes.listen(), one.nodes.listen()
    await hears(heard, Missed)
    await hears(own, Missed)
    await talk.append(batch(turn, 2, delta()))
    assert await hears(heard, LogsGrew) == LogsGrew((turn.id,))
    await two.turns.request_cancel(talk.owner, turn.id)
    assert await hears(own, CancelWanted) == CancelWanted((turn.id,))
    await two.nodes.tell("ü")
    assert await hears(own, Told) == Told("ü")
    await one.close()
    assert [news async for news in own] == []


async def test_what_is_told_at_once_is_all_heard_in_its_order(cluster: Cluster) -> None:
    one, two = await cluster.open(), await cluster.open()
    news = one.nodes.listen()
    await hears(news, Missed)
    texts = [f"word {number}" for number in range(100)]
    await asyncio.gather(*map(two.nodes.tell, texts))
    assert [await hears(news, Told) for _ in texts] == [Told(text) for text in texts]


async def test_after_the_close_nothing_is_told(cluster: Cluster) -> None:
    store = await cluster.open()
    await store.close()
    with pytest.raises(StorageError):
        await store.nodes.tell("too late")


async def test_a_listener_whose_connection_breaks_hears_that_it_missed_something(cluster: Cluster) -> None:
    one, two = await cluster.open(), await cluster.open()
    news = one.nodes.listen()
    await hears(news, Missed)
    cluster.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
    await hears(news, Missed)
    await two.nodes.tell("again")
    assert await hears(news, Told) == Told("again")


async def test_what_is_too_long_to_be_told_is_refused(cluster: Cluster) -> None:
    store = await cluster.open()
    await store.nodes.tell("x" * 7_000)
    for text in ("x" * 8_000, '"' * 5_000):
        with pytest.raises(InvalidRequest):
            await store.nodes.tell(text)
