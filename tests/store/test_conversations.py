"""Conversations: settings, pages, search and changes."""

import asyncio
import itertools

import pytest
from msgspec.structs import replace

from luxx.core.errors import InvalidRequest, NotFound
from luxx.core.events import Cancelled, Failed
from luxx.store.interface import Store
from luxx.store.records import ClientRequest, ConversationChange, ConversationSettings, NewProvider, SettingsChange
from tests.store.engines import Engine
from tests.store.talk import Talk, batch, done


async def titled(store: Store, *titles: str) -> list[str]:
    """Make conversations and return their ids."""
    return [(await store.conversations.create(store.owner, title, ConversationSettings())).id for title in titles]


async def found(store: Store, query: str) -> set[str]:
    """Return the titles of the conversations that a search finds."""
    return {found.title for found in (await store.conversations.list(store.owner, 50, None, query)).items}


async def test_a_new_conversation_has_what_it_was_given(store: Store) -> None:
    provider = await store.providers.create(store.owner, NewProvider(name="Acme", format="openai"))
    settings = ConversationSettings(
        system_prompt="Be brief.",
        provider_id=provider.id,
        model="m1",
        temperature=0.25,
        max_tokens=100,
        tools_enabled=False,
    )
    made = await store.conversations.create(store.owner, "Mine", settings)
    assert (made.title, made.title_source, made.settings, made.leaf_id) == ("Mine", "user", settings, None)
    assert await store.conversations.get(store.owner, made.id) == made


async def test_a_conversation_without_a_title_may_get_one_by_itself(store: Store) -> None:
    made = await store.conversations.create(store.owner, None, ConversationSettings())
    assert (made.title, made.title_source) == ("", "auto")
    assert await store.conversations.retitle(store.owner, made.id, "About bees")
    assert (await store.conversations.get(store.owner, made.id)).title == "About bees"
    await store.conversations.change(store.owner, made.id, ConversationChange(title="Bees", title_source="user"))
    assert not await store.conversations.retitle(store.owner, made.id, "About wasps")
    assert (await store.conversations.get(store.owner, made.id)).title == "Bees"


async def test_an_unknown_provider_is_refused(store: Store) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await store.conversations.create(store.owner, None, ConversationSettings(provider_id="nothing"))
    assert refused.value.field == "provider_id"
    (made,) = await titled(store, "Mine")
    change = ConversationChange(title="New", settings=SettingsChange(provider_id="nothing"))
    with pytest.raises(InvalidRequest):
        await store.conversations.change(store.owner, made, change)
    assert (await store.conversations.get(store.owner, made)).title == "Mine"


async def test_a_repeated_request_gets_the_same_conversation(store: Store) -> None:
    request = ClientRequest("r1", "conversations", b"hash")
    first = await store.conversations.create(store.owner, "Mine", ConversationSettings(), request)
    assert await store.conversations.create(store.owner, "Mine", ConversationSettings(), request) == first
    other = ClientRequest("r1", "conversations", b"other")
    with pytest.raises(InvalidRequest):
        await store.conversations.create(store.owner, "Mine", ConversationSettings(), other)
    assert len((await store.conversations.list(store.owner, 50, None, None)).items) == 1


async def test_only_the_fields_named_are_changed(store: Store) -> None:
    settings = ConversationSettings(model="m1", system_prompt="Be brief.")
    made = await store.conversations.create(store.owner, "Mine", settings)
    assert await store.conversations.change(store.owner, made.id, ConversationChange()) == made
    changed = await store.conversations.change(
        store.owner, made.id, ConversationChange(settings=SettingsChange(model="m2"))
    )
    assert (changed.title, changed.settings) == ("Mine", replace(settings, model="m2"))
    changed = await store.conversations.change(
        store.owner, made.id, ConversationChange(settings=SettingsChange(system_prompt=None, tools_enabled=False))
    )
    assert changed.settings == ConversationSettings(model="m2", tools_enabled=False)
    assert changed.updated_at == made.updated_at


