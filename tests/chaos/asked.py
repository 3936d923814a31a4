"""Asked: one turn, from the script that is posted to what its readers were shown."""

import asyncio
import json
import random
from collections.abc import Collection, Sequence
from typing import Any

import aiohttp

from luxx.core.replay import Replay
from luxx.core.steps import answer_text
from tests.chaos.cluster import Way
from tests.chaos.shown import Shown

ASK_AGAIN = 0.05
Rounds = list[list[dict[str, Any]]]


class Decided:
    """What one person sent about one call, `in_calm` if the turn was nobody's then and nothing struck; `status` is 0 until there was
    an answer.
    """

    def __init__(self, index: int, body: dict[str, Any], in_calm: bool = False) -> None:
        self.index = index
        self.body = body
        self.in_calm = in_calm
        self.sent = self.answered = 0.0
        self.status = 0
        self.code = ""


class Asked:
    """One turn: what was asked, what became of it, and what its readers were shown."""

    def __init__(
        self,
        number: int,
        answer: str,
        rounds: Rounds,
        *,
        over_http: bool = False,
        refused: bool = False,
        asking: str = "",
    ) -> None:
        self.number = number
        self.answer = answer
        self.text = json.dumps({"script": rounds})
        self.over_http = over_http
        self.refused = refused
        self.asking = asking
        """The pattern of the tools that a person is asked about."""
        self.stops = False
        """Whether the first tool that is seen at work is to be stopped."""
        self.decisions: list[Decided] = []
        self.only_woken_since = float("inf")
        """From when on no owner of the turn can have died."""
        self.turn_id = ""
        self.message_id = ""
        self.begins: str | None = None
        """The text of the answer that this one continues, of which nothing else is known."""
        self.broke_off = False
        """Whether the wire to its provider was cut before the answer was continued."""
        self.started = asyncio.Event()
        self.conversation_id = ""
        self.wrong: list[tuple[str, str]] = []
        self.cancelled = False
        self.deleted = False
        self.may_come_late = ""
        """The label of a call that its node, frozen between its last look at its lease and the call, makes when it wakes."""
        self.readers: list[Shown] = []

    def continued(self, number: int) -> "Asked":
        """Return the turn that continues this one's answer, which has ended."""
        after = Asked(number, self.answer, json.loads(self.text)["script"], over_http=self.over_http)
        after.conversation_id = self.conversation_id
        shown = Replay()
        for entry in self.readers[0].entries:
            shown.apply(entry)
        after.begins = answer_text(shown.steps())
        return after


class Poster:
    """Sends the requests of turns until they are answered, and notes in each what should not be."""

    def __init__(self, session: aiohttp.ClientSession, dice: random.Random, patience: float = 10) -> None:
        self._session = session
        self._dice = dice
        self._patience = aiohttp.ClientTimeout(total=patience, sock_connect=1)

    async def converse(self, asked: Asked, ways: Sequence[Way], provider: str) -> None:
        """Make the turn's conversation."""
        rules = [{"tool": asked.asking, "action": "ask"}] if asked.asking else []
        made = await self.post(asked, ways, "api/conversations", {"provider_id": provider, "rules": rules})
        asked.conversation_id = made["id"]

    async def start(self, asked: Asked, ways: Sequence[Way], times: int = 1) -> None:
        """Start the turn."""
        await self._begin(
            asked, ways, f"api/conversations/{asked.conversation_id}/messages", {"text": asked.text}, times
        )

    async def go_on(self, asked: Asked, ways: Sequence[Way], message_id: str) -> None:
        """Start the turn that continues an answer."""
        await self._begin(asked, ways, f"api/messages/{message_id}/continue", {}, 1)

    async def _begin(self, asked: Asked, ways: Sequence[Way], path: str, body: dict[str, Any], times: int) -> None:
        begun = await self.post(asked, ways, path, body, times)
        asked.turn_id, asked.message_id = begun["turn_id"], begun["message_id"]
        asked.started.set()

    async def post(
        self, asked: Asked, ways: Sequence[Way], path: str, body: dict[str, Any], times: int = 1
    ) -> dict[str, Any]:
        """Send a POST under one name; sent several times at once it must do one thing."""
        body = {**body, "client_request_id": f"{path}-{asked.number}"[-128:]}
        answers = await asyncio.gather(*(self.send("POST", asked, ways, path, body) for _ in range(times)))
        if any(answer != answers[0] for answer in answers):
            asked.wrong.append(("POSTs that did two things", f"turn {asked.number}: {answers}"))
        return answers[0]

    async def send(
        self, method: str, asked: Asked, ways: Sequence[Way], path: str, body: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Ask nodes at random until one answers; every status that is neither success nor 503 is wrong."""
        return (await self.ask(method, asked, ways, path, body))[1]

    async def ask(
        self,
        method: str,
        asked: Asked,
        ways: Sequence[Way],
        path: str,
        body: dict[str, Any] | None,
        expected: Collection[int] = (),
    ) -> tuple[int, dict[str, Any]]:
        """Do the same, and take the `expected` statuses for answers too; return the status as well."""
        while True:
            way = self._dice.choice(ways)
            try:
                async with self._session.request(
                    method, f"{way.url}/{path}", json=body, headers=way.headers, timeout=self._patience
                ) as response:
                    if response.status < 300 or response.status in expected:
                        return response.status, await response.json() if response.status != 204 else {}
                    if response.status == 404 and method == "DELETE":  # the answer to an earlier try was lost
                        return 404, {}
                    if response.status != 503:
                        what = f"{method} {path}: {response.status} {await response.text()}"
                        asked.wrong.append(("answers that should not be", what))
            except (aiohttp.ClientError, OSError, TimeoutError):
                pass
            await asyncio.sleep(ASK_AGAIN)
