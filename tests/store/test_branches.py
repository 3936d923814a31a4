"""Branches: the messages of a path through the tree, of one moment."""

import asyncio
import threading

import pytest

from luxx.core import steps
from luxx.core.errors import NotFound
from luxx.core.replay import Replay
from luxx.store.records import Branch, Message
from tests.store.talk import Talk, batch, call, delta, done, ended, whole


async def branch(
    talk: Talk,
    leaf: str | None = None,
    before: str | None = None,
    limit: int = 50,
    after: str | None = None,
    around: str | None = None,
) -> Branch:
    conversations = talk.store.conversations
    return await conversations.branch(talk.owner, talk.id, leaf, before, limit, whole, after=after, around=around)


def texts(part: Branch) -> list[str]:
    return [message.text for message in part.items]


async def test_a_conversation_without_messages_has_an_empty_branch(talk: Talk) -> None:
    assert await branch(talk) == Branch((), False)


async def test_a_branch_goes_from_its_root_to_the_leaf_shown(talk: Talk) -> None:
    first = await talk.answered("one", "1")
    await talk.answered("two", "2")
    third = await talk.answered("or two", "3", parent=first.message_id)
    shown = await branch(talk)
    assert texts(shown) == ["one", "1", "or two", "3"]
    assert not shown.has_more
    assert [message.parent_id for message in shown.items] == [None, *(message.id for message in shown.items[:-1])]
    assert shown.items[-1].id == third.message_id


async def test_another_leaf_shows_another_branch(talk: Talk) -> None:
    first = await talk.answered("one", "1")
    second = await talk.answered("two", "2")
    await talk.answered("or two", "3", parent=first.message_id)
    assert texts(await branch(talk, leaf=second.message_id)) == ["one", "1", "two", "2"]
    assert texts(await branch(talk, leaf=second.user_message_id)) == ["one", "1", "two"]


async def test_a_branch_is_read_in_parts(talk: Talk) -> None:
    for number in range(4):
        await talk.answered(f"question {number}", f"answer {number}")
    last = await branch(talk, limit=3)
    assert texts(last) == ["answer 2", "question 3", "answer 3"]
    assert last.has_more
    middle = await branch(talk, before=last.items[0].id, limit=3)
    assert texts(middle) == ["question 1", "answer 1", "question 2"]
    first = await branch(talk, before=middle.items[0].id, limit=3)
    assert texts(first) + texts(middle) + texts(last) == texts(await branch(talk))
    assert (middle.has_more, first.has_more) == (True, False)


async def test_a_branch_is_read_from_its_midst_both_ways(talk: Talk) -> None:
    turns = [await talk.answered(f"question {number}", f"answer {number}") for number in range(6)]
    all_of_it = await branch(talk)
    middle = await branch(talk, around=turns[2].message_id, limit=4)
    assert texts(middle) == ["answer 1", "question 2", "answer 2", "question 3", "answer 3"][1:]
    assert (middle.has_more, middle.has_newer) == (True, True)
    newer = await branch(talk, after=middle.items[-1].id, limit=3)
    assert (texts(newer), newer.has_more, newer.has_newer) == (["question 4", "answer 4", "question 5"], True, True)
    newest = await branch(talk, after=newer.items[-1].id, limit=3)
    assert (texts(newest), newest.has_newer) == (["answer 5"], False)
    older = await branch(talk, before=middle.items[0].id)
    assert older.has_newer
    assert texts(older) + texts(middle) + texts(newer) + texts(newest) == texts(all_of_it)
    assert (await branch(talk, after=newest.items[-1].id)).items == ()


async def test_around_an_end_of_a_branch_is_what_there_is(talk: Talk) -> None:
    turns = [await talk.answered(f"question {number}", f"answer {number}") for number in range(3)]
    first = await branch(talk, around=turns[0].user_message_id, limit=2)
    assert (texts(first), first.has_more, first.has_newer) == (["question 0", "answer 0"], False, True)
    last = await branch(talk, around=turns[2].message_id, limit=3)
    assert (texts(last), last.has_more, last.has_newer) == (["answer 1", "question 2", "answer 2"], True, False)
    one = await branch(talk, around=turns[1].message_id, limit=1)
    assert (texts(one), one.has_more, one.has_newer) == (["answer 1"], True, True)


