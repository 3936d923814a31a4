"""Upkeep: what a node does by the clock: wake silent streams, compact the logs of ended turns."""

import asyncio
import datetime
import time

import structlog

from luxx.core.errors import StorageError
from luxx.store.interface import Store
from luxx.turns.journal import Journal
from luxx.turns.notices import Notices

_log = structlog.get_logger()
COMPACT_EVERY = 60.0
"""Seconds between two looks for logs to compact."""
KEEP_LOOSE = 24 * 3600.0
"""Seconds for which a file is kept that no message has brought into a conversation."""


class Upkeep:
    """One timer for all streams and logs of a node; `heartbeat` and `compact_after` are in seconds."""

    def __init__(
        self, store: Store, journal: Journal, notices: Notices, heartbeat: float, compact_after: float
    ) -> None:
        self._store = store
        self._journal = journal
        self._notices = notices
        self._heartbeat = heartbeat
        self._compact_after = compact_after

    async def run(self) -> None:
        """Work until cancelled."""
        next_compaction = time.monotonic()
        next_notice_tick = time.monotonic() + self._heartbeat
        while True:
            await asyncio.sleep(self._heartbeat / 3)
            now = time.monotonic()
            self._journal.tick(self._heartbeat * 2 / 3)
            if now >= next_notice_tick:
                next_notice_tick = now + self._heartbeat
                self._notices.tick()
            if now >= next_compaction:
                next_compaction = now + min(COMPACT_EVERY, max(self._compact_after, 1))
                await self._compact()

    async def _compact(self) -> None:
        try:
            await self._store.turns.compact(_ago(self._compact_after))
            while await self._store.files.sweep(_ago(KEEP_LOOSE)):
                pass
            while await self._store.archive.index():
                pass
        except StorageError as error:
            _log.warning("compaction failed, it is tried again later", error=error.message)


def _ago(seconds: float) -> str:
    """Return a time as the store writes it."""
    then = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=seconds)
    return then.isoformat(timespec="microseconds").replace("+00:00", "Z")
