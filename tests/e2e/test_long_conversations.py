"""Conversations that outgrow their model: each provider's refusal, or the window that it told of, makes room, and nobody sees an error."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from luxx.client import Client, Overrides
from luxx.core.steps import Step, Summary
from tests.e2e.plugin import install
from tests.e2e.server import Server
from tests.e2e.talks import NOTES, Speaker, Talk, add_provider
from tests.e2e.test_prompt_cache import opened
from tests.e2e.voices import VOICES, Call, Saying

LONG = "Bees make honey. " * 500
"""Some 8,500 characters, or 2,000 tokens."""
ANSWERS = (
    Saying(thinking="Hm.", text=f"One. {LONG}"),
    Saying(
        thinking="Hm.", text="Two.", calls=[Call("a", "echo", {"text": LONG}), Call("b", "echo", {"text": "short"})]
    ),
    Saying(thinking="So.", text="It says so."),
    Saying(thinking="Hm.", text=f"Three. {LONG}"),
)


def summaries(talk_steps: tuple[Step, ...]) -> list[str]:
    return [step.content for step in talk_steps if isinstance(step, Summary) and step.state == "complete"]


async def grown(talk: Talk) -> None:
    """Talk until there is much to remember."""
    for question in ("first", "second", "third"):
        assert (await talk.say(f"{question}: {LONG}"))[-1] == "done"


async def check_summed_up(talk: Talk, speaker: Speaker) -> None:
    """Check that no turn failed, and that there is a summary, which the provider was told in place of what it sums up."""
    messages = (await talk.client.messages(talk.id)).items
    assert {message.error for message in messages} == {None}
    assert {text for message in messages for text in summaries(message.steps)} == {NOTES}
    assert NOTES in speaker.last
    assert "first: " not in speaker.last
    assert speaker.notes
    assert speaker.broken == []


async def outgrow(talk: Talk, speaker: Speaker) -> None:
    """Let the provider take less from now on than the conversation has."""
    await grown(talk)
    speaker.most = len(speaker.asked[-1].body) - 5_000
    assert (await talk.say("fourth"))[-1] == "done"
    assert speaker.refused >= 1
    await check_summed_up(talk, speaker)


async def test_a_refused_request_is_summed_up_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "tests.e2e.picture_tools:TOOLS", monkeypatch)
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(Server(tmp_path / "data"))
        client = await stack.enter_async_context(server.client())
        speakers = [await stack.enter_async_context(Speaker(voice, ANSWERS)) for voice in VOICES]
        talks = [await Talk.begin(client, speaker) for speaker in speakers]
        await asyncio.gather(*map(outgrow, talks, speakers))
        before = [opened(speaker.asked[-1].body) for speaker in speakers]
        await server.kill()
        await server.start()
        for talk, speaker, body in zip(talks, speakers, before, strict=True):
            refused, noted = speaker.refused, len(speaker.notes)
            assert (await talk.say("fifth"))[-1] == "done"
            assert opened(speaker.asked[-1].body).startswith(body)
            assert (speaker.refused, len(speaker.notes), speaker.broken) == (refused, noted, [])
        elsewhere = Overrides(provider_id=await add_provider(client, speakers[0], "another name"))
        for talk in talks[1:]:
            assert (await talk.say("sixth", overrides=elsewhere))[-1] == "done"
            assert NOTES in speakers[0].last
            assert "first: " not in speakers[0].last


async def test_a_turn_that_outgrows_the_window_with_its_own_tools_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "tests.e2e.picture_tools:TOOLS", monkeypatch)
    reads = [
        Saying(thinking="Hm.", text=f"Step {n}.", calls=[Call(f"c{n}", "echo", {"text": f"{n} {LONG}"})])
        for n in range(6)
    ]

    async def work(client: Client, speaker: Speaker) -> None:
        talk = await Talk.begin(client, speaker)
        assert (await talk.say("Read all of it."))[-1] == "done"
        answer = await talk.last()
        assert set(summaries(answer.steps)) == {NOTES}
        assert answer.text.endswith("Read.")
        assert speaker.broken == []
        assert "Read all of it." in speaker.last
        assert (await talk.say("Thanks."))[-1] == "done"
        assert NOTES in speaker.last
        assert speaker.broken == []

    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(Server(tmp_path / "data"))
        client = await stack.enter_async_context(server.client())
        speakers = [await stack.enter_async_context(Speaker(voice, [*reads, Saying(text="Read.")])) for voice in VOICES]
        for speaker in speakers:
            speaker.most = 60_000
        await asyncio.gather(*(work(client, speaker) for speaker in speakers))
        assert all(speaker.refused for speaker in speakers)


async def test_a_known_window_is_not_exceeded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "tests.e2e.picture_tools:TOOLS", monkeypatch)

    async def grow(client: Client, speaker: Speaker) -> None:
        talk = await Talk.begin(client, speaker)
        await grown(talk)
        assert (await talk.say(f"fourth: {LONG}"))[-1] == "done"
        assert speaker.refused == 0
        await check_summed_up(talk, speaker)

    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(Server(tmp_path / "data"))
        client = await stack.enter_async_context(server.client())
        speakers = [await stack.enter_async_context(Speaker(voice, ANSWERS, window=20_000)) for voice in VOICES]
        await asyncio.gather(*(grow(client, speaker) for speaker in speakers))
