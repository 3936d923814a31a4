"""One turn: ask, run the tools, ask again."""

import asyncio

import msgspec
import pytest

from luxx.core import steps
from luxx.core.deltas import Finish, TextDelta, ThinkingDelta, UsageDelta
from luxx.core.errors import (
    AnswerIncomplete,
    AnswerTooLong,
    Fenced,
    ProviderAuth,
    ProviderOverloaded,
    ProviderUnreachable,
    RateLimited,
    TooManyIterations,
)
from luxx.core.events import Done, ProcessStep, Recovered, ToolProgress
from luxx.core.ports import CallContext, ModelCall, ToolOutcome
from luxx.core.prompts import AnswerPrompt, Effect, ModelRequest, ResultPrompt, UserPrompt
from luxx.core.steps import Step, Text, ToolCall, ToolResult
from luxx.core.usage import Usage
from luxx.engine.loop import CONTINUE, Loop
from luxx.engine.plan import Plan, RunLimits
from luxx.engine.resume import Resumption, resume
from luxx.engine.tool_calls import CANCELLED
from luxx.engine.transcript import UNKNOWN, Transcript
from tests.engine.fakes import USAGE, Batch, FakeEmit, FakeFiles, FakeModel, FakeToolbox, call, call_all, say


def plan(start: Resumption | None = None, epoch: int = 1, calls: tuple[ModelCall, ...] = (), highest: int = -1) -> Plan:
    return Plan(
        turn_id="t",
        message_id="m",
        provider="p",
        request=ModelRequest(model="m", prompts=(UserPrompt("hi"),)),
        max_iterations=3,
        limits=RunLimits(attempts=3),
        epoch=epoch,
        recovered=epoch > 1,
        start=start,
        calls=calls,
        highest_index=highest,
    )


def loop(model: FakeModel, box: FakeToolbox, emit: FakeEmit, plan_: Plan | None = None) -> Loop:
    return Loop(plan_ or plan(), model, box, emit, Transcript("p", "fake"), FakeFiles())


def final_steps(emit: FakeEmit) -> list[Step]:
    by_index = {event.step.index: event.step for event in emit.events if isinstance(event, ProcessStep)}
    return [by_index[index] for index in sorted(by_index)]


async def answer(arguments: str) -> str:
    return "42"


async def test_an_answer_without_tools_ends_the_turn() -> None:
    emit = FakeEmit()
    await loop(FakeModel(say("hello")), FakeToolbox(), emit).run()
    assert [step.content for step in final_steps(emit) if isinstance(step, Text)] == ["hello"]
    assert emit.events[-1] == Done(message_id="m", token_count=5, usage=USAGE, finish_reason="stop")


async def test_tools_of_one_answer_run_at_the_same_time_and_their_results_go_into_the_next_request() -> None:
    both = asyncio.Barrier(2)

    async def meet(arguments: str) -> str:
        async with asyncio.timeout(5):
            await both.wait()
        return arguments

    model, emit = FakeModel(call_all("meet", "meet"), say("done")), FakeEmit()
    await loop(model, FakeToolbox(meet=meet), emit).run()
    told = model.requests[1].prompts
    assert isinstance(told[1], AnswerPrompt)
    assert [prompt.id for prompt in told[2:] if isinstance(prompt, ResultPrompt)] == ["id0", "id1"]


async def test_a_tool_starts_while_the_model_still_speaks() -> None:
    started, speak = asyncio.Event(), asyncio.Event()

    async def note(arguments: str) -> str:
        started.set()
        return "ok"

    model = FakeModel([call(0, "note"), speak, [TextDelta("more"), Finish(reason="tool_calls")]], say("done"))
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(loop(model, FakeToolbox(note=note), FakeEmit()).run())
        await started.wait()
        speak.set()


