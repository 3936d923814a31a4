"""The journal: the logs of this node's turns on their way to the store, and their last entries for those who follow.

What is shown is stored: an entry reaches a reader only after its commit. A flush starts when the last one has ended and
takes what all turns appended meanwhile; text of one step that waits for the same flush becomes one event.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable

import msgspec
import structlog

from luxx.core import events
from luxx.core.errors import Fenced, StorageError
from luxx.core.events import LogEntry, ProcessStep, Recovered, StepDelta
from luxx.core.ports import ModelCall
from luxx.store.interface import Store
from luxx.store.records import Appended, NewEntry, StepRow, Turn, TurnBatch
from luxx.turns.foreign import Foreign
from luxx.turns.recent import Recent

_log = structlog.get_logger()
_json = msgspec.json.Encoder()

WAITING_CHARACTERS = 262_144
"""How much text of one turn may wait for its commit before its provider is read no further."""
PAGE = 500
"""Entries read from the store at once."""
RETRY_PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds between the tries of a flush whose outcome is unknown; the last one repeats."""


class _Growth:
    """Text of one step that waits for the next flush."""

    __slots__ = ("index", "pieces")

    def __init__(self, event: StepDelta) -> None:
        self.index = event.index
        self.pieces = [event.text]


class TurnLog:
    """The writer of one turn's log (luxx.core.ports.Emit), owned by the turn's task; the journal seals and commits it."""

    def __init__(self, journal: "Journal", turn: Turn) -> None:
        self.turn_id = turn.id
        self.message_id = turn.message_id
        self.owner_id = turn.owner_id
        self.conversation_id = turn.conversation_id
        self.epoch = turn.epoch
        self.recent = Recent(turn.seq)
        self.end: events.End | None = None
        self._journal = journal
        self._sealed_seq = turn.seq
        self._waiting: list[events.Event | ModelCall | _Growth] = []
        self._waiting_characters = 0
        self._appended = self._sealed = self._committed = 0
        self._broken: StorageError | None = None
        self._failing = False
        self._commits: deque[tuple[int, asyncio.Future[None]]] = deque()

    def append(self, entry: events.Event | ModelCall) -> None:
        """Append without waiting; see luxx.core.ports.Emit."""
        if self._broken:
            raise self._broken
        if self.end is not None:
            raise Fenced("The turn has ended: nothing can be appended to its log.")
        self._appended += 1
        if isinstance(entry, StepDelta):
            self._grow(entry)
        else:
            self._waiting.append(entry)
            if isinstance(entry, events.Done | events.Failed | events.Cancelled):
                self.end = entry
        self._journal.wants_flush(self)

    async def committed(self) -> None:
        """Wait for the commit of all that was appended; see luxx.core.ports.Emit."""
        if self._broken:
            raise self._broken
        await self._settled()
        self._journal.check()

    async def closed(self) -> None:
        """Wait until the last event is committed; for a log that was taken away, at once."""
        with contextlib.suppress(StorageError):
            await self._settled()

    async def _settled(self) -> None:
        if self._committed < self._appended:
            waiter = asyncio.get_running_loop().create_future()
            self._commits.append((self._appended, waiter))
            await waiter

    async def room(self) -> None:
        """Wait while too much text waits for its commit; see luxx.core.ports.Emit."""
        if self._waiting_characters > WAITING_CHARACTERS:
            await self.committed()
        self._journal.check()

    def abandon(self, reason: StorageError) -> None:
        """Refuse whatever comes: the turn is no longer this process's to write."""
        self._broken = self._broken or reason
        self._waiting.clear()
        self._committed = self._appended
        self._release(reason)

    def fail(self, reason: str) -> None:
        """End the turn because the store refuses what it wrote; what was not committed is dropped."""
        error = StorageError(reason)
        self.abandon(error)
        if self._failing:
            return
        self._failing = True
        self._sealed_seq = self.recent.committed_seq
        self.end = events.Failed(content=reason, code=error.code, message_id=self.message_id)
        self._waiting.append(self.end)
        self._appended += 1
        self._journal.wants_flush(self)

    def seal(self) -> TurnBatch:
        """Fix what waits under its seqs; called by the journal for a flush."""
        waiting, self._waiting, self._waiting_characters = self._waiting, [], 0
        self._sealed = self._appended
        entries: list[NewEntry] = []
        calls: list[ModelCall] = []
        void: tuple[int, ...] = ()
        for item in waiting:
            if isinstance(item, ModelCall):
                calls.append(item)
                continue
            self._sealed_seq += 1
            entries.append(_entry(self._sealed_seq, item))
            if isinstance(item, Recovered):
                void += item.discarded
        end = self.end if waiting and waiting[-1] is self.end else None
        return TurnBatch(
            turn_id=self.turn_id, epoch=self.epoch, entries=tuple(entries), calls=tuple(calls), void=void, end=end
        )

    def publish(self, batch: TurnBatch) -> None:
        """Make a committed batch readable."""
        self.recent.publish(LogEntry(entry.seq, entry.name, entry.data) for entry in batch.entries)
        self._committed = self._sealed
        self._release(None)

    def _grow(self, event: StepDelta) -> None:
        self._waiting_characters += len(event.text)
        last = self._waiting[-1] if self._waiting else None
        if isinstance(last, _Growth) and last.index == event.index:
            last.pieces.append(event.text)
        else:
            self._waiting.append(_Growth(event))

    def _release(self, error: StorageError | None) -> None:
        while self._commits and self._commits[0][0] <= self._committed:
            _, waiter = self._commits.popleft()
            if not waiter.done():
                waiter.set_exception(error) if error else waiter.set_result(None)


