"""Patience: how long to wait between two tries, and when to give up."""

import random
import time
from collections.abc import Callable

import msgspec


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """How a client goes on when its server is away; seconds.

    `patience` bounds the time from the first failure to the next byte from the server, `first` and `longest` the waits between tries. A stream that
    is silent for `silence` counts as cut (the server's heartbeat is far more frequent).
    """

    patience: float = 60
    first: float = 0.1
    longest: float = 5
    silence: float = 60


class Reconnecting(msgspec.Struct, frozen=True):
    """The server is away: the client tries again in `delay` seconds, for the `attempt`-th time since it was there."""

    attempt: int
    delay: float
    reason: str


class Patience:
    """The tries since the server was last there: waits that double, with jitter, until the patience is used up."""

    def __init__(self, retry: Retry, clock: Callable[[], float] = time.monotonic) -> None:
        self._retry = retry
        self._clock = clock
        self._since: float | None = None
        self._tries = 0

    def met(self) -> None:
        """Take note that the server is there."""
        self._since = None
        self._tries = 0

    def wait(self, reason: str, asked: float = 0) -> Reconnecting | None:
        """Return how long to wait before the next try, never less than what the server asked for; None to give up.

        The last try is made when the patience ends.
        """
        now = self._clock()
        if self._since is None:
            self._since = now
        left = self._since + self._retry.patience - now
        if left <= 0:
            return None
        doubled = min(self._retry.longest, self._retry.first * 2 ** min(self._tries, 20))
        delay = max(asked * random.uniform(1, 1.2), doubled * random.uniform(0.5, 1))
        self._tries += 1
        return Reconnecting(self._tries, min(delay, left), reason)
