"""Turns that cannot be begun: tried again, ended where that can be written, else left to rest."""

import asyncio
from pathlib import Path
from typing import Never

import pytest

from luxx.core.deltas import TextDelta
from luxx.core.errors import StorageError
from luxx.core.steps import answer_text
from luxx.store.records import Appended
from luxx.turns import aside
from luxx.turns.aside import Aside
from tests.engine.fakes import say
from tests.turns.bench import Bench, FakeEndpoint, bench, until


async def _broken(*given: object) -> Never:
    raise StorageError("The database failed: database disk image is malformed")


class Clock:
    """A clock that the test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def _tried_in_vain(tried: Aside, at: Bench, turn_id: str) -> list[Appended | None]:
    turn = await at.store.turns.get(at.store.owner, turn_id)
    return [await tried.put(turn, StorageError("unreadable")) for _ in range(aside.TRIES)]


async def test_a_turn_whose_history_cannot_be_read_ends_with_a_storage_error(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint(say("never"))) as at:
        at.store.conversations.history = _broken  # pyright: ignore[reportAttributeAccessIssue]
        started = await at.post()
        queued = (await at.post("more", on_busy="queue")).turn
        entries = await at.follow(started.turn.id)
        assert [entry.name for entry in entries] == ["turn", "recovered", "error"]
        assert b'"code":"storage"' in entries[-1].data
        assert [entry.name for entry in await at.follow(queued.id)] == ["turn", "cancelled"]


async def test_a_cancelled_turn_that_cannot_be_read_ends_too(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint(say("never"))) as at:
        at.store.conversations.history = _broken  # pyright: ignore[reportAttributeAccessIssue]
        turn = (await at.post()).turn
        await at.supervisor.cancel(at.store.owner, turn.id)
        assert (await at.follow(turn.id))[-1].name in ("error", "cancelled")


async def test_what_was_made_before_is_kept_when_a_turn_is_given_up(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint([[TextDelta("half")], asyncio.Event()])) as at:
        turn = (await at.post()).turn
        await until(at, turn.id, lambda folded: bool(answer_text(folded.steps())))
        conversation_id = at.conversation_id
    async with bench(tmp_path, FakeEndpoint(), conversation_id=conversation_id) as at:
        at.store.conversations.history = _broken  # pyright: ignore[reportAttributeAccessIssue]
        assert [entry.name for entry in await at.follow(turn.id)][-3:] == ["recovered", "process_step", "error"]
        assert ((await at.last()).status, (await at.last()).text) == ("failed", "half")


async def test_a_turn_is_not_to_blame_while_nothing_can_be_written(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint(say("here"))) as at:
        turn = (await at.post()).turn
        await at.follow(turn.id)
        tried = Aside(at.store)
        at.store.ping = _broken  # pyright: ignore[reportAttributeAccessIssue]
        for _ in range(3):
            assert await _tried_in_vain(tried, at, turn.id) == [None] * aside.TRIES
        assert not tried.rests(turn.id)


async def test_a_turn_that_cannot_even_be_ended_rests_longer_and_longer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with bench(tmp_path, FakeEndpoint(say("here"))) as at:
        turn = (await at.post()).turn
        await at.follow(turn.id)
        clock = Clock()
        tried = Aside(at.store, clock)
        at.store.turns.append = _broken  # pyright: ignore[reportAttributeAccessIssue]
        assert await _tried_in_vain(tried, at, turn.id) == [None] * aside.TRIES
        for rest in (aside.FIRST_REST, aside.FIRST_REST * 2, aside.FIRST_REST * 4):
            clock.now += rest - 1
            assert tried.rests(turn.id)
            clock.now += 1
            assert not tried.rests(turn.id)
            await tried.put(turn, StorageError("unreadable"))
        assert capsys.readouterr().out.count("neither read nor ended") == 1
        tried.forget(turn.id)
        assert not tried.rests(turn.id)
