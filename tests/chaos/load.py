"""The load: turns posted, cancelled, continued and deleted through nodes taken at random, each with readers that follow it."""

import asyncio
import random
import time
from typing import Any

import aiohttp

from luxx.core.events import Done, ProcessStep
from tests.chaos.asked import Asked, Poster
from tests.chaos.cluster import Cluster
from tests.chaos.people import LOOK, People
from tests.chaos.readers import follow_bare, follow_with_client
from tests.chaos.refusal import REFUSED
from tests.chaos.shown import Shown

TOOLS = ("wait", "wait_idempotent", "wait_unsafe")
CLIENT_READERS = 2
OVER_HTTP, WITHOUT_TOOLS = 0.35, 0.35
"""The shares of turns that ask the provider behind HTTP, and that only talk."""
ONE_IN = 16
"""One turn in so many writes what the database refuses."""
STOPS, CONTINUED = 0.25, 0.15
"""The shares of turns with tools of which one is stopped, and of whole answers that are continued, as every other one is."""
CANCELLED, DELETED = 0.2, 0.05
IN_A_CALL = 0.7
"""The share of cancels that come while the model writes a call."""
ASKS, ASKS_FIRST = 6, 1
"""One turn in so many asks a person about its tools."""


def make_turn(number: int, dice: random.Random, disturbed: bool = True) -> Asked:
    """Write a script: talk, or talk and three tools at once, perhaps one more, and talk again."""
    words = [f"w{number}x{place} " for place in range(dice.randrange(60, 400))]
    over_http, refused = dice.random() < OVER_HTTP, disturbed and number % ONE_IN == ONE_IN // 2
    if refused:
        words.insert(dice.randrange(len(words)), REFUSED)
    half = dice.randrange(len(words))
    first, second = "".join(words[:half]), "".join(words[half:])
    pace = {"chunk": dice.choice((5, 9, 30)), "delay_ms": dice.choice((0, 2, 5))}
    think = {"type": "thinking", "text": f"Let me think about {number}. " * 5, **pace}
    asking = dice.choice(("wait_unsafe", "wait_unsafe", "*")) if number % ASKS == ASKS_FIRST else ""
    if not asking and dice.random() < WITHOUT_TOOLS:
        rounds = [[think, *_say(first, pace), {"type": "pause", "ms": 50}, *_say(second, pace)]]
    else:
        calls = [_call(name, dice.choice((0, 0.1, 2 if asking else 0.6)), f"{number}-{name}") for name in TOOLS]
        dice.shuffle(calls)
        again = [[_call("wait_unsafe", 0.1, f"{number}-wait_unsafe_again")]] if asking and dice.random() < 0.5 else []
        rounds = [[think, *_say(first, pace), *calls], *again, _say(second, pace)]
    asked = Asked(number, first + second, rounds, over_http=over_http, refused=refused, asking=asking)
    asked.stops = disturbed and len(rounds) > 1 and dice.random() < STOPS
    return asked


def _call(name: str, seconds: float, label: str) -> dict[str, Any]:
    arguments = {"seconds": seconds, "label": label}
    return {"type": "call", "name": name, "arguments": arguments, "chunk": 5, "delay_ms": 15}


def _say(text: str, pace: dict[str, int]) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text, **pace}] if text else []


class Load:
    """Owns the turns of a run, in `asked`."""

    def __init__(self, cluster: Cluster, session: aiohttp.ClientSession, dice: random.Random) -> None:
        self.asked: list[Asked] = []
        self._cluster = cluster
        self._session = session
        self._dice = dice
        self._poster = Poster(session, dice)
        self.people = People(cluster, self._poster, dice)

    async def run(self, seconds: float, at_once: int) -> None:
        """Begin turns for some time, so many at once, and return when all are read to their end."""
        until = time.monotonic() + seconds
        slots = asyncio.Semaphore(at_once)
        async with asyncio.TaskGroup() as group:
            while time.monotonic() < until:
                asked = self._new(disturbed=True)
                if not asked.asking:  # what waits takes no place
                    await slots.acquire()
                turn = group.create_task(self._see_through(asked, disturbed=True))
                if not asked.asking:
                    turn.add_done_callback(lambda _: slots.release())
                await asyncio.sleep(self._dice.uniform(0, 0.2))

    async def turn(self, disturbed: bool) -> None:
        """Ask, follow, decide, perhaps cancel or delete, and continue what was cut short."""
        await self._see_through(self._new(disturbed), disturbed)

    def _new(self, disturbed: bool) -> Asked:
        asked = make_turn(len(self.asked), random.Random(self._dice.random()), disturbed)
        self.asked.append(asked)
        return asked

    async def _see_through(self, asked: Asked, disturbed: bool) -> None:
        at, dice = self._cluster, self._dice
        await self._poster.converse(asked, at.ways, at.over_http if asked.over_http else at.scripted)
        await self._poster.start(asked, at.ways, times=2 if disturbed and dice.random() < 0.4 else 1)
        fate = dice.random() if disturbed else 1
        await self._attend(asked, fate)
        if disturbed and not (asked.deleted or asked.refused or asked.asking):
            await self._go_on(asked)

    async def _go_on(self, asked: Asked) -> None:
        """Continue an answer that was cut short, and now and then one that was not."""
        if asked.readers[0].entries[-1].name == Done.name and self._dice.random() > CONTINUED:
            return
        asked.broke_off = self._cluster.model.broke_off(asked.text)
        after = asked.continued(len(self.asked))
        self.asked.append(after)
        await self._poster.go_on(after, self._cluster.ways, asked.message_id)
        self._cluster.counts["continued answers"] += 1
        await self._attend(after, fate=1)

    async def _attend(self, asked: Asked, fate: float) -> None:
        async with asyncio.TaskGroup() as group:
            for task in self._readers(asked):
                group.create_task(task)
            if asked.asking or asked.stops:
                group.create_task(self.people.attend(asked))
            if fate < CANCELLED:
                group.create_task(self._cancel(asked))
            elif fate < CANCELLED + DELETED:
                group.create_task(self._delete(asked))

    def _readers(self, asked: Asked) -> list[Any]:
        cluster, turn_id = self._cluster, asked.turn_id
        asked.readers = [Shown(f"turn {asked.number} reader {n}") for n in range(CLIENT_READERS + 1)]
        bare = follow_bare(asked.readers[-1], self._session, cluster.ways, turn_id, self._dice)
        return [bare, *(follow_with_client(it, cluster.clients, turn_id, self._dice) for it in asked.readers[:-1])]

    async def _cancel(self, asked: Asked) -> None:
        if self._dice.random() < IN_A_CALL:
            await self._until_called(asked.readers[0])
        else:
            await asyncio.sleep(self._dice.uniform(0, 2))
        asked.cancelled = True
        await self._poster.send("POST", asked, self._cluster.ways, f"api/turns/{asked.turn_id}/cancel", {})

    async def _until_called(self, reader: Shown) -> None:
        """Wait until the model is in the middle of a call, or the turn ends without."""
        seen = 0
        while not (reader.ended or reader.gone):
            if any(it.name == ProcessStep.name and b'"tool_call"' in it.data for it in reader.entries[seen:]):
                return
            seen = len(reader.entries)
            await asyncio.sleep(LOOK)

    async def _delete(self, asked: Asked) -> None:
        await asyncio.sleep(self._dice.uniform(0, 2))
        asked.deleted = True
        await self._poster.send("DELETE", asked, self._cluster.ways, f"api/conversations/{asked.conversation_id}", None)
