"""Turns as a person starts, follows, stops and finds them again, on the real store."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from luxx.core.deltas import Finish, TextDelta
from luxx.core.errors import (
    Conflict,
    InvalidRequest,
    LimitReached,
    NotFound,
    ProviderError,
    ProviderUnreachable,
    RateLimited,
)
from luxx.core.prompts import AnswerPrompt, ResultPrompt, UserPrompt
from luxx.store.records import ClientRequest
from luxx.turns.requests import AnswerAgain, Overrides, UserMessageView
from tests.engine.fakes import USAGE, FakeToolbox, call_all, say
from tests.turns.bench import FakeEndpoint, bench


async def test_a_turn_is_stored_as_it_was_shown(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint(say("hello"))) as at:
        started = await at.post("hi there")
        entries = await at.follow(started.turn.id)
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
        assert [entries[0].name, entries[-1].name] == ["turn", "done"]
        view = await at.last()
        assert (view.text, view.status, view.finish_reason, view.token_count) == ("hello", "done", "stop", 5)
        assert [msgspec.json.decode(step)["content"] for step in view.steps] == ["hello"]
        assert (await at.store.conversations.get(at.store.owner, at.conversation_id)).title == "hi there"


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (RateLimited("Wait.", retry_after=3600), {"retry_after": 3600}),
        (RateLimited("Wait."), {}),
        (ProviderUnreachable("Gone."), {}),
    ],
)
async def test_a_failure_tells_how_long_the_provider_wants_to_be_left_alone(
    tmp_path: Path, error: ProviderError, wait: dict[str, float]
) -> None:
    async with bench(tmp_path, FakeEndpoint([error], [error], [error], [error])) as at:
        end = (await at.follow((await at.post()).turn.id))[-1]
        saved = await at.last()
        said = {"content": error.message, "code": error.code}
        assert msgspec.json.decode(end.data) == {**said, "message_id": saved.id, **wait}
        assert msgspec.to_builtins(saved.error) == said | wait


async def test_the_model_gets_the_system_prompt_the_text_once_and_earlier_tools(tmp_path: Path) -> None:
    async def add(arguments: str) -> str:
        return "3"

    model = FakeEndpoint(call_all("add"), say("three"), say("four"))
    async with bench(tmp_path, model, FakeToolbox(add=add)) as at:
        await at.follow((await at.post("1+2")).turn.id)
        await at.follow((await at.post("2+2")).turn.id)
    request = model.requests[2]
    assert request.system == "Be kind."
    assert [type(prompt) for prompt in request.prompts] == [
        UserPrompt,
        AnswerPrompt,
        ResultPrompt,
        AnswerPrompt,
        UserPrompt,
    ]
    assert request.prompts[:3] == model.requests[1].prompts


async def test_an_answer_in_progress_is_listed_at_the_seq_that_its_events_continue(tmp_path: Path) -> None:
    more = asyncio.Event()
    model = FakeEndpoint([[TextDelta("first ")], more, [TextDelta("second")], [Finish(reason="stop", usage=USAGE)]])
    async with bench(tmp_path, model) as at:
        started = await at.post()
        async for entries in at.supervisor.follow(at.store.owner, started.turn.id, 0):
            if entries[-1].name == "step_delta":
                break
        view = await at.last()
        assert view.turn is not None
        assert view.text == "first "
        more.set()
        rest = await at.follow(started.turn.id, view.turn.seq)
        assert rest[0].seq == view.turn.seq + 1
        assert (await at.last()).text == "first second"


async def test_a_cancelled_turn_keeps_what_was_made_and_ends_at_once(tmp_path: Path) -> None:
    model = FakeEndpoint([[TextDelta("half")], asyncio.Event()])
    async with bench(tmp_path, model) as at:
        started = await at.post()
        async for entries in at.supervisor.follow(at.store.owner, started.turn.id, 0):
            if entries[-1].name == "step_delta":
                break
        assert (await at.supervisor.cancel(at.store.owner, started.turn.id)).status == "cancelled"
        view = await at.last()
        assert (view.status, view.text) == ("cancelled", "half")
        assert (await at.supervisor.cancel(at.store.owner, started.turn.id)).status == "cancelled"
        assert model.closed == 1


async def test_a_turn_that_is_cancelled_before_its_task_begins_still_ends(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint([asyncio.Event()])) as at:
        started = await at.post()
        await at.supervisor.cancel(at.store.owner, started.turn.id)
        assert [entry.name for entry in await at.follow(started.turn.id)] == ["turn", "cancelled"]


async def test_a_provider_failure_ends_the_turn_with_its_reason_and_the_partial_answer(tmp_path: Path) -> None:
    model = FakeEndpoint([[TextDelta("half")], ProviderUnreachable("the line broke")])
    async with bench(tmp_path, model) as at:
        entries = await at.follow((await at.post()).turn.id)
        assert entries[-1].name == "error"
        view = await at.last()
        assert view.error is not None
        assert (view.status, view.text, view.error.code) == ("failed", "half", "provider_unreachable")


async def test_a_failed_answer_can_be_continued_beside_it(tmp_path: Path) -> None:
    model = FakeEndpoint([[TextDelta("half ")], ProviderUnreachable("cut")], say("and half"))
    async with bench(tmp_path, model) as at:
        failed = await at.post()
        await at.follow(failed.turn.id)
        again = AnswerAgain(message_id=failed.turn.message_id)
        started = await at.supervisor.continue_answer(at.store.owner, again)
        assert await at.answer(started.turn.id) == "half and half"
        view = await at.last()
        assert view.text == "half and half"
        assert view.siblings == (failed.turn.message_id, started.turn.message_id)


async def test_regenerate_makes_a_sibling_and_keeps_the_old_answer(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint(say("one"), say("two"))) as at:
        first = await at.post()
        await at.follow(first.turn.id)
        again = AnswerAgain(message_id=first.turn.message_id, overrides=Overrides(temperature=0.5))
        second = await at.supervisor.regenerate(at.store.owner, again)
        await at.follow(second.turn.id)
        view = await at.last()
        assert (view.text, len(view.siblings)) == ("two", 2)
        old = await at.supervisor.messages(
            at.store.owner, at.conversation_id, leaf=first.turn.message_id, before=None, limit=10
        )
        assert [item.text for item in old.items] == ["hi", "one"]


async def test_an_edit_is_a_sibling_of_the_edited_message(tmp_path: Path) -> None:
    model = FakeEndpoint(say("one"), say("two"))
    async with bench(tmp_path, model) as at:
        await at.follow((await at.post("first")).turn.id)
        await at.follow((await at.post("edited", parent_id=None)).turn.id)
        page = await at.supervisor.messages(at.store.owner, at.conversation_id, leaf=None, before=None, limit=10)
        user = page.items[0]
        assert isinstance(user, UserMessageView)
        assert (user.text, len(user.siblings)) == ("edited", 2)
    assert [prompt for prompt in model.requests[1].prompts] == [UserPrompt("edited")]


async def test_a_busy_branch_refuses_or_queues(tmp_path: Path) -> None:
    more = asyncio.Event()
    model = FakeEndpoint([[TextDelta("a")], more, [Finish(reason="stop", usage=USAGE)]], say("b"))
    async with bench(tmp_path, model) as at:
        first = await at.post("one")
        with pytest.raises(Conflict) as refused:
            await at.post("two")
        assert (refused.value.reason, refused.value.turn_id) == ("turn_running", first.turn.id)
        queued = await at.post("two", on_busy="queue")
        assert queued.turn.status == "queued"
        more.set()
        assert await at.answer(queued.turn.id) == "b"
    assert [type(prompt).__name__ for prompt in model.requests[1].prompts] == [
        "UserPrompt",
        "AnswerPrompt",
        "UserPrompt",
    ]


async def test_a_queued_turn_is_cancelled_when_the_one_before_it_fails(tmp_path: Path) -> None:
    more = asyncio.Event()
    async with bench(tmp_path, FakeEndpoint([more, ProviderUnreachable("down")])) as at:
        await at.post("one")
        queued = await at.post("two", on_busy="queue")
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(at.follow(queued.turn.id))
            await asyncio.sleep(0)
            more.set()
            assert [entry.name for entry in await reader] == ["turn", "cancelled"]


async def test_a_message_that_interrupts_is_answered_at_once_and_what_was_made_stays(tmp_path: Path) -> None:
    model = FakeEndpoint([[TextDelta("half")], asyncio.Event()], say("other"))
    async with bench(tmp_path, model) as at:
        first = await at.post("one")
        async for entries in at.supervisor.follow(at.store.owner, first.turn.id, 0):
            if entries[-1].name == "step_delta":
                break
        request = ClientRequest("r1", f"conversations/{at.conversation_id}/messages", b"hash")
        started = await at.post("no: two", on_busy="interrupt", request=request)
        assert await at.answer(started.turn.id) == "other"
        assert (await at.post("no: two", on_busy="interrupt", request=request)).turn.id == started.turn.id
        page = await at.supervisor.messages(at.store.owner, at.conversation_id, leaf=None, before=None, limit=10)
        assert [item.text for item in page.items] == ["one", "half", "no: two", "other"]
        assert (await at.store.turns.get(at.store.owner, first.turn.id)).status == "cancelled"


async def test_a_repeated_interruption_ends_what_the_first_one_left(tmp_path: Path) -> None:
    model = FakeEndpoint([[TextDelta("half")], asyncio.Event()], say("other"))
    async with bench(tmp_path, model) as at:
        await at.post("one")
        request = ClientRequest("r1", f"conversations/{at.conversation_id}/messages", b"hash")
        queued = await at.post("two", on_busy="queue", request=request)
        assert (await at.post("two", on_busy="interrupt", request=request)).turn.id == queued.turn.id
        assert await at.answer(queued.turn.id) == "other"


async def test_the_same_client_request_makes_one_turn(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint(say("one"))) as at:
        request = ClientRequest("r1", f"conversations/{at.conversation_id}/messages", b"hash")
        first, second = await asyncio.gather(at.post(request=request), at.post(request=request))
        assert first.turn.id == second.turn.id
        assert sorted([first.replayed, second.replayed]) == [False, True]
        with pytest.raises(InvalidRequest):
            await at.post("other", request=msgspec.structs.replace(request, body_hash=b"other"))


async def test_nothing_is_stored_by_a_refused_request(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint(), max_active=0) as at:
        with pytest.raises(InvalidRequest):
            await at.post("  ")
        with pytest.raises(LimitReached):
            await at.post("hi")
        with pytest.raises(NotFound):
            await at.post("hi", conversation_id="nope")
        with pytest.raises(InvalidRequest):
            await at.post("hi", overrides=Overrides(provider_id="nope"))
        page = await at.supervisor.messages(at.store.owner, at.conversation_id, leaf=None, before=None, limit=10)
        assert page.items == ()
