"""An answer that was cut keeps its complete parts: a provider gets back what it signed, as after an answer that came whole."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from luxx.core.replay import Replay
from luxx.core.steps import ToolResult, answer_text
from tests.e2e.plugin import install
from tests.e2e.reader import Reader
from tests.e2e.server import Server
from tests.e2e.talks import Speaker, Talk, followed
from tests.e2e.voices import VOICES, Call, Saying, Voice

WAIT = Call("a", "wait", {"seconds": 1.5, "label": "r"})
ECHO = Call("e", "echo", {"text": "x"})
WHOLE = Saying(thinking="Hm.", text="Let me see.", calls=[WAIT], strange=True)


def cut_after_call(voice: Voice, how: str, call: Call = WAIT) -> Saying:
    """Return an answer that is cut after a complete call; chat completions tell only with the next call that one is complete."""
    calls = [call, ECHO] if voice.format == "openai" else [call]
    return Saying(thinking="Hm.", text="Let me see.", calls=calls, strange=True, cut="hold" if how == "hold" else "off")


@contextlib.asynccontextmanager
async def talks(server: Server, sayings: Sequence[Sequence[Saying]]) -> AsyncIterator[list[tuple[Speaker, Talk]]]:
    """Begin a talk in each format; its provider says these things."""
    async with contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(server.client())
        speakers = [
            await stack.enter_async_context(Speaker(voice, said)) for voice, said in zip(VOICES, sayings, strict=True)
        ]
        names = [f"{speaker.voice.format} {speaker.url}" for speaker in speakers]
        yield [(s, await Talk.begin(client, s, name, thinking="low")) for s, name in zip(speakers, names, strict=True)]
        assert [speaker.broken for speaker in speakers] == [[]] * len(speakers)


def runs(replay: Replay) -> bool:
    return any(isinstance(step, ToolResult) for step in replay.steps())


def has_text(replay: Replay) -> bool:
    return bool(answer_text(replay.steps()))


async def until_runs(talk: Talk) -> Reader:
    """Ask, and return when a tool runs."""
    reader = Reader(await talk.ask("Look."))
    async with asyncio.TaskGroup() as group:
        following = group.create_task(reader.follow())
        await reader.until(runs)
        following.cancel()
    return reader


async def test_a_server_killed_after_a_call_tells_the_provider_the_same_as_one_that_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "tests.e2e.picture_tools:TOOLS", monkeypatch)
    async with (
        Server(tmp_path / "data") as server,
        talks(server, [[WHOLE]] * 4) as undisturbed,
        talks(server, [[cut_after_call(voice, "hold")] for voice in VOICES]) as killed,
    ):
        await asyncio.gather(*(talk.say("Look.") for _, talk in undisturbed))
        readers = await asyncio.gather(*(until_runs(talk) for _, talk in killed))
        await server.kill()
        await server.start()
        await asyncio.gather(*(reader.follow() for reader in readers))
        assert [reader.shown[-1].name for reader in readers] == ["done"] * 4
        for (lived, talk), (died, other) in zip(undisturbed, killed, strict=True):
            assert "SIGNED Hm." in died.last
            assert died.last.replace(other.id, "ID") == lived.last.replace(talk.id, "ID")


async def test_an_answer_that_the_provider_cut_after_a_call_goes_back_with_what_it_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "tests.e2e.picture_tools:TOOLS", monkeypatch)
    async with (
        Server(tmp_path / "data") as server,
        talks(server, [[cut_after_call(voice, "off", ECHO)] for voice in VOICES]) as cut,
    ):
        for speaker, talk in cut:
            assert (await talk.say("Look."))[-1] == "error"
            assert (await followed(await talk.client.continue_message((await talk.last()).id)))[-1] == "done"
            assert "SIGNED Hm." in speaker.last
            assert (await talk.say("And now?"))[-1] == "done"
            assert speaker.last.count("SIGNED Hm.") == 1


async def test_an_answer_stopped_in_its_text_is_continued_with_the_thoughts_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "tests.e2e.picture_tools:TOOLS", monkeypatch)
    said = Saying(thinking="Hm.", text="The cat is", strange=True, cut="hold")
    async with Server(tmp_path / "data") as server, talks(server, [[said]] * 4) as stopped:
        for speaker, talk in stopped:
            reader = Reader(await talk.ask("Look."))
            async with asyncio.TaskGroup() as group:
                group.create_task(reader.follow())
                await reader.until(has_text)
                await reader.handle.cancel()
            assert (await followed(await talk.client.continue_message((await talk.last()).id)))[-1] == "done"
            # Chat completions want reasoning back with calls only.
            assert ("SIGNED Hm." in speaker.last) == (speaker.voice.format != "openai")
            assert "The cat is" in speaker.last
