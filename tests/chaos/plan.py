"""The plan: which faults come when, all of it decided by a seed."""

import random
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

NodeFault = Literal["kill", "freeze", "stop", "expire", "lose_tasks", "kill_database", "freeze_database"]
ReaderFault = Literal["cut", "stall", "fragment"]
ProviderFault = Literal["cut_provider", "stall_provider", "fragment_provider"]
DatabaseFault = Literal["cut_database", "lose_commits"]
WireFault = ReaderFault | ProviderFault | DatabaseFault
Fault = NodeFault | WireFault

ALONE: tuple[NodeFault, ...] = ("kill", "kill", "stop", "freeze", "lose_tasks")
"""What can happen to one node on SQLite."""
SHARED: tuple[NodeFault, ...] = (
    "kill",
    "kill",
    "freeze",
    "stop",
    "expire",
    "lose_tasks",
    "kill_database",
    "freeze_database",
)
"""What can happen to several nodes on PostgreSQL."""
LONG_LIVED: tuple[NodeFault, ...] = ("freeze", "lose_tasks")
"""What a process survives."""
OUTER_WIRES: tuple[WireFault, ...] = ("cut", "stall", "fragment", "cut_provider", "stall_provider", "fragment_provider")
"""What can happen between client and server, and between server and provider."""
WIRES: tuple[WireFault, ...] = (*OUTER_WIRES, "cut_database", "lose_commits")


class Blow(msgspec.Struct, frozen=True):
    """One fault: seconds after the one before, what, on which node, and for how long it lasts."""

    after: float
    fault: Fault
    node: int
    lasts: float


def blows(seed: str, faults: Sequence[Fault], nodes: int, ttl: float) -> Iterator[Blow]:
    """Yield faults without end; each kind comes once before any comes again. The last of several nodes is never made to end."""
    dice = random.Random(seed)
    while True:
        round_ = list(faults)
        dice.shuffle(round_)
        for fault in round_:
            frozen = ttl * dice.uniform(1.3, 2) if fault == "freeze" else dice.uniform(0.05, 1)
            mortal = nodes - 1 if nodes > 1 and fault in ("kill", "stop") else nodes
            yield Blow(dice.uniform(0.05, 0.7), fault, dice.randrange(mortal), frozen)
