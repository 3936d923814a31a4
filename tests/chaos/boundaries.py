"""Boundaries: one turn, asked again and again, and each time a fault strikes at another of its moments, which the node stands still at.

Unlike the plan's faults, these do not come at a time but at a place: the node stops itself there (see `inside`), then it is
killed, told to stop, left frozen for longer than its lease, or the turn is cancelled through another node.
"""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import aiohttp
import msgspec

from luxx.core.events import Approval, LogEntry, ProcessStep, decode
from tests.chaos.asked import Asked, Decided, Poster
from tests.chaos.cluster import TTL, Cluster, Way
from tests.chaos.inside import Point, hold
from tests.chaos.people import LOOK, decide, questions, until_waiting
from tests.chaos.plan import Blow
from tests.chaos.readers import follow_bare, follow_with_client
from tests.chaos.shown import Shown

Strike = Literal["kill", "stop", "freeze", "cancel"]
TOOLS = ("wait_unsafe", "wait", "wait_idempotent")
ASKING = "wait_unsafe"
PACE = {"chunk": 10, "delay_ms": 8}
"""A commit for each piece, as a rule."""
SPARED = -1
"""The last of several nodes, which nothing strikes."""
PATIENCE = 60.0
"""Seconds for one turn, whatever strikes it."""
TRIES = 3
"""How often a turn is asked for a moment that does not come up, as when entries share a commit."""


class Moment(msgspec.Struct, frozen=True):
    """A place in a turn: a point, and the seq of an entry or the name of a tool that it is about."""

    point: Point
    seq: int = 0
    tool: str = ""

    def __str__(self) -> str:
        return f"{self.point} {self.tool or self.seq or 'turn'}"


class Case(msgspec.Struct, frozen=True):
    """What strikes when, and whether in the turn that waits for a person."""

    strike: Strike
    moment: Moment
    waits: bool = False


def scripted_turn(number: int) -> Asked:
    """Return the turn: it thinks, talks, runs one tool of each effect, which end one after the other, and talks again."""
    first, second = f"This is the answer to {number}, ", "and here it ends, after its tools."
    calls = [
        {
            "type": "call",
            "name": name,
            "arguments": {"seconds": seconds, "label": _label(number, name)},
            "chunk": 30,
            "delay_ms": 8,
        }
        for name, seconds in zip(TOOLS, (0.1, 0.05, 0.15), strict=True)
    ]
    think = {"type": "thinking", "text": f"Let me think of {number}.", **PACE}
    rounds: list[list[dict[str, Any]]] = [
        [think, {"type": "text", "text": first, **PACE}, *calls],
        [{"type": "text", "text": second, **PACE}],
    ]
    return Asked(number, first + second, rounds)


def waiting_turn(number: int) -> Asked:
    """Return a turn that runs one tool, waits for a person to allow another, and talks."""
    answer = f"Here {number} ends, after its tools."
    calls = [
        {"type": "call", "name": name, "arguments": {"seconds": 0.05, "label": _label(number, name)}}
        for name in ("wait", ASKING)
    ]
    return Asked(number, answer, [calls, [{"type": "text", "text": answer}]], asking=ASKING)


def every_moment(log: Sequence[LogEntry]) -> list[Moment]:
    """Return each moment of a turn with such a log: before and after the commit of each entry, before and after each tool."""
    return _moments([entry.seq for entry in log[1:]]) + [Moment("committed", seq=entry.seq) for entry in log[1:]]


def one_of_each(log: Sequence[LogEntry]) -> list[Moment]:
    """Return a moment for each kind of boundary."""
    firsts: dict[str, int] = {}
    for entry in log[1:]:
        firsts.setdefault(_kind(entry), entry.seq)
    return _moments(firsts.values())


def moments_of_a_wait(log: Sequence[LogEntry]) -> list[Moment]:
    """Return each moment between the question to a person and the result of the call that was allowed."""
    seqs = [entry.seq for entry in log if entry.name == Approval.name]
    by_seq = [Moment(point, seq=seq) for seq in seqs for point in ("appended", "committed")]
    by_name = [Moment("parked"), Moment("decided"), Moment("woken")]
    return [*by_name, *by_seq, *(Moment(point, tool=ASKING) for point in ("claimed", "ran"))]


def _moments(seqs: Iterable[int]) -> list[Moment]:
    tools = [Moment(point, tool=name) for point in ("claimed", "ran") for name in TOOLS]
    return [Moment("stored"), *(Moment("appended", seq=seq) for seq in seqs), *tools]


def _kind(entry: LogEntry) -> str:
    if entry.name != ProcessStep.name:
        return entry.name
    event = decode(entry.name, entry.data)
    assert isinstance(event, ProcessStep)
    return f"{type(event.step).__name__} {event.step.state}"


