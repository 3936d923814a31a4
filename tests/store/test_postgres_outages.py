"""PostgreSQL away and back, answers that are lost, and processes that freeze at a bad moment."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from threading import Event

import pytest

from luxx.core import steps
from luxx.core.errors import ConfigurationError, Fenced, StorageError
from luxx.store.interface import Store
from luxx.store.news import Missed
from luxx.store.records import (
    Appended,
    NewEntry,
    TurnBatch,
)
from tests.eventually import eventually
from tests.postgres_server import PostgresServer
from tests.store.cluster import QUICK, Cluster, hears
from tests.store.engines import reaped
from tests.store.talk import Talk, batch, call, delta, done, ended
from tests.wire import wire

SLOW_COMMIT = (
    """
    CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.4); RETURN NULL; END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON event DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.name = 'error' OR NEW.name = 'done') EXECUTE FUNCTION slow()
    """,
)
IN_COMMIT = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"


@pytest.fixture
async def cluster(postgres: PostgresServer) -> AsyncIterator[Cluster]:
    cluster = Cluster(postgres)
    async with asyncio.timeout(50):
        yield cluster
        await cluster.close()


async def until(cluster: Cluster, query: str) -> None:
    """Wait until a query returns something other than 0."""
    await eventually(lambda: asyncio.to_thread(cluster.ask, query))


async def written(talk: Talk, *batches: TurnBatch, retry: bool = False) -> Appended:
    """Append as the journal does: again, byte for byte, as long as the outcome is unknown."""
    while True:
        try:
            return await talk.append(*batches, retry=retry)
        except StorageError:
            retry = True
            await asyncio.sleep(0.02)


async def test_a_commit_whose_answer_is_lost_is_found_by_the_retry(cluster: Cluster) -> None:
    """The connection breaks while the server commits: it goes on, and the retry meets what it is about to have done."""
    async with wire(cluster.server.port) as cable:
        talk = await Talk.begin(await cluster.open(url=cluster.through(cable.port)))
        cluster.run(*SLOW_COMMIT)
        turn, other = (await talk.say()).turn, (await talk.say(parent=None)).turn
        queued = (await talk.say("next", parent=turn.message_id, on_busy="queue")).turn
        step = ended(steps.text(0, 1), "x")
        sealed = (batch(turn, 2, step, call(), done(turn)), batch(other, 2, delta()))
        flush = asyncio.gather(talk.append(*sealed), return_exceptions=True)
        await until(cluster, IN_COMMIT)
        cable.cut()
        (lost,) = await flush
        assert isinstance(lost, StorageError)
        again = await written(talk, *sealed, retry=True)
        assert not again.fenced | again.refused.keys()
        assert [released.id for released in again.released] == [queued.id]
        assert await talk.told(turn) == [(1, "turn"), (2, "process_step"), (3, "done")]
        assert await talk.told(other) == [(1, "turn"), (2, "step_delta")]


async def test_a_server_that_is_killed_and_comes_back_loses_nothing(cluster: Cluster) -> None:
    store = await cluster.open()
    talk = await Talk.begin(store)
    turns = [(await talk.say(parent=None)).turn for _ in range(5)]
    news = store.nodes.listen()
    await hears(news, Missed)
    stop = asyncio.Event()

    async def write() -> int:
        seq = 1
        while not stop.is_set() or seq < 20:
            seq += 1
            appended = await written(talk, *(batch(turn, seq, delta(f"{seq}")) for turn in turns))
            assert not appended.fenced | appended.refused.keys()
        return seq

    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(write())
        for _ in range(2):
            await asyncio.sleep(0.1)
            await asyncio.to_thread(cluster.server.kill)
            with pytest.raises(StorageError):
                await talk.get(turns[0])
            await asyncio.to_thread(cluster.server.start)
            await hears(news, Missed)
        stop.set()
    for turn in turns:
        log = await talk.log(turn)
        assert [entry.seq for entry in log] == list(range(1, writing.result() + 1))
        assert all(entry.data == batch(turn, entry.seq, delta(f"{entry.seq}")).entries[0].data for entry in log[1:])
    assert [owned.turn_id for owned in await store.turns.owned()] == [turn.id for turn in turns]


async def test_a_connection_that_broke_while_it_rested_is_not_noticed(cluster: Cluster) -> None:
    talk = await Talk.begin(await cluster.open())
    turn = (await talk.say()).turn
    await talk.append(batch(turn, 2, delta()))
    cluster.run(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE application_name = 'luxx' AND datname = current_database()"
    )
    await talk.append(batch(turn, 3, delta()))
    assert (await talk.say(parent=None)).turn.status == "active"
    assert (await talk.get(turn)).seq == 3


async def test_a_server_that_says_nothing_is_given_up_and_got_over(cluster: Cluster) -> None:
    talk = await Talk.begin(await cluster.open(patience=1))
    turn = (await talk.say()).turn
    cluster.server.freeze()
    try:
        with pytest.raises(StorageError):
            await talk.append(batch(turn, 2, delta()))
        with pytest.raises(StorageError):
            await talk.append(batch(turn, 2, delta()), retry=True)
    finally:
        cluster.server.thaw()
    assert not (await written(talk, batch(turn, 2, delta()), retry=True)).refused
    assert (await talk.get(turn)).seq == 2


async def test_a_network_that_swallows_everything_is_given_up_and_got_over(cluster: Cluster) -> None:
    async with wire(cluster.server.port) as cable:
        store = await cluster.open(QUICK, url=cluster.through(cable.port), patience=1)
        talk = await Talk.begin(store)
        turn = (await talk.say()).turn
        cable.stop()
        with pytest.raises(StorageError):
            await talk.append(batch(turn, 2, delta()))
        await eventually(lambda: _doubtful(store))
        cable.go_on()
        await until(cluster, f"SELECT count(*) FROM node WHERE id = '{store.node}' AND expires > clock_timestamp()")
        assert not (await written(talk, batch(turn, 2, delta()), retry=True)).refused
        await eventually(lambda: _sure(store))
        assert (await talk.get(turn)).seq == 2


async def _doubtful(store: Store) -> bool:
    return not await _sure(store)


async def _sure(store: Store) -> bool:
    try:
        store.nodes.check()
    except Fenced:
        return False
    return True


class _Stuck(tuple[NewEntry, ...]):
    """Entries in whose middle the process freezes: the thread that writes them waits until it may go on."""

    __slots__ = ()
    reached = Event()
    go_on = Event()

    def __iter__(self) -> Iterator[NewEntry]:
        self.reached.set()
        assert self.go_on.wait(40)
        return super().__iter__()


async def test_a_node_that_freezes_in_a_transaction_does_not_hinder_its_takeover(cluster: Cluster) -> None:
    one, two = await cluster.open(patience=1), await cluster.open(QUICK)
    talk = await Talk.begin(one)
    turn = (await talk.say()).turn
    sealed = batch(turn, 2, delta("too late"))
    frozen = TurnBatch(turn_id=turn.id, epoch=1, entries=_Stuck(sealed.entries))
    _Stuck.reached.clear()
    _Stuck.go_on.clear()
    flush = asyncio.gather(talk.append(frozen), return_exceptions=True)
    assert await asyncio.to_thread(_Stuck.reached.wait, 20)
    await asyncio.to_thread(cluster.run, "SET lock_timeout = '20s'", _expired(one.node))
    assert await reaped(two) == 1
    (taken,) = await two.turns.claim()
    await two.turns.append((batch(taken, 2, delta("in time")),))
    _Stuck.go_on.set()
    (outcome,) = await flush
    assert isinstance(outcome, StorageError)
    assert (await talk.append(frozen, retry=True)).fenced == {turn.id}
    (_, entry) = await talk.log(turn)
    assert b"in time" in entry.data


def _expired(node: str) -> str:
    return f"UPDATE node SET expires = clock_timestamp() - interval '1 second' WHERE id = '{node}'"


async def test_nobody_is_reaped_before_all_could_renew_their_leases(cluster: Cluster) -> None:
    """After the database was away for longer than a lease lives, all leases have expired: no node may lose its turns for that."""
    stores = [await cluster.open(QUICK) for _ in range(3)]
    talk = await Talk.begin(stores[0])
    turn = (await talk.say()).turn
    await asyncio.sleep(QUICK.ttl * 1.2)  # all of them might reap by now
    await asyncio.to_thread(cluster.server.kill)
    await asyncio.sleep(QUICK.ttl * 1.2)
    await asyncio.to_thread(cluster.server.start)
    before = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() < before + QUICK.ttl * 1.5:
        for store in stores:
            try:
                assert await store.nodes.reap() == 0
            except StorageError:
                continue
        await asyncio.sleep(0.02)
    assert not (await written(talk, batch(turn, 2, delta()))).fenced


async def test_a_database_that_cannot_be_reached_is_told_with_its_address_and_without_its_password(
    postgres: PostgresServer,
) -> None:
    cluster = Cluster(postgres)
    for url in ("postgresql://me:sesame@127.0.0.1:1/luxx", cluster.url.replace("luxx@", "luxx:sesame@") + "x"):
        with pytest.raises(ConfigurationError) as refused:
            await cluster.open(url=url)
        assert "127.0.0.1" in refused.value.message
        assert "sesame" not in refused.value.message
    with pytest.raises(ConfigurationError, match="looks like this"):
        await cluster.open(url="mysql:sesame@nowhere")
    await cluster.close()
