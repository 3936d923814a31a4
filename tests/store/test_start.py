"""Starting a turn: what is stored, where it goes, and when it may not."""

import pytest
from msgspec.structs import replace

from luxx.core.errors import Conflict, InvalidRequest, NotFound
from luxx.core.events import TurnStarted, decode
from luxx.core.ports import BROKEN_OFF
from luxx.core.steps import text, thinking, tool_call, tool_result
from luxx.store.interface import Store
from luxx.store.records import ClientRequest, ConversationSettings
from tests.store.talk import SETTINGS, Talk, batch, call, cancelled, done, ended, failed, whole


async def test_a_started_turn_is_stored_with_its_first_event(talk: Talk) -> None:
    turn = (await talk.say("hi")).turn
    assert (turn.status, turn.epoch, turn.seq, turn.cancel, turn.takeovers) == ("active", 1, 1, False, 0)
    assert turn.settings == SETTINGS
    assert await talk.get(turn) == turn
    (first,) = await talk.log(turn)
    assert first.seq == 1
    assert decode(first.name, first.data) == TurnStarted(
        turn_id=turn.id,
        message_id=turn.message_id,
        user_message_id=turn.user_message_id,
        conversation_id=talk.id,
        provider="Acme",
        model="m1",
    )


async def test_both_messages_and_the_new_leaf_are_stored(talk: Talk) -> None:
    turn = (await talk.say("hi")).turn
    question = await talk.store.conversations.message(talk.owner, turn.user_message_id)
    answer = await talk.store.conversations.message(talk.owner, turn.message_id)
    assert (question.role, question.text, question.parent_id) == ("user", "hi", None)
    assert (answer.role, answer.text, answer.parent_id) == ("assistant", "", question.id)
    assert (await talk.store.conversations.get(talk.owner, talk.id)).leaf_id == answer.id


async def test_a_message_goes_to_the_end_of_the_branch_shown(talk: Talk) -> None:
    first = await talk.answered("one", "1")
    second = (await talk.say("two")).turn
    message = await talk.store.conversations.message(talk.owner, second.user_message_id)
    assert message.parent_id == first.message_id


async def test_a_message_may_begin_a_new_root_or_edit_an_earlier_one(talk: Talk) -> None:
    first = await talk.answered("one", "1")
    second = await talk.answered("two", "2")
    root = (await talk.say("other", parent=None)).turn
    edit = (await talk.say("two, again", parent=first.message_id)).turn
    messages = talk.store.conversations.message
    assert (await messages(talk.owner, root.user_message_id)).siblings == (first.user_message_id, root.user_message_id)
    assert (await messages(talk.owner, edit.user_message_id)).siblings == (second.user_message_id, edit.user_message_id)


async def test_another_answer_is_a_sibling_of_the_first(talk: Talk) -> None:
    first = await talk.answered("one", "1")
    second = (await talk.answer_again(first.user_message_id)).turn
    message = await talk.store.conversations.message(talk.owner, second.message_id)
    assert message.siblings == (first.message_id, second.message_id)


async def test_another_answer_may_be_made_while_the_first_is_in_progress(talk: Talk) -> None:
    first = (await talk.say()).turn
    second = (await talk.answer_again(first.user_message_id)).turn
    assert second.status == "active"


async def test_a_title_is_taken_only_where_there_is_none(talk: Talk) -> None:
    await talk.say("one", title="First")
    await talk.say("two", parent=None, title="Second")
    conversation = await talk.store.conversations.get(talk.owner, talk.id)
    assert (conversation.title, conversation.title_source) == ("First", "auto")


async def test_a_title_that_a_person_gave_stays(store: Store) -> None:
    talk = Talk(store, await store.conversations.create(store.owner, "Mine", ConversationSettings()))
    await talk.say("one", title="First")
    assert (await store.conversations.get(store.owner, talk.id)).title == "Mine"


async def test_activity_moves_the_time_of_update(talk: Talk) -> None:
    before = await talk.store.conversations.get(talk.owner, talk.id)
    turn = (await talk.say()).turn
    started = await talk.store.conversations.get(talk.owner, talk.id)
    await talk.append(batch(turn, 2, done(turn)))
    after = await talk.store.conversations.get(talk.owner, talk.id)
    assert before.created_at == before.updated_at < started.updated_at < after.updated_at
    assert all(len(time) == 27 and time.endswith("Z") for time in (before.updated_at, after.updated_at))


