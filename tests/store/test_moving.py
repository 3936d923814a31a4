"""Copying an installation from SQLite to PostgreSQL, and backups."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from luxx.core import steps
from luxx.core.errors import ConfigurationError
from luxx.store.interface import Store
from luxx.store.opening import copy_to_postgres
from luxx.store.postgres.store import open_postgres
from luxx.store.records import ClientRequest, ConversationSettings, NewProvider
from luxx.store.secrets import SecretBox
from luxx.store.sqlite.backup import back_up
from luxx.store.sqlite.store import DATABASE, open_sqlite
from tests.postgres_server import PostgresServer
from tests.store.engines import KEY
from tests.store.talk import ALL, Talk, batch, call, delta, done, ended, whole
from tests.store.test_compaction import compact_all

SECRETS = SecretBox([KEY])
REQUEST = ClientRequest("r1", "target", b"hash")


@pytest.fixture
async def url(postgres: PostgresServer) -> AsyncIterator[str]:
    """A database without tables."""
    url = postgres.empty_database()
    yield url
    postgres.drop(url)


async def lived_in(store: Store) -> Talk:
    """Fill a store with some of everything."""
    provider = NewProvider(name="Acme", format="openai", base_url="https://a.example", api_key="sk-1")
    settings = ConversationSettings(
        system_prompt="Be brief. ü 🐝",
        provider_id=(await store.providers.create(store.owner, provider)).id,
        temperature=0.25,
        max_tokens=10,
        tools_enabled=False,
    )
    talk = Talk(store, await store.conversations.create(store.owner, "A title", settings))
    first = await talk.answered("one", "1")
    await compact_all(store)
    await talk.answered("two", "back\\slash\ttab\nline \\N")
    photo = await store.files.keep(store.owner, None, "photo.png", b"\x89PNG\r\n\x1a\n\\N\t\x00")
    turn = (await talk.say("three", request=REQUEST, files=(photo.id,))).turn
    await talk.say("four", on_busy="queue")
    step = steps.text(0, 1)
    await talk.append(batch(turn, 2, step, delta("x"), ended(step, "x"), call()))
    await talk.answered("aside", "5", parent=first.message_id)
    await store.conversations.delete(store.owner, (await Talk.begin(store)).id)
    return talk


async def seen(store: Store, talk: Talk) -> list[object]:
    """Return all that can be seen of a conversation."""
    branch = await store.conversations.branch(store.owner, talk.id, None, None, ALL, whole)
    unfinished = await store.turns.unfinished(store.owner, talk.id)
    turns = [message.turn for message in branch.items if message.turn]
    return [
        store.owner,
        await store.conversations.list(store.owner, 10, None, None),
        branch,
        [await store.conversations.history(store.owner, message.id, whole) for message in branch.items],
        unfinished,
        [await store.turns.log(store.owner, turn.id, 0, ALL) for turn in (*turns, *unfinished)],
        await store.providers.list(store.owner),
        [
            (await store.providers.credentials(store.owner, provider.id))[1]
            for provider in await store.providers.list(store.owner)
        ],
        await store.turns.replayed(store.owner, REQUEST),
        [await store.files.read(store.owner, file.id) for file in await store.files.list(store.owner, talk.id)],
    ]


async def test_everything_is_there_after_copying_and_goes_on(tmp_path: Path, url: str) -> None:
    source = await open_sqlite(tmp_path, SECRETS)
    talk = await lived_in(source)
    before = await seen(source, talk)
    with pytest.raises(ConfigurationError, match="in use"):
        await asyncio.to_thread(copy_to_postgres, tmp_path, url)
    await source.close()
    moved = await asyncio.to_thread(copy_to_postgres, tmp_path, url)
    assert moved.rows > 30
    assert moved.changed == 0

    store = await open_postgres(url, SECRETS)
    assert await seen(store, talk) == before
    talk.store = store
    (turn,) = await store.turns.claim()
    assert (turn.epoch, turn.takeovers) == (2, 0)
    (released,) = (await talk.append(batch(turn, turn.seq + 1, done(turn)))).released
    await talk.append(batch(released, 2, done(released)))
    assert (await talk.say("new")).turn.status == "active"
    await store.close()

    with pytest.raises(ConfigurationError, match="empty"):
        await asyncio.to_thread(copy_to_postgres, tmp_path, url)
    again = await open_sqlite(tmp_path, SECRETS)
    assert await seen(again, talk) == before
    await again.close()


async def test_what_postgresql_cannot_store_is_told(tmp_path: Path, url: str) -> None:
    source = await open_sqlite(tmp_path, SECRETS)
    talk = await Talk.begin(source)
    await talk.say("a\x00b")
    await source.close()
    assert (await asyncio.to_thread(copy_to_postgres, tmp_path, url)).changed == 1
    store = await open_postgres(url, SECRETS)
    branch = await store.conversations.branch(store.owner, talk.id, None, None, ALL, whole)
    assert branch.items[0].text == "a\ufffdb"
    await store.close()


async def test_where_there_is_nothing_to_copy_nothing_is_made(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError, match="nothing to copy"):
        copy_to_postgres(tmp_path / "data", url)
    assert not (tmp_path / "data").exists()


async def test_a_backup_is_of_one_moment_while_the_server_writes(tmp_path: Path) -> None:
    store = await open_sqlite(tmp_path / "data", SECRETS)
    talk = await lived_in(store)
    pairs = [(await talk.say(parent=None)).turn for _ in range(2)]
    stop = asyncio.Event()

    async def write() -> None:
        seq = 1
        while not stop.is_set():
            seq += 1
            await talk.append(*(batch(turn, seq, delta("x" * 1_000)) for turn in pairs))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(write())
        for number in range(5):
            (tmp_path / str(number)).mkdir()
            await asyncio.to_thread(back_up, tmp_path / "data" / DATABASE, tmp_path / str(number) / DATABASE)
        stop.set()
    await store.close()
    for number in range(5):
        copy = await open_sqlite(tmp_path / str(number), SECRETS)
        first, second = [(await copy.turns.log(copy.owner, turn.id, 0, ALL)).entries for turn in pairs]
        assert [entry.seq for entry in first] == [entry.seq for entry in second] == list(range(1, len(first) + 1))
        await copy.close()


async def test_a_backup_overwrites_nothing(tmp_path: Path) -> None:
    store = await open_sqlite(tmp_path, SECRETS)
    target = tmp_path / "copy.db"
    back_up(tmp_path / DATABASE, target)
    assert target.stat().st_mode & 0o777 == 0o600
    for wrong in (target, tmp_path / "nowhere" / "copy.db"):
        with pytest.raises(ConfigurationError):
            back_up(tmp_path / DATABASE, wrong)
    with pytest.raises(ConfigurationError, match="no database"):
        back_up(tmp_path / "absent.db", tmp_path / "other.db")
    assert not (tmp_path / "other.db").exists()
    connection = sqlite3.connect(target)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    await store.close()
