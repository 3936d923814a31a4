"""The box: every way a call can go, and the bounds under which calls run."""

import asyncio
import contextlib
import threading

import msgspec
import pytest

from luxx.core import ports
from luxx.core.prompts import Effect, ToolSpec
from luxx.tools.box import Toolbox
from luxx.tools.declared import DeclaredArguments
from luxx.tools.errors import ToolDefinitionError, ToolError
from luxx.tools.tool import Close, Tool, ToolContext, tool
from tests.tools.calls import KEY, FakeContext, call

SOON = 0.02


@tool(effect="read")
async def echo(text: str = "hello") -> str:
    """Say it again."""
    return text


@tool(effect="idempotent")
def add(left: int, right: int) -> int:
    """Add two numbers."""
    return left + right


def named(name: str, close: Close | None = None) -> Tool:
    """Return a tool with a name."""
    return tool(lambda: name, name=name, description="Tell the name.", close=close)


def failing(error: BaseException, *, blocking: bool) -> Tool:
    """Return a tool that raises."""

    async def fail() -> None:
        """Fail."""
        raise error

    def fail_in_thread() -> None:
        """Fail."""
        raise error

    return tool(fail_in_thread if blocking else fail, name="fail")


def test_a_box_is_what_the_engine_asks_for() -> None:
    box: ports.Toolbox = Toolbox([echo, add])
    assert [spec.name for spec in box.specs()] == ["echo", "add"]
    assert (box.effect("add"), box.effect("echo"), box.effect("nothing")) == ("idempotent", "read", "read")


@pytest.mark.parametrize(
    ("name", "arguments", "problem"),
    [
        ("add", '{"left": 1, "right": "2"}', None),
        ("add", '{"left": 1, "right": 2.0}', None),
        ("add", '{"left": 1}', "`right` is missing"),
        ("add", '{"left": "x", "rigth": 2}', "`left`: expected `int`, got `str`; it was \"x\"; `right` is missing; `rigth` is not"),
        ("add", "[1]", "one JSON object is expected"),
        ("foreign", '{"city": "Bern"}', None),
        ("foreign", '{"city": 3}', "arguments.city is not of the type string"),
        ("foreign", "{}", "arguments.city is missing"),
        ("foreign", "{", "must be one JSON object"),
        ("broken", "{}", None),
        ("nothing", "[", None),
    ],
)  # fmt: skip
def test_a_box_says_what_arguments_would_be_refused(name: str, arguments: str, problem: str | None) -> None:
    class Broken:
        def read(self, text: str) -> dict[str, object]:
            raise RuntimeError

    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    spec = ToolSpec(name="foreign", description="Of another server.", parameters=parameters)
    foreign = msgspec.structs.replace(echo, spec=spec, bare=True, arguments=DeclaredArguments(parameters))
    broken = msgspec.structs.replace(named("broken"), arguments=Broken())
    found = Toolbox([add, foreign, broken]).misfit(name, arguments)
    assert found is None if problem is None else problem in (found or "")


def test_a_box_tells_a_person_what_is_in_it() -> None:
    assert [(info.name, info.effect, info.timeout_s) for info in Toolbox([echo, add]).infos()] == [
        ("echo", "read", 30.0),
        ("add", "idempotent", 30.0),
    ]


def test_two_tools_with_one_name_are_refused() -> None:
    with pytest.raises(ToolDefinitionError, match="two tools with the name echo"):
        Toolbox([echo, add, echo])


async def test_async_and_blocking_functions_are_run() -> None:
    box = Toolbox([echo, add])
    assert (await call(box, {"text": "hi"}, name="echo")).content == "hi"
    outcome = await call(box, {"left": 2, "right": 3}, name="add")
    assert (outcome.content, outcome.failed) == ("5", False)
    assert outcome.duration_ms >= 0


async def test_an_async_function_runs_in_the_loops_thread_and_a_blocking_one_in_another() -> None:
    async def here() -> bool:
        """Tell the thread."""
        return threading.current_thread() is threading.main_thread()

    def there() -> bool:
        """Tell the thread."""
        return threading.current_thread() is threading.main_thread()

    assert (await call(tool(here))).content == "true"
    assert (await call(tool(there))).content == "false"


async def test_an_unknown_tool_says_which_tools_there_are() -> None:
    box = Toolbox([echo, add])
    outcome = await call(box, name="ecko")
    assert outcome.content == "There is no tool `ecko`. Did you mean `echo`? The tools are: echo, add."
    assert (outcome.failed, outcome.unfinished) == (True, "missing")
    assert (await call(box, name="\x00" * 100_000)).content.endswith("…`. The tools are: echo, add.")


async def test_an_empty_box_says_that_there_are_no_tools() -> None:
    box = Toolbox().subset(["echo"])
    assert box.specs() == ()
    outcome = await call(box, name="echo")
    assert outcome.content == "There is no tool `echo`; no tools can be used here."
    assert (outcome.failed, outcome.unfinished) == (True, "off")


async def test_a_subset_keeps_the_order_and_leaves_out_what_it_does_not_know() -> None:
    box = Toolbox([named("a"), named("b"), named("c")]).subset(["c", "x", "a"])
    assert [spec.name for spec in box.specs()] == ["a", "c"]
    assert (await call(box, name="b")).failed


