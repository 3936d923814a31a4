"""Membership: what a node does because there are others: take up turns, hear of them, and stop when its lease is lost."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

import structlog

from luxx.core.errors import StorageError
from luxx.core.ports import Decision
from luxx.store.interface import Store
from luxx.store.news import CancelWanted, LogsGrew, Missed, Told, TurnsFreed
from luxx.store.records import (
    Turn,
)

_log = structlog.get_logger()
LOOK_EVERY = 1.0
"""Seconds between two looks for turns to take up, and two comparisons of rows with tasks."""
CANCEL_EVERY = 0.2
"""Seconds between two looks for turns that another node's client wants stopped."""


class Worker(Protocol):
    """The supervisor, as far as it is directed from here."""

    @property
    def room(self) -> int:
        """How many turns may be taken up."""
        ...

    def at_work(self) -> dict[str, int]:
        """Return the turns that have a task here, with their epochs."""
        ...

    def take_up(self, turns: Iterable[Turn]) -> None:
        """Begin to work on turns that this node owns now."""
        ...

    def stop(self, turn_id: str) -> None:
        """Cancel a turn: somebody asked for it."""
        ...

    def decided(self, turn_id: str, index: int, decision: Decision) -> None:
        """Take what a person has decided for a turn."""
        ...

    async def let_go(self, turn_ids: Iterable[str] | None = None) -> None:
        """Stop the tasks of turns that are not this node's any more (None: of all) without a trace; return when they have ended."""
        ...

    def heard(self, turn_ids: Iterable[str]) -> None:
        """Look at the logs of these turns of other nodes."""
        ...

    def told(self, text: str) -> None:
        """Take what another node told."""
        ...

    def missed(self) -> None:
        """Assume that news were lost."""
        ...


class Membership:
    """Keeps a node's tasks and its rows the same. `run` must be running from start to end of the server."""

    def __init__(self, store: Store, worker: Worker, rests: Callable[[str], bool]) -> None:
        """`rests` tells whether a turn is not to be taken up now."""
        self._store = store
        self._worker = worker
        self._rests = rests
        self._look_now = asyncio.Event()
        self._unattended: set[str] = set()
        self._rowless: set[str] = set()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look_after())
            if self._store.nodes.shared:
                group.create_task(self._look_for_cancels())
                group.create_task(self._listen())
                group.create_task(self._rejoin())

    def look(self) -> None:
        """Look for what there is to do now, not in a second."""
        self._look_now.set()

    async def _look_after(self) -> None:
        while True:
            self._look_now.clear()
            try:
                await self._store.nodes.reap()
                if (room := self._worker.room) > 0:
                    self._worker.take_up(await self._store.turns.claim(room))
                await self._compare()
                await self._deliver()
            except StorageError as error:
                _log.warning("the look for turns to take up failed, trying again", error=error.message)
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await self._look_now.wait()
            except TimeoutError:
                continue

    async def _compare(self) -> None:
        """Take up rows without a task and stop tasks without a row, seen so twice: the first time it may just be on its way."""
        rows = {owned.turn_id: owned for owned in await self._store.turns.owned()}
        at_work = self._worker.at_work()
        unattended = {turn_id for turn_id in rows.keys() - at_work.keys() if not self._rests(turn_id)}
        rowless = at_work.keys() - rows.keys()
        if lost := unattended & self._unattended:
            _log.error("turns without a task", turn_ids=sorted(lost))
            self._worker.take_up(await self._store.turns.reclaim(lost))
        if gone := rowless & self._rowless:
            await self._worker.let_go(gone)
        self._unattended, self._rowless = unattended - self._unattended, rowless - self._rowless
        for turn_id in at_work.keys() & rows.keys():
            if rows[turn_id].cancel:
                self._worker.stop(turn_id)

    async def _deliver(self) -> None:
        """Hand on what was decided through other nodes; it is handed on until it is in the log."""
        if self._worker.at_work():
            for decided in await self._store.approvals.decisions(self._store.nodes.id):
                self._worker.decided(decided.turn_id, decided.index, decided.decision)

    async def _look_for_cancels(self) -> None:
        while True:
            await asyncio.sleep(CANCEL_EVERY)
            if not self._worker.at_work():
                continue
            try:
                for turn_id in await self._store.turns.cancelled():
                    self._worker.stop(turn_id)
            except StorageError as error:
                _log.warning("the look for cancelled turns failed, trying again", error=error.message)

    async def _listen(self) -> None:
        async for news in self._store.nodes.listen():
            match news:
                case LogsGrew(turn_ids=turn_ids):
                    self._worker.heard(turn_ids)
                case CancelWanted(turn_ids=turn_ids):
                    for turn_id in turn_ids:
                        self._worker.stop(turn_id)
                case TurnsFreed():
                    self._look_now.set()
                case Told(text=text):
                    self._worker.told(text)
                case Missed():
                    self._worker.missed()
                    self._look_now.set()

    async def _rejoin(self) -> None:
        """When the lease is lost, let all turns go, and work again under a new id after their tasks have ended."""
        while True:
            await self._store.nodes.lost()
            _log.error("the lease is lost, all turns are let go", node=self._store.nodes.id)
            await self._worker.let_go()
            while True:
                try:
                    await self._store.nodes.join()
                    break
                except StorageError as error:
                    _log.warning("the database cannot be joined again, trying again", error=error.message)
                    await asyncio.sleep(LOOK_EVERY)
            _log.info("joined again", node=self._store.nodes.id)
            self._look_now.set()