async def test_a_tool_runs_only_after_its_claim_is_committed() -> None:
    ran, emit = asyncio.Event(), FakeEmit()

    async def note(arguments: str) -> str:
        ran.set()
        return "ok"

    emit.gate.clear()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(loop(FakeModel(call_all("note"), say("done")), FakeToolbox(note=note), emit).run())
        await emit.until(lambda: any(isinstance(step, ToolResult) for step in final_steps(emit)))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not ran.is_set()
        emit.gate.set()
        await ran.wait()


async def test_an_unsafe_tool_counts_as_running_until_its_result_is_committed() -> None:
    emit = FakeEmit()

    async def pay(arguments: str) -> str:
        emit.gate.clear()
        return "paid"

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        turn = loop(FakeModel(call_all("pay"), say("done")), FakeToolbox({"pay": "unsafe"}, pay=pay), emit)
        group.create_task(turn.run())
        await emit.until(lambda: [step.state for step in final_steps(emit)] == ["complete", "complete"])
        assert turn.unsafe_running == 1
        emit.gate.set()
    assert turn.unsafe_running == 0


async def test_progress_from_another_thread_reaches_the_log_on_the_loop() -> None:
    emit = FakeEmit()

    class Reporting(FakeToolbox):
        async def run(self, name: str, arguments: str, context: CallContext) -> ToolOutcome:
            await asyncio.to_thread(lambda: [context.progress(f"{n}", n, 100) for n in range(100)])
            await asyncio.sleep(0)
            return ToolOutcome(content="ok")

    await loop(FakeModel(call_all("work"), say("done")), Reporting(), emit).run()
    reports = [event for event in emit.events if isinstance(event, ToolProgress)]
    assert reports[-1] == ToolProgress(index=1, message="99", progress=99, total=100)


async def test_results_refer_to_their_call_and_claims_come_before_them() -> None:
    emit = FakeEmit()
    await loop(FakeModel(call_all("get", "get"), say("x")), FakeToolbox(get=answer), emit).run()
    results = [step for step in final_steps(emit) if isinstance(step, ToolResult)]
    assert [(step.index, step.id_ref, step.state, step.content) for step in results] == [
        (2, "step-0", "complete", "42"),
        (3, "step-1", "complete", "42"),
    ]


async def test_tools_beyond_the_bound_of_a_turn_wait_and_are_claimed_in_call_order() -> None:
    running, most = 0, 0

    async def count(arguments: str) -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return ""

    emit = FakeEmit()
    bounded = msgspec.structs.replace(plan(), limits=RunLimits(parallel_tools=2))
    await loop(FakeModel(call_all(*["count"] * 6), say("x")), FakeToolbox(count=count), emit, bounded).run()
    assert most == 2
    assert [step.id_ref for step in final_steps(emit) if isinstance(step, ToolResult)] == [
        f"step-{n}" for n in range(6)
    ]


async def test_an_unknown_tool_is_a_result_that_the_model_can_act_on() -> None:
    model, emit = FakeModel(call_all("nope"), say("sorry")), FakeEmit()
    await loop(model, FakeToolbox(), emit).run()
    told = model.requests[1].prompts[-1]
    assert isinstance(told, ResultPrompt)
    assert told.failed
    assert "nope" in told.content


async def test_the_last_allowed_call_still_runs_its_tools_and_then_the_turn_fails() -> None:
    box, emit = FakeToolbox(get=answer), FakeEmit()
    with pytest.raises(TooManyIterations, match="Exceeded maximum tool call iterations"):
        await loop(FakeModel(*[call_all("get")] * 3), box, emit).run()
    assert len(box.ran) == 3
    assert final_steps(emit)[-1].state == "complete"


async def test_a_failure_before_the_first_token_is_tried_again() -> None:
    model, emit = FakeModel([RateLimited("slow", retry_after=0)], say("there")), FakeEmit()
    await loop(model, FakeToolbox(), emit).run()
    assert isinstance(emit.events[-1], Done)
    assert model.closed == 2


