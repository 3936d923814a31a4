"""The server on a real socket: how it starts and stops, and readers that leave or do not read."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from luxx.core.events import LogEntry
from luxx.core.sse import SSEParser
from luxx.http.reply import Reply
from luxx.http.server import address_of, listen, new_loop, serve
from luxx.http.streams.sse import TurnStream, frames
from tests.http.world import world

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Running:
    """A server that is running: its port, and how far it has come in stopping."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.ready = asyncio.get_running_loop().create_future()
        self.stopping = asyncio.Event()
        self.may_stop = asyncio.Event()
        self.stopped = asyncio.Event()

    async def stop(self) -> None:
        """Wait until the test lets it stop."""
        self.stopping.set()
        await self.may_stop.wait()

    async def connect(self, path: str, **headers: str) -> Connection:
        """Send a GET."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            *(f"{name}: {headers[name]}" for name in headers),
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        return reader, writer

    async def status(self, path: str) -> int:
        """Send a GET on a connection of its own and return the status."""
        reader, writer = await self.connect(path, Connection="close")
        line = await reader.readline()
        writer.close()
        return int(line.split()[1])


@asynccontextmanager
async def running(
    make_app: Callable[[int], ASGIApp], on_stop: Callable[[], Awaitable[None]] | None = None
) -> AsyncIterator[Running]:
    """Serve an app; leaving the block sends a second signal if it still runs."""
    sock = listen("127.0.0.1", 0)
    server = Running(sock.getsockname()[1])
    app = make_app(server.port)

    async def work() -> None:
        await serve(app, sock, on_ready=server.ready.set_result, on_stop=on_stop or server.stop)
        server.stopped.set()

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(work())
        await server.ready
        try:
            yield server
        finally:
            server.may_stop.set()
            if not server.stopped.is_set():
                os.kill(os.getpid(), signal.SIGTERM)
                await server.stopped.wait()


async def _hello(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi"})


async def test_the_server_says_when_and_where_it_listens() -> None:
    async with running(lambda port: _hello) as server:
        assert await server.ready == f"http://127.0.0.1:{server.port}"
        assert await server.status("/") == 200


async def test_the_first_signal_lets_the_work_end_while_requests_are_still_answered() -> None:
    async with running(lambda port: _hello) as server:
        os.kill(os.getpid(), signal.SIGTERM)
        await server.stopping.wait()
        assert await server.status("/") == 200
        assert not server.stopped.is_set()
        server.may_stop.set()
        await server.stopped.wait()


async def test_a_second_signal_ends_the_server_at_once() -> None:
    cancelled = asyncio.Event()

    async def never() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    begun = asyncio.Event()
    async with running(lambda port: _hello, never) as server:
        os.kill(os.getpid(), signal.SIGINT)
        await begun.wait()
        os.kill(os.getpid(), signal.SIGINT)
        await server.stopped.wait()
    assert cancelled.is_set()


async def test_the_signals_are_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    async with running(lambda port: _hello) as server:
        assert signal.getsignal(signal.SIGTERM) is not before
        server.may_stop.set()
    assert signal.getsignal(signal.SIGTERM) is before


async def test_streams_end_before_the_server_does(tmp_path: Path) -> None:
    async with world(tmp_path) as at:
        at.model.say("half")
        started = await at.start()

        async def drain() -> None:
            at.model.say(end=True)
            await at.supervisor.drain(5)

        async with running(lambda port: _renamed(at.app, port), drain) as server:
            reader, writer = await server.connect(started["events_url"])
            await reader.readuntil(b"half")
            os.kill(os.getpid(), signal.SIGTERM)
            rest = await reader.read()
            writer.close()
            await server.stopped.wait()
        assert b"retry: 500\n\n" in rest or b"event: done" in rest
        assert rest.endswith(b"0\r\n\r\n")
        assert (await at.client.get(f"/api/turns/{started['turn_id']}")).json["status"] == "done"


async def test_a_reader_that_hangs_up_is_noticed_at_once(tmp_path: Path) -> None:
    async with world(tmp_path, max_streams=1) as at:
        started = await at.start()
        async with running(lambda port: _renamed(at.app, port)) as server:
            for _ in range(3):
                reader, writer = await server.connect(started["events_url"])
                assert (await reader.readline()).split()[1] == b"200"
                await reader.readuntil(b"event: turn")
                assert await server.status("/api/events") == 429
                writer.close()
                while await _full(server) or await server.status("/api/turns/none/events") != 404:
                    pass


async def test_a_reader_that_does_not_read_holds_back_only_itself() -> None:
    total, pulled = 3000, 0

    async def batches() -> AsyncIterator[tuple[LogEntry, ...]]:
        nonlocal pulled
        for seq in range(1, total + 1):
            pulled = seq
            yield (LogEntry(seq, "done" if seq == total else "step_delta", b'"%s"' % (b"x" * 10_000)),)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/":
            await _hello(scope, receive, send)
        else:
            await TurnStream(batches(), frames, ()).run(receive, Reply(send))

    async with running(lambda port: app) as server:
        slow = socket.create_connection(("127.0.0.1", server.port))
        slow.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        before = -1
        while pulled == 0 or pulled != before:
            before = pulled
            for _ in range(20):
                assert await server.status("/") == 200
        assert pulled < total / 2
        slow.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=slow)
        raw = await reader.read()
        writer.close()
    assert [event.id for event in SSEParser().feed(_unchunked(raw))] == [str(seq) for seq in range(1, total + 1)]


def test_a_port_in_use_is_an_error() -> None:
    with listen("127.0.0.1", 0) as first:
        first.listen()
        with pytest.raises(OSError, match="in use"):
            listen("127.0.0.1", first.getsockname()[1])


def test_an_address_of_ipv6_has_brackets() -> None:
    if socket.has_ipv6:
        with listen("::1", 0) as sock:
            assert address_of(sock) == f"http://[::1]:{sock.getsockname()[1]}"


def test_the_loop_is_the_fast_one_where_it_is_installed() -> None:
    loop = new_loop()
    assert isinstance(loop, asyncio.AbstractEventLoop)
    loop.close()


async def _full(server: Running) -> bool:
    """Whether no stream can be opened."""
    return await server.status("/api/events") == 429


def _renamed(app: ASGIApp, port: int) -> ASGIApp:
    """Let an app that was made for one port be reached on another."""

    async def renamed(scope: Scope, receive: Receive, send: Send) -> None:
        others = [pair for pair in scope["headers"] if pair[0] != b"host"]
        await app({**scope, "headers": [*others, (b"host", b"localhost:8420")]}, receive, send)

    return renamed


def _unchunked(raw: bytes) -> bytes:
    """Return the body of a chunked answer."""
    _, _, rest = raw.partition(b"\r\n\r\n")
    pieces: list[bytes] = []
    place = 0
    while place < len(rest):
        end = rest.index(b"\r\n", place)
        start, length = end + 2, int(rest[place:end], 16)
        pieces.append(rest[start : start + length])
        place = start + length + 2
    return b"".join(pieces)
