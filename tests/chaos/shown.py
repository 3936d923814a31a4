"""Shown: what one reader of a turn was given, and when."""

import asyncio
import time

from luxx.core.events import LogEntry, Recovered
from luxx.core.replay import is_end


class Shown:
    """Owned by one reader; `wrong` names what a reader can see by itself."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.entries: list[LogEntry] = []
        self.times: list[float] = []
        self.wrong: list[tuple[str, str]] = []
        self.gone = False
        self.ended = False
        self.gone_on = asyncio.Event()
        """Set when a takeover or the end was seen."""
        self.longest_stall = 0.0
        self._last = time.time()

    @property
    def seq(self) -> int:
        """The last seq shown."""
        return self.entries[-1].seq if self.entries else 0

    def take(self, entry: LogEntry) -> None:
        """Take note of an entry, which should be the next one."""
        now = time.time()
        self.longest_stall = max(self.longest_stall, now - self._last)
        self._last = now
        if entry.seq <= self.seq:
            self.wrong.append(("doubles and seqs out of order", f"{self.name}: {entry.seq} after {self.seq}"))
        elif entry.seq > self.seq + 1:
            self.wrong.append(("gaps", f"{self.name}: {entry.seq} after {self.seq}"))
        if self.ended:
            self.wrong.append(("events after the end", f"{self.name}: {entry.seq} {entry.name}"))
        self.entries.append(entry)
        self.times.append(now)
        self.ended = self.ended or is_end(entry)
        if self.ended or entry.name == Recovered.name:
            self.gone_on.set()
