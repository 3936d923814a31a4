"""Stdio: a server that is a program, in a process group of its own on a leash, with every pipe bounded."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client._transport import TransportStreams
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage

from luxx.core.tool_servers import StdioTarget
from luxx.tools.mcp.bounded import BoundedStream, Flooded, Gauge, Item
from luxx.tools.mcp.log import ServerLog
from luxx.tools.mcp.messages import messages_of, read
from luxx.tools.mcp.wire import Bounds, ServerFailed, Watcher

_LEASH = Path(__file__).with_name("leash.py")
_CHUNK = 65_536
_LOG_PAUSE_S = 0.01
"""Keeps a program that floods its standard error from taking all of the event loop's time."""
_SHOWN_CHARS = 200


@contextlib.asynccontextmanager
async def stdio_streams(
    target: StdioTarget, environment: dict[str, str], bounds: Bounds, watcher: Watcher, log: ServerLog
) -> AsyncGenerator[TransportStreams]:
    """Run the program, and end it with all that it started when the context is left. Raises ServerFailed if it cannot be run."""
    program = await _Program.start(target, environment, bounds, log)
    try:
        received, incoming = anyio.create_memory_object_stream[Item](0)
        outgoing, sent = anyio.create_memory_object_stream[SessionMessage](0)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(program.read, received, watcher)
            tasks.start_soon(program.write, sent, watcher)
            tasks.start_soon(program.listen)
            try:
                yield BoundedStream(incoming, bounds, watcher), outgoing
            finally:
                with anyio.CancelScope(shield=True):
                    await program.end_politely()
                tasks.cancel_scope.cancel()
    finally:
        program.kill()
        with anyio.CancelScope(shield=True):
            await program.reap()


class _Program:
    """One run of a server's program; owns its process group and its pipes."""

    def __init__(self, process: asyncio.subprocess.Process, lifeline: int, bounds: Bounds, log: ServerLog) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self._stdin, self._stdout, self._stderr = process.stdin, process.stdout, process.stderr
        self._lifeline = lifeline
        self._bounds = bounds
        self._log = log
        self._heard = asyncio.Event()

    @classmethod
    async def start(
        cls, target: StdioTarget, environment: dict[str, str], bounds: Bounds, log: ServerLog
    ) -> "_Program":
        watched, lifeline = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(_LEASH), str(watched), target.command, *target.args),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=get_default_environment() | environment,
                cwd=target.cwd,
                start_new_session=True,
                pass_fds=(watched,),
            )
        except (OSError, ValueError) as error:
            os.close(lifeline)
            raise ServerFailed(f"its program cannot be started: {error}") from error
        except BaseException:
            os.close(lifeline)
            raise
        finally:
            os.close(watched)
        return cls(process, lifeline, bounds, log)

    async def read(self, received: MemoryObjectSendStream[Item], watcher: Watcher) -> None:
        """Pass on what comes on standard output, a message a line; what is no message goes to the log."""
        async with received:
            try:
                await self._read_lines(received)
            except Flooded as flooded:
                watcher.ended(str(flooded))
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                return
            else:
                watcher.ended(await self._how_it_ended())

    async def write(self, sent: MemoryObjectReceiveStream[SessionMessage], watcher: Watcher) -> None:
        """Pass on what is sent, a line each."""
        try:
            async with sent:
                async for item in sent:
                    self._stdin.write(item.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
                    await self._stdin.drain()
        except (ConnectionError, RuntimeError):
            watcher.ended(await self._how_it_ended("closed its input"))

    async def listen(self) -> None:
        """Pass what comes on standard error to the log."""
        while data := await self._stderr.read(_CHUNK):
            self._log.feed(data)
            await asyncio.sleep(_LOG_PAUSE_S)
        self._heard.set()

    async def end_politely(self) -> None:
        """Close its input and wait; then ask the group to end, and wait again."""
        self._stdin.close()
        for last_resort in (lambda: self._signal(signal.SIGTERM), self.kill):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._bounds.stop_s):
                    await self._ended()
                    return
            last_resort()

    def kill(self) -> None:
        """End the whole group by force."""
        self._signal(signal.SIGKILL)

    async def reap(self) -> None:
        """Wait for the end, which after `kill` is near, and close what is open."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._bounds.stop_s):
                await self._ended()
        os.close(self._lifeline)
        self._process._transport.close()  # type: ignore[attr-defined] # asyncio has no public way to close the pipes

    async def _read_lines(self, received: MemoryObjectSendStream[Item]) -> None:
        gauge = Gauge(self._bounds.flood_bytes, self._bounds.flood_s, "bytes")
        partial, size = list[bytes](), 0
        while data := await self._stdout.read(_CHUNK):
            gauge.add(len(data))
            *lines, rest = data.split(b"\n")
            for line in lines:
                await self._take(b"".join((*partial, line)), received)
                partial, size = [], 0
            partial.append(rest)
            size += len(rest)
            if size > self._bounds.message_bytes:
                raise Flooded(f"it sent a message of more than {self._bounds.message_bytes:,} bytes")

    async def _take(self, line: bytes, received: MemoryObjectSendStream[Item]) -> None:
        if not line.strip():
            return
        messages = await read(messages_of, line)
        if not messages:
            self._log.note(f"not a message: {line[:_SHOWN_CHARS].decode(errors='replace')}")
        for message in messages:
            await received.send(SessionMessage(message))

    async def _how_it_ended(self, otherwise: str = "closed its output") -> str:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._bounds.stop_s):
                await self._ended()
                await self._heard.wait()
        code = self._process.returncode
        how = otherwise if code is None else f"ended with code {code}" if code < 128 else "was killed"
        return f"its program {how}"

    async def _ended(self) -> None:
        """Return when the leash has ended; not when its pipes are closed, which what the server started may hold open."""
        while self._process.returncode is None:  # noqa: ASYNC110 - asyncio has an event for both together only
            await asyncio.sleep(0.005)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
