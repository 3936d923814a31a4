"""What is shown is stored, once and in order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from luxx.core import steps
from luxx.core.errors import Fenced, StorageError
from luxx.core.events import Cancelled, LogEntry, ProcessStep, StepDelta, ToolProgress
from luxx.store.records import Appended
from luxx.turns.journal import Journal, TurnLog
from luxx.turns.recent import RECENT_BYTES
from tests.turns.fakes import HeldTurnStore, turn


@asynccontextmanager
async def running(store: HeldTurnStore) -> AsyncIterator[tuple[Journal, TurnLog]]:
    journal = Journal(store, lambda appended, ended: None, lambda turn: None)  # pyright: ignore[reportArgumentType]
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        task = group.create_task(journal.run())
        yield journal, journal.open(turn())
        task.cancel()


async def collect(journal: Journal, after: int = 1) -> list[LogEntry]:
    return [entry async for entries in journal.tail("o", "t", after) for entry in entries]


async def first(tail: AsyncIterator[tuple[LogEntry, ...]]) -> tuple[LogEntry, ...]:
    return await anext(tail)


async def test_nothing_is_shown_before_its_commit() -> None:
    store = HeldTurnStore()
    async with running(store) as (journal, log), asyncio.TaskGroup() as group:
        store.gate.clear()
        reader = group.create_task(first(journal.tail("o", "t", 1)))
        log.append(StepDelta(0, "a"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(reader), 0.05)
        store.gate.set()
        assert await reader == (LogEntry(2, "step_delta", b'{"index":0,"text":"a"}'),)


async def test_who_follows_a_new_turn_from_start_to_end_needs_no_look_at_the_store() -> None:
    store = HeldTurnStore()
    async with running(store) as (journal, log), asyncio.TaskGroup() as group:
        reader = group.create_task(collect(journal, after=0))
        await first(journal.tail("o", "t", 0))
        log.append(StepDelta(0, "a"))
        log.append(Cancelled(message_id="m"))
        await log.closed()
        journal.close(log)
        assert [(entry.seq, entry.name) for entry in await reader] == [(1, "turn"), (2, "step_delta"), (3, "cancelled")]
    assert store.reads == 0


async def test_text_that_waits_for_the_same_flush_becomes_one_event() -> None:
    store = HeldTurnStore()
    async with running(store) as (_, log):
        log.append(StepDelta(0, "a"))
        log.append(StepDelta(0, "b"))
        log.append(StepDelta(1, "c"))
        await log.committed()
    assert [(entry.seq, entry.data) for entry in store.flushes[0][0].entries] == [
        (2, b'{"index":0,"text":"ab"}'),
        (3, b'{"index":1,"text":"c"}'),
    ]


async def test_reports_of_one_tool_that_wait_for_the_same_flush_are_one() -> None:
    store = HeldTurnStore()
    async with running(store) as (_, log):
        for number in range(1000):
            log.append(ToolProgress(index=3, message=f"{number}"))
        log.append(ToolProgress(index=4, message="other"))
        await log.committed()
    assert [b'"999"' in entry.data or b'"other"' in entry.data for entry in store.flushes[0][0].entries] == [True, True]


async def test_a_thousand_turns_share_a_flush() -> None:
    store = HeldTurnStore()
    async with running(store) as (journal, _):
        logs = [journal.open(turn(f"t{number}")) for number in range(1000)]
        for log in logs:
            log.append(StepDelta(0, "x"))
        await logs[-1].committed()
    assert len(store.flushes) == 1


async def test_a_flush_of_unknown_outcome_is_repeated_byte_for_byte() -> None:
    store = HeldTurnStore()
    store.losses = 2
    async with running(store) as (_, log):
        log.append(StepDelta(0, "a"))
        await log.committed()
    assert store.retries == [False, True, True]
    assert store.flushes[0] == store.flushes[1] == store.flushes[2]


async def test_a_claim_does_not_wait_for_the_text_that_comes_after_it() -> None:
    store = HeldTurnStore()
    async with running(store) as (_, log), asyncio.TaskGroup() as group:
        log.append(ProcessStep(steps.text(0, 1)))
        claimed = group.create_task(log.committed())
        async with asyncio.timeout(5):
            while not claimed.done():
                log.append(StepDelta(0, "more"))
                await asyncio.sleep(0)


async def test_a_fenced_turn_shows_nothing_and_can_append_no_more() -> None:
    store = HeldTurnStore()
    store.fence.add("t")
    async with running(store) as (_, log):
        log.append(StepDelta(0, "a"))
        with pytest.raises(Fenced):
            await log.committed()
        with pytest.raises(Fenced):
            log.append(StepDelta(0, "b"))
        assert log.recent.since(1) == ()


async def test_a_turn_whose_row_is_refused_ends_with_a_storage_error_and_the_others_go_on() -> None:
    store = HeldTurnStore()
    async with running(store) as (journal, log):
        other = journal.open(turn("other"))
        log.append(ProcessStep(steps.text(0, 1)))
        log.append(StepDelta(0, "kept"))
        await log.committed()
        store.refuse.add("t")
        log.append(StepDelta(0, "poison"))
        with pytest.raises(StorageError):
            await log.committed()
        await log.closed()
        shown = await collect(journal)
        assert [(entry.seq, entry.name) for entry in shown] == [
            (2, "process_step"),
            (3, "step_delta"),
            (4, "process_step"),
            (5, "error"),
        ]
        assert b'"state":"complete","call":1,"content":"kept"' in shown[2].data
        assert b'"code":"storage"' in shown[3].data
        other.append(StepDelta(0, "fine"))
        await other.committed()
        with pytest.raises(StorageError):
            log.append(StepDelta(0, "b"))


async def test_a_turn_that_cannot_be_encoded_fails_alone() -> None:
    store = HeldTurnStore()
    async with running(store) as (journal, log):
        other = journal.open(turn("other"))
        log.append(StepDelta(0, "\ud800"))
        other.append(StepDelta(0, "fine"))
        await other.committed()
        await log.closed()
        assert [entry.name for entry in await collect(journal)] == ["error"]


async def test_nothing_follows_the_end_of_a_turn() -> None:
    async with running(HeldTurnStore()) as (_, log):
        log.append(Cancelled("m"))
        with pytest.raises(Fenced):
            log.append(StepDelta(0, "late"))


async def test_a_reader_at_the_end_reads_no_database_and_one_far_behind_does() -> None:
    store = HeldTurnStore()
    async with running(store) as (journal, log):
        log.append(StepDelta(0, "x" * RECENT_BYTES))
        await log.committed()
        log.append(StepDelta(0, "y"))
        await log.committed()
        assert [entry.seq for entry in await first(journal.tail("o", "t", 2))] == [3]
        assert store.reads == 0
        assert [entry.seq for entry in await first(journal.tail("o", "t", 1))] == [2, 3]
        assert store.reads == 1


async def test_two_readers_from_any_seq_see_every_event_once_and_in_order() -> None:
    store = HeldTurnStore()
    async with running(store) as (journal, log), asyncio.TaskGroup() as group:
        readers = [group.create_task(collect(journal, after)) for after in (1, 1, 3)]
        for number in range(200):
            log.append(StepDelta(number % 2, f"{number};"))
            if number % 7 == 0:
                await log.committed()
        log.append(Cancelled("m"))
        await log.closed()
        journal.close(log)
        whole, again, later = [await reader for reader in readers]
    assert whole == again
    assert [entry.seq for entry in whole] == list(range(2, whole[-1].seq + 1))
    assert later == whole[2:]
    assert whole[-1].name == "cancelled"


async def test_a_reader_of_an_ended_turn_is_served_from_the_store() -> None:
    store = HeldTurnStore()
    async with running(store) as (journal, log):
        log.append(StepDelta(0, "a"))
        log.append(Cancelled("m"))
        await log.closed()
        journal.close(log)
        assert [entry.name for entry in await collect(journal)] == ["step_delta", "cancelled"]


async def test_a_silent_reader_gets_a_tick() -> None:
    async with running(HeldTurnStore()) as (journal, _), asyncio.TaskGroup() as group:
        reader = group.create_task(first(journal.tail("o", "t", 1)))
        await asyncio.sleep(0)
        journal.tick(silence=60)
        await asyncio.sleep(0)
        assert not reader.done()
        journal.tick(silence=0)
        assert await reader == ()


async def test_a_drain_ends_the_readers_and_not_the_turn() -> None:
    async with running(HeldTurnStore()) as (journal, log), asyncio.TaskGroup() as group:
        reader = group.create_task(collect(journal))
        await asyncio.sleep(0)
        journal.drain()
        assert await reader == []
        log.append(StepDelta(0, "goes on"))
        await log.committed()


async def test_the_end_of_a_turn_is_reported_after_its_commit() -> None:
    told: list[tuple[Appended, tuple[TurnLog, ...]]] = []
    store = HeldTurnStore()
    journal = Journal(store, lambda appended, ended: told.append((appended, ended)), lambda turn: None)  # pyright: ignore[reportArgumentType]
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        task = group.create_task(journal.run())
        log = journal.open(turn())
        log.append(Cancelled("m"))
        await log.closed()
        task.cancel()
    assert [ended for _, ended in told] == [(log,)]
