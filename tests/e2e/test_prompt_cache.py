"""What a provider is sent of a conversation stays the same from request to request, byte by byte, so that its prompt cache hits."""

import asyncio
import base64
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import pytest

from luxx.client import Client
from luxx.core.steps import ToolResult
from tests.e2e.picture_tools import PICTURE
from tests.e2e.plugin import install
from tests.e2e.reader import Reader
from tests.e2e.server import Server
from tests.e2e.talks import Speaker, Talk, all_say
from tests.e2e.test_nodes import nodes
from tests.e2e.voices import VOICES, Call, Saying
from tests.postgres_server import PostgresServer

MARK = b',"cache_control":{"type":"ephemeral"}'
CONVERSATION = (
    Saying(
        thinking="first",
        text="Let me see.",
        calls=[Call("a", "draw", {"what": "a cat"}), Call("b", "echo", {"text": 'ä "\\ ☃ \x01'})],
        strange=True,
    ),
    Saying(calls=[Call("a", "echo", {"text": "the same id again, without a thought"})]),
    Saying(thinking="third", text="Here it is. ", strange=True),
    Saying(text="Plain."),
    Saying(
        thinking="fourth", text="Wait.", calls=[Call("c", "wait", {"seconds": 1.5}), Call("d", "echo", {"text": ""})]
    ),
    Saying(text="\nWaited.\n"),
    Saying(thinking="fifth", calls=[Call("e", "nothing_like_it", {}), Call("", "echo", {"text": "without an id"})]),
    Saying(thinking="last", text="Done."),
)
"""The answers of four turns: three, one, two and two."""


def opened(body: bytes) -> bytes:
    """Return what a later request must begin with: all but the brackets that close it, and the marks of Anthropic's cache, which
    move on with the conversation and are no part of what is cached.
    """
    return body.replace(MARK, b"").rstrip(b"]}")


def parted(before: bytes, after: bytes) -> tuple[bytes, bytes]:
    """Return where two requests part."""
    place = next((n for n, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), len(after))
    return before[place - 200 : place + 200], after[place - 200 : place + 200]


def check(speaker: Speaker) -> None:
    """Check that each request begins with the one before: the same parameters, tools and system prompt, and the same history."""
    assert speaker.broken == []
    bodies = [opened(asked.body) for asked in speaker.asked]
    assert len(bodies) >= len(CONVERSATION)
    for before, after in pairwise(bodies):
        assert after.startswith(before), f"{speaker.voice.format}: {parted(before, after)}"
    assert not speaker.sayings
    whole = speaker.asked[-1].body
    assert b"SIGNED first" in whole
    assert (b'{"kept":["yes",1.5]}' in whole) == (speaker.voice.format != "openai")  # which has no place for it
    assert whole.count(base64.b64encode(PICTURE)) == 2


@contextlib.asynccontextmanager
async def talks(client: Client) -> AsyncIterator[tuple[list[Speaker], list[Talk]]]:
    """Begin a talk in each format."""
    async with contextlib.AsyncExitStack() as stack:
        speakers = [await stack.enter_async_context(Speaker(voice, CONVERSATION)) for voice in VOICES]
        begun = [
            await Talk.begin(client, speaker, system_prompt="Be brief.", thinking="medium", temperature=1.0)
            for speaker in speakers
        ]
        yield speakers, begun


async def until_tools_run(at_work: list[Talk], kill: Callable[[], Awaitable[object]]) -> list[Reader]:
    """Start turns in all talks, kill their server while their tools run, and return the turns' readers."""
    readers = [Reader(await talk.ask("Wait a moment.")) for talk in at_work]
    async with asyncio.TaskGroup() as group:
        following = [group.create_task(reader.follow()) for reader in readers]
        await asyncio.gather(
            *(
                reader.until(lambda replay: any(isinstance(step, ToolResult) for step in replay.steps()))
                for reader in readers
            )
        )
        for task in following:
            task.cancel()
    await kill()
    return readers


async def finish(readers: list[Reader]) -> None:
    """Follow turns to their ends."""
    await asyncio.gather(*(reader.follow() for reader in readers))
    assert [reader.shown[-1].name for reader in readers] == ["done"] * len(readers)


async def test_requests_grow_at_their_end_only_over_restarts_and_crashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "tests.e2e.picture_tools:TOOLS", monkeypatch)
    async with Server(tmp_path / "data") as server, server.client() as client, talks(client) as (speakers, at_work):
        await all_say(at_work, "Look at these.", files=True)
        await server.kill(signal.SIGTERM)
        await server.start()
        await all_say(at_work, "Go on.")
        readers = await until_tools_run(at_work, server.kill)
        await server.start()
        await finish(readers)
        await all_say(at_work, "And now?")
        for speaker in speakers:
            check(speaker)


async def test_requests_of_several_servers_grow_at_their_end_only(
    tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "tests.e2e.picture_tools:TOOLS", monkeypatch)
    async with nodes(tmp_path, postgres) as at, talks(at.clients[0]) as (speakers, at_work):
        await all_say(at_work, "Look at these.", files=True)
        elsewhere = [Talk(at.clients[1], talk.id) for talk in at_work]
        await all_say(elsewhere, "Go on.")
        readers = await until_tools_run(at_work, at.servers[0].kill)
        readers = [Reader(at.on(1, reader.handle)) for reader in readers]
        await finish(readers)
        await all_say(elsewhere, "And now?")
        for speaker in speakers:
            check(speaker)
