"""Sandbox: the tool that runs Python code in an interpreter without network, modules from outside, or files but the conversation's.

The interpreter is Monty (https://github.com/pydantic/monty), in worker processes of its own.
"""

import ast
import asyncio
import importlib
import itertools
import re
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from luxx.tools.errors import ToolError
from luxx.tools.results import ToolFile, shorten
from luxx.tools.tool import Tool, ToolContext, tool

if TYPE_CHECKING:
    from pydantic_monty import AsyncMonty, Frame, MontyError

    from luxx.tools.builtin.sandbox_files import SandboxFiles

MAX_CODE_CHARS = 20_000
MAX_FILES_BYTES = 32 * 1024 * 1024
"""So much of the conversation's files is given to code that does not name the ones it wants."""

FOLDER = "/files"
_TOUCHES_FILES = re.compile(r"\bopen\b|\bpathlib\b|\bPath\b|\bos\b|/files")
_FLOOD_FACTOR = 20
_MAX_WORKERS = 4
_CHECKOUTS_A_WORKER = 200
_GRACE_S = 5.0
_MAX_LINES = 6
_SHOWN_LINE_CHARS = 200


class SandboxLimits(msgspec.Struct, frozen=True):
    """What one run may use: seconds of computing (and as many of sleeping), bytes of memory, characters of output."""

    seconds: float = 5.0
    memory_bytes: int = 64 * 1024 * 1024
    output_chars: int = 10_000


class Sandbox:
    """Runs Python code. Owns the worker processes: the first run starts them, `aclose` ends them, a dead one is replaced."""

    def __init__(self, limits: SandboxLimits | None = None) -> None:
        self.limits = limits or SandboxLimits()
        self._pool: AsyncMonty | None = None
        self._starting = asyncio.Lock()
        self._closed = False

    async def run(self, code: str, files: Mapping[str, bytes] | None = None) -> "Run":
        """Return what the code printed and, after it, the value of its last expression; and the files that it wrote.

        It finds `files` by their names in its folder. Raises ToolError if the code fails or goes beyond a limit; the text has the
        output so far, and the line.
        """
        if len(code) > MAX_CODE_CHARS:
            raise ToolError(f"The code is longer than {MAX_CODE_CHARS:,} characters; it was not run.")
        pool = await self._started()
        from luxx.tools.builtin.sandbox_files import SandboxFiles  # noqa: PLC0415 - it brings the interpreter with it

        output = _Output(self.limits.output_chars)
        folder = SandboxFiles(files or {}, FOLDER)
        try:
            value = await self._feed(pool, code.replace("\r\n", "\n").replace("\r", "\n"), output, folder)
        except _StoppedError as stopped:
            raise ToolError(_joined(output.text, str(stopped))) from stopped
        text = _joined(output.text, value) or "The code ran; it printed nothing, and its last line has no value."
        return Run(text, folder.written())

    async def aclose(self) -> None:
        """End the workers; nothing runs after that."""
        self._closed = True
        async with self._starting:
            pool, self._pool = self._pool, None
            if pool is not None:
                await pool.__aexit__(None, None, None)

    async def _started(self) -> "AsyncMonty":
        async with self._starting:
            if self._closed:
                raise ToolError("The sandbox is shut down.")
            if self._pool is None:
                await asyncio.to_thread(importlib.import_module, "pydantic_monty")
                self._pool = await _start_pool(self.limits.seconds * 2 + _GRACE_S)
            return self._pool

    async def _feed(self, pool: "AsyncMonty", code: str, output: "_Output", folder: "SandboxFiles") -> str:
        """Return the last value as the sandbox itself writes it, or nothing. Raises _StoppedError."""
        from pydantic_monty import MontyCrashedError, MontyError  # noqa: PLC0415 - heavy: 140 ms, and few turns need it

        limits = self.limits
        checkout = pool.checkout(
            limits={
                "max_feed_duration_secs": limits.seconds,
                "max_memory": limits.memory_bytes,
                "max_total_sleep_secs": limits.seconds,
            }
        )
        try:
            async with output.flood_guard(), checkout as session:
                value = await session.feed_run(
                    _with_value(code, limits.output_chars), print_callback=output.write, os=folder, cwd=FOLDER
                )
        except TimeoutError as error:
            raise _StoppedError(
                f"The code printed far more than {limits.output_chars:,} characters and was stopped."
            ) from error
        except MontyCrashedError as error:
            raise _StoppedError(_time_is_up(limits) if error.timed_out else "The sandbox's process died.") from error
        except MontyError as error:
            raise _StoppedError(_explain(error, code, limits)) from error
        return _shown(value, limits.output_chars) if isinstance(value, str) and value != "None" else ""


def sandbox_tool(sandbox: Sandbox | None = None) -> Tool:
    """Return the tool ``python``; it closes its sandbox."""
    own = sandbox or Sandbox()
    limits = own.limits

    async def python(code: str, *, context: ToolContext) -> object:
        """Run Python code and return what it prints and the value of its last line.

        Use it for calculations with several steps and to work on data. The interpreter is a sandbox without network and installed
        packages; it knows the language (but not yield) and of the standard library json, re, math, datetime, time, random,
        collections, itertools, functools, dataclasses, decimal, pathlib and a few more. The files of the conversation are in the current
        folder: open("data.csv") reads one, and every file that the code writes is kept. Nothing else lasts from run to run.

        Args:
            code: The code; end it with an expression, or print what you want to see.
        """
        files = await _files_for(code, context) if _TOUCHES_FILES.search(code) else {}
        done = await own.run(code, files)
        return [done.text, *done.written] if done.written else done.text

    return tool(python, effect="idempotent", timeout=limits.seconds * 2 + 2 * _GRACE_S, close=own.aclose)


