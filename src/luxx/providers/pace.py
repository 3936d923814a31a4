"""Pace: how often streams are read, by how busy the event loop is."""

import asyncio
import time
from collections.abc import Callable

SAMPLE_S = 0.1
"""How long the load is measured before it counts."""
EASY = 0.6
"""Share of a core below which every stream is read as its bytes come."""
FULL = 0.9
"""Share of a core from which streams rest longest."""
LONGEST_REST_S = 0.1


class Pace:
    """Lets streams rest between two reads while the loop is busy; the kernel gathers meanwhile what one read then takes.

    All that rest are woken together, so that their text shares a flush. A rest is never longer than LONGEST_REST_S, and none
    while the loop has time: a lone stream is not delayed. `clock` gives the time and `work` the CPU time of the loop's thread, in
    seconds.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, work: Callable[[], float] = time.thread_time
    ) -> None:
        self._clock = clock
        self._work = work
        self._sampled_at = clock()
        self._worked = work()
        self._share = 0.0
        self._morning: asyncio.Event | None = None

    def rest_s(self) -> float:
        """Return how long a stream should rest now; 0 while there is time."""
        now = self._clock()
        if (passed := now - self._sampled_at) >= SAMPLE_S:
            worked = self._work()
            self._share = (self._share + (worked - self._worked) / passed) / 2
            self._sampled_at, self._worked = now, worked
        return LONGEST_REST_S * min(max((self._share - EASY) / (FULL - EASY), 0.0), 1.0)

    async def rest(self, seconds: float) -> None:
        """Wait until those that rest are woken: after `seconds`, or less for who comes late."""
        if self._morning is None or self._morning.is_set():
            self._morning = asyncio.Event()
            asyncio.get_running_loop().call_later(seconds, self._morning.set)
        await self._morning.wait()