async def test_a_parent_of_the_wrong_role_is_refused(talk: Talk) -> None:
    turn = await talk.answered("one", "1")
    with pytest.raises(InvalidRequest) as refused:
        await talk.say("two", parent=turn.user_message_id)
    assert refused.value.field == "parent_id"
    with pytest.raises(InvalidRequest):
        await talk.answer_again(turn.message_id)


async def test_what_is_not_there_is_not_found(talk: Talk) -> None:
    other = await Talk.begin(talk.store)
    foreign = await other.answered("one", "1")
    nowhere = Talk(talk.store, await talk.store.conversations.get(talk.owner, talk.id))
    nowhere.id = "nowhere"
    for attempt in (
        talk.say("two", parent="nothing"),
        talk.say("two", parent=foreign.message_id),
        talk.answer_again("nothing"),
        talk.answer_again(foreign.user_message_id),
        nowhere.say("two"),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_another_person_finds_nothing(talk: Talk) -> None:
    turn = (await talk.say()).turn
    talk.owner = "somebody else"
    for attempt in (
        talk.say("two"),
        talk.get(turn),
        talk.store.turns.request_cancel(talk.owner, turn.id),
        talk.store.conversations.get(talk.owner, talk.id),
        talk.store.conversations.message(talk.owner, turn.message_id),
        talk.store.conversations.branch(talk.owner, talk.id, None, None, 10, whole),
        talk.store.conversations.delete(talk.owner, talk.id),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await talk.store.turns.unfinished(talk.owner, talk.id) == ()


async def test_a_refused_start_stores_nothing(talk: Talk) -> None:
    turn = (await talk.say("one")).turn
    before = await talk.store.conversations.get(talk.owner, talk.id)
    with pytest.raises(Conflict):
        await talk.say("two")
    assert await talk.store.conversations.get(talk.owner, talk.id) == before
    assert [t.id for t in await talk.store.turns.unfinished(talk.owner, talk.id)] == [turn.id]


async def test_a_text_that_cannot_be_stored_is_refused(talk: Talk) -> None:
    with pytest.raises(InvalidRequest):
        await talk.say("a lone \ud800 surrogate")
    assert (await talk.store.conversations.get(talk.owner, talk.id)).leaf_id is None


# --- client requests


async def test_a_repeated_request_gets_the_same_turn(talk: Talk) -> None:
    request = ClientRequest("r1", f"conversations/{talk.id}/messages", b"hash")
    assert await talk.store.turns.replayed(talk.owner, request) is None
    first = await talk.say("one", request=request)
    again = await talk.say("one", request=request)
    assert (first.replayed, again.replayed) == (False, True)
    assert again.turn == first.turn
    assert await talk.store.turns.replayed(talk.owner, request) == again


async def test_a_repeated_request_with_another_body_is_refused(talk: Talk) -> None:
    await talk.say("one", request=ClientRequest("r1", "target", b"hash"))
    other = ClientRequest("r1", "target", b"other")
    with pytest.raises(InvalidRequest) as refused:
        await talk.say("one", request=other)
    assert refused.value.field == "client_request_id"
    with pytest.raises(InvalidRequest):
        await talk.store.turns.replayed(talk.owner, other)


async def test_a_request_id_means_nothing_for_another_target_or_person(talk: Talk) -> None:
    first = await talk.say("one", request=ClientRequest("r1", "target", b"hash"))
    second = await talk.say("two", parent=None, request=ClientRequest("r1", "elsewhere", b"other"))
    assert first.turn.id != second.turn.id
    assert await talk.store.turns.replayed("somebody else", ClientRequest("r1", "target", b"other")) is None


# --- continuing


async def test_a_continued_turn_begins_with_the_kept_steps(talk: Talk) -> None:
    turn = (await talk.say()).turn
    said, asked, cut = text(0, 1), tool_call(1, 1, "c1", "clock"), tool_call(3, 1, "c2", "clock")
    answer, void = tool_result(2, asked), text(4, 2)
    ends = [ended(said, "so"), ended(asked, "{}"), ended(answer, "no", "failed"), ended(cut, "{", "failed")]
    await talk.append(batch(turn, 2, said, asked, cut, answer, *ends, call(), void, ended(void, "gone")))
    await talk.append(batch(turn, 12, failed(turn), void=(4,)))

    again = (await talk.answer_again(turn.user_message_id, kept=turn.message_id)).turn
    assert again.seq == 4
    old, new = await talk.log(turn), await talk.log(again)
    assert [(e.seq, e.name) for e in new] == [
        (1, "turn"),
        (2, "process_step"),
        (3, "process_step"),
        (4, "process_step"),
    ]
    assert [e.data for e in new[1:]] == [e.data for e in old[5:8]]
    message = (await talk.store.conversations.history(talk.owner, again.message_id, whole))[-1]
    assert message.calls == (call(),)
    assert len(message.steps) == 3


async def test_a_continued_turn_takes_over_what_goes_back_with_its_steps_alone(talk: Talk) -> None:
    turn = (await talk.say()).turn
    kept, asked, cut, void = thinking(0, 1), tool_call(1, 1, "c1", "clock"), tool_call(2, 2, "c2", "clock"), text(3, 3)
    ends = [ended(kept, "hm"), ended(asked, "{}"), ended(cut, "{", "failed"), ended(void, "gone")]
    calls = [call(n) for n in (0, -1, 1, -2, 2, -3, 3)]
    await talk.append(batch(turn, 2, kept, asked, cut, void, *ends, *calls))
    await talk.append(batch(turn, 10, failed(turn), void=(3,)))

    again = (await talk.answer_again(turn.user_message_id, kept=turn.message_id)).turn
    message = (await talk.store.conversations.history(talk.owner, again.message_id, whole))[-1]
    assert {one.n for one in message.calls} == {0, -1, 1}
    anew = batch(again, 4, ended(text(2, 2), "so"), call(-2), call(2), done(again))
    assert not (await talk.append(anew)).refused


async def test_a_continued_turn_takes_over_what_broke_off_in_the_answer_of_which_it_keeps_a_step(talk: Talk) -> None:
    turn, broken = (await talk.say()).turn, [replace(call(n), finish_reason=BROKEN_OFF) for n in (0, -2)]
    await talk.append(batch(turn, 2, broken[0], text(1, 1), ended(text(1, 1), "half"), broken[1], failed(turn)))
    again = (await talk.answer_again(turn.user_message_id, kept=turn.message_id)).turn
    message = (await talk.store.conversations.history(talk.owner, again.message_id, whole))[-1]
    assert sorted(message.calls, key=lambda one: -one.n) == broken

    empty = (await talk.say("again", parent=None)).turn
    await talk.append(batch(empty, 2, broken[0], failed(empty)))
    again = (await talk.answer_again(empty.user_message_id, kept=empty.message_id)).turn
    assert (await talk.store.conversations.history(talk.owner, again.message_id, whole))[-1].calls == ()


async def test_a_continued_turn_that_is_cancelled_keeps_the_text(talk: Talk) -> None:
    turn = await talk.answered("one", "half an ans")
    again = (await talk.answer_again(turn.user_message_id, kept=turn.message_id)).turn
    await talk.append(batch(again, 3, cancelled(again)))
    assert (await talk.store.conversations.message(talk.owner, again.message_id)).text == "half an ans"


async def test_only_an_ended_answer_to_the_same_message_is_continued(talk: Talk) -> None:
    first = await talk.answered("one", "1")
    second = await talk.answered("two", "2")
    running = (await talk.say("three")).turn
    with pytest.raises(InvalidRequest):
        await talk.answer_again(second.user_message_id, kept=first.message_id)
    with pytest.raises(InvalidRequest):
        await talk.answer_again(second.user_message_id, kept=second.user_message_id)
    with pytest.raises(NotFound):
        await talk.answer_again(second.user_message_id, kept="nothing")
    with pytest.raises(Conflict) as busy:
        await talk.answer_again(running.user_message_id, kept=running.message_id)
    assert (busy.value.reason, busy.value.turn_id) == ("turn_running", running.id)