async def test_around_and_after_know_their_branch_and_conversation_only(talk: Talk) -> None:
    foreign = await (await Talk.begin(talk.store)).answered("one", "1")
    first = await talk.answered("one", "1")
    aside = await talk.answered("two", "2")
    await talk.answered("or two", "3", parent=first.message_id)
    for message_id in ("nothing", foreign.message_id, aside.message_id):
        with pytest.raises(NotFound):
            await branch(talk, around=message_id)
        with pytest.raises(NotFound):
            await branch(talk, after=message_id)
    assert texts(await branch(talk, leaf=aside.message_id, around=aside.message_id, limit=2)) == ["two", "2"]


async def test_nothing_is_before_a_root(talk: Talk) -> None:
    turn = await talk.answered("one", "1")
    assert await branch(talk, before=turn.user_message_id) == Branch((), False)


async def test_a_message_of_elsewhere_is_not_found(talk: Talk) -> None:
    foreign = await (await Talk.begin(talk.store)).answered("one", "1")
    await talk.answered("one", "1")
    for message_id in ("nothing", foreign.message_id):
        with pytest.raises(NotFound):
            await branch(talk, leaf=message_id)
        with pytest.raises(NotFound):
            await branch(talk, before=message_id)


async def test_siblings_are_named_in_the_order_in_which_they_were_made(talk: Talk) -> None:
    first = await talk.answered("one", "1")
    again = (await talk.answer_again(first.user_message_id)).turn
    await talk.append(batch(again, 2, done(again)))
    edit = await talk.answered("one, edited", "2", parent=None)
    shown = await branch(talk, leaf=first.message_id)
    assert [message.siblings for message in shown.items] == [
        (first.user_message_id, edit.user_message_id),
        (first.message_id, again.message_id),
    ]


async def test_an_answer_in_progress_comes_with_its_log(talk: Talk) -> None:
    turn = (await talk.say()).turn
    step = steps.text(0, 1)
    await talk.append(batch(turn, 2, step, delta("Hel"), delta("lo")))
    answer = (await branch(talk)).items[-1]
    assert [entry.seq for entry in answer.log] == [1, 2, 3, 4]
    assert answer.turn is not None
    assert (answer.turn.seq, answer.turn.status) == (4, "active")
    await talk.append(batch(turn, 5, ended(step, "Hello"), done(turn)))
    answer = (await branch(talk)).items[-1]
    assert answer.log == ()
    assert len(answer.steps) == 1


async def test_a_branch_and_its_logs_are_of_one_moment(talk: Talk) -> None:
    turn = (await talk.say()).turn
    step = steps.text(0, 1)

    async def write() -> None:
        await talk.append(batch(turn, 2, step))
        for seq in range(3, 60):
            await talk.append(batch(turn, seq, delta("x")))
        await talk.append(batch(turn, 60, ended(step, "x" * 57), done(turn)))

    async def read() -> Message:
        answer = (await branch(talk)).items[-1]
        assert answer.turn is not None
        if answer.turn.ended:
            assert (answer.text, len(answer.steps), answer.log) == ("x" * 57, 1, ())
        else:
            assert [entry.seq for entry in answer.log] == list(range(1, answer.turn.seq + 1))
        return answer

    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(write())
        while not writing.done():
            await read()
    assert (await read()).text == "x" * 57


async def test_a_log_read_in_parts_and_one_read_with_the_message_are_the_same(talk: Talk) -> None:
    turn = (await talk.say()).turn
    step = steps.text(0, 1)
    await talk.append(batch(turn, 2, step, *(delta(str(n)) for n in range(10)), ended(step, "0123456789")))
    answer = (await branch(talk)).items[-1]
    replay = Replay()
    while page := await talk.log(turn, replay.seq, 3):
        for entry in page:
            replay.apply(entry)
    assert answer.log == await talk.log(turn)
    assert replay.steps() == (ended(step, "0123456789"),)


