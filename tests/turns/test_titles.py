"""Titles: a conversation is named by the model after its first answer, and only then."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from luxx.core.prompts import UserPrompt
from luxx.store.records import NewProvider, Turn
from luxx.store.secrets import SecretBox
from luxx.store.sqlite.store import open_sqlite
from luxx.turns.endpoints import Endpoints
from luxx.turns.titles import PROMPT, Titles
from tests.engine.fakes import FakeModel, say
from tests.store.engines import KEY
from tests.store.talk import Talk


class Naming:
    """A conversation whose model names it "Bees"."""

    def __init__(self, talk: Talk, model: FakeModel, provider_id: str) -> None:
        self.talk = talk
        self.model = model
        self._provider_id = provider_id
        endpoints = Endpoints(talk.store.providers, {"fake": lambda provider, key: model})
        self._titles = Titles(talk.store, endpoints, enabled=True)

    async def improve(self, turn: Turn) -> str:
        """Let the title be improved after a turn and return it."""
        settings = replace(turn.settings, provider_id=self._provider_id)
        await self._titles.improve(replace(turn, settings=settings))
        return (await self.talk.store.conversations.get(self.talk.owner, self.talk.id)).title


@pytest.fixture
async def naming(tmp_path: Path) -> AsyncIterator[Naming]:
    async with asyncio.timeout(30):
        store = await open_sqlite(tmp_path, SecretBox([KEY]))
        provider = await store.providers.create(store.owner, NewProvider(name="p", format="fake", default_model="m"))
        yield Naming(await Talk.begin(store), FakeModel(say(' "Bees." ')), provider.id)
        await store.close()


async def test_the_first_answer_gives_the_conversation_its_title(naming: Naming) -> None:
    assert await naming.improve(await naming.talk.answered("What do bees eat?", "Nectar.")) == "Bees"
    (request,) = naming.model.requests
    assert request.prompts == (UserPrompt(f"{PROMPT}user: What do bees eat?\n\nassistant: Nectar."),)


async def test_a_later_answer_changes_no_title(naming: Naming) -> None:
    await naming.talk.answered("What do bees eat?", "Nectar.")
    assert await naming.improve(await naming.talk.answered("And wasps?", "Bees.")) == ""
    assert not naming.model.requests