@pytest.mark.parametrize(
    "failure", [ProviderAuth("key"), RateLimited("wait long", retry_after=3600)], ids=["no retry", "too long a wait"]
)
async def test_a_failure_that_a_retry_cannot_help_ends_the_turn_at_once(failure: ProviderAuth | RateLimited) -> None:
    model = FakeModel([failure], say("never"))
    with pytest.raises(type(failure)):
        await loop(model, FakeToolbox(), FakeEmit()).run()
    assert len(model.requests) == 1


async def test_a_failure_in_mid_answer_keeps_what_came_and_is_not_tried_again() -> None:
    model, emit = FakeModel([[ThinkingDelta("hm")], [TextDelta("half")], ProviderUnreachable("cut")]), FakeEmit()
    with pytest.raises(ProviderUnreachable):
        await loop(model, FakeToolbox(), emit).run()
    assert [(step.state, step.content) for step in final_steps(emit) if isinstance(step, Text)] == [
        ("complete", "half")
    ]
    assert len(model.requests) == 1


async def test_a_failure_in_mid_answer_waits_for_the_tools_that_run() -> None:
    model, emit = FakeModel([call(0, "get"), ProviderOverloaded("503")]), FakeEmit()
    with pytest.raises(ProviderOverloaded):
        await loop(model, FakeToolbox(get=answer), emit).run()
    assert final_steps(emit)[-1].state == "complete"


async def test_an_answer_without_bound_is_stopped_and_what_came_is_kept() -> None:
    emit, model = FakeEmit(), FakeModel([[TextDelta("x" * 60)], [TextDelta("y" * 60)], asyncio.Event()])
    with pytest.raises(AnswerTooLong):
        await loop(
            model, FakeToolbox(), emit, msgspec.structs.replace(plan(), limits=RunLimits(max_answer_chars=100))
        ).run()
    assert [len(step.content) for step in final_steps(emit) if isinstance(step, Text)] == [120]
    assert model.closed == 1


async def test_a_stream_without_an_end_is_incomplete() -> None:
    with pytest.raises(AnswerIncomplete):
        await loop(FakeModel([[TextDelta("half")]]), FakeToolbox(), FakeEmit()).run()


@pytest.mark.parametrize(
    ("effect", "content", "why"), [("read", CANCELLED, "cancelled"), ("unsafe", UNKNOWN, "unknown")]
)
async def test_a_cancelled_turn_settles_its_steps(effect: Effect, content: str, why: str) -> None:
    running, never = asyncio.Event(), asyncio.Event()

    async def hang(arguments: str) -> str:
        running.set()
        await never.wait()
        return ""

    emit = FakeEmit()
    model = FakeModel([[TextDelta("half")], call(0, "hang"), never])
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        task = group.create_task(loop(model, FakeToolbox({"hang": effect}, hang=hang), emit).run())
        await running.wait()
        task.cancel()
    assert task.cancelled()
    assert [step.state for step in final_steps(emit)] == ["complete", "complete", "failed"]
    last = final_steps(emit)[-1]
    assert isinstance(last, ToolResult)
    assert (last.content, last.unfinished) == (content, why)
    assert model.closed == 1


async def test_a_fenced_turn_stops_without_running_its_tool() -> None:
    box, emit = FakeToolbox(get=answer), FakeEmit()
    emit.fenced = True
    with pytest.raises(Fenced):
        await loop(FakeModel(call_all("get")), box, emit).run()
    assert box.ran == []


async def test_usage_of_all_calls_is_added_up_and_estimated_where_missing() -> None:
    model = FakeModel(call_all("get"), [[TextDelta("12345678")], [Finish(reason="stop")]])
    emit = FakeEmit()
    await loop(model, FakeToolbox(get=answer), emit).run()
    done = emit.events[-1]
    assert isinstance(done, Done)
    assert done.usage.estimated
    assert done.usage.output_tokens == 2 + 2


