"""The bounds under which calls run: threads, places, and what is left behind."""

import asyncio
import sys
import threading
from collections.abc import Callable

import pytest

from luxx.core.prompts import Effect
from luxx.tools.box import Toolbox
from luxx.tools.tool import Tool, ToolContext, tool
from tests.tools.calls import FakeContext, call

SOON = 0.02
BOUND_S = 10.0


class Gate:
    """A blocking tool that tells when it runs, and ends when it is let."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.entered = threading.Semaphore(0)
        self.running = 0
        self.most = 0
        self._lock = threading.Lock()

    def tool(self, *, effect: Effect = "unsafe", timeout: float = BOUND_S) -> Tool:
        return tool(self._wait, name="gate", description="Wait at the gate.", effect=effect, timeout=timeout)

    def _wait(self) -> str:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.entered.release()
        assert self.open.wait(BOUND_S)
        with self._lock:
            self.running -= 1
        return "through"

    async def until_entered(self) -> None:
        assert await asyncio.to_thread(self.entered.acquire, True, BOUND_S)


async def until(condition: Callable[[], bool]) -> None:
    """Return when a condition that other threads bring about holds."""
    async with asyncio.timeout(BOUND_S):
        while not condition():  # noqa: ASYNC110 - threads set no asyncio event
            await asyncio.sleep(0.001)


async def test_a_blocking_tool_reports_from_its_thread_until_its_call_is_over() -> None:
    surroundings = FakeContext()
    late, done = threading.Event(), threading.Event()

    def work(context: ToolContext) -> None:
        """Work."""
        context.progress("in time")
        assert late.wait(BOUND_S)
        context.progress("too late")
        done.set()

    box = Toolbox([tool(work)])
    running = asyncio.get_running_loop().create_task(call(box, context=surroundings))
    await until(lambda: bool(surroundings.reports))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    late.set()
    assert await asyncio.to_thread(done.wait, BOUND_S)
    assert surroundings.reports == [("in time", None, None)]


async def test_blocking_calls_share_a_bounded_number_of_threads() -> None:
    gate = Gate()
    box = Toolbox([gate.tool()], max_threads=2)
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(call(box)) for _ in range(6)]
        await gate.until_entered()
        await gate.until_entered()
        assert not gate.entered.acquire(blocking=False)
        gate.open.set()
    assert [task.result().content for task in calls] == ["through"] * 6
    assert gate.most == 2


async def test_a_thread_left_behind_keeps_its_place_until_it_ends() -> None:
    gate = Gate()
    box = Toolbox(
        [gate.tool(timeout=SOON, effect="read"), tool(lambda: "other", name="other", description="Be there.")],
        max_threads=1,
    )
    assert (await call(box)).content == "`gate` timed out after 0.02 s."
    assert box.abandoned_threads == 1
    assert (await call(box)).content == "`gate` was not run: it timed out after 0.02 s of waiting for a free thread."
    gate.open.set()
    await until(lambda: box.abandoned_threads == 0)
    assert (await call(box, name="other")).content == "other"


async def test_a_cancelled_blocking_call_leaves_its_thread_behind() -> None:
    gate = Gate()
    box = Toolbox([gate.tool()], max_threads=1)
    running = asyncio.get_running_loop().create_task(call(box))
    await gate.until_entered()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert box.abandoned_threads == 1
    gate.open.set()
    await until(lambda: box.abandoned_threads == 0)


async def test_a_hanging_thread_does_not_hold_up_the_end_of_the_process() -> None:
    program = (
        "import asyncio, threading\n"
        "from luxx.tools.box import Toolbox\n"
        "from luxx.tools.tool import tool\n"
        "hang = tool(lambda: threading.Event().wait(), name='hang', description='Hang.', timeout=0.05)\n"
        "from tests.tools.calls import call\n"
        "print(asyncio.run(call(hang)).failed)\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    output, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    assert output.splitlines()[-1] == b"True"


async def test_the_calls_of_a_node_are_bounded_over_all_subsets() -> None:
    running, most = 0, 0
    release = asyncio.Event()
    entered = asyncio.Semaphore(0)

    async def work() -> str:
        """Work."""
        nonlocal running, most
        running += 1
        most = max(most, running)
        entered.release()
        await release.wait()
        running -= 1
        return "done"

    whole = Toolbox([tool(work)], max_running=3)
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(call(whole.subset(["work"]))) for _ in range(9)]
        for _ in range(3):
            await entered.acquire()
        assert entered.locked()
        release.set()
    assert [task.result().content for task in calls] == ["done"] * 9
    assert most == 3


async def test_waiting_for_a_place_does_not_use_up_a_tools_time() -> None:
    gate = Gate()
    box = Toolbox([gate.tool(), tool(lambda: "quick", name="quick", description="Be quick.", timeout=5)], max_running=1)
    async with asyncio.TaskGroup() as group:
        group.create_task(call(box, name="gate"))
        await gate.until_entered()
        second = group.create_task(call(box, name="quick"))
        gate.open.set()
    assert second.result().content == "quick"
