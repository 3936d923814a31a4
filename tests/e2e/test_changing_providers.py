"""A conversation that changes from a provider of one wire format to one of another: the request is right, and nothing is lost."""

import asyncio
import base64
import contextlib
import json
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest

from luxx.client import Client, Overrides, ProviderFields
from luxx.core.replay import Replay
from luxx.core.steps import Notice, ToolResult, answer_text
from luxx.engine.transcript import UNKNOWN
from tests.e2e.picture_tools import PICTURE
from tests.e2e.plugin import install
from tests.e2e.reader import Reader
from tests.e2e.server import Server
from tests.e2e.talks import PDF, Speaker, Talk, add_provider, followed
from tests.e2e.voices import VOICES, Call, Saying, Voice

DRAWN = (Call("toolu_1.x/y", "draw", {"what": "a cat"}), Call("b", "echo", {"text": 'ä "quoted" ☃'}))
FIRST = (
    Saying(thinking="Hm.", text="Let me draw.", calls=DRAWN, strange=True),
    Saying(thinking="So.", text="There is the cat.", strange=True),
)
SECOND = (Saying(thinking="Well.", text="Another one.", calls=DRAWN), Saying(text="There is a second cat."))
WORDS = ("Draw me a cat.", "Näheres in den Notizen.", "Let me draw.", "A picture of a cat.", "There is the cat.")
MORE = (*WORDS, "And again.", "Another one.", "There is a second cat.")


def missing(speaker: Speaker, words: tuple[str, ...]) -> list[str]:
    """Return what a speaker was not told in its last request; it must have kept the rules in all of them."""
    assert speaker.broken == [], speaker.voice.format
    last = speaker.asked[-1].body.decode()
    told = [*words, base64.b64encode(PICTURE).decode(), base64.b64encode(PDF).decode()]
    return [word for word in told if json.dumps(word, ensure_ascii=False)[1:-1] not in last]


async def change(client: Client, one: Voice, other: Voice) -> None:
    """Talk with one provider, then with another, then with the first again."""
    name = f"{one.format} and {other.format}"
    async with Speaker(one, FIRST) as first, Speaker(other, SECOND) as second:
        talk = await Talk.begin(client, first, name=f"1 {name}", thinking="low")
        elsewhere = Overrides(provider_id=await add_provider(client, second, f"2 {name}"))
        assert (await talk.say("Draw me a cat.", files=True))[-1] == "done"
        assert missing(first, WORDS[:-1]) == []
        assert (await talk.say("And again.", overrides=elsewhere))[-1] == "done"
        assert missing(second, (*WORDS, "And again.", "Another one.")) == []
        assert (await talk.say("Thanks."))[-1] == "done"
        assert missing(first, (*MORE, "Thanks.")) == []
        assert first.asked[-1].body.count(base64.b64encode(PICTURE)) == 3
        assert "SIGNED Hm." in first.last
        assert "SIGNED Well." not in first.last
        again = await client.regenerate((await talk.last()).id, elsewhere)
        assert (await followed(again))[-1] == "done"
        assert missing(second, (*MORE, "Thanks.")) == []
        assert "SIGNED Hm." not in second.last


async def test_a_conversation_changes_between_all_formats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "tests.e2e.picture_tools:TOOLS", monkeypatch)
    async with Server(tmp_path / "data") as server, server.client() as client:
        await asyncio.gather(*(change(client, *pair) for pair in permutations(VOICES, 2)))


UNFINISHED = (
    Saying(
        thinking="Hm.", text="One.", calls=[Call("u", "wait_unsafe", {"seconds": 60}), Call("e", "echo", {"text": "x"})]
    ),
    Saying(thinking="Hm.", text="Two.", cut="hold"),
    Saying(thinking="Hm.", text="Three.", calls=[Call("e", "echo", {"text": "cut"})], cut="off"),
    Saying(thinking="Hm.", text="Four.", cut="length"),
    Saying(thinking="Five.", cut="length"),
    Saying(),
    Saying(text="   "),
    Saying(
        thinking="Hm.", text="Six.", calls=[Call("u", "wait_unsafe", {"seconds": 60}), Call("e", "echo", {"text": "x"})]
    ),
    Saying(text="Seven."),
)
TOLD = ("One.", "Two.", "Three.", "Four.", "Six.", "Seven.", UNKNOWN)


async def cancelled(talk: Talk, text: str, seen: Callable[[Replay], bool]) -> None:
    """Ask, and stop the turn as soon as this is seen."""
    reader = Reader(await talk.ask(text))
    async with asyncio.TaskGroup() as group:
        group.create_task(reader.follow())
        await reader.until(seen)
        await reader.handle.cancel()
    assert reader.shown[-1].name == "cancelled"