def _entry(seq: int, item: events.Event | _Growth) -> NewEntry:
    if isinstance(item, _Growth):
        text = item.pieces[0] if len(item.pieces) == 1 else "".join(item.pieces)
        return NewEntry(seq, StepDelta.name, b'{"index":%d,"text":%s}' % (item.index, _json.encode(text)))
    if isinstance(item, ProcessStep):
        step = item.step
        body = _json.encode(step)
        row = StepRow(step.index, step.call, str(step.__struct_config__.tag), step.state, body)
        return NewEntry(seq, item.name, b'{"step":' + body + b"}", row)
    return NewEntry(seq, item.name, events.encode(item))


class Journal:
    """Owns the live logs, the flush loop and the readers that wait; `run` must be running for anything to be committed.

    `on_appended` is told of each flush that ended or started turns.
    """

    def __init__(self, store: Store, on_appended: Callable[[Appended, tuple[TurnLog, ...]], None]) -> None:
        self._store = store.turns
        self.check = store.nodes.check
        self._on_appended = on_appended
        self._foreign = Foreign(store.turns, self.wake) if store.nodes.shared else None
        self._logs: dict[str, TurnLog] = {}
        self._dirty: dict[TurnLog, None] = {}
        self._wanted = asyncio.Event()
        self._readers: dict[str, dict[asyncio.Future[None], float]] = {}
        self._draining = False

    def open(self, turn: Turn) -> TurnLog:
        """Open the log of a turn that this node owns, to be appended to after its last seq."""
        log = self._logs[turn.id] = TurnLog(self, turn)
        return log

    def close(self, log: TurnLog) -> None:
        """Let a log go; its readers read on from the store."""
        self._logs.pop(log.turn_id, None)
        self.wake(log.turn_id)

    def wants_flush(self, log: TurnLog) -> None:
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
            await self._flush(_sealed(dirty))

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
                log.fail(f"The store refused what the turn wrote: {appended.refused[turn_id]}")
            else:
                log.publish(batch)
                if batch.end is not None:
                    ended.append(log)
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

    async def tail(self, turn_id: str, after: int) -> AsyncGenerator[tuple[LogEntry, ...], None]:
        """Yield what is committed after a seq, as it comes; an empty tuple at a tick without news.

        Ends after the turn's last event, or when the journal drains. Raises NotFound for a turn that is gone.
        """
        with contextlib.ExitStack() as following:
            followed: Recent | None = None
            while not self._draining:
                reader = self._reader(turn_id)  # before the look at the log: else an append in between is missed
                try:
                    log = self._logs.get(turn_id)
                    recent = log.recent if log is not None else followed
                    entries = recent.since(after) if recent is not None else None
                    ended = False
                    if entries is None:
                        page = await self._store.log(turn_id, after, PAGE)
                        entries, ended = page.entries, page.turn.ended and len(page.entries) < PAGE
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


def _sealed(dirty: Iterable[TurnLog]) -> dict[str, tuple[TurnLog, TurnBatch]]:
    """Seal what waits; a turn whose events cannot be written as JSON fails alone."""
    sealed: dict[str, tuple[TurnLog, TurnBatch]] = {}
    for log in dirty:
        try:
            batch = log.seal()
        except (TypeError, ValueError, msgspec.MsgspecError) as error:
            _log.error("turn cannot be encoded", turn_id=log.turn_id, error=str(error))
            log.fail("The turn made something that cannot be stored.")
            continue
        if batch.entries or batch.calls:
            sealed[log.turn_id] = (log, batch)
    return sealed


def _wake(readers: Iterable[asyncio.Future[None]]) -> None:
    for reader in list(readers):
        if not reader.done():
            reader.set_result(None)
