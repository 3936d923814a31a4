"""Questions of running tools, and what else must end: with their call, their turn, their server."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from luxx.core.deltas import FileDelta, Finish, TextDelta
from luxx.core.errors import Conflict, StorageError
from luxx.core.files import FileRef
from luxx.core.ids import new_id
from luxx.core.ports import CallContext, Decision, ModelInfo, ToolOutcome
from luxx.core.prompts import Effect, ResultPrompt, UserPrompt
from luxx.core.replay import Replay
from luxx.core.rules import ToolRule
from luxx.core.steps import Summary, answer_text
from luxx.store.records import NewTurn, NewUserMessage
from luxx.store.secrets import SecretBox
from luxx.store.sqlite.store import open_sqlite
from luxx.turns.windows import Windows
from tests.engine.fakes import USAGE, Batch, FakeToolbox, call, call_all, say
from tests.turns.bench import KEY, FakeEndpoint, bench, quick, until
from tests.turns.test_approvals import YES, asking, states, waiting

GOES_ON: list[Batch] = [[TextDelta("x")], asyncio.Event()]


def says_x(folded: Replay) -> bool:
    return answer_text(folded.steps()) == "x"


class Asking(FakeToolbox):
    """Asks a question, from a task of its own as an MCP session does, and waits for the answer as long as told."""

    def __init__(self, effect: Effect = "read", patience: float | None = None) -> None:
        super().__init__({"form": effect}, form=quick)
        self.asked: list[asyncio.Task[object]] = []
        self._patience = patience

    async def run(self, name: str, arguments: str, context: CallContext) -> ToolOutcome:
        task = asyncio.get_running_loop().create_task(context.ask("Who?"))
        self.asked.append(task)
        done, _ = await asyncio.wait((task,), timeout=self._patience)
        if not done:
            task.cancel()
            return ToolOutcome(content="gave up")
        return ToolOutcome(content=str(task.result()))


async def test_the_question_of_a_tool_that_died_is_nobodys_any_more(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint(call_all("form")), Asking()) as at:
        turn = (await at.post()).turn
        await until(at, turn.id, lambda folded: bool(folded.approvals))
        conversation_id = at.conversation_id
    async with bench(tmp_path, FakeEndpoint(GOES_ON), FakeToolbox(form=quick), conversation_id) as at:
        folded = await until(at, turn.id, says_x)
        assert [asked.state for asked in folded.approvals.values()] == ["expired"]
        assert await at.store.approvals.open(at.store.owner) == ()
        with pytest.raises(Conflict):
            await at.supervisor.decide(at.store.owner, turn.id, min(folded.approvals), YES)


async def test_a_question_that_its_tool_gave_up_is_closed(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint(call_all("form"), GOES_ON), Asking(patience=0.05)) as at:
        turn = (await at.post()).turn
        folded = await until(at, turn.id, says_x)
        assert [asked.state for asked in folded.approvals.values()] == ["expired"]


async def test_a_cancelled_turn_leaves_no_question_waiting(tmp_path: Path) -> None:
    box = Asking()
    async with bench(tmp_path, FakeEndpoint(call_all("form")), box) as at:
        turn = (await at.post()).turn
        await until(at, turn.id, lambda folded: bool(folded.approvals))
        await at.supervisor.cancel(at.store.owner, turn.id)
        await at.follow(turn.id)
        async with asyncio.timeout(5):
            await asyncio.wait(box.asked)


async def test_a_server_that_stops_waits_for_no_person(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint(call_all("form")), Asking("unsafe")) as at:
        turn = (await at.post()).turn
        await until(at, turn.id, lambda folded: bool(folded.approvals))
        async with asyncio.timeout(10):
            await at.supervisor.drain(0.1)


async def test_what_was_asked_for_void_calls_is_not_shown(tmp_path: Path) -> None:
    cut: list[Batch] = [call(0, "pay"), asyncio.Event()]
    async with bench(tmp_path, FakeEndpoint(cut), asking()) as at:
        turn = (await at.post()).turn
        await until(at, turn.id, lambda folded: bool(folded.approvals))
        conversation_id = at.conversation_id
    async with bench(tmp_path, FakeEndpoint(call_all("pay")), asking(), conversation_id) as at:
        await waiting(at, turn.id)
        shown = (await at.last()).turn
        assert shown is not None
        opened = await at.store.approvals.open(at.store.owner)
        assert [asked.index for asked in shown.approvals] == [found.approval.index for found in opened]


async def test_always_lets_the_calls_go_that_wait_already(tmp_path: Path) -> None:
    box = asking()
    async with bench(tmp_path, FakeEndpoint(call_all("pay", "pay"), say("done")), box) as at:
        turn = (await at.post()).turn
        await waiting(at, turn.id)
        await at.supervisor.decide(at.store.owner, turn.id, 0, Decision(state="approved", always=True))
        assert states(await at.follow(turn.id)).count("approved") == 2
        assert len(box.ran) == 2


async def test_nobody_is_asked_about_a_tool_that_is_not_there(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint(call_all("*"), say("done")), asking()) as at:
        await at.store.approvals.set_rules(at.store.owner, (ToolRule(tool="*", action="ask"),))
        turn = (await at.post()).turn
        assert states(await at.follow(turn.id)) == []


async def test_a_tool_that_had_to_ask_knows_what_the_model_was_told_in_its_turn(tmp_path: Path) -> None:
    seen: list[bool] = []

    class Knowing(FakeToolbox):
        async def run(self, name: str, arguments: str, context: CallContext) -> ToolOutcome:
            if name == "fetch":
                seen.append(any(isinstance(prompt, ResultPrompt) for prompt in context.prompts()))
            return await super().run(name, arguments, context)

    box = Knowing(asking=["fetch"], search=quick, fetch=quick)
    async with bench(tmp_path, FakeEndpoint(call_all("search"), call_all("fetch"), say("done")), box) as at:
        turn = (await at.post()).turn
        await waiting(at, turn.id)
        await at.supervisor.decide(at.store.owner, turn.id, 2, YES)
        await at.follow(turn.id)
        assert seen == [True]


async def test_a_file_that_cannot_be_kept_ends_the_turn_after_some_tries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Batch] = [[FileDelta(data=b"x")], [Finish(reason="stop", usage=USAGE)]]
    model = FakeEndpoint(*[drawn] * 9)
    async with bench(tmp_path, model) as at:

        async def keep(*_: object) -> FileRef:
            raise StorageError("too large for the database")

        monkeypatch.setattr(at.store.files, "keep", keep)
        turn = (await at.post()).turn
        assert (await at.follow(turn.id))[-1].name == "error"
        assert len(model.requests) <= 4


async def test_the_summary_that_a_person_wrote_survives_a_crash_before_anything_was_said(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint(say("hello"))) as at:
        first = (await at.post()).turn
        await at.follow(first.id)
        conversation_id = at.conversation_id
    store = await open_sqlite(tmp_path, SecretBox([KEY]))
    summary = Summary(id="step-0", index=0, until=first.message_id, content="My notes", state="complete")
    new = NewTurn(
        id=new_id(),
        conversation_id=conversation_id,
        message_id=new_id(),
        settings=replace(first.settings, summary=summary),
        user=NewUserMessage(id=new_id(), text="next", parent_id=first.message_id),
    )
    started = await store.turns.start(store.owner, new)
    await store.close()
    model = FakeEndpoint(say("done"))
    async with bench(tmp_path, model, conversation_id=conversation_id) as at:
        await at.follow(started.turn.id)
    prompt = model.requests[0].prompts[0]
    assert isinstance(prompt, UserPrompt)
    assert "My notes" in prompt.text


async def test_the_window_of_a_provider_that_changed_is_asked_for_again() -> None:
    gate, told = asyncio.Event(), [100, 200]

    async def ask(owner: str, provider_id: str) -> list[ModelInfo]:
        window = told.pop(0)
        await gate.wait()
        return [ModelInfo(id="m", context_window=window)]

    windows = Windows(ask)
    windows.window("o", "p", "m")
    await asyncio.sleep(0)
    windows.forget("p")
    gate.set()
    async with asyncio.timeout(5):
        while True:
            if windows.window("o", "p", "m") == 200:
                break
            await asyncio.sleep(0)
    await windows.close()