async def _files_for(code: str, context: ToolContext) -> dict[str, bytes]:
    """Return the contents of the conversation's files by name, of several with one name the newest.

    Where they are too many, those that the code names come first.
    """
    newest = {ref.name: ref for ref in await context.files.list()}
    room = MAX_FILES_BYTES
    contents: dict[str, bytes] = {}
    for name, ref in sorted(newest.items(), key=lambda item: item[0] not in code):
        if ref.size <= room and "/" not in name and name not in (".", ".."):
            contents[name] = await context.files.read(ref.id)
            room -= ref.size
    return contents


class Run(msgspec.Struct, frozen=True):
    """What became of a run: the text for the model, and the files that are new or have changed."""

    text: str
    written: tuple[ToolFile, ...] = ()


class _StoppedError(Exception):
    """The code did not run to its end; the text says why."""


class _Output:
    """Keeps the first characters that a run prints and counts the rest; filled from a thread of the pool's."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[str] = []
        self._total = 0
        self._guard: asyncio.Timeout | None = None
        self._loop = asyncio.get_running_loop()

    def write(self, _stream: str, text: str) -> None:
        if self._total < self._limit:
            self._pieces.append(text[: self._limit - self._total])
        self._total += len(text)
        if self._total > self._limit * _FLOOD_FACTOR:
            self._loop.call_soon_threadsafe(self._stop)

    def flood_guard(self) -> asyncio.Timeout:
        """Return a scope that ends with TimeoutError when a run does not stop printing."""
        self._guard = asyncio.timeout(None)
        return self._guard

    @property
    def text(self) -> str:
        left_out = self._total - self._limit
        note = f"\n[{left_out:,} more characters left out]" if left_out > 0 else ""
        return "".join(self._pieces).rstrip("\n") + note

    def _stop(self) -> None:
        guard = self._guard
        if guard is not None and guard.when() is None:
            try:
                guard.reschedule(self._loop.time())
            except RuntimeError:  # the run has ended meanwhile
                self._guard = None


async def _start_pool(request_timeout: float) -> "AsyncMonty":
    from pydantic_monty import AsyncMonty  # noqa: PLC0415 - see Sandbox

    pool = AsyncMonty(
        max_processes=_MAX_WORKERS, request_timeout=request_timeout, max_checkouts_per_worker=_CHECKOUTS_A_WORKER
    )
    return await pool.__aenter__()


def _with_value(code: str, max_chars: int) -> str:
    """Let the sandbox write its last value itself, cut: a large value would hold up this process while it is taken over.

    Line numbers stay. Code that this Python cannot parse runs without a last value.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            body = ast.parse(code).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return code + "\nNone"
    if not body or not isinstance(last := body[-1], ast.Expr) or last.end_lineno is None or last.end_col_offset is None:
        return code
    lines = code.encode().split(b"\n")
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line) + 1)
    start = offsets[last.lineno - 1] + last.col_offset
    end = offsets[last.end_lineno - 1] + last.end_col_offset
    data = code.encode()
    return (data[:start] + b'("%r" % ((' + data[start:end] + b"),))[:%d]" % (max_chars + 1) + data[end:]).decode()


def _explain(error: "MontyError", code: str, limits: SandboxLimits) -> str:
    from pydantic_monty import MontyRuntimeError, MontySyntaxError  # noqa: PLC0415 - see Sandbox

    if not isinstance(error, (MontyRuntimeError, MontySyntaxError)):
        return shorten(str(error), _SHOWN_LINE_CHARS)
    message = error.display("type-msg")
    if message.startswith("TimeoutError: feed time limit"):
        message = _time_is_up(limits)
    elif message.startswith("TimeoutError: sleep limit"):
        message = f"The code wanted to sleep for more than {limits.seconds:g} s and was stopped."
    elif message.startswith("MemoryError: ") and "memory limit" in message:
        message = f"The code needed more than {limits.memory_bytes / 2**20:g} MB of memory and was stopped."
    return "\n".join([*_places(error.traceback(), code.split("\n")), shorten(message, limits.output_chars)])


def _places(frames: "list[Frame]", lines: list[str]) -> list[str]:
    """Return the lines that led to an error, the last one last; the innermost calls are enough."""
    numbers = (min(frame.line, len(lines)) for frame in frames)
    each_once = [number for number, _ in itertools.groupby(numbers)]
    return [
        f"line {number}: {shorten(lines[number - 1].strip(), _SHOWN_LINE_CHARS)}" for number in each_once[-_MAX_LINES:]
    ]


def _time_is_up(limits: SandboxLimits) -> str:
    return f"The code ran for more than {limits.seconds:g} s and was stopped."


def _shown(value: str, max_chars: int) -> str:
    return value if len(value) <= max_chars else value[:max_chars] + "…"


def _joined(output: str, end: str) -> str:
    return "\n".join(part for part in (output, end) if part)
