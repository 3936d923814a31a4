"""Files of a conversation as its turns have them, and the end of those that were never sent."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from luxx.core.errors import NotFound
from luxx.core.prompts import UserPrompt
from luxx.store.records import NewProvider
from luxx.store.secrets import SecretBox
from luxx.store.sqlite.store import DATABASE, open_sqlite
from luxx.turns.files import ConversationFiles
from tests.engine.fakes import FakeModel, say
from tests.eventually import eventually
from tests.http.world import world
from tests.store.engines import KEY
from tests.store.talk import Talk
from tests.turns.test_titles import Naming

WORLD_KEY = "x" * 43 + "="
TEXT = b"Bees make honey."
PROVIDER = NewProvider(name="p", format="fake", default_model="m")


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    store = await open_sqlite(tmp_path, SecretBox([KEY]))
    yield await Talk.begin(store)
    await store.close()


async def test_a_turn_has_the_files_of_its_conversation_and_no_others(talk: Talk) -> None:
    files = ConversationFiles(talk.store.files, talk.owner, talk.id)
    made = await files.keep("bees.txt", TEXT)
    other = await Talk.begin(talk.store)
    theirs = await talk.store.files.keep(talk.owner, other.id, "theirs.txt", b"x")
    loose = await talk.store.files.keep(talk.owner, None, "loose.txt", b"x")
    sent = await talk.store.files.keep(talk.owner, None, "sent.txt", b"sent")
    await talk.say("look", files=(sent.id,))
    assert {file.name for file in await files.list()} == {"bees.txt", "sent.txt"}
    assert [await files.read(file.id) for file in (made, sent)] == [TEXT, b"sent"]
    for file in (theirs, loose):
        with pytest.raises(NotFound):
            await files.read(file.id)


async def test_a_title_is_made_with_the_names_of_the_files(talk: Talk) -> None:
    model = FakeModel(say("Bees"))
    provider = await talk.store.providers.create(talk.owner, PROVIDER)
    file = await talk.store.files.keep(talk.owner, None, "bees.txt", TEXT)
    turn = (await talk.say("", files=(file.id,), title="bees.txt")).turn
    assert await Naming(talk, model, provider.id).improve(turn) == "Bees"
    (prompt,) = model.requests[0].prompts
    assert isinstance(prompt, UserPrompt)
    assert "[bees.txt]" in prompt.text
    assert prompt.files == ()


async def test_what_was_uploaded_a_day_ago_and_not_sent_is_deleted(tmp_path: Path) -> None:
    store = await open_sqlite(tmp_path / "data", SecretBox([WORLD_KEY]))
    old, new = [await store.files.keep(store.owner, None, name, TEXT) for name in ("old", "new")]
    await store.close()
    database = sqlite3.connect(tmp_path / "data" / DATABASE, isolation_level=None)
    database.execute("UPDATE file SET created_at = '2000-01-01T00:00:00.000000Z' WHERE id = ?", (old.id,))
    database.close()
    async with world(tmp_path, heartbeat=0.06) as at, asyncio.timeout(20):

        async def gone() -> bool:
            with contextlib.suppress(NotFound):
                return not await at.store.files.get(at.store.owner, old.id)
            return True

        await eventually(gone)
        assert await at.store.files.read(at.store.owner, new.id) == TEXT
