"""Calls that wait for a person."""

import asyncio

import msgspec
import pytest

from luxx.core.deltas import FileDelta, Finish, NoticeDelta, SourceDelta, TextDelta
from luxx.core.errors import ProviderOverloaded
from luxx.core.events import Approval, Done
from luxx.core.ports import CallContext, Decision, Reply, ToolOutcome
from luxx.core.prompts import AnswerPrompt, ModelRequest, ResultPrompt, UserPrompt
from luxx.core.rules import ToolRule
from luxx.core.steps import File, Notice, Source, Text, ToolResult
from luxx.engine.approvals import DENIED, EXPIRED, FORBIDDEN, Parked
from luxx.engine.loop import Loop
from luxx.engine.plan import Plan, RunLimits
from luxx.engine.tool_calls import CANCELLED
from luxx.engine.transcript import Transcript
from tests.engine.fakes import USAGE, FakeEmit, FakeFiles, FakeModel, FakeToolbox, call_all, say
from tests.engine.test_loop import final_steps


def loop(model: FakeModel, box: FakeToolbox, emit: FakeEmit, *rules: ToolRule, most: int = 200) -> Loop:
    async def these() -> tuple[ToolRule, ...]:
        return rules

    plan = Plan(
        turn_id="t",
        message_id="m",
        provider="p",
        request=ModelRequest(model="m", prompts=(UserPrompt("hi"),)),
        max_iterations=3,
        limits=RunLimits(attempts=1, max_tool_calls=most),
        rules=these,
    )
    return Loop(plan, model, box, emit, Transcript("p", "fake"), FakeFiles())


async def echo(arguments: str) -> str:
    return f"sent {arguments}"


def asked(emit: FakeEmit) -> list[tuple[int, str]]:
    return [(event.index, event.state) for event in emit.events if isinstance(event, Approval)]


def results(emit: FakeEmit) -> list[tuple[str, str]]:
    return [(step.state, step.content) for step in final_steps(emit) if isinstance(step, ToolResult)]


def reasons(emit: FakeEmit) -> list[str | None]:
    return [step.unfinished for step in final_steps(emit) if isinstance(step, ToolResult)]


async def test_a_turn_that_only_waits_for_a_person_is_parked() -> None:
    emit, box = FakeEmit(), FakeToolbox(asking=["send"], send=echo, get=echo)
    with pytest.raises(Parked):
        await loop(FakeModel(call_all("send", "get")), box, emit).run()
    assert asked(emit) == [(0, "requested")]
    assert results(emit) == [("complete", "sent {}")]
    assert [name for name, _, _ in box.ran] == ["get"]


async def held(text: str, box: FakeToolbox, decision: Decision, done: asyncio.Event | None = None) -> FakeEmit:
    """Run a turn with one call that asks, beside one that holds the turn here until that is decided."""
    emit = FakeEmit()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        turn = loop(FakeModel(call_all("send", "hold"), say(text)), box, emit)
        group.create_task(turn.run())
        await emit.until(lambda: bool(asked(emit)))
        turn.decided(0, decision)
        if done:
            await emit.until(lambda: len(asked(emit)) == 2)
            done.set()
    return emit


def holding(**tools: object) -> tuple[FakeToolbox, asyncio.Event]:
    done = asyncio.Event()

    async def send(arguments: str) -> str:
        done.set()
        return f"sent {arguments}"

    async def hold(arguments: str) -> str:
        await done.wait()
        return "held"

    return FakeToolbox({"send": "unsafe"}, asking=["send"], send=send, hold=hold), done


async def test_an_approved_call_runs_and_the_turn_goes_on() -> None:
    box, _ = holding()
    emit = await held("done", box, Decision(state="approved"))
    assert asked(emit) == [(0, "requested"), (0, "approved")]
    assert ("complete", "sent {}") in results(emit)
    assert isinstance(emit.events[-1], Done)


async def test_a_person_can_change_the_arguments_and_the_model_is_told() -> None:
    box, _ = holding()
    emit = await held("done", box, Decision(state="approved", arguments={"to": "b"}))
    assert ("send", '{"to":"b"}', "t:0") in box.ran
    said = '[The person changed the arguments to {"to":"b"}]\nsent {"to":"b"}'
    assert ("complete", said) in results(emit)


@pytest.mark.parametrize(("state", "content"), [("denied", DENIED), ("expired", EXPIRED)])
async def test_a_call_that_is_not_allowed_is_not_run_and_the_model_is_told(state: str, content: str) -> None:
    box, done = holding()
    emit = await held("done", box, msgspec.convert({"state": state}, Decision), done)
    assert ("failed", content) in results(emit)
    assert sorted(filter(None, reasons(emit))) == [state]
    assert [name for name, _, _ in box.ran] == ["hold"]


async def test_a_rule_spares_the_question_or_asks_it_or_forbids_the_call() -> None:
    for action, ran in (("allow", True), ("deny", False)):
        emit, box = FakeEmit(), FakeToolbox(asking=["send"], send=echo)
        rule = msgspec.convert({"tool": "se*", "action": action}, ToolRule)
        await loop(FakeModel(call_all("send"), say("done")), box, emit, rule).run()
        assert bool(box.ran) is ran
        assert asked(emit) == []
        assert results(emit) == [("complete", "sent {}") if ran else ("failed", FORBIDDEN)]
        assert reasons(emit) == [None if ran else "forbidden"]
    emit = FakeEmit()
    turn = loop(FakeModel(call_all("get")), FakeToolbox(get=echo), emit, ToolRule(tool="get", action="ask"))
    with pytest.raises(Parked):
        await turn.run()
    assert asked(emit) == [(0, "requested")]


