"""The lease: the node's row, and the thread that renews it with a connection of its own.

The row is the lease and the fence at once: turns refer to it, so that deleting it frees them, and every flush locks it against
deletion. Whether it has expired is told by the database's clock alone; how old the last renewal is, by this machine's, which
never goes back.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from threading import Event, Thread

import msgspec
import psycopg
import structlog

from luxx.core.errors import Fenced
from luxx.store.clock import timestamp
from luxx.store.postgres.address import Address

_log = structlog.get_logger()

_JOIN = """
    INSERT INTO node (id, started_at, expires) VALUES (%s, %s, clock_timestamp() + make_interval(secs => %s))
"""
_RENEW = """
    UPDATE node SET expires = clock_timestamp() + make_interval(secs => %s) WHERE id = %s
    RETURNING (SELECT count(*) FROM node other WHERE other.expires > clock_timestamp())
"""
_LOOP_DEAD_AFTER = 30.0
"""Seconds without a turn of the event loop after which the process counts as hung: its lease is left to expire."""

RETRY_PAUSE = 0.25


class LeaseTimes(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds: how long a lease lives, how often it is renewed, how old its renewal may be for new work to be begun.

    `patience` is how long a command may take on which it depends.
    """

    ttl: float = 8.0
    heartbeat: float = 2.0
    self_stop: float = 5.0
    patience: float = 3.0


def lease_times(ttl: float) -> LeaseTimes:
    """Return the times that go with a lease that lives so long, in the proportions of the default ones."""
    usual = LeaseTimes()
    scale = ttl / usual.ttl
    return LeaseTimes(
        ttl=ttl,
        heartbeat=usual.heartbeat * scale,
        self_stop=usual.self_stop * scale,
        patience=min(usual.patience, usual.patience * scale),
    )


class Lease:
    """Owns the node's row and its thread. `hold` begins one, `let_go` ends it; the id is never used again."""

    def __init__(self, address: Address, times: LeaseTimes, on_lost: Callable[[], None]) -> None:
        """`on_lost` is called in the event loop."""
        self.times = times
        self.node = ""
        self.alone = False
        self._address = address
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._raw: psycopg.Connection | None = None
        self._stop = Event()
        self._thread: Thread | None = None
        self._renewed = self._good_since = self._ticked = 0.0
        self._lost = False

    def check(self) -> None:
        """Raise Fenced if the lease is lost, or may be by now."""
        if self._lost or not self.node:
            raise Fenced("This server has lost its place among the others.")
        if time.monotonic() - self._renewed > self.times.self_stop:
            raise Fenced("This server cannot reach the database, so it may have lost its place among the others.")

    @property
    def well_for(self) -> float:
        """Seconds for which the lease has been renewed without fault."""
        return 0.0 if self._lost else self._renewed - self._good_since

    def hold(self, node: str) -> None:
        """Enter a node and renew its lease from now on; blocks. Raises psycopg.Error."""
        now = time.monotonic()
        self._raw = self._raw or self._address.connect()
        try:
            self._raw.execute(_JOIN, (node, timestamp(), self.times.ttl))
        except psycopg.Error:
            self._drop()
            raise
        self.node, self._lost = node, False
        self._renewed = self._good_since = self._ticked = now
        self._stop = Event()
        self._thread = Thread(target=self._run, args=(self._stop,), name="luxx-store-lease", daemon=True)
        self._thread.start()

    def let_go(self) -> None:
        """Renew it no more; blocks until the thread has ended."""
        self._lost = True
        self._stop.set()
        if self._thread:
            self._thread.join()
        self._drop()

    def _run(self, stop: Event) -> None:
        pause = self.times.heartbeat
        while not stop.wait(pause):
            pause = self.times.heartbeat
            with contextlib.suppress(RuntimeError):  # the loop is gone: nobody ticks any more
                self._loop.call_soon_threadsafe(self._tick)
            if time.monotonic() - self._ticked > _LOOP_DEAD_AFTER:
                continue
            try:
                self._renew()
            except psycopg.Error as error:
                _log.warning("lease not renewed", node=self.node, error=str(error).strip())
                self._drop()
                self._good_since = float("inf")
                pause = min(RETRY_PAUSE, pause)
            if self._lost:
                with contextlib.suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(self._on_lost)
                return

    def _tick(self) -> None:
        self._ticked = time.monotonic()

    def _renew(self) -> None:
        before = time.monotonic()
        self._raw = self._raw or self._address.connect()
        row = self._raw.execute(_RENEW, (self.times.ttl, self.node)).fetchone()
        if row is None:
            self._lost = True
            return
        self.alone = row[0] <= 1
        self._renewed = before
        self._good_since = min(self._good_since, before)

    def _drop(self) -> None:
        if self._raw:
            self._raw.close()
            self._raw = None
