"""Server: uvicorn with Luxx's own way to stop.

uvicorn on its own waits for open streams without bound, and tells the application only after they have ended. Here the
first signal lets the application end its streams and turns while it still answers; only then does the server close.
"""

import asyncio
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

BACKLOG = 4096
"""Connections that may wait to be accepted."""
LINGER = 3
"""Seconds for requests still open after the application has drained."""


class _Server(uvicorn.Server):
    """uvicorn's server without its signal handlers; `on_started` is called when it listens."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, and say so."""
        await super().startup(sockets)
        self._on_started()


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address; port 0 takes a free one. Raises OSError.

    Who comes before somebody serves waits. (If it were only bound, another program could be bound to the same address.)
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def address_of(sock: socket.socket) -> str:
    """Return a listening socket's address as a browser takes it."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if sock.family == socket.AF_INET6 else f"http://{host}:{port}"


def new_loop() -> asyncio.AbstractEventLoop:
    """Return uvloop's event loop where it is installed, else asyncio's; for `asyncio.Runner(loop_factory=...)`."""
    factory = uvicorn.Config(app="", log_config=None).get_loop_factory()
    return factory() if factory else asyncio.new_event_loop()


async def serve(
    app: ASGIApp,
    sock: socket.socket,
    *,
    on_ready: Callable[[str], None],
    on_stop: Callable[[], Awaitable[None]],
) -> None:
    """Serve until SIGINT or SIGTERM. `on_ready` gets the address as soon as the server listens.

    At the first signal `on_stop` is awaited while requests are still answered: it must end the event streams. Then the
    server closes. A second signal closes it at once, and cancels `on_stop`.
    """
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=LINGER,
    )
    address = address_of(sock)
    server = _Server(config, lambda: on_ready(address))
    signals: asyncio.Queue[int] = asyncio.Queue()
    with _signals_to(signals):
        async with asyncio.TaskGroup() as group:
            stopping = group.create_task(_stop(server, signals, on_stop))
            await server.serve([sock])
            stopping.cancel()


async def _stop(server: _Server, signals: asyncio.Queue[int], on_stop: Callable[[], Awaitable[None]]) -> None:
    await signals.get()
    try:
        async with asyncio.TaskGroup() as group:
            second = group.create_task(_second(signals))
            await on_stop()
            second.cancel()
    except* _Impatient:
        server.force_exit = True
    server.should_exit = True
    await signals.get()
    server.force_exit = True


class _Impatient(Exception):
    """A second signal came while the application was ending its work."""


async def _second(signals: asyncio.Queue[int]) -> None:
    await signals.get()
    raise _Impatient


@contextmanager
def _signals_to(signals: asyncio.Queue[int]) -> Generator[None]:
    """Put the signals that ask for an end into a queue, and leave the handlers afterwards as they were."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()

    def put(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(signals.put_nowait, number)

    before = {number: signal.signal(number, put) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