async def test_changes_from_several_nodes_at_once_are_all_kept(engine: Engine) -> None:
    one = await engine.open()
    other = await engine.open() if one.nodes.shared else one
    made = await one.conversations.create(one.owner, None, ConversationSettings())
    settings = [
        SettingsChange(system_prompt="Be brief."),
        SettingsChange(model="m1"),
        SettingsChange(temperature=0.5),
        SettingsChange(max_tokens=9),
        SettingsChange(tools_enabled=False),
    ]
    changes = [
        ConversationChange(title="Mine", title_source="user"),
        *(ConversationChange(settings=s) for s in settings),
    ]
    stores = itertools.cycle((one, other))
    await asyncio.gather(*(next(stores).conversations.change(one.owner, made.id, change) for change in changes))
    changed = await other.conversations.get(one.owner, made.id)
    assert (changed.title, changed.settings) == (
        "Mine",
        ConversationSettings(system_prompt="Be brief.", model="m1", temperature=0.5, max_tokens=9, tools_enabled=False),
    )


async def test_the_branch_shown_is_changed(talk: Talk) -> None:
    first = await talk.answered("one", "1")
    second = await talk.answered("two", "2", parent=None)
    change = talk.store.conversations.change
    assert (await change(talk.owner, talk.id, ConversationChange(leaf_id=first.message_id))).leaf_id == first.message_id
    assert (await change(talk.owner, talk.id, ConversationChange(leaf_id=None))).leaf_id is None
    assert (await talk.say("three")).turn.user_message_id != second.user_message_id


async def test_a_message_as_leaf_stands_for_the_newest_answer_below_it(talk: Talk) -> None:
    first = await talk.answered("one", "1")
    deep = await talk.answered("two", "2")
    newest = await talk.answered("or two", "3", parent=first.message_id)
    await talk.answered("other", "4", parent=None)
    change = talk.store.conversations.change
    changed = await change(talk.owner, talk.id, ConversationChange(leaf_id=first.user_message_id))
    assert changed.leaf_id == newest.message_id
    changed = await change(talk.owner, talk.id, ConversationChange(leaf_id=first.message_id))
    assert changed.leaf_id == newest.message_id
    changed = await change(talk.owner, talk.id, ConversationChange(leaf_id=deep.user_message_id))
    assert changed.leaf_id == deep.message_id


async def test_a_leaf_of_another_conversation_is_refused(talk: Talk) -> None:
    foreign = await (await Talk.begin(talk.store)).answered("one", "1")
    for leaf in (foreign.message_id, "nothing"):
        with pytest.raises(InvalidRequest) as refused:
            await talk.store.conversations.change(talk.owner, talk.id, ConversationChange(leaf_id=leaf))
        assert refused.value.field == "leaf_id"


