"""Turns that their process, their task or their person left, and what a stop keeps."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import msgspec
import pytest

from luxx.core.deltas import Delta, Finish, TextDelta
from luxx.core.errors import LimitReached, StorageError
from luxx.core.prompts import Effect, ModelRequest, ResultPrompt
from luxx.core.replay import Replay
from luxx.core.steps import ToolResult, answer_text
from luxx.engine.tool_calls import CANCELLED
from luxx.store.records import Appended, Decided, StartedTurn
from luxx.store.secrets import SecretBox
from luxx.store.sql.approvals import SqlApprovals
from luxx.store.sqlite.store import open_sqlite
from luxx.turns.requests import AnswerAgain
from tests.engine.fakes import USAGE, Batch, FakeToolbox, call, call_all, say
from tests.turns.bench import KEY, FakeEndpoint, bench, hang_after, has_result, quick, replay, until


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
        replay = Replay()
        for entry in entries:
            replay.apply(entry)
        last = await at.last()
        assert (last.text, list(last.recovered)) == ("done", replay.recovered)
        assert len(replay.recovered) == 1
        assert (last.remade, replay.remade) == ((), [])


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


async def test_a_message_tells_that_something_which_had_been_shown_was_made_again(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint([[TextDelta("half")], asyncio.Event()])) as at:
        turn = (await at.post()).turn
        await until(at, turn.id, lambda folded: bool(answer_text(folded.steps())))
        conversation_id = at.conversation_id
    more, end = asyncio.Event(), asyncio.Event()
    async with bench(
        tmp_path, FakeEndpoint([[TextDelta("whole")], more, say("!")[0], end]), None, conversation_id
    ) as at:
        await until(at, turn.id, lambda folded: answer_text(folded.steps()) == "whole")
        now = await at.last()
        more.set()
        end.set()
        await at.follow(turn.id)
        for last in (now, await at.last()):
            assert (last.recovered, last.remade) == ((-1,), (-1,))


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


async def test_a_tool_that_was_stopped_is_not_run_again_if_its_server_dies_before_it_has_ended(tmp_path: Path) -> None:
    started, stopped = asyncio.Event(), asyncio.Event()

    async def stubborn(arguments: str) -> str:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            if not stopped.is_set():
                stopped.set()
                await asyncio.Event().wait()
        return ""

    async with bench(tmp_path, FakeEndpoint(call_all("slow", "other")), FakeToolbox(slow=stubborn, other=quick)) as at:
        turn = (await at.post()).turn
        await started.wait()
        await until(at, turn.id, has_result)
        await at.supervisor.cancel_call(at.store.owner, turn.id, 0)
        await stopped.wait()
        conversation_id = at.conversation_id
    after, model = FakeToolbox(slow=quick, other=quick), FakeEndpoint(say("done"))
    async with bench(tmp_path, model, after, conversation_id) as at:
        assert await at.answer(turn.id) == "done"
        assert after.ran == []
        results = [prompt for prompt in model.requests[0].prompts if isinstance(prompt, ResultPrompt)]
        assert [result.content for result in results] == [CANCELLED, "quick"]


async def test_a_tool_that_is_stopped_while_its_turn_is_taken_up_is_not_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, reading, stopped = asyncio.Event(), asyncio.Event(), asyncio.Event()
    async with bench(tmp_path, FakeEndpoint(call_all("slow")), FakeToolbox(slow=hang_after(started))) as at:
        turn = (await at.post()).turn
        await started.wait()
        conversation_id = at.conversation_id
    read = SqlApprovals.decisions

    async def read_slowly(self: SqlApprovals, node: str) -> tuple[Decided, ...]:
        reading.set()
        await stopped.wait()
        return await read(self, node)

    monkeypatch.setattr(SqlApprovals, "decisions", read_slowly)
    after = FakeToolbox(slow=quick)
    async with bench(tmp_path, FakeEndpoint(say("done")), after, conversation_id) as at:
        await reading.wait()
        await at.supervisor.cancel_call(at.store.owner, turn.id, 0)
        stopped.set()
        assert (await at.answer(turn.id), after.ran) == ("done", [])


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


async def test_a_step_whose_whole_the_database_refuses_is_void_in_the_log_and_not_in_the_message(
    tmp_path: Path,
) -> None:
    more, end = asyncio.Event(), asyncio.Event()
    pieces: list[Batch] = [[TextDelta("~refu")], more, [TextDelta("sed~")], end, [Finish(reason="stop", usage=USAGE)]]
    model = FakeEndpoint(pieces)
    async with bench(tmp_path, model) as at:
        with contextlib.closing(sqlite3.connect(tmp_path / "luxx.db")) as connection:
            connection.execute(
                "CREATE TRIGGER refuse BEFORE INSERT ON step WHEN instr(NEW.body, CAST('~refused~' AS BLOB))"
                " BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        turn = (await at.post()).turn
        await until(at, turn.id, lambda folded: bool(answer_text(folded.steps())))
        more.set()
        await until(at, turn.id, lambda folded: answer_text(folded.steps()) == "~refused~")
        end.set()
        entries = await at.follow(turn.id)
        assert [entry.name for entry in entries[-2:]] == ["recovered", "error"]
        assert replay(entries).steps() == ()
        (_, answer) = (
            await at.supervisor.messages(at.store.owner, at.conversation_id, leaf=None, before=None, limit=10)
        ).items
        assert answer.steps == ()


async def test_deleting_a_conversation_stops_its_turns(tmp_path: Path) -> None:
    model = FakeEndpoint([[TextDelta("half")], asyncio.Event()])
    async with bench(tmp_path, model) as at:
        turn = (await at.post()).turn
        folded = await until(at, turn.id, lambda folded: bool(answer_text(folded.steps())))
        rest = at.supervisor.follow(at.store.owner, turn.id, folded.seq)
        await at.supervisor.delete_conversation(at.store.owner, at.conversation_id)
        names = [entry.name async for entries in rest for entry in entries]
        assert names[-1] == "cancelled"
        assert model.closed == 1


async def test_a_cancelled_queued_turn_ends_for_its_readers_and_its_pages(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint([asyncio.Event()])) as at, asyncio.TaskGroup() as group:
        await at.post("one")
        queued = (await at.post("two", on_busy="queue")).turn
        notices = at.supervisor.notices.subscribe(at.store.owner)
        first = group.create_task(anext(notices))
        reader = group.create_task(at.follow(queued.id))
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


async def test_a_turn_that_begins_while_the_database_is_away_goes_on_when_it_is_back(tmp_path: Path) -> None:
    class Away(FakeEndpoint):
        asked = 0

        @property
        def format(self) -> str:
            self.asked += 1
            if self.asked == 1:
                raise StorageError("the database is away")
            return "fake"

    async with bench(tmp_path, Away(say("here"))) as at:
        assert await at.answer((await at.post()).turn.id) == "here"


async def test_the_server_asks_to_be_stopped_when_what_commits_has_died(tmp_path: Path) -> None:
    died = asyncio.Event()

    async def broken(batches: object, retry: bool = False) -> Appended:
        raise RuntimeError("a bug in the store")

    async with bench(tmp_path, FakeEndpoint(say("lost"), say("whole")), on_death=died.set) as at:
        at.store.turns.append = broken  # pyright: ignore[reportAttributeAccessIssue]
        turn = (await at.post()).turn
        await died.wait()
        assert not at.supervisor.ready
        conversation_id = at.conversation_id
    async with bench(tmp_path, FakeEndpoint(say("whole")), conversation_id=conversation_id) as at:
        assert await at.answer(turn.id) == "whole"