def ran_beside(replay: Replay) -> bool:
    """Whether one tool runs and another has ended."""
    results = [step for step in replay.steps() if isinstance(step, ToolResult)]
    return {step.state for step in results} == {"running", "complete"}


def has_text(replay: Replay) -> bool:
    return bool(answer_text(replay.steps()))


async def until_killed(talk: Talk) -> Reader:
    """Make a conversation of everything that can go wrong, up to where a tool runs."""
    await cancelled(talk, "one", ran_beside)
    await cancelled(talk, "two", has_text)
    assert (await talk.say("three"))[-1] == "error"
    for question in ("four", "five", "six", "seven"):
        await talk.say(question)
    reader = Reader(await talk.ask("eight"))
    async with asyncio.TaskGroup() as group:
        following = group.create_task(reader.follow())
        await reader.until(ran_beside)
        following.cancel()
    return reader


async def test_what_was_not_finished_is_told_to_every_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "tests.e2e.picture_tools:TOOLS", monkeypatch)
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(Server(tmp_path / "data"))
        client = await stack.enter_async_context(server.client())
        speakers = [await stack.enter_async_context(Speaker(voice, UNFINISHED)) for voice in VOICES]
        talks = [await Talk.begin(client, speaker) for speaker in speakers]
        readers = await asyncio.gather(*map(until_killed, talks))
        await server.kill()
        await server.start()
        await asyncio.gather(*(reader.follow() for reader in readers))
        others = [await stack.enter_async_context(Speaker(voice)) for voice in VOICES]
        ids = [await add_provider(client, speaker, f"other {speaker.voice.format}") for speaker in others]
        for talk in talks:
            for other, id in zip(others, ids, strict=True):
                names = await talk.say("And now?", overrides=Overrides(provider_id=id))
                assert names[-1] == "done"
                assert [word for word in (*TOLD, "And now?") if word not in other.last] == []
        assert [speaker.broken for speaker in (*speakers, *others)] == [[]] * 8


async def go_on(client: Client, one: Voice, other: Voice) -> None:
    """Let another provider go on with an answer that was cut, then ask the first again."""
    name = f"{one.format} and {other.format}"
    cut = Saying(thinking="Hm.", text="The cat is called", cut="length")
    rest = (Saying(thinking="So.", text=" Tom.", calls=DRAWN[1:]), Saying(text=" That is all."))
    async with Speaker(one, [cut]) as first, Speaker(other, rest) as second:
        talk = await Talk.begin(client, first, name=f"cut 1 {name}")
        elsewhere = Overrides(provider_id=await add_provider(client, second, f"cut 2 {name}"))
        assert (await talk.say("What is it called?"))[-1] == "done"
        goes_on = await client.continue_message((await talk.last()).id, elsewhere)
        assert (await followed(goes_on))[-1] == "done"
        assert (await talk.last()).text == "The cat is called Tom. That is all."
        assert (await talk.say("Thanks."))[-1] == "done"
        assert first.broken == second.broken == []
        assert [word for word in ("The cat is called", " Tom.", " That is all.") if word not in first.last] == []


async def test_an_answer_is_continued_by_every_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "tests.e2e.picture_tools:TOOLS", monkeypatch)
    async with Server(tmp_path / "data") as server, server.client() as client:
        await asyncio.gather(*(go_on(client, *pair) for pair in permutations(VOICES, 2)))


async def fall_back(client: Client, one: Voice, other: Voice) -> None:
    """Let a provider fail at the second call of a turn, so that one of another format goes on."""
    name = f"{one.format} and {other.format}"
    async with Speaker(one, [FIRST[0]]) as first, Speaker(other, SECOND) as second:
        talk = await Talk.begin(client, first, name=f"failing {name}")
        fallback = await add_provider(client, second, f"fallback {name}")
        failing = (await client.conversation(talk.id)).provider_id or ""
        await client.change_provider(failing, ProviderFields(fallback_id=fallback))
        first.failing_after = 1
        assert (await talk.say("Draw me a cat.", files=True))[-1] == "done"
        answer = await talk.last()
        assert [step.kind for step in answer.steps if isinstance(step, Notice)] == ["provider_fallback"]
        assert missing(second, (*WORDS[:-1], "Another one.")) == []
        assert "SIGNED Hm." not in second.last
        first.failing_after = None
        assert (await talk.say("Thanks."))[-1] == "done"
        assert missing(first, (*WORDS[:-1], "Another one.", "There is a second cat.", "Thanks.")) == []
        assert "SIGNED Hm." in first.last
        assert "SIGNED Well." not in first.last


async def test_a_provider_of_another_format_goes_on_where_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "tests.e2e.picture_tools:TOOLS", monkeypatch)
    async with Server(tmp_path / "data", provider_attempts="1") as server, server.client() as client:
        await asyncio.gather(*(fall_back(client, *pair) for pair in permutations(VOICES, 2)))
