"""Files: stored once by content, bound to a conversation by a message, bounded, and gone with the conversation."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from luxx.core.errors import Conflict, InvalidRequest, NotFound
from luxx.core.files import FileRef
from luxx.store.interface import Store
from luxx.store.postgres.store import open_postgres
from luxx.store.records import ClientRequest, FileLimits
from luxx.store.secrets import SecretBox
from luxx.store.sqlite.store import open_sqlite
from tests.postgres_server import PostgresServer
from tests.store.engines import HELD, KEY, Engine
from tests.store.talk import ALL, Talk, batch, done, whole
from tests.store.test_compaction import EARLIER, LATER, compact_all

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
LIMITS = FileLimits(file_bytes=100, conversation_bytes=250, per_message=2)


@pytest.fixture(params=["sqlite", "postgres"])
async def small(request: pytest.FixtureRequest, tmp_path: Path, postgres: PostgresServer) -> AsyncIterator[Store]:
    """A store with room for very little."""
    if request.param == "sqlite":
        store: Store = await open_sqlite(tmp_path, SecretBox([KEY]), limits=LIMITS)
        yield store
        await store.close()
        return
    url = postgres.database()
    store = await open_postgres(url, SecretBox([KEY]), times=HELD, limits=LIMITS)
    yield store
    await store.close()
    postgres.give_back(url)


async def loose(talk: Talk, name: str = "a.png", data: bytes = PNG) -> FileRef:
    return await talk.store.files.keep(talk.owner, None, name, data)


async def kept(talk: Talk, name: str = "a.png", data: bytes = PNG) -> FileRef:
    return await talk.store.files.keep(talk.owner, talk.id, name, data)


async def user_files(talk: Talk) -> list[tuple[FileRef, ...]]:
    """Return the files of the messages of the branch shown, of people's only."""
    branch = await talk.store.conversations.branch(talk.owner, talk.id, None, None, ALL, whole)
    return [message.files for message in branch.items if message.role == "user"]


async def test_a_file_is_read_as_it_was_kept(talk: Talk) -> None:
    file = await kept(talk, "../photo.txt")
    assert (file.name, file.media_type, file.size) == ("photo.txt", "image/png", len(PNG))
    assert await talk.store.files.get(talk.owner, file.id) == file
    assert await talk.store.files.read(talk.owner, file.id) == PNG
    assert await talk.store.files.read(talk.owner, file.id, talk.id) == PNG
    assert await talk.store.files.list(talk.owner, talk.id) == (file,)


async def test_an_empty_file_and_one_of_many_pages_are_kept(talk: Talk) -> None:
    large = bytes(range(256)) * 20_000
    for data in (b"", large):
        assert await talk.store.files.read(talk.owner, (await kept(talk, "x", data)).id) == data


async def test_a_conversation_keeps_the_same_file_once(talk: Talk) -> None:
    first = await kept(talk)
    assert await kept(talk) == first
    assert await kept(talk, "b.png") != first
    assert [file.name for file in await talk.store.files.list(talk.owner, talk.id)] == ["a.png", "b.png"]


async def test_the_same_content_outlives_one_of_its_files(talk: Talk) -> None:
    first, second = await loose(talk), await loose(talk)
    assert first.id != second.id
    await talk.store.files.delete(talk.owner, first.id)
    assert await talk.store.files.read(talk.owner, second.id) == PNG
    await talk.store.files.delete(talk.owner, second.id)
    again = await loose(talk)
    assert await talk.store.files.read(talk.owner, again.id) == PNG


async def test_files_that_come_at_once_with_one_content_are_all_there(talk: Talk) -> None:
    files = await asyncio.gather(*(kept(talk, f"{n}.png") for n in range(8)))
    assert sorted(file.id for file in await talk.store.files.list(talk.owner, talk.id)) == sorted(f.id for f in files)


