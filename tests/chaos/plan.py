"""The plan: which faults come when, all of it decided by a seed."""

import random
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

NodeFault = Literal["kill", "freeze", "stop", "expire", "kill_database", "freeze_database"]
WireFault = Literal["cut", "stall", "fragment", "cut_database"]
Fault = NodeFault | WireFault

ALONE: tuple[NodeFault, ...] = ("kill", "kill", "stop", "freeze")
"""What can happen to one node on SQLite."""
SHARED: tuple[NodeFault, ...] = ("kill", "kill", "freeze", "stop", "expire", "kill_database", "freeze_database")
READERS: tuple[WireFault, ...] = ("cut", "stall", "fragment")
"""What can happen between client and server."""
WIRES: tuple[WireFault, ...] = (*READERS, "cut_database")


class Blow(msgspec.Struct, frozen=True):
    """One fault: seconds after the one before, what, on which node, and for how long it lasts."""

    after: float
    fault: Fault
    node: int
    lasts: float


def blows(seed: str, faults: Sequence[Fault], nodes: int, ttl: float) -> Iterator[Blow]:
    """Yield faults without end; each kind comes once before any comes again."""
    dice = random.Random(seed)
    while True:
        round_ = list(faults)
        dice.shuffle(round_)
        for fault in round_:
            frozen = ttl * dice.uniform(1.3, 2) if fault == "freeze" else dice.uniform(0.05, 1)
            yield Blow(dice.uniform(0.05, 0.7), fault, dice.randrange(nodes), frozen)