async def test_what_an_answer_has_cost_is_kept_where_it_breaks_off_and_what_was_written_since_is_estimated() -> None:
    early = Usage(input_tokens=70, output_tokens=1, total_tokens=71, cost=0.1)
    emit = FakeEmit()
    with pytest.raises(AnswerIncomplete):
        await loop(
            FakeModel([[UsageDelta(early)], [TextDelta("12345")], AnswerIncomplete("cut")]), FakeToolbox(), emit
        ).run()
    (kept,) = emit.calls
    assert kept.counts
    assert kept.usage == Usage(input_tokens=70, output_tokens=1 + 2, total_tokens=71 + 2, estimated=True)
    assert kept.n not in {-event.step.index for event in emit.events if isinstance(event, ProcessStep)}


async def test_what_an_answer_has_cost_is_kept_where_it_is_cancelled() -> None:
    emit, never = FakeEmit(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(
            loop(FakeModel([[TextDelta("1234"), UsageDelta(USAGE)], never]), FakeToolbox(), emit).run()
        )
        await emit.until(lambda: len(emit.events) > 1)
        task.cancel()
    assert [call.usage for call in emit.calls] == [USAGE]


async def test_what_an_attempt_has_cost_is_added_to_what_its_repetition_costs() -> None:
    emit = FakeEmit()
    broken: list[Batch] = [[UsageDelta(USAGE)], RateLimited("later", retry_after=0)]
    model = FakeModel(broken, [[UsageDelta(USAGE)], *say("so")])
    await loop(model, FakeToolbox(), emit).run()
    done = emit.events[-1]
    assert isinstance(done, Done)
    assert done.usage == USAGE + USAGE
    assert [call.counts for call in emit.calls] == [True, True]


def record(n: int) -> ModelCall:
    return ModelCall(
        n=n, provider="p", model="m", format="fake", finish_reason="tool_calls", usage=Usage(total_tokens=7)
    )


async def test_a_recovered_turn_reruns_what_is_harmless_and_asks_the_model_with_the_results() -> None:
    log: list[Step] = [
        ToolCall(id="step-0", index=0, state="complete", id_ref="a", name="get", arguments="{}"),
        ToolCall(id="step-1", index=1, state="complete", id_ref="b", name="send", arguments="{}"),
        ToolResult(id="step-2", index=2, id_ref="step-0", name="get"),
        ToolResult(id="step-3", index=3, id_ref="step-1", name="send"),
        steps.text(4, 2),
    ]
    box, emit, model = FakeToolbox({"send": "unsafe"}, get=answer, send=answer), FakeEmit(), FakeModel(say("so"))
    start = resume(log, {1}, box.effect)
    await loop(model, box, emit, plan(start, epoch=2, calls=(record(1),), highest=4)).run()
    assert emit.events[0] == Recovered(2, (4,))
    assert box.ran == [("get", "{}", "t:0")]
    assert [p.content for p in model.requests[0].prompts if isinstance(p, ResultPrompt)] == ["42", UNKNOWN]
    assert final_steps(emit)[-1].index == 6  # after that of the record of what the void answer has cost
    done = emit.events[-1]
    assert isinstance(done, Done)
    assert done.token_count == 12


async def test_a_recovered_turn_whose_answer_was_whole_only_ends() -> None:
    log: list[Step] = [Text(id="step-0", index=0, state="complete", content="all")]
    emit, model = FakeEmit(), FakeModel()
    await loop(model, FakeToolbox(), emit, plan(resume(log, {1}, FakeToolbox().effect), 2, (record(1),), 0)).run()
    assert [type(event) for event in emit.events] == [Recovered, Done]


async def test_a_continued_answer_asks_the_model_to_go_on_after_the_kept_text() -> None:
    kept: list[Step] = [Text(id="step-0", index=0, state="complete", content="half")]
    emit, model = FakeEmit(), FakeModel(say(" and half"))
    start = resume(kept, {1}, FakeToolbox().effect, kept_calls=1)
    await loop(model, FakeToolbox(), emit, plan(start, highest=0)).run()
    assert model.requests[0].prompts == (
        UserPrompt("hi"),
        AnswerPrompt(text="half"),
        UserPrompt(CONTINUE, by_person=False),
    )
    assert not any(isinstance(event, Recovered) for event in emit.events)