async def test_what_is_not_there_cannot_be_changed(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.conversations.change(store.owner, "nothing", ConversationChange(title="x"))
    (made,) = await titled(store, "Mine")
    with pytest.raises(NotFound):
        await store.conversations.change("somebody else", made, ConversationChange(title="x"))


async def test_the_unfinished_turns_of_several_conversations_are_found_at_once(store: Store) -> None:
    talks = [await Talk.begin(store) for _ in range(4)]
    turns = [(await talk.say()).turn for talk in talks]
    queued = (await talks[0].say("more", on_busy="queue")).turn
    await talks[1].append(batch(turns[1], 2, done(turns[1])))
    unfinished = store.turns.unfinished
    found = await unfinished(store.owner, *(talk.id for talk in talks[:3]), "nothing")
    assert [turn.id for turn in found] == [turns[0].id, turns[2].id, queued.id]
    assert [turn.conversation_id for turn in found] == [talks[0].id, talks[2].id, talks[0].id]
    assert await unfinished(store.owner) == ()
    assert await unfinished("somebody else", talks[0].id) == ()


# --- pages


async def test_pages_go_from_the_newest_activity_to_the_oldest(store: Store) -> None:
    made = await titled(store, "a", "b", "c", "d", "e")
    await Talk(store, await store.conversations.get(store.owner, made[1])).say("hi")
    seen: list[str] = []
    cursor, pages = None, 0
    while pages == 0 or cursor:
        page = await store.conversations.list(store.owner, 2, cursor, None)
        seen += [conversation.title for conversation in page.items]
        cursor, pages = page.next_cursor, pages + 1
    assert seen == ["b", "e", "d", "c", "a"]
    assert pages == 3


async def test_a_full_last_page_has_no_cursor(store: Store) -> None:
    await titled(store, "a", "b")
    assert (await store.conversations.list(store.owner, 2, None, None)).next_cursor is None


@pytest.mark.parametrize("cursor", ["", "x", "ä", "bnVsbA==", "W10=", "WzEsMl0=", "////", "WyJhXHUwMDAwIiwgImIiXQ=="])
async def test_a_bad_cursor_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await store.conversations.list(store.owner, 2, cursor, None)
    assert refused.value.field == "cursor"


async def test_another_person_sees_no_conversations(store: Store) -> None:
    await titled(store, "a")
    assert (await store.conversations.list("somebody else", 10, None, None)).items == ()


async def test_a_search_looks_in_titles_whatever_the_case(store: Store) -> None:
    await titled(store, "Bees and Honey", "Wasps", "Über Bienen", "ÉTÉ")
    assert await found(store, "bees") == {"Bees and Honey"}
    assert await found(store, "  HONEY ") == {"Bees and Honey"}
    assert await found(store, "über") == {"Über Bienen"}
    assert await found(store, "été") == {"ÉTÉ"}
    assert await found(store, "ants") == set()
    assert len(await found(store, "  ")) == 4


async def test_a_search_takes_every_character_as_itself(store: Store) -> None:
    await titled(store, "100 % sure", "100 times", "a_b", "axb", "back\\slash", "it's")
    assert await found(store, "100 %") == {"100 % sure"}
    assert await found(store, "a_b") == {"a_b"}
    assert await found(store, "k\\s") == {"back\\slash"}
    assert await found(store, "t'") == {"it's"}


async def test_a_search_looks_in_what_was_said(talk: Talk) -> None:
    await talk.answered("Where do bees live?", "In a Hive.")
    await Talk.begin(talk.store)
    for query in ("BEES LIVE", "hive"):
        page = await talk.store.conversations.list(talk.owner, 10, None, query)
        assert [conversation.id for conversation in page.items] == [talk.id]


async def test_a_text_that_cannot_be_searched_for_is_refused(store: Store) -> None:
    with pytest.raises(InvalidRequest):
        await store.conversations.list(store.owner, 10, None, "lone \ud800 surrogate")


async def test_a_search_has_pages_too(store: Store) -> None:
    await titled(store, "bee 1", "wasp", "bee 2", "bee 3")
    first = await store.conversations.list(store.owner, 2, None, "bee")
    rest = await store.conversations.list(store.owner, 2, first.next_cursor, "bee")
    assert [c.title for c in (*first.items, *rest.items)] == ["bee 3", "bee 2", "bee 1"]
    assert rest.next_cursor is None


async def test_pinned_ones_are_listed_apart_and_stay_where_they_are(store: Store) -> None:
    first, second, third = await titled(store, "1", "2", "3")
    before = await store.conversations.get(store.owner, second)
    pinned = await store.conversations.change(store.owner, second, ConversationChange(pinned=True))
    assert pinned == replace(before, pinned=True)

    async def ids(wanted: bool | None) -> list[str]:
        page = await store.conversations.list(store.owner, 50, None, None, wanted)
        return [item.id for item in page.items]

    assert await ids(None) == [third, second, first]
    assert (await ids(True), await ids(False)) == ([second], [third, first])
    await store.conversations.change(store.owner, second, ConversationChange(pinned=False))
    assert await ids(True) == []


async def test_an_answer_that_ended_is_unread_until_somebody_says_otherwise(talk: Talk) -> None:
    async def unread() -> bool:
        return (await talk.store.conversations.get(talk.owner, talk.id)).unread

    turn = (await talk.say()).turn
    assert not await unread()
    await talk.append(batch(turn, 2, done(turn)))
    assert await unread()
    await talk.store.conversations.change(talk.owner, talk.id, ConversationChange(unread=False))
    assert not await unread()
    stopped = (await talk.say("again")).turn
    await talk.append(batch(stopped, 2, Cancelled(stopped.message_id)))
    assert not await unread()
    failed = (await talk.say("once more")).turn
    await talk.append(batch(failed, 2, Failed(content="No.", code="provider_auth", message_id=failed.message_id)))
    assert await unread()
