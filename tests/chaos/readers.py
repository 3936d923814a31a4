"""Readers: they follow a turn to its end through nodes taken at random, as a program with luxx.client does, or as bare HTTP."""

import asyncio
import contextlib
import random
from collections.abc import Sequence

import aiohttp

from luxx.client import ApiError, Client, ProtocolError, Unreachable
from luxx.core.events import LogEntry
from luxx.core.sse import SSEParser
from tests.chaos.cluster import Way
from tests.chaos.shown import Shown

AT_ONCE = 0.02
"""Seconds before the bare reader asks again: almost at once."""
HOP = 0.01
"""How likely a reader goes to another node after an event, with nothing wrong."""


async def follow_with_client(shown: Shown, clients: Sequence[Client], turn_id: str, dice: random.Random) -> None:
    """Read to the end by luxx.client, now and then from another node."""
    while not (shown.ended or shown.gone):
        client = dice.choice(clients)
        try:
            async with contextlib.aclosing(client.follow(turn_id, shown.seq)) as entries:
                async for entry in entries:
                    shown.take(entry)
                    if dice.random() < HOP:
                        break
        except Unreachable:
            continue
        except ApiError as error:
            _refused(shown, error.status, error.reason)
        except ProtocolError as error:
            shown.wrong.append(("streams that are no streams", f"{shown.name}: {error.message}"))
        await asyncio.sleep(AT_ONCE)


async def follow_bare(
    shown: Shown, session: aiohttp.ClientSession, ways: Sequence[Way], turn_id: str, dice: random.Random
) -> None:
    """Read to the end, and ask again at once wherever it breaks."""
    while not (shown.ended or shown.gone):
        way = dice.choice(ways)
        headers = {**way.headers, **({"Last-Event-ID": str(shown.seq)} if shown.seq else {})}
        patience = aiohttp.ClientTimeout(sock_connect=1, sock_read=dice.choice((1.5, 20)))
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            url = f"{way.url}/api/turns/{turn_id}/events"
            async with session.get(url, headers=headers, timeout=patience) as response:
                if response.status != 200:
                    _refused(shown, response.status, await response.text())
                else:
                    await _read(shown, response, dice)
        await asyncio.sleep(AT_ONCE)


async def _read(shown: Shown, response: aiohttp.ClientResponse, dice: random.Random) -> None:
    parser = SSEParser()
    async for chunk in response.content.iter_any():
        for event in parser.feed(chunk):
            shown.take(LogEntry(int(event.id), event.event, event.data))
        if dice.random() < HOP:
            return


def _refused(shown: Shown, status: int, reason: str) -> None:
    if status == 404:
        shown.gone = True
    elif status == 409:
        shown.wrong.append(("events shown that are not in the log", f"{shown.name}: seq {shown.seq}, {reason}"))
    elif status != 503:
        shown.wrong.append(("answers that should not be", f"{shown.name}: {status} {reason}"))
