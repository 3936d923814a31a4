"""The sandbox: what Python code can do in it, and what it cannot."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from luxx.core.ports import ToolOutcome
from luxx.tools.builtin.sandbox import MAX_CODE_CHARS, Sandbox, SandboxLimits, sandbox_tool
from tests.tools.calls import call

LIMITS = SandboxLimits(seconds=1, memory_bytes=32 * 1024 * 1024, output_chars=1_000)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A sandbox with narrow limits."""
    own = Sandbox(LIMITS)
    yield own
    await own.aclose()


async def run(sandbox: Sandbox, code: str) -> ToolOutcome:
    return await call(sandbox_tool(sandbox), {"code": code})


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("1 + 1", "2"),
        ("print('hi')\n3", "hi\n3"),
        ("print('a')\nprint('b', end='')", "a\nb"),
        ("x = 1", "The code ran; it printed nothing, and its last line has no value."),
        ("", "The code ran; it printed nothing, and its last line has no value."),
        ("None", "The code ran; it printed nothing, and its last line has no value."),
        ("'None'", "'None'"),
        ("a = 1; a", "1"),
        ("(1 +\n 2)  # a sum", "3"),
        ("x = 'ü'; x + 'é'", "'üé'"),
        ("1, 2", "(1, 2)"),
        ("x = 3\r\nx * 2\r\n", "6"),
        ("repr = 3\n[repr]", "[3]"),
        ("def f[T](x: T) -> T:\n    return x\nprint(f(2))", "2"),
        ("import json, math\njson.dumps({'pi': math.floor(math.pi)})", "'{\"pi\": 3}'"),
        ("import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 3\nawait f()", "3"),
        ("'a\\x00b'", "'a\\x00b'"),
        ("print('a\\x00b')", "a\ufffdb"),
        ("'\\d'", "'\\\\d'"),
    ],
)
async def test_it_shows_what_is_printed_and_the_last_value(sandbox: Sandbox, code: str, shown: str) -> None:
    outcome = await run(sandbox, code)
    assert (outcome.content, outcome.failed) == (shown, False)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("1 / 0", "line 1: 1 / 0\nZeroDivisionError: division by zero"),
        (
            "def half(x):\n    return x / 0\n\nhalf(1)",
            "line 4: half(1)\nline 2: return x / 0\nZeroDivisionError: division by zero",
        ),
        ("print('before')\nraise KeyError('k')", "before\nline 2: raise KeyError('k')\nKeyError: k"),
        ("x = (", "line 1: x = (\nSyntaxError: unexpected EOF while parsing"),
        ("foo", "line 1: foo\nNameError: name 'foo' is not defined"),
        ("def f():\n    return f()\nf()", "line 3: f()\nline 2: return f()\nRecursionError: maximum recursion"),
        ("10 ** 5000", "line 1: 10 ** 5000\nValueError: Exceeds the limit"),
    ],
)
async def test_an_error_is_told_with_its_line(sandbox: Sandbox, code: str, told: str) -> None:
    outcome = await run(sandbox, code)
    assert outcome.failed
    assert outcome.content.startswith(told)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("while True: pass", "The code ran for more than 1 s and was stopped."),
        (
            "try:\n    while True: pass\nexcept BaseException:\n    print('on')",
            "The code ran for more than 1 s and was stopped.",
        ),
        ("import time\ntime.sleep(100)", "The code wanted to sleep for more than 1 s and was stopped."),
        ("x = [0] * 10 ** 9", "The code needed more than 32 MB of memory and was stopped."),
        ("s = 'a'\nwhile True: s += s", "The code needed more than 32 MB of memory and was stopped."),
        ("9 ** 9 ** 9", "The code needed more than 32 MB of memory and was stopped."),
        ("while True: print('x' * 100)", "The code printed far more than 1,000 characters and was stopped."),
    ],
)
async def test_a_limit_stops_the_code_and_says_so(sandbox: Sandbox, code: str, told: str) -> None:
    outcome = await run(sandbox, code)
    assert outcome.failed
    assert outcome.content.endswith(told)
    assert (await run(sandbox, "1 + 1")).content == "2"


