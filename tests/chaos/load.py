"""The load: turns posted, cancelled and deleted through nodes taken at random, each with readers that follow it."""

import asyncio
import json
import random
import time
from typing import Any

import aiohttp

from tests.chaos.cluster import Cluster
from tests.chaos.readers import follow_bare, follow_with_client
from tests.chaos.shown import Shown

CLIENT_READERS = 2
ASK_AGAIN = 0.05


class Asked:
    """One turn: what was asked, what became of it, and what its readers were shown."""

    def __init__(self, number: int, answer: str, script: list[list[dict[str, Any]]]) -> None:
        self.number = number
        self.answer = answer
        self.text = json.dumps({"script": script})
        self.turn_id = ""
        self.conversation_id = ""
        self.wrong: list[tuple[str, str]] = []
        self.cancelled = False
        self.deleted = False
        self.readers: list[Shown] = []


def make_turn(number: int, dice: random.Random) -> Asked:
    """Write a script: talk, or talk and three tools at once and talk again."""
    words = [f"w{number}x{place} " for place in range(dice.randrange(60, 400))]
    half = dice.randrange(len(words))
    first, second = "".join(words[:half]), "".join(words[half:])
    pace = {"chunk": dice.choice((5, 9, 30)), "delay_ms": dice.choice((0, 2, 5))}
    think = {"type": "thinking", "text": f"Let me think about {number}. " * 5, **pace}
    if dice.random() < 0.35:
        return Asked(
            number, first + second, [[think, _say(first, pace), {"type": "pause", "ms": 50}, _say(second, pace)]]
        )
    names = ("wait", "wait_idempotent", "wait_unsafe")
    calls = [
        {
            "type": "call",
            "name": name,
            "arguments": {"seconds": dice.choice((0, 0.1, 0.6)), "label": f"{number}-{name}"},
        }
        for name in names
    ]
    dice.shuffle(calls)
    return Asked(number, first + second, [[think, _say(first, pace), *calls], [_say(second, pace)]])


def _say(text: str, pace: dict[str, int]) -> dict[str, Any]:
    return {"type": "text", "text": text, **pace}


class Load:
    """Owns the turns of a run, in `asked`; made with what all requests need."""

    def __init__(self, cluster: Cluster, session: aiohttp.ClientSession, dice: random.Random, provider: str) -> None:
        self.asked: list[Asked] = []
        self._cluster = cluster
        self._session = session
        self._dice = dice
        self._provider = provider

    async def run(self, seconds: float, at_once: int) -> None:
        """Begin turns for some time, so many at once, and return when all are read to their end."""
        until = time.monotonic() + seconds
        slots = asyncio.Semaphore(at_once)
        async with asyncio.TaskGroup() as group:
            while time.monotonic() < until:
                await slots.acquire()
                turn = group.create_task(self.turn(disturbed=True))
                turn.add_done_callback(lambda _: slots.release())
                await asyncio.sleep(self._dice.uniform(0, 0.2))

    async def turn(self, disturbed: bool) -> None:
        """Ask, follow, and perhaps cancel or delete."""
        asked = make_turn(len(self.asked), random.Random(self._dice.random()))
        self.asked.append(asked)
        made = await self._post(asked, "api/conversations", {"provider_id": self._provider}, twice=False)
        asked.conversation_id = made["id"]
        path = f"api/conversations/{asked.conversation_id}/messages"
        started = await self._post(asked, path, {"text": asked.text}, twice=disturbed and self._dice.random() < 0.4)
        asked.turn_id = started["turn_id"]
        fate = self._dice.random() if disturbed else 1
        async with asyncio.TaskGroup() as group:
            for task in self._readers(asked):
                group.create_task(task)
            if fate < 0.15:
                group.create_task(self._cancel(asked))
            elif fate < 0.2:
                group.create_task(self._delete(asked))

    def _readers(self, asked: Asked) -> list[Any]:
        cluster, turn_id = self._cluster, asked.turn_id
        asked.readers = [Shown(f"turn {asked.number} reader {n}") for n in range(CLIENT_READERS + 1)]
        bare = follow_bare(asked.readers[-1], self._session, cluster.ways, turn_id, self._dice)
        return [bare, *(follow_with_client(it, cluster.clients, turn_id, self._dice) for it in asked.readers[:-1])]

    async def _post(self, asked: Asked, path: str, body: dict[str, Any], twice: bool) -> dict[str, Any]:
        """Send a POST until it is answered, with the same name; sent twice at once it must do the same thing."""
        body = {**body, "client_request_id": f"{path}-{asked.number}"[-128:]}
        answers = await asyncio.gather(*(self._send("POST", asked, path, body) for _ in range(1 + twice)))
        if any(answer != answers[0] for answer in answers):
            asked.wrong.append(("POSTs that did two things", f"turn {asked.number}: {answers}"))
        return answers[0]

    async def _cancel(self, asked: Asked) -> None:
        await asyncio.sleep(self._dice.uniform(0, 2))
        asked.cancelled = True
        await self._send("POST", asked, f"api/turns/{asked.turn_id}/cancel", {})

    async def _delete(self, asked: Asked) -> None:
        await asyncio.sleep(self._dice.uniform(0, 2))
        asked.deleted = True
        await self._send("DELETE", asked, f"api/conversations/{asked.conversation_id}", None)

    async def _send(self, method: str, asked: Asked, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        """Ask nodes at random until one answers; every status that is neither success nor 503 is wrong."""
        patience = aiohttp.ClientTimeout(total=10, sock_connect=1)
        while True:
            way = self._dice.choice(self._cluster.ways)
            try:
                async with self._session.request(
                    method, f"{way.url}/{path}", json=body, headers=way.headers, timeout=patience
                ) as response:
                    if response.status < 300:
                        return await response.json() if response.status != 204 else {}
                    if response.status == 404 and method == "DELETE":  # the answer to an earlier try was lost
                        return {}
                    if response.status != 503:
                        what = f"{method} {path}: {response.status} {await response.text()}"
                        asked.wrong.append(("answers that should not be", what))
            except (aiohttp.ClientError, OSError, TimeoutError):
                pass
            await asyncio.sleep(ASK_AGAIN)
