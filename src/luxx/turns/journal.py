"""The journal: the logs of this node's turns on their way to the store, and their last entries for those who follow.

What is shown is stored: an entry reaches a reader only after its commit. A flush starts when the last one has ended and
takes what all turns appended meanwhile; text of one step that waits for the same flush becomes one event.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Iterable

import msgspec
import structlog

from luxx.core import events
from luxx.core.errors import Fenced, LuxxError, StorageError
from luxx.core.events import LogEntry
from luxx.core.replay import Replay
from luxx.engine.resume import closed
from luxx.store.interface import Store
from luxx.store.records import Appended, LogPage, Turn, TurnBatch
from luxx.turns.foreign import Foreign
from luxx.turns.history import replay
from luxx.turns.recent import Recent
from luxx.turns.turn_log import TurnLog

_log = structlog.get_logger()

PAGE = 500
"""Entries read from the store at once."""
PAGE_BYTES = 262_144
"""The most that is read at once for one reader, but for a single entry that is larger: so much a silent reader costs."""
RETRY_PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds between the tries of a flush whose outcome is unknown; the last one repeats."""


class Journal:
    """Owns the live logs, the flush loop and the readers that wait; `run` must be running for anything to be committed.

    `on_appended` is told of each flush that ended or started turns, and `on_asked` of each turn that waits for a person.
    """

    def __init__(
        self,
        store: Store,
        on_appended: Callable[[Appended, tuple[TurnLog, ...]], None],
        on_asked: Callable[[Turn], None],
    ) -> None:
        self._store = store.turns
        self.check = store.nodes.check
        self._on_appended = on_appended
        self._on_asked = on_asked
        self._foreign = Foreign(store.turns, self.wake) if store.nodes.shared else None
        self._logs: dict[str, TurnLog] = {}
        self._dirty: dict[TurnLog, None] = {}
        self._wanted = asyncio.Event()
        self._readers: dict[str, dict[asyncio.Future[None], float]] = {}
        self._draining = False
        self._readable = True

    def open(self, turn: Turn) -> TurnLog:
        """Open the log of a turn that this node owns, to be appended to after its last seq."""
        log = self._logs[turn.id] = TurnLog(turn, self._wants_flush, self.check)
        return log

    def close(self, log: TurnLog) -> None:
        """Let a log go; its readers read on from the store."""
        if self._logs.get(log.turn.id) is log:
            del self._logs[log.turn.id]
        self.wake(log.turn.id)

    def _wants_flush(self, log: TurnLog) -> None:
        """Take a log into the next flush."""
        self._dirty[log] = None
        self._wanted.set()

    async def run(self) -> None:
        """Flush, and read the logs of other nodes, until cancelled; what a cancelled flush wrote is found by the next start."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._flush_all())
            if self._foreign is not None:
                group.create_task(self._foreign.run())

    async def _flush_all(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            dirty, self._dirty = self._dirty, {}
            await self._flush(await self._sealed(dirty))

    async def _sealed(self, dirty: Iterable[TurnLog]) -> dict[str, tuple[TurnLog, TurnBatch]]:
        """Seal what waits; a turn whose events cannot be written as JSON fails alone."""
        sealed: dict[str, tuple[TurnLog, TurnBatch]] = {}
        for log in dirty:
            try:
                batch = log.seal()
            except (TypeError, ValueError, msgspec.MsgspecError) as error:
                _log.error("turn cannot be encoded", turn_id=log.turn.id, error=str(error))
                await self._fail(log, "The turn made something that cannot be stored.")
                continue
            if batch.entries or batch.calls or batch.parked:
                sealed[log.turn.id] = (log, batch)
        return sealed

    async def _fail(self, log: TurnLog, reason: str) -> None:
        """End a turn that cannot be written, with what is committed of it."""
        try:
            committed = await replay(self._store, log.turn.owner_id, log.turn.id)
        except LuxxError:
            committed = Replay()
        log.fail(reason, closed(committed.steps()))

    async def _flush(self, sealed: dict[str, tuple[TurnLog, TurnBatch]]) -> None:
        if not sealed:
            return
        appended = await self._append(tuple(batch for _, batch in sealed.values()))
        ended: list[TurnLog] = []
        for turn_id, (log, batch) in sealed.items():
            if turn_id in appended.fenced:
                log.abandon(Fenced("Another owner has taken the turn over."))
            elif turn_id in appended.refused:
                _log.error("turn refused by the store", turn_id=turn_id, reason=appended.refused[turn_id])
                await self._fail(log, f"The store refused what the turn wrote: {appended.refused[turn_id]}")
            else:
                log.publish(batch)
                if batch.end is not None:
                    ended.append(log)
                if batch.approvals:
                    self._on_asked(log.turn)
            self.wake(turn_id)
        if ended or appended.released or appended.dropped:
            self._on_appended(appended, tuple(ended))

    async def _append(self, batches: tuple[TurnBatch, ...]) -> Appended:
        """Append, and again byte for byte as long as the outcome is unknown."""
        attempt = 0
        while True:
            try:
                return await self._store.append(batches, retry=attempt > 0)
            except StorageError as error:
                pause = RETRY_PAUSES[min(attempt, len(RETRY_PAUSES) - 1)]
                attempt += 1
                _log.error("flush failed, trying again", error=str(error), attempt=attempt, turns=len(batches))
                await asyncio.sleep(pause)

    async def tail(self, owner: str, turn_id: str, after: int) -> AsyncGenerator[tuple[LogEntry, ...], None]:
        """Yield what is committed after a seq, as it comes; an empty tuple at a tick without news.

        Ends after the turn's last event, and before it when the journal drains or the store cannot be read: then the reader is
        to come again. Raises NotFound for a turn that is gone.
        """
        with contextlib.ExitStack() as following:
            followed: Recent | None = None
            left: Recent | None = None
            while not self._draining:
                reader = self._reader(turn_id)  # before the look at the log: else an append in between is missed
                try:
                    log = self._logs.get(turn_id)
                    recent = log.recent if log is not None else followed
                    entries = _known(recent, left if log is None else None, after)
                    left = log.recent if log is not None else None
                    ended = False
                    if entries is None:
                        page = await self._page(owner, turn_id, after)
                        if page is None:
                            return
                        entries, ended = page.entries, page.turn.ended and page.whole
                    if entries:
                        after = entries[-1].seq
                        yield entries
                        ended = ended or entries[-1].name in events.END_NAMES
                    if ended:
                        return
                    if recent is None and self._foreign is not None:
                        followed = following.enter_context(self._foreign.following(turn_id, after))
                    elif not entries:
                        await reader
                        if recent is None or recent.committed_seq <= after:
                            yield ()
                finally:
                    self._forget(turn_id, reader)

    async def _page(self, owner: str, turn_id: str, after: int) -> LogPage | None:
        """Read from the store; None if it cannot be read, which is logged once, however many readers find it out."""
        try:
            page = await self._store.log(owner, turn_id, after, PAGE, PAGE_BYTES)
        except StorageError as error:
            if self._readable:
                _log.warning("logs cannot be read, their readers are to come again", error=error.message)
            self._readable = False
            return None
        self._readable = True
        return page

    def heard(self, turn_ids: Iterable[str]) -> None:
        """Look at the logs of these turns of other nodes, if anybody follows them here."""
        if self._foreign is not None:
            self._foreign.heard(turn_ids)

    def tick(self, silence: float) -> None:
        """Wake the readers that had nothing for `silence` seconds."""
        before = time.monotonic() - silence
        for readers in list(self._readers.values()):
            _wake(reader for reader, since in readers.items() if since <= before)

    def wake(self, turn_id: str) -> None:
        """Wake a turn's readers to look at its log again."""
        _wake(self._readers.get(turn_id, ()))

    def drain(self) -> None:
        """End all tails; the logs go on."""
        self._draining = True
        for turn_id in list(self._readers):
            self.wake(turn_id)

    def _reader(self, turn_id: str) -> asyncio.Future[None]:
        reader = asyncio.get_running_loop().create_future()
        self._readers.setdefault(turn_id, {})[reader] = time.monotonic()
        return reader

    def _forget(self, turn_id: str, reader: asyncio.Future[None]) -> None:
        if readers := self._readers.get(turn_id):
            readers.pop(reader, None)
            if not readers:
                del self._readers[turn_id]


def _known(recent: Recent | None, left: Recent | None, after: int) -> tuple[LogEntry, ...] | None:
    """Return what memory has after a seq, None if it cannot tell; `left` is the end of a log that was closed since the last look."""
    known = recent.since(after) if recent is not None else None
    return (left.since(after) or known) if left is not None else known


def _wake(readers: Iterable[asyncio.Future[None]]) -> None:
    for reader in list(readers):
        if not reader.done():
            reader.set_result(None)