async def test_always_holds_for_the_rest_of_the_turn() -> None:
    box, _ = holding()
    emit = FakeEmit()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        turn = loop(FakeModel(call_all("send", "hold"), call_all("send"), say("done")), box, emit)
        group.create_task(turn.run())
        await emit.until(lambda: bool(asked(emit)))
        turn.decided(0, Decision(state="approved", always=True))
    assert [state for _, state in asked(emit)] == ["requested", "approved"]
    assert [name for name, _, _ in box.ran].count("send") == 2


async def test_a_provider_that_fails_ends_the_turn_though_a_call_waits() -> None:
    emit, box = FakeEmit(), FakeToolbox(asking=["send"], send=echo)
    model = FakeModel([*call_all("send")[:1], ProviderOverloaded("down")])
    with pytest.raises(ProviderOverloaded):
        await loop(model, box, emit).run()
    assert box.ran == []


async def test_a_turn_has_so_many_calls_and_no_more() -> None:
    emit, box = FakeEmit(), FakeToolbox(get=echo)
    await loop(FakeModel(call_all("get", "get", "get"), say("done")), box, emit, most=2).run()
    assert [state for state, _ in results(emit)].count("failed") == 1
    assert list(filter(None, reasons(emit))) == ["limit"]
    assert len(box.ran) == 2


async def test_a_running_tool_asks_a_person_and_gets_the_answer() -> None:
    replies: list[Reply] = []

    class Asking(FakeToolbox):
        async def run(self, name: str, arguments: str, context: CallContext) -> ToolOutcome:
            replies.append(await context.ask("Which one?", {"type": "object"}))
            return ToolOutcome(content="asked")

    emit = FakeEmit()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        turn = loop(FakeModel(call_all("pick"), say("done")), Asking(), emit)
        group.create_task(turn.run())
        await emit.until(lambda: bool(asked(emit)))
        index, state = asked(emit)[0]
        assert (index, state) == (2, "requested")
        turn.decided(index, Decision(state="approved", arguments={"which": 1}))
    assert replies == [Reply(action="accept", content={"which": 1})]
    questions = [event.question for event in emit.events if isinstance(event, Approval)]
    assert questions[0] is not None
    assert (questions[0].call, questions[0].message) == (0, "Which one?")


@pytest.mark.parametrize("effect", ["read", "unsafe"])
async def test_one_tool_can_be_stopped_alone_and_the_turn_goes_on(effect: str) -> None:
    started = asyncio.Event()

    async def hang(arguments: str) -> str:
        started.set()
        await asyncio.Event().wait()
        return ""

    emit, model = FakeEmit(), FakeModel(call_all("hang", "get"), say("done"))
    box = FakeToolbox({"hang": effect}, hang=hang, get=echo)  # pyright: ignore[reportArgumentType]
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        turn = loop(model, box, emit)
        group.create_task(turn.run())
        await started.wait()
        assert turn.cancel_call(0)
    assert ("complete", "sent {}") in results(emit)
    failed = next(content for state, content in results(emit) if state == "failed")
    assert failed == CANCELLED if effect == "read" else "unknown" in failed
    told = [prompt.content for prompt in model.requests[1].prompts if isinstance(prompt, ResultPrompt)]
    assert failed in told
    assert not turn.cancel_call(0)


async def test_files_notices_and_sources_of_a_model_become_steps_and_sources_do_not_tear_a_text() -> None:
    emit, model = (
        FakeEmit(),
        FakeModel(
            [
                [NoticeDelta(kind="web_search", text="Searched."), TextDelta("One ")],
                [
                    SourceDelta(url="https://a.example", title="A"),
                    SourceDelta(url="https://a.example"),
                    TextDelta("two."),
                ],
                [FileDelta(data=b"png", name="cat.png")],
                [Finish(reason="stop", usage=USAGE)],
            ]
        ),
    )
    turn = loop(model, FakeToolbox(), emit)
    await turn.run()
    notice, text, source, file = final_steps(emit)
    assert isinstance(notice, Notice)
    assert isinstance(text, Text)
    assert text.content == "One two."
    assert isinstance(source, Source)
    assert source.url == "https://a.example"
    assert isinstance(file, File)
    assert file.name == "cat.png"


async def test_files_of_the_prompts_are_loaded_for_the_model() -> None:
    files, model = FakeFiles(), FakeModel(say("nice"))
    ref = await files.keep("cat.png", b"png")
    request = ModelRequest(model="m", prompts=(UserPrompt("look", (ref,)),))
    plan = Plan(
        turn_id="t", message_id="m", provider="p", request=request, max_iterations=3, limits=RunLimits(attempts=1)
    )
    await Loop(plan, model, FakeToolbox(), FakeEmit(), Transcript("p", "fake"), files).run()
    assert model.requests[0].files == {ref.id: b"png"}


async def test_an_image_of_a_tool_is_seen_by_the_model_and_other_files_are_not() -> None:
    class Drawing(FakeToolbox):
        async def run(self, name: str, arguments: str, context: CallContext) -> ToolOutcome:
            png = await context.files.keep("a.png", b"png")
            log = msgspec.structs.replace(png, id="log", media_type="text/plain")
            return ToolOutcome(content="drawn", files=(png, log), data={"n": 1})

    model, emit = FakeModel(call_all("draw"), say("nice")), FakeEmit()
    await loop(model, Drawing(), emit).run()
    result = model.requests[1].prompts[-1]
    assert isinstance(result, ResultPrompt)
    assert [file.name for file in result.files] == ["a.png"]
    assert isinstance(model.requests[1].prompts[1], AnswerPrompt)
    assert model.requests[1].files == {"f0": b"png"}
    step = next(step for step in final_steps(emit) if isinstance(step, ToolResult))
    assert [part["type"] for part in step.parts] == ["file", "file", "json"]