@pytest.mark.parametrize("blocking", [False, True])
@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("no such city"), "`fail` failed: ValueError: no such city"),
        (KeyError(), "`fail` failed: KeyError"),
        (TimeoutError("its own"), "`fail` failed: TimeoutError: its own"),
        (ToolError("Ask for a city in Europe."), "Ask for a city in Europe."),
        (RuntimeError("a\x00\ud800"), "`fail` failed: RuntimeError: a\ufffd\ufffd"),
        (ExceptionGroup("several", [OSError("one")]), "`fail` failed: ExceptionGroup: several (1 sub-exception)"),
    ],
    ids=repr,
)
async def test_an_error_of_a_tool_is_told_without_its_traceback(
    error: BaseException, text: str, blocking: bool
) -> None:
    outcome = await call(failing(error, blocking=blocking))
    assert (outcome.content, outcome.failed) == (text, True)


@pytest.mark.parametrize("error", [SystemExit(3), StopIteration(4), BaseExceptionGroup("all", [SystemExit(5)])])
@pytest.mark.parametrize("blocking", [False, True])
async def test_a_tool_cannot_end_the_server(error: BaseException, blocking: bool) -> None:
    outcome = await call(failing(error, blocking=blocking))
    assert outcome.failed
    assert outcome.content.startswith("`fail` failed: ")


async def test_a_keyboard_interrupt_raised_in_a_thread_is_a_failure_of_the_tool() -> None:
    assert (await call(failing(KeyboardInterrupt(), blocking=True))).content.startswith("`fail` failed: ")


async def test_an_error_that_cannot_be_told_is_still_a_failure() -> None:
    class Silent(Exception):
        def __str__(self) -> str:
            raise LookupError("no text")

    assert (await call(failing(Silent(), blocking=False))).content == "`fail` failed: Silent"


async def test_a_long_error_is_cut() -> None:
    outcome = await call(failing(ValueError("x" * 1_000_000), blocking=False))
    assert len(outcome.content) < 2_200


async def test_a_call_knows_its_key_and_reports_its_progress() -> None:
    surroundings = FakeContext()

    async def work(context: ToolContext, count: int) -> str:
        """Work."""
        for n in range(count):
            context.progress(f"part {n}\x00", n, float("nan"))
        context.progress()
        return context.key

    outcome = await call(tool(work), {"count": 2}, context=surroundings)
    assert outcome.content == KEY
    assert surroundings.reports == [("part 0\ufffd", 0, None), ("part 1\ufffd", 1, None), ("", None, None)]


@pytest.mark.parametrize(
    ("effect", "text"),
    [
        ("read", "`slow` timed out after 0.02 s."),
        ("idempotent", "`slow` timed out after 0.02 s."),
        (
            "unsafe",
            "`slow` timed out after 0.02 s. The outcome is unknown: it may have taken effect or not. "
            "Find out before you call it again.",
        ),
    ],
)
async def test_a_tool_that_takes_too_long_is_stopped(effect: Effect, text: str) -> None:
    stopped = asyncio.Event()

    async def slow() -> None:
        """Take long."""
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    outcome = await call(tool(slow, effect=effect, timeout=SOON))
    assert (outcome.content, outcome.failed) == (text, True)
    assert outcome.unfinished == ("unknown" if effect == "unsafe" else None)
    assert stopped.is_set()


async def test_a_tool_that_turns_its_timeout_into_another_error_has_timed_out() -> None:
    async def stubborn() -> None:
        """Take long."""
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ValueError("interrupted") from None

    assert (await call(tool(stubborn, effect="read", timeout=SOON))).content == "`stubborn` timed out after 0.02 s."


async def test_a_tool_that_ends_by_itself_when_its_time_is_up_has_given_its_result() -> None:
    async def graceful() -> str:
        """Take long."""
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "what there was"
        return "all"

    outcome = await call(tool(graceful, timeout=SOON))
    assert (outcome.content, outcome.failed) == ("what there was", False)


async def test_a_cancelled_call_stops_the_tool_and_passes_the_cancellation_on() -> None:
    started, stopped = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        """Take long."""
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    running = asyncio.get_running_loop().create_task(call(tool(slow)))
    await started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert stopped.is_set()


@pytest.mark.parametrize("answer", ["a result", ValueError("an error")], ids=str)
async def test_a_tool_cannot_swallow_a_cancellation(answer: str | Exception) -> None:
    started = asyncio.Event()

    async def greedy() -> str:
        """Take long."""
        started.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        return answer

    running = asyncio.get_running_loop().create_task(call(tool(greedy)))
    await started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.parametrize("blocking", [False, True])
async def test_a_tool_that_is_cancelled_from_within_has_failed(blocking: bool) -> None:
    outcome = await call(failing(asyncio.CancelledError(), blocking=blocking))
    assert outcome.failed
    assert outcome.content.startswith("`fail` was cancelled from within. The outcome is unknown")


async def test_closing_the_box_closes_every_tool_even_if_one_fails() -> None:
    closed: list[str] = []

    async def refuse() -> None:
        raise OSError("stuck")

    async def close() -> None:
        closed.append("second")

    box = Toolbox([named("first", close=refuse), named("second", close=close)])
    await box.subset(["second"]).aclose()
    assert closed == []
    await box.aclose()
    assert closed == ["second"]