class Sweep:
    """Owns the turns of a sweep over one cluster; each node meets its cases one after the other, beside the other nodes."""

    def __init__(self, at: Cluster, session: aiohttp.ClientSession, dice: random.Random) -> None:
        self.asked: list[Asked] = []
        self.met = Counter[str]()
        self.missed: list[str] = []
        self.takeovers: list[tuple[Strike, float]] = []
        self._at = at
        self._session = session
        self._dice = dice
        self._poster = Poster(session, dice, patience=TTL)

    async def undisturbed(self, waits: bool = False) -> list[LogEntry]:
        """Return the log of the turn when nothing strikes."""
        asked = self._new(waits)
        await self._poster.converse(asked, self._at.ways[:1], self._at.scripted)
        await self._follow(asked, node=0)
        return asked.readers[0].entries

    async def run(self, cases: Iterable[Case]) -> None:
        """Meet all cases, each on the next node that is free; the last of several is spared, to take over. Raises TimeoutError
        for a turn that comes to no end."""
        waiting = iter(list(cases))
        async with asyncio.TaskGroup() as group:
            for node in range(max(1, len(self._at.nodes) - 1)):
                group.create_task(self._meet_on(node, waiting))

    async def _meet_on(self, node: int, waiting: Iterable[Case]) -> None:
        for case in waiting:
            for _ in range(TRIES):
                async with asyncio.timeout(PATIENCE):
                    if await self._meet(node, case):
                        break
            else:
                self.missed.append(f"{case.strike} at {case.moment}")

    async def _meet(self, node: int, case: Case) -> bool:
        """Return whether the moment came up."""
        asked, moment = self._new(case.waits), case.moment
        if moment.point in ("parked", "decided") and case.strike != "stop":
            # the turn is nobody's then, and dies with nobody; a node told to stop may still take it up, and hand it over
            asked.only_woken_since = 0
        await self._poster.converse(asked, self._ways(node, SPARED), self._at.scripted)
        where = _label(asked.number, moment.tool) if moment.tool else asked.conversation_id
        if case.strike == "freeze" and moment.point == "claimed":
            asked.may_come_late = where
        async with asyncio.TaskGroup() as group:
            holding = group.create_task(self._at.nodes[node].held(hold(moment.point, where, moment.seq)))
            following = group.create_task(self._follow(asked, node))
            await asyncio.wait((holding, following), return_when=asyncio.FIRST_COMPLETED)
            if not holding.done():
                holding.cancel()
                self._at.nodes[node].forget_hold()
                return False
            struck = time.time()
            await self._strike(node, asked, case.strike)
        self.met[case.strike] += 1
        self._note_takeover(asked, case.strike, struck)
        return True

    async def _strike(self, node: int, asked: Asked, strike: Strike) -> None:
        match strike:
            case "kill" | "stop":
                await self._at.strike(Blow(0, strike, node, 0))
            case "freeze":  # as it is, until another node is at work on the turn
                await asked.readers[-1].gone_on.wait()
                self._at.nodes[node].wake()
            case "cancel":
                asked.cancelled = True
                await asked.started.wait()  # a POST that gets no answer here goes on to another node
                await self._poster.send("POST", asked, self._ways(SPARED), f"api/turns/{asked.turn_id}/cancel", {})
                self._at.nodes[node].wake()

    async def _follow(self, asked: Asked, node: int) -> None:
        """Start a turn on a node, or where else it is taken, and read it to the end: from node to node, and beside them all."""
        asked.readers = [Shown(f"turn {asked.number} reader {n}") for n in range(2)]
        await self._start(asked, node)
        roaming, beside = asked.readers
        async with asyncio.TaskGroup() as group:
            group.create_task(follow_with_client(roaming, self._at.clients, asked.turn_id, self._dice))
            group.create_task(follow_bare(beside, self._session, self._ways(SPARED), asked.turn_id, self._dice))
            if asked.asking:
                group.create_task(self._allow(asked, node))

    async def _allow(self, asked: Asked, node: int) -> None:
        """Allow each call that is asked about, through a node that may stand still, when the turn has had time to be parked."""
        decided: set[int] = set()
        async with asyncio.TaskGroup() as group:
            while not any(shown.ended for shown in asked.readers):
                for index in {index for shown in asked.readers for index in questions(shown.entries)} - decided:
                    decided.add(index)
                    group.create_task(self._allow_call(asked, node, index))
                await asyncio.sleep(LOOK)

    async def _allow_call(self, asked: Asked, node: int, index: int) -> None:
        await until_waiting(self._poster, asked, self._ways(SPARED), TTL / 2)
        await decide(self._poster, asked, self._at, self._at.nodes[node], Decided(index, {"approve": True}))

    async def _start(self, asked: Asked, node: int) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TTL / 2):
                return await self._poster.start(asked, self._ways(node))
        return await self._poster.start(asked, self._ways(node, SPARED))

    def _ways(self, *nodes: int) -> list[Way]:
        """Return how these nodes are reached; the others may stand still."""
        wanted = [self._at.nodes[node] for node in nodes]
        return [way for way in self._at.ways if way.node in wanted]

    def _new(self, waits: bool) -> Asked:
        asked = (waiting_turn if waits else scripted_turn)(len(self.asked))
        self.asked.append(asked)
        return asked

    def _note_takeover(self, asked: Asked, strike: Strike, struck: float) -> None:
        seen = [
            at
            for shown in asked.readers
            for entry, at in zip(shown.entries, shown.times, strict=True)
            if entry.name == "recovered"
        ]
        if seen:
            self.takeovers.append((strike, min(seen) - struck))


def _label(number: int, tool: str) -> str:
    return f"{number}-{tool}"
