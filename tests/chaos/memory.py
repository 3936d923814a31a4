"""Memory: how much each process holds over its life, and by how much it grew after it had warmed up."""

import asyncio
import statistics
from collections.abc import Sequence

import msgspec

from tests.chaos.cluster import Node

EVERY = 0.5
LONG_LIFE = 60.0
"""Seconds that a process must have lived for its growth to be judged."""
MOST_GROWTH = 16
"""Megabytes between the second quarter of such a life and the last."""


class Growth(msgspec.Struct, frozen=True):
    """One long life: seconds, and megabytes after the warm-up and at the end."""

    seconds: float
    warm: int
    end: int

    def __str__(self) -> str:
        return f"{self.warm} MB warm, {self.end} MB after {self.seconds:.0f} s"


class Memory:
    """Owns the samples, by process."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes
        self._samples: dict[int, list[int]] = {}

    async def watch(self) -> None:
        """Look again and again until cancelled."""
        while True:
            for node in self._nodes:
                if held := node.memory:
                    self._samples.setdefault(node.pid, []).append(held)
            await asyncio.sleep(EVERY)

    @property
    def largest(self) -> int:
        """The most megabytes that any process held."""
        return max((max(samples) for samples in self._samples.values()), default=0)

    @property
    def long_lives(self) -> list[Growth]:
        """How the processes that lived long enough grew."""
        return [_growth(it) for it in self._samples.values() if len(it) * EVERY >= LONG_LIFE]


def _growth(samples: Sequence[int]) -> Growth:
    quarter = len(samples) // 4
    warm, end = statistics.median(samples[quarter : 2 * quarter]), statistics.median(samples[-quarter:])
    return Growth(len(samples) * EVERY, int(warm), int(end))