async def test_a_history_is_the_whole_path_with_its_model_calls(talk: Talk) -> None:
    first = (await talk.say("one")).turn
    await talk.append(batch(first, 2, ended(steps.text(0, 1), "1"), call(1), call(2), done(first)))
    await talk.answered("elsewhere", "no", parent=None)
    second = (await talk.say("two", parent=first.message_id)).turn
    history = await talk.store.conversations.history(talk.owner, second.message_id, whole)
    assert [(message.role, message.text) for message in history] == [
        ("user", "one"),
        ("assistant", "1"),
        ("user", "two"),
        ("assistant", ""),
    ]
    assert history[1].calls == (call(1), call(2))
    assert len(history[1].steps) == 1
    with pytest.raises(NotFound):
        await talk.store.conversations.history(talk.owner, "nothing", whole)


async def test_a_long_history_is_whole(talk: Talk) -> None:
    turn = await talk.answered("0", "ok")
    for number in range(1, 60):
        turn = await talk.answered(str(number), "ok")
    history = await talk.store.conversations.history(talk.owner, turn.message_id, whole)
    assert [message.text for message in history if message.role == "user"] == [str(number) for number in range(60)]


async def test_a_history_begins_after_the_nearest_message_that_is_known(talk: Talk) -> None:
    turns = [await talk.answered(str(number), f"answer {number}") for number in range(20)]
    last = turns[-1]

    async def after(*known: str) -> list[str]:
        history = await talk.store.conversations.history(talk.owner, last.message_id, whole, known)
        assert [message.parent_id for message in history[1:]] == [message.id for message in history[:-1]]
        return [message.text for message in history]

    everything = await after()
    assert len(everything) == 40
    assert await after("elsewhere") == everything
    assert await after(turns[-2].message_id) == ["19", "answer 19"]
    assert await after(turns[0].user_message_id, turns[-2].user_message_id) == ["answer 18", "19", "answer 19"]
    assert await after(turns[0].user_message_id) == everything[1:]
    assert await after(last.user_message_id, last.message_id) == ["answer 19"]


async def test_what_is_found_is_read_beside_the_event_loop(talk: Talk) -> None:
    turn = await talk.answered("one", "1")
    conversations, here = talk.store.conversations, threading.get_ident()
    assert await conversations.history(talk.owner, turn.message_id, lambda _: threading.get_ident()) != here
    assert await conversations.branch(talk.owner, talk.id, None, None, 9, lambda _: threading.get_ident()) != here


async def test_what_fails_while_it_is_read_fails_for_who_asked(talk: Talk) -> None:
    turn = await talk.answered("one", "1")

    def fail(messages: tuple[Message, ...]) -> None:
        raise ValueError(f"{len(messages)} messages")

    with pytest.raises(ValueError, match="2 messages"):
        await talk.store.conversations.history(talk.owner, turn.message_id, fail)
    assert len(await talk.store.conversations.history(talk.owner, turn.message_id, whole)) == 2


async def test_another_person_finds_neither_log_nor_history_nor_a_title_to_change(talk: Talk) -> None:
    turn = await talk.answered("one", "1")
    with pytest.raises(NotFound):
        await talk.store.turns.log("somebody else", turn.id, 0, 10)
    with pytest.raises(NotFound):
        await talk.store.conversations.history("somebody else", turn.message_id, whole)
    assert not await talk.store.conversations.retitle("somebody else", talk.id, "Mine")
    assert (await talk.store.conversations.get(talk.owner, talk.id)).title == ""


async def test_a_branch_is_read_from_its_beginning(talk: Talk) -> None:
    assert await branch(talk, after="") == Branch((), False)
    for number in range(4):
        await talk.answered(f"question {number}", f"answer {number}")
    first = await branch(talk, after="", limit=3)
    assert (texts(first), first.has_more, first.has_newer) == (["question 0", "answer 0", "question 1"], False, True)
    whole_branch = await branch(talk, after="", limit=8)
    assert (texts(whole_branch), whole_branch.has_newer) == (texts(await branch(talk)), False)
    with pytest.raises(NotFound):
        await branch(talk, leaf="nothing", after="")
