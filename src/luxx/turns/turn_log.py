"""A turn's log on its way to the store: what its task appends, until a flush has committed it."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from luxx.core import events
from luxx.core.errors import Fenced, StorageError
from luxx.core.events import LogEntry, ProcessStep, Recovered, StepDelta, ToolProgress
from luxx.core.ports import ModelCall
from luxx.core.steps import Step
from luxx.store.records import NewEntry, StepRow, Turn, TurnBatch
from luxx.turns.recent import begin

_json = msgspec.json.Encoder()

WAITING_CHARACTERS = 262_144
"""How much text of one turn may wait for its commit before its provider is read no further."""
LAST_WORDS = 2
"""How often a turn whose writes are refused tries to end its log."""


class _Growth:
    """Text of one step that waits for the next flush."""

    __slots__ = ("index", "pieces")

    def __init__(self, event: StepDelta) -> None:
        self.index = event.index
        self.pieces = [event.text]


class TurnLog:
    """The writer of one turn's log (luxx.core.ports.Emit), owned by the turn's task; the journal seals and commits it."""

    def __init__(self, turn: Turn, wants_flush: Callable[["TurnLog"], None], check: Callable[[], None]) -> None:
        self.turn = turn
        self.recent = begin(turn)
        self.end: events.End | None = None
        self._wants_flush = wants_flush
        self._check = check
        self._sealed_seq = turn.seq
        self._waiting: list[events.Event | ModelCall | _Growth] = []
        self._waiting_characters = 0
        self._reports: dict[int, int] = {}
        self._appended = self._sealed = self._committed = 0
        self._broken: StorageError | None = None
        self.parked = False
        self._failures = 0
        self._commits: deque[tuple[int, asyncio.Future[None]]] = deque()

    def append(self, entry: events.Event | ModelCall) -> None:
        """Append without waiting; see luxx.core.ports.Emit."""
        if self._broken:
            raise self._broken
        if self.end is not None or self.parked:
            raise Fenced("The turn has ended: nothing can be appended to its log.")
        self._appended += 1
        if isinstance(entry, StepDelta):
            self._grow(entry)
        elif isinstance(entry, ToolProgress) and entry.index in self._reports:
            self._waiting[self._reports[entry.index]] = entry
        else:
            if isinstance(entry, ToolProgress):
                self._reports[entry.index] = len(self._waiting)
            self._waiting.append(entry)
            if isinstance(entry, events.Done | events.Failed | events.Cancelled):
                self.end = entry
        self._wants_flush(self)

    def park(self) -> None:
        """Give the turn up until a person has decided; nothing may follow. One that was taken away is given up already."""
        if self._broken:
            return
        self.parked = True
        self._appended += 1
        self._wants_flush(self)

    @property
    def open(self) -> bool:
        """Whether more can be appended."""
        return self._broken is None and self.end is None and not self.parked

    async def committed(self) -> None:
        """Wait for the commit of all that was appended; see luxx.core.ports.Emit."""
        if self._broken:
            raise self._broken
        await self._all_committed()
        self._check()

    async def closed(self) -> None:
        """Wait until the last event is committed; for a log that was taken away, at once."""
        with contextlib.suppress(StorageError):
            await self._all_committed()

    async def _all_committed(self) -> None:
        if self._committed < self._appended:
            waiter = asyncio.get_running_loop().create_future()
            self._commits.append((self._appended, waiter))
            await waiter

    async def room(self) -> None:
        """Wait while too much text waits for its commit; see luxx.core.ports.Emit."""
        if self._waiting_characters > WAITING_CHARACTERS:
            await self.committed()
        self._check()

    def refuse(self, reason: StorageError) -> None:
        """Take nothing more; what was appended is still written."""
        self._broken = self._broken or reason

    def abandon(self, reason: StorageError) -> None:
        """Take nothing more and drop what waits: the turn is no longer this process's to write."""
        self.refuse(reason)
        self._waiting, self._reports = [], {}
        self._committed = self._appended
        self._release(reason)

    def fail(self, reason: str, ended: Sequence[Step]) -> None:
        """End the turn because the store refuses what it wrote.

        What was not committed is dropped; `ended` ends the steps of what was. If that is refused too, these steps are made void,
        so that the log says of them what the message does: nothing.
        """
        error = StorageError(reason)
        self.abandon(error)
        self._failures += 1
        if self._failures > LAST_WORDS:
            return
        self._sealed_seq = self.recent.committed_seq
        self.end = events.Failed(content=reason, code=error.code, message_id=self.turn.message_id)
        if ended and self._failures == LAST_WORDS:
            self._waiting = [Recovered(self.turn.epoch, tuple(step.index for step in ended)), self.end]
        else:
            self._waiting = [*map(ProcessStep, ended), self.end]
        self._appended += 1
        self._wants_flush(self)

    def seal(self) -> TurnBatch:
        """Fix what waits under its seqs; called by the journal for a flush."""
        waiting, self._waiting, self._waiting_characters, self._reports = self._waiting, [], 0, {}
        self._sealed = self._appended
        entries: list[NewEntry] = []
        calls: list[ModelCall] = []
        void: tuple[int, ...] = ()
        approvals: list[events.Approval] = []
        for item in waiting:
            if isinstance(item, ModelCall):
                calls.append(item)
                continue
            self._sealed_seq += 1
            entries.append(_entry(self._sealed_seq, item))
            if isinstance(item, Recovered):
                void += item.discarded
            elif isinstance(item, events.Approval):
                approvals.append(item)
        end = self.end if waiting and waiting[-1] is self.end else None
        return TurnBatch(
            turn_id=self.turn.id,
            epoch=self.turn.epoch,
            entries=tuple(entries),
            calls=tuple(calls),
            void=void,
            approvals=tuple(approvals),
            parked=self.parked,
            end=end,
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