async def test_nobody_else_sees_a_file(talk: Talk) -> None:
    file, files = await kept(talk), talk.store.files
    other = await Talk.begin(talk.store)
    for attempt in (
        files.get("stranger", file.id),
        files.read("stranger", file.id),
        files.delete("stranger", file.id),
        files.list("stranger", talk.id),
        files.keep("stranger", talk.id, "x", b""),
        files.read(talk.owner, file.id, other.id),
        files.get(talk.owner, "nothing"),
        files.read(talk.owner, "nothing"),
        files.list(talk.owner, "nothing"),
        files.keep(talk.owner, "nothing", "x", b""),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_a_loose_file_is_no_conversations(talk: Talk) -> None:
    file = await loose(talk)
    assert await talk.store.files.list(talk.owner, talk.id) == ()
    with pytest.raises(NotFound):
        await talk.store.files.read(talk.owner, file.id, talk.id)


async def test_a_message_brings_its_files_into_the_conversation_in_order(talk: Talk) -> None:
    second, first = await loose(talk, "2.png"), await loose(talk, "1.txt", b"text")
    turn = (await talk.say("", files=(first.id, second.id))).turn
    assert await user_files(talk) == [(first, second)]
    assert (await talk.store.conversations.message(talk.owner, turn.user_message_id)).files == (first, second)
    history = await talk.store.conversations.history(talk.owner, turn.message_id, whole)
    assert [message.files for message in history] == [(first, second), ()]
    assert set(await talk.store.files.list(talk.owner, talk.id)) == {first, second}
    assert await talk.store.files.read(talk.owner, first.id, talk.id) == b"text"


async def test_an_edit_may_name_the_same_files_again(talk: Talk) -> None:
    file = await loose(talk)
    await talk.say("one", files=(file.id,), parent=None)
    await talk.say("two", files=(file.id,), parent=None)
    assert await user_files(talk) == [(file,)]
    assert len(await talk.store.files.list(talk.owner, talk.id)) == 1


async def test_a_repeated_post_finds_its_files_attached(talk: Talk) -> None:
    file, request = await loose(talk), ClientRequest("r", "t", b"h")
    first = await talk.say("one", files=(file.id,), request=request)
    again = await talk.say("one", files=(file.id,), request=request)
    assert (again.turn.id, again.replayed) == (first.turn.id, True)


async def test_a_file_that_is_not_there_or_elsewhere_is_refused_and_leaves_no_message(talk: Talk) -> None:
    mine, elsewhere = await loose(talk), await kept(await Talk.begin(talk.store))
    for files in (("nothing",), (mine.id, elsewhere.id), (mine.id, mine.id)):
        with pytest.raises(InvalidRequest) as caught:
            await talk.say("one", files=files)
        assert caught.value.field == "attachments"
    assert await user_files(talk) == []
    await talk.say("one", files=(mine.id,))
    assert await user_files(talk) == [(mine,)]


async def test_two_conversations_that_want_one_file_at_once_do_not_both_get_it(talk: Talk) -> None:
    file, other = await loose(talk), await Talk.begin(talk.store)
    outcomes = await asyncio.gather(
        talk.say("one", files=(file.id,)), other.say("two", files=(file.id,)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes].count(InvalidRequest) == 1
    assert len(await user_files(talk)) + len(await user_files(other)) == 1


async def test_only_a_loose_file_can_be_deleted(talk: Talk) -> None:
    file = await loose(talk)
    await talk.say("one", files=(file.id,))
    with pytest.raises(Conflict) as caught:
        await talk.store.files.delete(talk.owner, file.id)
    assert caught.value.reason == "file_in_use"
    assert await talk.store.files.read(talk.owner, file.id) == PNG


async def test_files_go_with_their_conversation_but_not_what_others_have_too(talk: Talk) -> None:
    other = await Talk.begin(talk.store)
    mine, theirs = await kept(talk), await kept(other)
    file = await loose(talk, "b.txt", b"only here")
    turn = (await talk.say("one", files=(file.id,))).turn
    await talk.append(batch(turn, 2, done(turn)))
    await talk.store.conversations.delete(talk.owner, talk.id)
    for file_id in (mine.id, file.id):
        with pytest.raises(NotFound):
            await talk.store.files.read(talk.owner, file_id)
    with pytest.raises(NotFound):
        await talk.store.files.list(talk.owner, talk.id)
    with pytest.raises(NotFound):
        await kept(talk, "late.png")
    await compact_all(talk.store)
    assert await talk.store.files.read(talk.owner, theirs.id) == PNG


async def test_loose_files_are_swept_by_age_and_others_stay(talk: Talk) -> None:
    sent, waiting = await loose(talk), await loose(talk)
    await talk.say("one", files=(sent.id,))
    assert await talk.store.files.sweep(EARLIER) == 0
    assert await talk.store.files.sweep(LATER) == 1
    assert await talk.store.files.sweep(LATER) == 0
    assert await talk.store.files.read(talk.owner, sent.id) == PNG
    with pytest.raises(NotFound):
        await talk.store.files.get(talk.owner, waiting.id)


async def test_files_are_there_after_a_crash(engine: Engine) -> None:
    talk = await Talk.begin(await engine.open())
    file = await loose(talk)
    await talk.say("one", files=(file.id,))
    store = await engine.die_and_open()
    after = Talk(store, await store.conversations.get(store.owner, talk.id))
    assert await user_files(after) == [(file,)]
    assert await after.store.files.read(talk.owner, file.id) == PNG


async def test_what_is_too_much_is_refused_in_words(small: Store) -> None:
    talk = await Talk.begin(small)
    with pytest.raises(InvalidRequest, match="at most 100 bytes; this one has 101"):
        await kept(talk, "x", b"x" * 101)
    await kept(talk, "1", b"x" * 100)
    await kept(talk, "2", b"x" * 100)
    with pytest.raises(InvalidRequest, match="at most 250 bytes together"):
        await kept(talk, "3", b"x" * 51)
    await kept(talk, "1", b"x" * 100)


async def test_what_is_uploaded_and_not_sent_is_bounded(small: Store) -> None:
    talk = await Talk.begin(small)
    for name in ("1", "2", "3"):
        await loose(talk, name, b"x" * 80)
    with pytest.raises(InvalidRequest, match="not been sent"):
        await loose(talk, "more", b"x" * 80)


async def test_a_message_with_too_much_is_refused(small: Store) -> None:
    talk = await Talk.begin(small)
    await kept(talk, "1", b"x" * 100)
    await kept(talk, "2", b"x" * 100)
    files = tuple([(await loose(talk, name, b"x" * 80)).id for name in ("1", "2", "3")])
    for some, words in ((files[:1], "at most 250 bytes together"), (files, "at most 2 files")):
        with pytest.raises(InvalidRequest, match=words) as caught:
            await talk.say("one", files=some)
        assert caught.value.field == "attachments"
