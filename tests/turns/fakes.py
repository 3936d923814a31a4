"""A turn store in memory whose commits the test holds back, loses or refuses."""

import asyncio

import msgspec

from luxx.core.errors import StorageError
from luxx.core.events import LogEntry
from luxx.store.records import Appended, LogPage, Turn, TurnBatch, TurnSettings

SETTINGS = TurnSettings(provider_id="p", provider="p", model="m")


def turn(turn_id: str = "t", seq: int = 1) -> Turn:
    """A turn that this node owns."""
    return Turn(
        id=turn_id,
        owner_id="o",
        conversation_id="c",
        message_id="m",
        user_message_id="u",
        status="active",
        epoch=1,
        seq=seq,
        cancel=False,
        takeovers=0,
        settings=SETTINGS,
        created_at="2026-01-01T00:00:00.000000Z",
    )


class FakeNodes:
    """The nodes as the journal uses them: alone, with a lease that is never lost."""

    shared = False

    def check(self) -> None:
        """Find the lease good."""


class HeldTurnStore:
    """Keeps appended batches in memory; only what the journal uses is there.

    A flush waits for `gate`; `losses` is how many of the next flushes fail after they were written; `refuse` and `fence`
    name turns.
    """

    def __init__(self) -> None:
        self.nodes = FakeNodes()
        self.gate = asyncio.Event()
        self.gate.set()
        self.losses = 0
        self.refuse: set[str] = set()
        self.fence: set[str] = set()
        self.flushes: list[tuple[TurnBatch, ...]] = []
        self.retries: list[bool] = []
        self.reads = 0
        self._logs: dict[str, list[LogEntry]] = {}
        self._ended: set[str] = set()

    @property
    def turns(self) -> "HeldTurnStore":
        """The store of turns: itself."""
        return self

    async def append(self, batches: tuple[TurnBatch, ...], retry: bool = False) -> Appended:
        """Write, or do as told."""
        await self.gate.wait()
        self.flushes.append(batches)
        self.retries.append(retry)
        if self.losses:
            self.losses -= 1
            raise StorageError("the answer was lost")
        for batch in batches:
            if batch.turn_id in self.refuse:
                self.refuse.discard(batch.turn_id)
                return Appended(refused={batch.turn_id: "constraint failed"})
            if batch.turn_id in self.fence:
                return Appended(fenced=frozenset({batch.turn_id}))
            log = self._logs.setdefault(batch.turn_id, [])
            log += [LogEntry(entry.seq, entry.name, entry.data) for entry in batch.entries]
            if batch.end:
                self._ended.add(batch.turn_id)
        return Appended()

    async def log(self, owner: str, turn_id: str, after: int, limit: int, most_bytes: int | None = None) -> LogPage:
        """Read what is committed."""
        self.reads += 1
        log = self._logs.get(turn_id, [])
        entries = tuple(entry for entry in log if entry.seq > after)[:limit]
        now = turn(turn_id, seq=log[-1].seq if log else 1)
        return LogPage(msgspec.structs.replace(now, status="done") if turn_id in self._ended else now, entries)