@pytest.mark.parametrize(
    "code",
    [
        "open('/etc/passwd').read()",
        "open('/tmp/luxx', 'w').write('x')",
        "from pathlib import Path\nPath('/etc/passwd').read_text()",
        "import os\nos.listdir('/etc')",
        "import os\nos.system('true')",
        "import os\nos.environ['PATH']",
        "import subprocess",
        "import socket",
        "import urllib.request\nurllib.request.urlopen('http://127.0.0.1')",
        "import ctypes",
        "import numpy",
        "__import__('os')",
        "().__class__.__bases__[0].__subclasses__()",
        "input()",
        "breakpoint()",
    ],
)
async def test_nothing_outside_can_be_reached(sandbox: Sandbox, code: str) -> None:
    outcome = await run(sandbox, code)
    assert outcome.failed
    assert "Error: " in outcome.content


async def test_what_is_printed_beyond_the_bound_is_left_out_and_counted(sandbox: Sandbox) -> None:
    outcome = await run(sandbox, "print('x' * 2999)\n7")
    assert not outcome.failed
    assert outcome.content == "x" * 1_000 + "\n[2,000 more characters left out]\n7"


async def test_a_large_value_is_cut_in_the_sandbox(sandbox: Sandbox) -> None:
    outcome = await run(sandbox, "'x' * 5_000_000")
    assert outcome.content == "'" + "x" * 999 + "…"


async def test_code_that_is_too_long_is_not_run(sandbox: Sandbox) -> None:
    outcome = await run(sandbox, "#" * (MAX_CODE_CHARS + 1))
    assert outcome.content == "The code is longer than 20,000 characters; it was not run."


@pytest.mark.parametrize("code", ["(" * 9_000 + ")" * 9_000, "+".join("a" * 9_000), "\x00"])
async def test_code_that_breaks_a_parser_is_a_failure_of_the_code(sandbox: Sandbox, code: str) -> None:
    assert (await run(sandbox, code)).failed
    assert (await run(sandbox, "1 + 1")).content == "2"


async def test_runs_know_nothing_of_each_other(sandbox: Sandbox) -> None:
    await run(sandbox, "x = 3")
    assert "NameError" in (await run(sandbox, "x")).content


async def test_runs_go_side_by_side(sandbox: Sandbox) -> None:
    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(run(sandbox, f"{n} * {n}")) for n in range(10)]
    assert [task.result().content for task in runs] == [str(n * n) for n in range(10)]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the workers in /proc")
async def test_a_cancelled_run_frees_its_worker() -> None:
    sandbox = Sandbox(SandboxLimits(seconds=60))
    try:
        running = asyncio.get_running_loop().create_task(run(sandbox, "while True: pass"))
        await _until_workers(1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert (await run(sandbox, "1 + 1")).content == "2"
    finally:
        await sandbox.aclose()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the workers in /proc")
async def test_a_worker_that_dies_is_replaced() -> None:
    sandbox = Sandbox(SandboxLimits(seconds=60))
    try:
        running = asyncio.get_running_loop().create_task(run(sandbox, "while True: pass"))
        for worker in await _until_workers(1):
            os.kill(worker, signal.SIGKILL)
        assert (await running).content == "The sandbox's process died."
        assert (await run(sandbox, "1 + 1")).content == "2"
    finally:
        await sandbox.aclose()


async def test_closing_ends_the_workers_and_refuses_more(sandbox: Sandbox) -> None:
    await run(sandbox, "1")
    await sandbox.aclose()
    await sandbox.aclose()
    assert (await run(sandbox, "1")).content == "The sandbox is shut down."


async def test_a_sandbox_that_was_never_used_starts_nothing() -> None:
    await Sandbox().aclose()


def test_the_interpreter_is_not_loaded_before_its_first_run() -> None:
    program = "import sys, luxx.tools.builtin.catalogue as c; c.builtin_tools(); print('pydantic_monty' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=30).stdout
    assert output.strip() == b"False"


async def _until_workers(count: int) -> list[int]:
    """Return the process ids of the workers when there are so many that compute."""
    async with asyncio.timeout(10):
        while True:
            if len(found := [pid for pid in _children() if _is_busy(pid)]) >= count:
                return found
            await asyncio.sleep(0.005)


def _children() -> list[int]:
    tasks = Path("/proc/self/task").glob("*/children")
    return [int(pid) for task in tasks for pid in task.read_text().split()]


def _is_busy(pid: int) -> bool:
    """Whether a child is a worker that has used processor time: its 14th field in clock ticks (proc(5))."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:  # it has ended
        return False
    return "(monty)" in stat and int(stat.rpartition(")")[2].split()[11]) > 5
