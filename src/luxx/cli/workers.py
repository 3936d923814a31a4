"""Workers: several processes that serve behind one socket, each a node of its own, kept alive by this one."""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType

import msgspec
import structlog
from pydantic import SecretStr

from luxx.core.errors import ConfigurationError
from luxx.http.server import address_of
from luxx.settings import Settings

log = structlog.get_logger()

PROGRAM = (sys.executable, "-m", "luxx.cli.worker")
LIVED_WELL_S = 30
"""A worker that lived so long starts its restarts anew."""
LONGEST_REST_S = 30
LAST_RESORT_S = 10
"""From the second signal to the end of a worker that does not heed it."""


class Order(msgspec.Struct, frozen=True):
    """What a worker is told on the first line of its standard input: the socket's number, and all settings."""

    socket: int
    settings: dict[str, object]


class Workers:
    """Owns the processes. They inherit the socket, so that connections wait, and are not refused, while one starts again.

    A worker says on its standard output that it is ready. Its standard input stays open for as long as this process lives: its
    end tells a worker that nobody will tell it to stop.
    """

    def __init__(self, settings: Settings, sock: socket.socket) -> None:
        self._settings = settings
        self._sock = sock
        self._order = msgspec.json.encode(Order(sock.fileno(), _plain(settings))) + b"\n"
        self._running: set[asyncio.subprocess.Process] = set()
        self._stopping = asyncio.Event()

    async def run(self, on_ready: Callable[[str], None], on_stop: Callable[[], None]) -> None:
        """Serve until SIGINT or SIGTERM, which the workers are given as SIGTERM; the second makes them stop at once.

        `on_ready` gets the address when all serve. Raises ConfigurationError if one cannot start; it has said why.
        """
        signals: asyncio.Queue[int] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def put(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(signals.put_nowait, number)

        before = {number: signal.signal(number, put) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(self._pass_on(signals, on_stop))
                await self._serve(lambda: on_ready(address_of(self._sock)))
                watching.cancel()
        except* ConfigurationError as group:
            raise _first(group) from None
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def _serve(self, on_ready: Callable[[], None]) -> None:
        """Keep all alive. The first is ready before the others start, so that one alone makes the tables."""
        try:
            async with asyncio.TaskGroup() as group:
                started = [asyncio.Event() for _ in range(self._settings.workers)]
                for number, event in enumerate(started):
                    group.create_task(self._keep(number, event))
                    if number == 0:
                        await event.wait()
                for event in started:
                    await event.wait()
                if not self._stopping.is_set():
                    on_ready()
        finally:
            self._tell(signal.SIGTERM)  # only if one could not start
            await asyncio.gather(*(process.wait() for process in self._running))

    async def _keep(self, number: int, started: asyncio.Event) -> None:
        """Run a worker, and another in its place when it dies. Raises ConfigurationError if the first is never ready."""
        loop = asyncio.get_running_loop()
        deaths = 0
        try:
            while not self._stopping.is_set():
                began = loop.time()
                code = await self._run_one(started)
                if self._stopping.is_set():
                    return
                if not started.is_set():
                    raise ConfigurationError("The server could not be started: a worker ended, see above.")
                deaths = 1 if loop.time() - began > LIVED_WELL_S else deaths + 1
                rest = min(LONGEST_REST_S, 0.1 * 4 ** (deaths - 1))
                log.error("worker ended", worker=number, exit_code=code, again_in_s=rest)
                await self._rest(rest)
        finally:
            started.set()

    async def _run_one(self, started: asyncio.Event) -> int:
        process = await asyncio.create_subprocess_exec(
            *PROGRAM,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=[self._sock.fileno()],
            start_new_session=True,  # Ctrl-C comes to this process alone, which passes it on
        )
        self._running.add(process)
        try:
            assert process.stdin
            assert process.stdout
            process.stdin.write(self._order)
            if self._stopping.is_set():
                process.terminate()
            if await process.stdout.readline():
                started.set()
            return await process.wait()
        finally:
            if process.returncode is not None:
                self._running.discard(process)

    async def _pass_on(self, signals: asyncio.Queue[int], on_stop: Callable[[], None]) -> None:
        await signals.get()
        on_stop()
        self._stopping.set()
        self._sock.close()  # when the workers have closed theirs, whoever comes is sent elsewhere
        self._tell(signal.SIGTERM)
        await signals.get()
        self._tell(signal.SIGTERM)
        await asyncio.sleep(LAST_RESORT_S)
        self._tell(signal.SIGKILL)

    def _tell(self, number: signal.Signals) -> None:
        for process in self._running:
            if process.returncode is None:
                process.send_signal(number)

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return


def _plain(settings: Settings) -> dict[str, object]:
    """Return all settings as values that can be written down: a worker that starts again shall have those of the first."""
    secret = {name: value.get_secret_value() for name, value in settings if isinstance(value, SecretStr)}
    return {**settings.model_dump(mode="json"), **secret}


def _first(group: BaseExceptionGroup[ConfigurationError]) -> ConfigurationError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
