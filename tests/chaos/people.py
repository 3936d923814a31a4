"""People: they decide about the calls that wait for them, soon or late or never, alone, twice, or against each other."""

import asyncio
import contextlib
import random
import time
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, Literal

import msgspec

from luxx.core.events import Approval, LogEntry, ProcessStep, decode
from luxx.core.steps import ToolResult
from tests.chaos.asked import Asked, Decided, Poster
from tests.chaos.cluster import TTL, Cluster, Node, Way

LOOK = 0.02
"""Seconds between two looks at what a reader was shown."""
CHANGED = "_changed"
"""What a person who changes arguments adds to the label of a call."""
STRUCK = ("kill", "stop", "freeze")
WAITS_FOR_STRIKE = 3.0
PARKED_AFTER = 3.0
"""Seconds in which a turn that has nothing else to do is nobody's."""


class Mind(msgspec.Struct, frozen=True):
    """What a person makes of a call, how that is sent, and when: `struck` is when a node was just killed, stopped or frozen."""

    choice: Literal["approve", "deny", "change", "always"] = "approve"
    sent: Literal["once", "twice", "against"] = "once"
    when: Literal["soon", "later", "struck", "calm", "never"] = "soon"

    def bodies(self, asked: Approval) -> list[dict[str, Any]]:
        """Return what is sent at once."""
        wanted: dict[str, Any] = {"approve": self.choice != "deny"}
        if self.choice == "always":
            wanted["always"] = True
        if self.choice == "change":
            wanted["arguments"] = {**asked.arguments, "label": f"{asked.arguments['label']}{CHANGED}"}
        match self.sent:
            case "once":
                return [wanted]
            case "twice":
                return [wanted, wanted]
            case "against":
                return [wanted, {"approve": self.choice == "deny"}]


def make_up(dice: random.Random) -> Mind:
    """Return what a person comes to think."""
    return Mind(
        dice.choice(("approve", "approve", "deny", "change", "always")),
        dice.choice(("once", "once", "twice", "against")),
        dice.choice(("soon", "soon", "later", "later", "struck", "struck", "calm", "never")),
    )


class People:
    """Attend to turns on a cluster; `calm` is set when nothing strikes any longer."""

    def __init__(self, at: Cluster, poster: Poster, dice: random.Random) -> None:
        self.calm = asyncio.Event()
        self._calm_since = float("inf")
        self._at = at
        self._poster = poster
        self._dice = dice

    def be_calm(self) -> None:
        """Take note that nothing strikes any longer."""
        self._calm_since = time.time()
        self.calm.set()

    async def attend(self, asked: Asked) -> None:
        """Decide about the calls of a turn as they are shown, and perhaps stop a tool; return at the turn's end."""
        reader, seen = asked.readers[0], 0
        thoughts = self._dice.random()  # the same call is thought of in the same way when it is asked for again
        async with asyncio.TaskGroup() as group:
            tasks: list[asyncio.Task[None]] = []
            while not (reader.ended or reader.gone):
                for entry in reader.entries[seen:]:
                    if task := self._answer(asked, entry, thoughts):
                        tasks.append(group.create_task(task))
                    seen += 1
                await asyncio.sleep(LOOK)
            for task in tasks:
                task.cancel()

    def _answer(self, asked: Asked, entry: LogEntry, thoughts: float) -> Coroutine[None, None, None] | None:
        if entry.name == Approval.name:
            event = decode(entry.name, entry.data)
            assert isinstance(event, Approval)
            mind = make_up(random.Random(f"{thoughts} {event.arguments['label']}"))
            return self._make_known(asked, event, mind) if event.state == "requested" else None
        if asked.stops and entry.name == ProcessStep.name and b'"tool_result"' in entry.data:
            event = decode(entry.name, entry.data)
            if isinstance(event, ProcessStep) and isinstance(event.step, ToolResult) and event.step.state == "running":
                asked.stops = False
                return self._stop(asked, int(event.step.id_ref.partition("-")[2]))
        return None

    async def _stop(self, asked: Asked, index: int) -> None:
        path = f"api/turns/{asked.turn_id}/calls/{index}/cancel"
        status, _ = await self._poster.ask("POST", asked, self._at.ways, path, {}, expected=(404, 409))
        self._at.counts["stopped tools"] += status == 202

    async def _make_known(self, asked: Asked, event: Approval, mind: Mind) -> None:
        if not await self._comes(mind):
            return
        in_calm = time.time() > self._calm_since + TTL and await until_waiting(self._poster, asked, self._at.ways)
        if in_calm:  # then nothing can have died when it goes on
            asked.only_woken_since = min(asked.only_woken_since, time.time())
        nodes = self._dice.sample(self._at.nodes, min(2, len(self._at.nodes)))
        bodies = mind.bodies(event)
        async with asyncio.TaskGroup() as group:
            for number, body in enumerate(bodies):
                node = nodes[number % len(nodes)]
                group.create_task(decide(self._poster, asked, self._at, node, Decided(event.index, body, in_calm)))

    async def _comes(self, mind: Mind) -> bool:
        """Wait for the moment; tell whether it ever comes."""
        match mind.when:
            case "soon":
                return True
            case "later":
                await asyncio.sleep(self._dice.uniform(0, 3))
            case "struck":
                await self._strike()
            case "calm":
                await self.calm.wait()
                await asyncio.sleep(self._dice.uniform(0, 2 * TTL))
            case "never":
                return False
        return True

    async def _strike(self) -> None:
        since, until = time.time(), time.time() + WAITS_FOR_STRIKE
        while time.time() < until and not self.calm.is_set():
            if any(at > since and kind in STRUCK for at, kind in self._at.done[-3:]):
                return
            await asyncio.sleep(LOOK)


def questions(entries: Iterable[LogEntry]) -> set[int]:
    """Return the indexes of the calls that a person is asked about."""
    asked = (decode(entry.name, entry.data) for entry in entries if entry.name == Approval.name)
    return {event.index for event in asked if isinstance(event, Approval) and event.state == "requested"}


async def until_waiting(poster: Poster, asked: Asked, ways: Sequence[Way], patience: float = PARKED_AFTER) -> bool:
    """Return when a turn waits and is nobody's, or False when it does not come to that."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(patience):
            while True:
                _, turn = await poster.ask("GET", asked, ways, f"api/turns/{asked.turn_id}", None, expected=(404,))
                if turn["status"] == "waiting":
                    return True
                await asyncio.sleep(LOOK)
    return False


async def decide(poster: Poster, asked: Asked, at: Cluster, node: Node, decided: Decided) -> None:
    """Send a decision through a node, or where else it is taken, until it is answered."""
    asked.decisions.append(decided)
    decided.sent = time.time()
    path = f"api/turns/{asked.turn_id}/approvals/{decided.index}"

    async def send(ways: Sequence[Way]) -> None:
        status, answer = await poster.ask("POST", asked, ways, path, decided.body, expected=(404, 409))
        decided.answered, decided.status, decided.code = time.time(), status, answer.get("code", "")

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(TTL / 2):
            return await send([way for way in at.ways if way.node is node])
    return await send(at.ways)
