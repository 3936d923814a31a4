"""The archive: conversations go out whole and come in whole, once; shares are frozen, and can be taken back."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from luxx.archive.own import read
from luxx.archive.settling import settled
from luxx.archive.tally import Tally
from luxx.core import steps
from luxx.core.archive import ArchivedAnswer, ArchivedConversation, ArchivedFile, ArchivedMessage, ArchivedSettings
from luxx.core.errors import InvalidRequest, NotFound
from luxx.core.prompts import AnswerPrompt
from luxx.core.rules import ToolRule
from luxx.core.steps import File, Notice, Step, Summary
from luxx.store.archive import TakenIn
from luxx.store.interface import Store
from luxx.store.records import ConversationChange, ConversationSettings, NewProvider
from luxx.turns.history import Histories
from tests.store.engines import Engine
from tests.store.talk import ALL, Talk, batch, call, cancelled, done, ended, failed, whole
from tests.store.test_compaction import LATER, compact_all

WHEN = "2024-01-02T03:04:05.000000Z"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


async def rich(store: Store) -> Talk:
    """A conversation with branches, tools, thinking, files, a failed and a stopped answer."""
    provider = await store.providers.create(store.owner, NewProvider(name="Acme", format="scripted"))
    talk = await Talk.begin(store)
    chosen = ConversationSettings(
        system_prompt="Be kind.",
        provider_id=provider.id,
        model="m1",
        temperature=0.5,
        max_tokens=99,
        tools_enabled=False,
        thinking="low",
        rules=(ToolRule(tool="*", action="ask"),),
    )
    await store.conversations.change(
        talk.owner, talk.id, ConversationChange(title="Rich", title_source="user", settings=chosen)
    )
    file = await store.files.keep(talk.owner, None, "a.png", PNG)
    first = (await talk.say("Look 🐝", files=(file.id,))).turn
    thought, use = steps.thinking(0, 1), steps.tool_call(1, 1, "id-1", "clock")
    result, said = steps.tool_result(2, use), steps.text(3, 2)
    shown = replace(
        ended(result, "noon"),
        parts=({"type": "file", "id": file.id, "name": "a.png", "media_type": "image/png", "size": len(PNG)},),
    )
    await talk.append(
        batch(
            first,
            2,
            thought,
            ended(thought, "Hm"),
            use,
            ended(use, "{}"),
            call(1),
            result,
            shown,
            said,
            ended(said, "Noon."),
            call(2),
            done(first),
        )
    )
    again = (await talk.answer_again(first.user_message_id)).turn
    part = steps.text(0, 1)
    await talk.append(batch(again, 2, part, ended(part, "Half"), failed(again)))
    stopped = (await talk.say("More", parent=again.message_id)).turn
    await talk.append(batch(stopped, 2, cancelled(stopped)))
    await store.conversations.change(talk.owner, talk.id, ConversationChange(leaf_id=first.message_id))
    return talk


async def with_contents(store: Store, conversation: ArchivedConversation) -> ArchivedConversation:
    files = [replace(file, data=await store.files.read(store.owner, file.id)) for file in conversation.files]
    return replace(conversation, files=tuple(files))


def without_ids(conversation: ArchivedConversation) -> Any:  # noqa: ANN401 - JSON
    """Return it as JSON with all ids as numbers in the order that they come in."""
    text = msgspec.json.encode(conversation).decode()
    ids = [
        conversation.id,
        *(message.id for message in conversation.messages),
        *(file.id for file in conversation.files),
    ]
    for number, one in enumerate(ids):
        text = text.replace(one, f"#{number}")
    return msgspec.json.decode(text)


async def imported(store: Store, conversation: ArchivedConversation, tally: Tally | None = None) -> str:
    """Take a conversation in as a file of it would be, under another id."""
    other = replace(conversation, id=f"{conversation.id}x")
    draft = read(msgspec.json.encode(other), tally or Tally())
    return (await store.archive.take_in(store.owner, "luxx", settled(draft, "", tally or Tally()))).conversation_id


async def test_what_goes_out_comes_in_the_same(store: Store) -> None:
    talk = await rich(store)
    original = await with_contents(store, await store.archive.whole(talk.owner, talk.id))
    copy_id = await imported(store, original)
    copy = await with_contents(store, await store.archive.whole(talk.owner, copy_id))
    assert without_ids(copy) == without_ids(original)
    assert copy.id != original.id
    assert [message.role for message in copy.messages] == ["user", "assistant", "assistant", "user", "assistant"]
    assert copy.files[0].data == PNG


async def test_an_imported_conversation_is_like_any_other(store: Store) -> None:
    talk = await rich(store)
    copy_id = await imported(store, await with_contents(store, await store.archive.whole(talk.owner, talk.id)))
    copy = Talk(store, await store.conversations.get(talk.owner, copy_id))
    shown = (await store.conversations.branch(talk.owner, copy_id, None, None, ALL, whole)).items
    assert [message.text for message in shown] == ["Look 🐝", "Noon."]
    assert len(shown[1].siblings) == 2
    turn = shown[1].turn
    assert turn is not None
    log = await copy.log(turn)
    assert [(entry.seq, entry.name) for entry in log] == [
        (1, "turn"),
        *((seq, "process_step") for seq in range(2, 6)),
        (6, "done"),
    ]
    more = (await copy.say("And now?")).turn
    history = await Histories(store.conversations).read(more, "Acme", "openai")
    assert [type(prompt).__name__ for prompt in history.prompts] == [
        "UserPrompt",
        "AnswerPrompt",
        "ResultPrompt",
        "AnswerPrompt",
        "UserPrompt",
    ]
    assert (await copy.answer_again(shown[0].id)).turn.user_message_id == shown[0].id
    assert [hit.conversation_id for hit in (await store.archive.search(talk.owner, "look 🐝", 9, None)).items] == [
        copy_id,
        talk.id,
    ]
    page = await store.conversations.list(talk.owner, 10, None, None)
    assert {one.id for one in page.items} == {copy_id, talk.id}
    await store.conversations.delete(talk.owner, copy_id)
    await compact_all(store, LATER)


async def test_a_provider_gets_back_what_it_signed_in_an_imported_conversation(store: Store) -> None:
    talk = await Talk.begin(store)
    turn = (await talk.say()).turn
    thought, use, cut = steps.thinking(0, 1), steps.tool_call(1, 1, "id-1", "clock"), steps.text(3, 2)
    made = [ended(thought, "Hm"), ended(use, "{}"), ended(steps.tool_result(2, use), "noon"), ended(cut, "Noon.")]
    calls = [replace(call(n), raw=b'{"signed":"%d"}' % n) for n in (0, -1, 1, -3, 2)]
    await talk.append(batch(turn, 2, *made, *calls, done(turn)))
    copy = Talk(
        store,
        await store.conversations.get(
            talk.owner, await imported(store, await store.archive.whole(talk.owner, talk.id))
        ),
    )
    told = [
        (await Histories(store.conversations).read((await one.say("And now?")).turn, "Acme", "openai")).prompts
        for one in (talk, copy)
    ]
    assert told[0] == told[1]
    assert [prompt.raw.count(b"signed") for prompt in told[1] if isinstance(prompt, AnswerPrompt)] == [3, 2]


def test_what_goes_back_with_a_step_that_is_not_there_is_not_taken_in() -> None:
    parts = tuple(call(n) for n in (0, -1, -(2**40), 1, 2**40))
    said = msgspec.Raw(msgspec.json.encode(ended(steps.text(1, 1), "so")))
    answer = ArchivedMessage(
        id="b", parent_id="a", role="assistant", created_at=WHEN, answer=ArchivedAnswer(steps=(said,), calls=parts)
    )
    draft = read(msgspec.json.encode(tree(asked("a"), answer)), Tally())
    assert [one.n for one in draft.entries[1].calls] == [-1, 1]


async def test_the_same_conversation_is_taken_once(store: Store) -> None:
    talk = await rich(store)
    original = await store.archive.whole(talk.owner, talk.id)
    assert (await store.archive.take_in(talk.owner, "luxx", original)).known
    first = await store.archive.take_in(talk.owner, "chatgpt", original)
    assert not first.known
    assert await store.archive.take_in(talk.owner, "chatgpt", original) == TakenIn(first.conversation_id, True)
    await store.conversations.delete(talk.owner, first.conversation_id)
    second = await store.archive.take_in(talk.owner, "chatgpt", original)
    assert not second.known
    await compact_all(store, LATER)
    assert (await store.archive.take_in(talk.owner, "chatgpt", original)).known


def tree(*messages: ArchivedMessage, files: tuple[ArchivedFile, ...] = ()) -> ArchivedConversation:
    return ArchivedConversation(id="t", title="T", created_at=WHEN, updated_at=WHEN, messages=messages, files=files)


def asked(message_id: str, parent: str | None = None, files: tuple[str, ...] = ()) -> ArchivedMessage:
    return ArchivedMessage(id=message_id, parent_id=parent, role="user", created_at=WHEN, text="q", files=files)


def answered(message_id: str, parent: str | None, *made: Step) -> ArchivedMessage:
    raw = tuple(msgspec.Raw(msgspec.json.encode(step)) for step in made)
    return ArchivedMessage(
        id=message_id, parent_id=parent, role="assistant", created_at=WHEN, answer=ArchivedAnswer(steps=raw)
    )


async def test_a_tree_that_is_not_whole_leaves_nothing(store: Store) -> None:
    for broken in (
        tree(asked("a", "gone")),
        tree(asked("a"), answered("b", None)),
        replace(tree(asked("a")), leaf_id="x"),
    ):
        with pytest.raises(InvalidRequest):
            await store.archive.take_in(store.owner, "luxx", broken)
    assert await store.archive.ids(store.owner, None, 10) == ()


async def test_files_without_content_are_counted_and_noticed(store: Store) -> None:
    made = File(id="step-0", index=0, state="complete", file_id="f1", name="a.png", media_type="image/png", size=3)
    names = tree(
        asked("a", files=("f1",)),
        answered("b", "a", made),
        files=(ArchivedFile(id="f1", name="a.png", media_type="image/png", size=3),),
    )
    taken = await store.archive.take_in(store.owner, "luxx", names)
    assert taken.files_left_out == 1
    copy = await store.archive.whole(store.owner, taken.conversation_id)
    answer = copy.messages[1].answer
    assert answer is not None
    step = msgspec.json.decode(answer.steps[0], type=Step)
    assert isinstance(step, Notice)
    assert (step.kind, step.content, copy.messages[0].files) == ("file_left_out", "a.png", ())


async def test_a_summary_names_the_message_that_it_has_here(store: Store) -> None:
    made = Summary(id="step-0", index=0, state="complete", content="Before", until="a")
    taken = await store.archive.take_in(store.owner, "luxx", tree(asked("a"), answered("b", "a", made)))
    copy = await store.archive.whole(store.owner, taken.conversation_id)
    answer = copy.messages[1].answer
    assert answer is not None
    step = msgspec.json.decode(answer.steps[0], type=Step)
    assert isinstance(step, Summary)
    assert step.until == copy.messages[0].id


async def test_a_model_without_its_provider_is_not_chosen(store: Store) -> None:
    chosen = ArchivedSettings(provider="Nobody", model="m9", system_prompt="Hi")
    taken = await store.archive.take_in(store.owner, "luxx", replace(tree(asked("a")), settings=chosen))
    settings = (await store.conversations.get(store.owner, taken.conversation_id)).settings
    assert (settings.model, settings.provider_id, settings.system_prompt) == (None, None, "Hi")


async def test_nobody_takes_out_what_is_others(talk: Talk) -> None:
    for attempt in (
        talk.store.archive.whole("stranger", talk.id),
        talk.store.archive.whole(talk.owner, "nothing"),
        talk.store.archive.share("stranger", talk.id, "T", (), b"h", b"{}"),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await talk.store.archive.ids("stranger", None, 10) == ()
    await talk.store.conversations.delete(talk.owner, talk.id)
    with pytest.raises(NotFound):
        await talk.store.archive.whole(talk.owner, talk.id)


async def test_ids_come_in_pages(store: Store) -> None:
    made = [(await Talk.begin(store)).id for _ in range(5)]
    first = await store.archive.ids(store.owner, None, 3)
    assert [*first, *await store.archive.ids(store.owner, first[-1], 3)] == sorted(made)


async def test_a_share_is_read_until_it_is_taken_back(talk: Talk) -> None:
    archive = talk.store.archive
    made = await archive.share(talk.owner, talk.id, "T", ("thinking",), b"hash", b'{"x":1}')
    assert await archive.shared(b"hash") == b'{"x":1}'
    assert await archive.shares(talk.owner) == (made,)
    assert await archive.shares("stranger") == ()
    with pytest.raises(NotFound):
        await archive.unshare("stranger", made.id)
    await archive.unshare(talk.owner, made.id)
    for attempt in (archive.shared(b"hash"), archive.unshare(talk.owner, made.id)):
        with pytest.raises(NotFound):
            await attempt


async def test_shares_go_with_their_conversation(engine: Engine) -> None:
    talk = await Talk.begin(await engine.open())
    archive = talk.store.archive
    await archive.share(talk.owner, talk.id, "T", (), b"hash", b"{}")
    await talk.store.conversations.delete(talk.owner, talk.id)
    assert await archive.shares(talk.owner) == ()
    with pytest.raises(NotFound):
        await archive.shared(b"hash")
    await compact_all(talk.store, LATER)
