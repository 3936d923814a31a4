"""SQLite's writer: shared transactions, and what happens when the database fails."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from luxx.core import steps
from luxx.core.errors import Conflict, StorageError
from luxx.store.interface import Store
from luxx.store.records import Turn
from luxx.store.secrets import SecretBox
from luxx.store.sqlite.store import open_sqlite
from tests.store.engines import KEY
from tests.store.faults import Faults, fail
from tests.store.talk import Talk, batch, delta, done, ended


@pytest.fixture
def faults() -> Faults:
    return Faults(busy_timeout=0.05)


@pytest.fixture
async def store(tmp_path: Path, faults: Faults) -> AsyncIterator[Store]:
    store = await open_sqlite(tmp_path / "data", SecretBox([KEY]), connect=faults.connect)
    yield store
    faults.before_commit = faults.after_commit = None
    await store.close()


async def test_writes_that_wait_share_one_commit(talk: Talk, faults: Faults) -> None:
    waits, go = faults.hold_commit()
    before = faults.commits
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(talk.say(parent=None))
        assert await asyncio.to_thread(waits.wait, 30)
        others = [tasks.create_task(talk.say(parent=None)) for _ in range(49)]
        await asyncio.sleep(0)
        go.set()
    assert faults.commits == before + 2
    assert len({task.result().turn.id for task in others}) == 49


async def test_a_write_that_is_refused_leaves_those_that_share_its_commit(talk: Talk, faults: Faults) -> None:
    turn = (await talk.say()).turn
    waits, go = faults.hold_commit()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(talk.store.ping())
        assert await asyncio.to_thread(waits.wait, 30)
        fine = tasks.create_task(talk.say(parent=None))
        refused = asyncio.gather(talk.say("busy"), return_exceptions=True)
        flushed = tasks.create_task(talk.append(batch(turn, 2, delta())))
        await asyncio.sleep(0)
        go.set()
    assert fine.result().turn.status == "active"
    assert isinstance((await refused)[0], Conflict)
    assert not flushed.result().fenced
    assert (await talk.get(turn)).seq == 2


async def test_a_caller_who_goes_away_takes_nobody_with_him(talk: Talk, faults: Faults) -> None:
    waits, go = faults.hold_commit()
    holding = asyncio.gather(talk.store.ping())
    assert await asyncio.to_thread(waits.wait, 30)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(talk.say("gone", parent=None), 0.01)
    go.set()
    await holding
    await talk.say("still here", parent=None)
    page = await talk.store.conversations.list(talk.owner, 10, None, "gone")
    assert [conversation.id for conversation in page.items] == [talk.id]


async def flushed(talk: Talk) -> Turn:
    """Return a turn whose text is under way."""
    turn = (await talk.say()).turn
    await talk.append(batch(turn, 2, steps.text(0, 1)))
    return turn


async def test_a_commit_whose_answer_is_lost_is_found_by_the_retry(talk: Talk, faults: Faults) -> None:
    turn = await flushed(talk)
    queued = (await talk.say(on_busy="queue")).turn
    sealed = batch(turn, 3, ended(steps.text(0, 1), "x"), done(turn))
    faults.after_commit = fail
    with pytest.raises(StorageError):
        await talk.append(sealed)
    faults.after_commit = None
    again = await talk.append(sealed, retry=True)
    assert not again.fenced | again.refused.keys()
    assert [released.id for released in again.released] == [queued.id]
    assert [entry.seq for entry in await talk.log(turn)] == [1, 2, 3, 4]


async def test_a_commit_that_failed_is_made_by_the_retry(talk: Talk, faults: Faults) -> None:
    turn = await flushed(talk)
    sealed = batch(turn, 3, ended(steps.text(0, 1), "x"), done(turn))
    faults.before_commit = fail
    for retry in (False, True, True):
        with pytest.raises(StorageError):
            await talk.append(sealed, retry=retry)
    faults.before_commit = None
    assert [entry.seq for entry in await talk.log(turn)] == [1, 2]
    assert not (await talk.append(sealed, retry=True)).refused
    assert (await talk.get(turn)).status == "done"


async def test_all_who_share_a_commit_that_fails_are_told(talk: Talk, faults: Faults) -> None:
    waits, go = faults.hold_commit()
    holding = asyncio.gather(talk.store.ping())
    assert await asyncio.to_thread(waits.wait, 30)
    writes = asyncio.gather(*(talk.say(parent=None) for _ in range(3)), return_exceptions=True)
    await asyncio.sleep(0)
    faults.before_commit = fail
    go.set()
    await holding
    assert [type(outcome) for outcome in await writes] == [StorageError] * 3
    faults.before_commit = None
    assert (await talk.say(parent=None)).turn.status == "active"


async def test_a_full_disk_is_told_and_got_over(talk: Talk, faults: Faults) -> None:
    turn = await flushed(talk)
    assert faults.writing is not None
    (pages,) = faults.writing.execute("PRAGMA page_count").fetchone()
    faults.writing.execute(f"PRAGMA max_page_count = {pages}").fetchone()
    sealed = batch(turn, 3, delta("x" * 100_000))
    with pytest.raises(StorageError, match="full"):
        await talk.append(sealed)
    faults.writing.execute("PRAGMA max_page_count = 1000000").fetchone()
    assert not (await talk.append(sealed, retry=True)).refused
    assert (await talk.get(turn)).seq == 3


async def test_a_database_that_another_program_holds_is_told_and_got_over(talk: Talk, tmp_path: Path) -> None:
    turn = await flushed(talk)
    backup = sqlite3.connect(tmp_path / "data" / "luxx.db", isolation_level=None)
    backup.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="locked"):
        await talk.append(batch(turn, 3, delta()))
    with pytest.raises(StorageError):
        await talk.store.ping()
    assert (await talk.get(turn)).seq == 2
    backup.execute("ROLLBACK")
    backup.close()
    await talk.append(batch(turn, 3, delta()), retry=True)
    assert (await talk.get(turn)).seq == 3


async def test_a_row_that_the_database_refuses_ends_only_its_turn(talk: Talk, faults: Faults) -> None:
    good, bad = (await talk.say()).turn, (await talk.say(parent=None)).turn
    assert faults.writing is not None
    faults.writing.execute(
        "CREATE TEMP TRIGGER refuse BEFORE INSERT ON main.event"
        f" WHEN NEW.turn = (SELECT number FROM turn WHERE id = '{bad.id}')"
        " BEGIN SELECT RAISE(ABORT, 'not this one'); END"
    )
    appended = await talk.append(batch(bad, 2, delta(), done(bad)), batch(good, 2, delta(), done(good)))
    assert appended.refused == {bad.id: "not this one"}
    assert ((await talk.get(good)).status, (await talk.get(bad)).status) == ("done", "active")


async def test_a_closed_store_says_so(talk: Talk) -> None:
    turn = (await talk.say()).turn
    await talk.store.close()
    await talk.store.close()
    for attempt in (talk.get(turn), talk.say(parent=None), talk.store.ping()):
        with pytest.raises(StorageError, match="closed"):
            await attempt


async def test_what_waits_to_be_written_is_written_before_the_store_closes(talk: Talk, tmp_path: Path) -> None:
    turn = (await talk.say()).turn
    async with asyncio.TaskGroup() as tasks:
        for seq in range(2, 20):
            tasks.create_task(talk.append(batch(turn, seq, delta())))
        await asyncio.sleep(0)
        tasks.create_task(talk.store.close())
    store = await open_sqlite(tmp_path / "data", SecretBox([KEY]))
    assert (await store.turns.get(store.owner, turn.id)).seq == 19
    await store.close()


async def test_the_write_ahead_log_does_not_grow_for_ever(tmp_path: Path) -> None:
    store = await open_sqlite(tmp_path / "small", SecretBox([KEY]), wal_limit=100_000)
    talk = await Talk.begin(store)
    turn = (await talk.say()).turn
    wal, seq, largest, emptied = tmp_path / "small" / "luxx.db-wal", 1, 0, 0
    while emptied < 3:
        seq += 1
        await talk.append(batch(turn, seq, delta("x" * 10_000)))
        size = wal.stat().st_size
        emptied += size < largest
        largest = size if size < largest else max(largest, size)
    assert [entry.seq for entry in await talk.log(turn)] == list(range(1, seq + 1))
    await store.close()
    assert not wal.exists()
