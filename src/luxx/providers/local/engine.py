"""The embedded model's engine: one child process, started when it is first needed and again after it died."""

import asyncio
import contextlib
import json
import secrets
import signal
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import msgspec
import structlog

from luxx.core.errors import ProviderError, ProviderTimeout
from luxx.providers.local.needs import find_model

MODEL_ID = "smollm2-135m"
"""The id under which the child serves its one model."""

CHILD_PROGRAM = (sys.executable, "-P", "-m", "luxx.providers.local.child")

_STDOUT, _STDERR = 1, 2
_TAIL_LINES = 20
_SHOWN_LINES = 3
_LONGEST_LINE = 500

log = structlog.stdlib.get_logger(__name__)


class Address(msgspec.Struct, frozen=True):
    """Where a child answers, in the OpenAI format; both change when the child is started again."""

    base_url: str
    api_key: str


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How patient the engine is, in seconds.

    A child that dies before it answers, or within `fast_crash_s` of its start, crashed fast. After each of these the engine
    waits, from `backoff_s` on twice as long each time; after `attempts` in a row it rests for `rest_s`. `start_s` bounds a
    start, and `stop_s` a stop before the child is killed.
    """

    start_s: float = 30
    fast_crash_s: float = 10
    attempts: int = 3
    backoff_s: float = 0.25
    rest_s: float = 30
    stop_s: float = 0.5


class _Child(asyncio.SubprocessProtocol):
    """One run of the child program, and the owner of its pipes."""

    def __init__(self, api_key: str) -> None:
        loop = asyncio.get_running_loop()
        self.api_key = api_key
        self.address: asyncio.Future[str] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        self._started_at = loop.time()
        self._ended_at = 0.0
        self._code: int | None = None
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._partial = {_STDOUT: b"", _STDERR: b""}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)  # uvloop's is one in shape only

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        *lines, partial = (self._partial[fd] + data).split(b"\n")
        self._partial[fd] = partial[-_LONGEST_LINE:]
        for line in lines:
            self._take(fd, line)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end: the process is gone and its pipes are read to the last byte."""
        self._take(_STDERR, self._partial[_STDERR])
        self._ended_at = asyncio.get_running_loop().time()
        self._code = self._transport.get_returncode()
        self._transport.close()
        if not self.ended.done():
            self.ended.set_result(None)

    def order(self, model: Path) -> None:
        """Tell the child what to serve."""
        line = json.dumps({"model": str(model), "alias": MODEL_ID, "api_key": self.api_key})
        self._stdin().write(f"{line}\n".encode())

    async def ready(self, limit_s: float) -> Address | None:
        """Return the address as soon as the child answers there, or None if it ended before."""
        await asyncio.wait((self.address, self.ended), timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        if self.ended.done():
            return None
        if self.address.done():
            return Address(f"{self.address.result()}/v1", self.api_key)
        self._kill()
        raise ProviderTimeout(f"The embedded model did not get ready within {limit_s:g} s.{self._last_lines()}")

    async def stop(self, limit_s: float) -> None:
        """End the child: by closing its input, else by force."""
        self._stdin().close()
        await asyncio.wait((self.ended,), timeout=limit_s)
        if not self.ended.done():
            self._kill()
            await asyncio.wait((self.ended,), timeout=limit_s)
        self._transport.close()

    def describe_end(self) -> str:
        """Say how the child ended, for a person."""
        return f"{_describe_exit(self._code)}.{self._last_lines()}"

    def crashed_fast(self, limit_s: float) -> bool:
        """Whether it ended before it answered, or soon after its start."""
        return not self.address.done() or self._ended_at - self._started_at < limit_s

    def _take(self, fd: int, raw: bytes) -> None:
        line = raw[-_LONGEST_LINE:].decode(errors="replace").strip()
        if not line:
            return
        if fd == _STDOUT and line.startswith("http://127.0.0.1:") and not self.address.done():
            self.address.set_result(line)
            return
        self._tail.append(line)
        log.debug("embedded model said", line=line)

    def _last_lines(self) -> str:
        shown = list(self._tail)[-_SHOWN_LINES:]
        return f" It said: {' / '.join(shown)}" if shown else ""

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._transport.kill()

    def _stdin(self) -> asyncio.WriteTransport:
        return cast("asyncio.WriteTransport", self._transport.get_pipe_transport(0))


class LocalEngine:
    """The owner of the child process. It belongs to the event loop in which it is first used.

    Nothing watches the child while nobody asks: a death is noticed by those who read from it, and mended for the next who
    asks. A data directory has one server at a time (it holds the lock), so no second engine is started beside this one.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        find: Callable[[Path], Path] = find_model,
        program: Sequence[str] = CHILD_PROGRAM,
        pace: Pace | None = None,
    ) -> None:
        self._data_dir = data_dir
        self._find = find
        self._program = program
        self._pace = pace or Pace()
        self._starting = asyncio.Lock()
        self._stopped = asyncio.Event()
        self._child: _Child | None = None
        self._crashes = 0
        self._rest_until = 0.0
        self._last_words = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def ensure(self) -> Address:
        """Return where the model answers, starting it if need be; many may ask at once, one child is started.

        Raises ProviderError if the machine does not suit, the child keeps crashing or the engine is stopped, and
        ProviderTimeout if it does not get ready. A caller that is cancelled leaves the start to the others.
        """
        async with self._starting:
            while True:
                child = self._child or await self._spawn()
                if address := await child.ready(self._pace.start_s):
                    return address
                await self._bury(child)

    async def cause_of_death(self, address: Address) -> str | None:
        """Say how the child behind an address ended, or None if it lives; called when its connection broke.

        The connection may break a moment before the process is gone, so this waits a little.
        """
        if self._stopped.is_set():
            return "the server is shutting down"
        child = self._child
        if child is None or child.api_key != address.api_key:
            return "it was started again"
        await asyncio.wait((child.ended,), timeout=self._pace.stop_s)
        return child.describe_end() if child.ended.done() else None

    async def stop(self) -> None:
        """End the child for good, also in mid-answer: stop it after the turns. Returns within about a second."""
        self._stopped.set()
        if self._child:
            await self._child.stop(self._pace.stop_s)
        async with self._starting:  # whoever is starting a child has seen by now that it is over
            if self._child:
                await self._child.stop(self._pace.stop_s)
            self._child = None

    async def _spawn(self) -> _Child:
        self._refuse()
        model = await asyncio.to_thread(self._find, self._data_dir)
        loop = asyncio.get_running_loop()
        try:
            _, child = await loop.subprocess_exec(lambda: _Child(secrets.token_urlsafe(32)), *self._program)
        except OSError as error:
            raise ProviderError(f"The embedded model cannot be started: {error}") from error
        self._child = child
        child.order(model)
        self._refuse()  # it may have been stopped meanwhile
        return child

    def _refuse(self) -> None:
        if self._stopped.is_set():
            raise ProviderError("The embedded model is stopped: the server is shutting down.")
        if asyncio.get_running_loop().time() < self._rest_until:
            raise ProviderError(self._last_words)

    async def _bury(self, child: _Child) -> None:
        """Count a child's end and wait before the next start; raises ProviderError when it is no use to try."""
        self._child = None
        self._refuse()
        log.warning("embedded model ended", how=child.describe_end())
        self._crashes = self._crashes + 1 if child.crashed_fast(self._pace.fast_crash_s) else 0
        if self._crashes >= self._pace.attempts:
            self._last_words = f"The embedded model failed {self._crashes} times in a row: {child.describe_end()}"
            self._rest_until = asyncio.get_running_loop().time() + self._pace.rest_s
            self._crashes = 0
            raise ProviderError(self._last_words)
        if self._crashes:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pace.backoff_s * 2 ** (self._crashes - 1)):
                    await self._stopped.wait()


def _describe_exit(code: int | None) -> str:
    """Say what an exit code means; a negative one is the signal that ended the process."""
    if code is None or code >= 0:
        return f"exit code {code}"
    if code == -signal.Signals.SIGILL:
        return f"exit code {code} (SIGILL: this processor lacks instructions that the engine takes for granted)"
    try:
        return f"exit code {code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"exit code {code}"
