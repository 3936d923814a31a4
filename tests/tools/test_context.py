"""What a running tool may know and ask, and how its call can be stopped."""

import asyncio
import threading
from typing import Any

import pytest

from luxx.core.errors import StorageError
from luxx.core.ports import STOP_CALL, Reply
from luxx.core.prompts import Effect, UserPrompt
from luxx.tools.box import Toolbox
from luxx.tools.context import MAX_QUESTIONS, CallOver
from luxx.tools.tool import ToolContext, tool
from tests.tools.calls import FakeContext, call

SOON = 0.05
LATER = 0.6
BOUND_S = 10.0


class SlowPerson(FakeContext):
    """Answers when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()

    async def ask(self, message: str, schema: dict[str, Any] | None = None, url: str | None = None) -> Reply:
        self.asked.set()
        await self.answer.wait()
        return Reply(action="accept", content={"n": len(message)})


async def test_an_async_tool_reads_and_keeps_files_and_knows_its_conversation() -> None:
    at = FakeContext([UserPrompt("hello")])
    await at.files.keep("a.txt", b"abc")

    async def work(context: ToolContext) -> list[str]:
        """Work."""
        (first,) = await context.files.list()
        made = await context.files.keep("b.txt", await context.files.read(first.id) * 2)
        return [context.conversation_id, context.owner, made.id, str(len(context.prompts()))]

    assert (await call(tool(work), context=at)).content == '["conversation-1","owner-1","file-2","1"]'
    assert at.files.contents["file-2"] == b"abcabc"


async def test_a_blocking_tool_waits_for_files_in_its_thread() -> None:
    at = FakeContext(replies=[Reply(action="accept", content={"name": "Ulm"})])

    def work(context: ToolContext) -> str:
        """Work."""
        made = context.wait(context.files.keep("a.txt", b"abc"))
        reply = context.wait(context.ask("Which city?"))
        return f"{made.id} {reply.content['name']}"

    assert (await call(tool(work), context=at)).content == "file-1 Ulm"
    assert at.questions == [("Which city?", None, None)]


async def test_an_async_tool_that_waits_like_a_blocking_one_is_told_so() -> None:
    async def work(context: ToolContext) -> object:
        """Work."""
        return context.wait(context.files.list())

    assert (await call(tool(work))).content == "`work` failed: RuntimeError: an async function awaits instead"


async def test_a_thread_left_behind_gets_nothing_more() -> None:
    at = SlowPerson()
    ended: list[str] = []
    done = threading.Event()

    def work(context: ToolContext) -> None:
        """Work."""
        for _ in range(2):
            try:
                context.wait(context.ask("?"))
            except CallOver as error:
                ended.append(str(error))
        done.set()

    running = asyncio.get_running_loop().create_task(call(tool(work), context=at))
    await at.asked.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await asyncio.to_thread(done.wait, BOUND_S)
    assert ended == ["the call is over"] * 2


async def test_the_wait_for_a_persons_answer_uses_up_neither_time_nor_a_place() -> None:
    at = SlowPerson()

    async def curious(context: ToolContext) -> object:
        """Ask twice at once."""
        async with asyncio.TaskGroup() as group:
            first, second = group.create_task(context.ask("one")), group.create_task(context.ask("three"))
        return [first.result().content["n"], second.result().content["n"]]

    async def patient() -> str:
        """Take longer than the other may."""
        await asyncio.sleep(LATER * 1.2)
        return "done"

    box = Toolbox([tool(curious, timeout=LATER), tool(patient)], max_running=1)
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(call(box, name="curious", context=at))
        await at.asked.wait()
        assert (await call(box, name="patient")).content == "done"
        at.answer.set()
    assert asking.result().content == "[3,5]"


async def test_a_question_that_outlives_its_call_is_ended_and_takes_no_place() -> None:
    at = SlowPerson()
    asked: list[asyncio.Task[Reply]] = []

    async def hasty(context: ToolContext) -> str:
        """Ask in a task of somebody else, and do not wait for it."""
        asked.append(asyncio.get_running_loop().create_task(context.ask("?")))
        await at.asked.wait()
        return "done"

    async def late(context: ToolContext) -> str:
        """Leave a context behind."""
        contexts.append(context)
        return "left"

    contexts: list[ToolContext] = []
    box = Toolbox([tool(hasty), tool(late)], max_running=1)
    assert (await call(box, name="hasty", context=at)).content == "done"
    with pytest.raises(CallOver):
        await asyncio.wait_for(asked[0], BOUND_S)
    for _ in range(2):
        assert (await asyncio.wait_for(call(box, name="late"), BOUND_S)).content == "left"
    with pytest.raises(CallOver):
        await contexts[0].ask("?")


async def test_an_answer_at_the_very_end_of_a_call_takes_no_place() -> None:
    at = SlowPerson()
    asked: list[asyncio.Task[Reply]] = []

    async def hasty(context: ToolContext) -> str:
        """Ask in a task of somebody else, and end when the answer comes."""
        asked.append(asyncio.get_running_loop().create_task(context.ask("?")))
        await at.asked.wait()
        at.answer.set()
        return "done"

    box = Toolbox([tool(hasty)], max_running=1)
    for _ in range(3):
        assert (await asyncio.wait_for(call(box, context=at), BOUND_S)).content == "done"
    assert all(isinstance(end, CallOver) for end in await asyncio.gather(*asked, return_exceptions=True))


async def test_a_question_asked_while_another_waits_for_its_place_costs_no_second_place() -> None:
    at, held, hold = SlowPerson(), asyncio.Event(), asyncio.Event()

    async def curious(context: ToolContext) -> str:
        """Ask a second time while the place is waited for after the first."""
        async with asyncio.TaskGroup() as group:
            group.create_task(context.ask("one"))
            await held.wait()
            at.answer.set()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            group.create_task(context.ask("two"))
            await asyncio.sleep(0)
            hold.set()
        return "done"

    async def holder() -> str:
        """Hold the place."""
        held.set()
        await hold.wait()
        return "held"

    box = Toolbox([tool(curious), tool(holder)], max_running=1)
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(call(box, name="curious", context=at))
        await at.asked.wait()
        assert (await call(box, name="holder")).content == "held"
    assert asking.result().content == "done"
    for _ in range(2):
        assert (await asyncio.wait_for(call(box, name="holder"), BOUND_S)).content == "held"


async def test_a_call_asks_so_many_questions_and_no_more() -> None:
    at = FakeContext()

    async def nosy(context: ToolContext) -> None:
        """Ask without end."""
        while True:
            await context.ask("?")

    failed = await call(tool(nosy), context=at)
    assert failed.failed
    assert failed.content == f"a call may ask {MAX_QUESTIONS} questions, and these were asked"
    assert len(at.questions) == MAX_QUESTIONS


async def test_the_time_goes_on_after_the_answer() -> None:
    async def slow(context: ToolContext) -> None:
        """Ask, then take long."""
        await context.ask("?")
        await asyncio.Event().wait()

    assert (await call(tool(slow, timeout=SOON, effect="read"))).content == "`slow` timed out after 0.05 s."


async def test_a_call_cancelled_while_it_asks_ends_at_once_though_its_place_is_taken() -> None:
    at = SlowPerson()
    hold, held = asyncio.Event(), asyncio.Event()

    async def curious(context: ToolContext) -> None:
        """Ask."""
        await context.ask("?")

    async def holder() -> None:
        """Hold the place."""
        held.set()
        await hold.wait()

    box = Toolbox([tool(curious), tool(holder)], max_running=1)
    async with asyncio.timeout(BOUND_S), asyncio.TaskGroup() as group:
        asking = group.create_task(call(box, name="curious", context=at))
        await at.asked.wait()
        group.create_task(call(box, name="holder"))
        await held.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        hold.set()
    assert not (await call(box, name="holder")).failed


@pytest.mark.parametrize(
    ("effect", "text"),
    [
        ("read", "`slow` was stopped by a person."),
        (
            "unsafe",
            "`slow` was stopped by a person. The outcome is unknown: it may have taken effect or not. "
            "Find out before you call it again.",
        ),
    ],
)
@pytest.mark.parametrize("blocking", [False, True])
async def test_one_call_can_be_stopped_and_has_an_outcome(effect: Effect, text: str, blocking: bool) -> None:
    started, release = threading.Event(), threading.Event()

    async def slow() -> None:
        started.set()
        await asyncio.Event().wait()

    def slow_in_thread() -> None:
        started.set()
        release.wait(BOUND_S)

    made = tool(slow_in_thread if blocking else slow, name="slow", description="Take long.", effect=effect)
    running = asyncio.get_running_loop().create_task(call(made))
    assert await asyncio.to_thread(started.wait, BOUND_S)
    running.cancel(STOP_CALL)
    outcome = await running
    release.set()
    assert (outcome.content, outcome.failed, running.cancelling()) == (text, True, 0)
    assert outcome.unfinished == ("unknown" if effect == "unsafe" else "cancelled")


async def test_a_call_stopped_before_it_had_a_place_was_not_run() -> None:
    entered = asyncio.Event()

    async def hold() -> None:
        """Hold the place."""
        entered.set()
        await asyncio.Event().wait()

    box = Toolbox([tool(hold)], max_running=1)
    loop = asyncio.get_running_loop()
    first = loop.create_task(call(box))
    await entered.wait()
    second = loop.create_task(call(box))
    await asyncio.sleep(0)
    second.cancel(STOP_CALL)
    assert (await second).content == "`hold` was not run: a person stopped it."
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_turn_cancelled_right_after_one_of_its_calls_was_stopped_is_cancelled() -> None:
    entered = asyncio.Event()

    async def hold() -> None:
        """Hold."""
        entered.set()
        await asyncio.Event().wait()

    running = asyncio.get_running_loop().create_task(call(tool(hold)))
    await entered.wait()
    running.cancel(STOP_CALL)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.parametrize(
    ("effect", "approval", "expected"),
    [
        ("read", "auto", False),
        ("idempotent", "auto", False),
        ("unsafe", "auto", True),
        ("unsafe", "never", False),
        ("read", "always", True),
    ],
)
async def test_a_person_is_asked_by_effect_or_as_the_tool_says(effect: Effect, approval: str, expected: bool) -> None:
    made = tool(lambda: 1, name="it", description="Be it.", effect=effect, approval=approval)  # type: ignore[arg-type]
    box = Toolbox([made])
    assert await box.must_ask("it", "", FakeContext()) is expected
    assert box.infos()[0].asks == ("always" if expected else "never")


async def test_a_function_decides_by_the_values() -> None:
    def large(values: dict[str, object], context: ToolContext) -> bool:
        return context.key == "turn-1:3" and int(str(values["amount"])) > 10

    async def later(values: dict[str, object], context: ToolContext) -> bool:
        await context.files.list()
        return large(values, context)

    for approval in (large, later):

        @tool(approval=approval)
        def pay(amount: int) -> int:
            """Pay."""
            return amount

        box = Toolbox([pay])
        assert box.infos()[0].asks == "depends"
        assert [await box.must_ask("pay", f'{{"amount": {n}}}', FakeContext()) for n in (10, 11)] == [False, True]


async def test_a_decision_that_fails_asks() -> None:
    def broken(values: dict[str, object], context: ToolContext) -> bool:
        raise StorageError("away")

    made = tool(lambda: 1, name="it", description="Be it.", effect="read", approval=broken)
    assert await Toolbox([made]).must_ask("it", "", FakeContext())


async def test_nobody_is_asked_about_a_call_that_would_fail_anyway() -> None:
    box = Toolbox([tool(lambda: 1, name="it", description="Be it.")])
    assert not await box.must_ask("it", '{"x": 1}', FakeContext())
    assert not await box.must_ask("other", "", FakeContext())
