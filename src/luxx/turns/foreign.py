"""Foreign: the logs of other nodes' turns, read from the database for all who follow them here."""

import asyncio
import contextlib
from collections.abc import Callable, Generator, Iterable

import structlog

from luxx.core.errors import StorageError
from luxx.store.interface import TurnStore
from luxx.turns.recent import Recent

_log = structlog.get_logger()
POLL = 0.2
"""Seconds between two looks without news: a lost notification costs this, and never data."""
GATHER = 0.02
"""Seconds between two looks at least: what is announced meanwhile is read in one query."""
PAGE = 100


class Foreign:
    """One reader for all followed logs of other nodes: one query at a look. Owns what it has read of them.

    `wake` is called with the id of each turn that has something new.
    """

    def __init__(self, store: TurnStore, wake: Callable[[str], None]) -> None:
        self._store = store
        self._wake = wake
        self._logs: dict[str, Recent] = {}
        self._followers: dict[str, int] = {}
        self._news = asyncio.Event()

    @contextlib.contextmanager
    def following(self, turn_id: str, seq: int) -> Generator[Recent]:
        """Have the log of a turn read on from a seq as long as this is open; who comes first decides the seq."""
        log = self._logs.setdefault(turn_id, Recent(seq))
        self._followers[turn_id] = self._followers.get(turn_id, 0) + 1
        self._news.set()
        try:
            yield log
        finally:
            self._followers[turn_id] -= 1
            if not self._followers[turn_id]:
                del self._followers[turn_id], self._logs[turn_id]

    def heard(self, turn_ids: Iterable[str]) -> None:
        """Look now if one of these turns is followed."""
        if any(turn_id in self._logs for turn_id in turn_ids):
            self._news.set()

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            if not self._logs:
                await self._news.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL):
                    await self._news.wait()
            self._news.clear()
            try:
                await self._look()
            except StorageError as error:
                _log.warning("logs of other nodes cannot be read, trying again", error=error.message)
            await asyncio.sleep(GATHER)

    async def _look(self) -> None:
        wanted = {turn_id: log.committed_seq for turn_id, log in self._logs.items()}
        if not wanted:
            return
        for turn_id, entries in (await self._store.logs(wanted, PAGE)).items():
            log = self._logs.get(turn_id)
            if log is not None and log.committed_seq == wanted[turn_id]:
                log.publish(entries)
                self._wake(turn_id)
                if len(entries) == PAGE:
                    self._news.set()
