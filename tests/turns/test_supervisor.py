"""Turns as a person starts, follows, stops and finds them again, on the real store."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from luxx.core.deltas import Delta, Finish, TextDelta
from luxx.core.errors import Conflict, InvalidRequest, LimitReached, NotFound, ProviderUnreachable
from luxx.core.events import LogEntry
from luxx.core.ports import Check, Endpoint, ModelInfo
from luxx.core.prompts import AnswerPrompt, Effect, ModelRequest, ResultPrompt, UserPrompt
from luxx.core.replay import Replay
from luxx.core.steps import ToolResult, answer_text
from luxx.store.interface import Store
from luxx.store.records import ClientRequest, ConversationSettings, NewProvider, StartedTurn
from luxx.store.secrets import SecretBox
from luxx.store.sqlite.store import open_sqlite
from luxx.turns.endpoints import Endpoints
from luxx.turns.requests import AnswerAgain, AssistantMessageView, Overrides, PostMessage, UserMessageView
from luxx.turns.run import RunLimits
from luxx.turns.starting import Starter
from luxx.turns.supervisor import Supervisor
from luxx.turns.titles import Titles
from tests.engine.fakes import USAGE, Batch, FakeModel, FakeToolbox, Tool, call, call_all, say

KEY = "A" * 43 + "="


class FakeEndpoint(FakeModel):
    """A fake model that can be set up as a provider."""

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """List none."""
        return ()

    async def check(self) -> Check:
        """Say that all is well."""
        return Check(ok=True, detail="fine")


class Bench:
    """A supervisor on a real store with a fake model; what tests do with it."""

    def __init__(self, store: Store, supervisor: Supervisor, conversation_id: str) -> None:
        self.store = store
        self.supervisor = supervisor
        self.conversation_id = conversation_id

    async def post(self, text: str = "hi", **fields: object) -> StartedTurn:
        """Post a message to the conversation."""
        post = PostMessage(conversation_id=self.conversation_id, text=text)
        return await self.supervisor.post(self.store.owner, msgspec.structs.replace(post, **fields))

    async def follow(self, turn_id: str, after: int = 0) -> list[LogEntry]:
        """Read a turn to its end."""
        return [entry async for entries in self.supervisor.follow(turn_id, after) for entry in entries]

    async def answer(self, turn_id: str) -> str:
        """Read a turn to its end and return its text."""
        return answer_text(replay(await self.follow(turn_id)).steps())

    async def last(self) -> AssistantMessageView:
        """Return the last answer as the API shows it."""
        page = await self.supervisor.messages(self.store.owner, self.conversation_id, leaf=None, before=None, limit=50)
        view = page.items[-1]
        assert isinstance(view, AssistantMessageView)
        return view


def replay(entries: list[LogEntry]) -> Replay:
    folded = Replay()
    for entry in entries:
        folded.apply(entry)
    return folded


@asynccontextmanager
async def bench(
    path: Path, model: Endpoint, box: FakeToolbox | None = None, conversation_id: str = "", max_active: int = 100
) -> AsyncIterator[Bench]:
    async with asyncio.timeout(30):
        store = await open_sqlite(path, SecretBox([KEY]))
        endpoints = Endpoints(store.providers, {"fake": lambda provider, key: model})
        tools = box or FakeToolbox()
        starter = Starter(store, endpoints, tools, max_iterations=3)
        supervisor = Supervisor(
            store,
            endpoints,
            lambda names: tools,
            starter,
            Titles(store, endpoints, enabled=False),
            limits=RunLimits(attempts=1),
            max_active=max_active,
            heartbeat=15,
            compact_after=300,
        )
        if not conversation_id:
            await store.providers.create(store.owner, NewProvider(name="p", format="fake", default_model="m"))
            settings = ConversationSettings(system_prompt="Be kind.")
            conversation_id = (await store.conversations.create(store.owner, None, settings)).id
        await supervisor.start_up()
        try:
            yield Bench(store, supervisor, conversation_id)
        finally:
            await supervisor.close()
            await store.close()


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
        async for entries in at.supervisor.follow(started.turn.id, 0):
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
        async for entries in at.supervisor.follow(started.turn.id, 0):
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


async def until(at: Bench, turn_id: str, wanted: Callable[[Replay], bool]) -> Replay:
    """Follow a turn until its folded state is as wanted."""
    folded = Replay()
    async for entries in at.supervisor.follow(turn_id, 0):
        for entry in entries:
            folded.apply(entry)
        if wanted(folded):
            return folded
    raise AssertionError("the turn ended before that")


def has_result(folded: Replay) -> bool:
    return any(isinstance(step, ToolResult) and step.state == "complete" for step in folded.steps())


def hang_after(started: asyncio.Event) -> Tool:
    async def hang(arguments: str) -> str:
        started.set()
        await asyncio.Event().wait()
        return ""

    return hang


async def quick(arguments: str) -> str:
    return "quick"


@pytest.mark.parametrize(("effect", "reruns"), [("read", 1), ("unsafe", 0)])
async def test_a_turn_that_its_process_left_goes_on_at_the_next_start(
    tmp_path: Path, effect: Effect, reruns: int
) -> None:
    started = asyncio.Event()
    answer: list[Batch] = [[*call(0, "quick"), *call(1, "slow")], [Finish(reason="tool_calls", usage=USAGE)]]
    before = FakeToolbox({"slow": effect}, quick=quick, slow=hang_after(started))
    async with bench(tmp_path, FakeEndpoint(answer), before) as at:
        turn = (await at.post()).turn
        await started.wait()
        seen = await until(at, turn.id, has_result)
        conversation_id = at.conversation_id
    after = FakeToolbox({"slow": effect}, quick=quick, slow=quick)
    model = FakeEndpoint(say("done"))
    async with bench(tmp_path, model, after, conversation_id) as at:
        entries = await at.follow(turn.id)
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
        assert [entry.name for entry in entries if entry.seq > seen.seq].count("recovered") == 1
        assert [name for name, _, _ in after.ran] == ["slow"] * reruns
        results = [prompt for prompt in model.requests[0].prompts if isinstance(prompt, ResultPrompt)]
        assert [result.failed for result in results] == [False, effect == "unsafe"]
        assert (await at.last()).text == "done"


@pytest.mark.parametrize(
    ("how", "status"), [("cancelled", "cancelled"), ("no provider", "failed"), ("given up", "failed")]
)
async def test_a_recovered_turn_that_cannot_go_on_keeps_what_was_made(tmp_path: Path, how: str, status: str) -> None:
    async with bench(tmp_path, FakeEndpoint([[TextDelta("half")], asyncio.Event()])) as at:
        turn = (await at.post()).turn
        await until(at, turn.id, lambda folded: bool(answer_text(folded.steps())))
        conversation_id = at.conversation_id
    store = await open_sqlite(tmp_path, SecretBox([KEY]))
    if how == "cancelled":
        await store.turns.request_cancel(store.owner, turn.id)
    elif how == "no provider":
        await store.providers.delete(store.owner, turn.settings.provider_id)
    await store.close()
    if how == "given up":
        with sqlite3.connect(tmp_path / "luxx.db") as database:
            database.execute("UPDATE turn SET takeovers = 9")
    async with bench(tmp_path, FakeEndpoint(), conversation_id=conversation_id) as at:
        entries = await at.follow(turn.id)
        assert [entry.name for entry in entries][-3:-1] == ["recovered", "process_step"]
        view = await at.last()
        assert (view.status, view.text) == (status, "half")
        assert [msgspec.json.decode(step)["state"] for step in view.steps] == ["complete"]


async def test_an_unsafe_tool_whose_outcome_is_unknown_is_not_started_by_continuing(tmp_path: Path) -> None:
    started = asyncio.Event()
    before = FakeToolbox({"pay": "unsafe"}, pay=hang_after(started))
    async with bench(tmp_path, FakeEndpoint(call_all("pay")), before) as at:
        turn = (await at.post()).turn
        await started.wait()
        conversation_id = at.conversation_id
    store = await open_sqlite(tmp_path, SecretBox([KEY]))
    await store.turns.request_cancel(store.owner, turn.id)
    await store.close()
    after, model = FakeToolbox({"pay": "unsafe"}, pay=quick), FakeEndpoint(say("I do not know."))
    async with bench(tmp_path, model, after, conversation_id) as at:
        await at.follow(turn.id)
        again = await at.supervisor.continue_answer(at.store.owner, AnswerAgain(message_id=turn.message_id))
        await at.follow(again.turn.id)
        assert after.ran == []
        assert [prompt.failed for prompt in model.requests[0].prompts if isinstance(prompt, ResultPrompt)] == [True]


async def test_what_a_tool_has_finished_is_written_before_a_stop(tmp_path: Path) -> None:
    paid = asyncio.Event()

    async def pay(arguments: str) -> str:
        paid.set()
        return "paid"

    async with bench(
        tmp_path, FakeEndpoint(call_all("pay"), [asyncio.Event()]), FakeToolbox({"pay": "unsafe"}, pay=pay)
    ) as at:
        turn = (await at.post()).turn
        await paid.wait()
        conversation_id = at.conversation_id
    async with bench(tmp_path, FakeEndpoint(say("done")), FakeToolbox({"pay": "unsafe"}), conversation_id) as at:
        replayed = replay(await at.follow(turn.id))
        assert [step.content for step in replayed.steps() if isinstance(step, ToolResult)] == ["paid"]


async def test_no_more_turns_than_allowed_run_at_once(tmp_path: Path) -> None:
    model = FakeEndpoint(*[[asyncio.Event()]] * 3)
    async with bench(tmp_path, model, max_active=3) as at:
        posts = [at.post(f"{number}", parent_id=None) for number in range(20)]
        results = await asyncio.gather(*posts, return_exceptions=True)
        assert sum(isinstance(result, StartedTurn) for result in results) == 3
        assert {result.reason for result in results if isinstance(result, LimitReached)} == {"too_many_turns"}


async def test_a_cancellation_that_nobody_asked_for_ends_the_turn(tmp_path: Path) -> None:
    class Library(FakeEndpoint):
        async def stream(self, request: ModelRequest) -> AsyncGenerator[Sequence[Delta], None]:
            yield [TextDelta("half")]
            raise asyncio.CancelledError

    async with bench(tmp_path, Library()) as at:
        entries = await at.follow((await at.post()).turn.id)
        assert entries[-1].name == "error"
        assert (await at.last()).text == "half"


async def test_a_turn_whose_task_is_gone_is_taken_up_while_the_server_runs(tmp_path: Path) -> None:
    model = FakeEndpoint([[TextDelta("half")], asyncio.Event()], say("whole"))
    async with bench(tmp_path, model) as at:
        turn = (await at.post()).turn
        await until(at, turn.id, lambda folded: bool(answer_text(folded.steps())))
        await at.supervisor.let_go([turn.id])
        assert await at.answer(turn.id) == "whole"


async def test_deleting_a_conversation_stops_its_turns(tmp_path: Path) -> None:
    model = FakeEndpoint([[TextDelta("half")], asyncio.Event()])
    async with bench(tmp_path, model) as at:
        turn = (await at.post()).turn
        folded = await until(at, turn.id, lambda folded: bool(answer_text(folded.steps())))
        rest = at.supervisor.follow(turn.id, folded.seq)
        await at.supervisor.delete_conversation(at.store.owner, at.conversation_id)
        names = [entry.name async for entries in rest for entry in entries]
        assert names[-1] == "cancelled"
        assert model.closed == 1


async def test_a_cancelled_queued_turn_ends_for_its_readers_and_its_pages(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint([asyncio.Event()])) as at, asyncio.TaskGroup() as group:
        await at.post("one")
        queued = (await at.post("two", on_busy="queue")).turn
        behind = (await at.post("three", on_busy="queue", parent_id=queued.message_id)).turn
        notices = at.supervisor.notices.subscribe(at.store.owner)
        first = group.create_task(anext(notices))
        reader = group.create_task(at.follow(behind.id))
        await asyncio.sleep(0)
        await at.supervisor.cancel(at.store.owner, queued.id)
        assert [entry.name for entry in await reader] == ["turn", "cancelled"]
        told = await first
        assert told is not None
        assert told.kind == "turn_ended"


async def test_a_drain_waits_for_an_unsafe_tool(tmp_path: Path) -> None:
    started, may_end = asyncio.Event(), asyncio.Event()

    async def pay(arguments: str) -> str:
        started.set()
        await may_end.wait()
        return "paid"

    model = FakeEndpoint(call_all("pay"), say("done"))
    async with bench(tmp_path, model, FakeToolbox({"pay": "unsafe"}, pay=pay)) as at, asyncio.TaskGroup() as group:
        await at.post()
        await started.wait()
        drained = group.create_task(at.supervisor.drain(0))
        done, _ = await asyncio.wait([drained], timeout=0.3)
        assert not done
        may_end.set()
        await drained
