"""A small Luxx server for tests: it plays one turn's log, cuts connections where it is told to, and can be restarted."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import web

from luxx.core.events import LogEntry
from tests.ports import free_port


def sse(entry: LogEntry) -> bytes:
    """Encode an entry as the server does."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (entry.seq, entry.name.encode(), entry.data)


class Stream:
    """What one connection to the events gets: at most `cut_after` bytes, then the end that `how` says.

    `abort` resets the connection, `eof` ends the stream in good order, `hang` sends nothing more.
    """

    def __init__(self, cut_after: int | None = None, how: str = "abort", prefix: bytes = b"") -> None:
        self.cut_after = cut_after
        self.how = how
        self.prefix = prefix


class FakeServer:
    """Serves `log` as the turn ``t``. `streams` is what the next connections get; when it is empty, everything.

    `refusals` are answers that come before anything else is looked at: (status, headers, body).
    """

    def __init__(self, log: list[LogEntry]) -> None:
        self.log = log
        self.streams: list[Stream] = []
        self.refusals: list[tuple[int, dict[str, str], Any]] = []
        self.resumed_at: list[int] = []
        self.posts: list[dict[str, Any]] = []
        self.uploads: list[tuple[str, str, bytes]] = []
        self.lose_answers = 0
        self.authorization: str | None = None
        self.port = free_port()
        self._listening = _listener(self.port)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen, on the same port each time."""
        app = web.Application(client_max_size=8_000_000)
        app.router.add_get("/api/turns/t/events", self._events)
        app.router.add_post("/api/conversations/c/messages", self._post)
        app.router.add_get("/api/health", self._health)
        app.router.add_post("/api/files", self._upload)
        app.router.add_get("/api/files/f/content", self._content)
        self._runner = web.AppRunner(app, shutdown_timeout=0.01)
        await self._runner.setup()
        listener = self._listening if self._listening.fileno() >= 0 else _listener(self.port)
        await web.SockSite(self._runner, listener).start()

    async def stop(self) -> None:
        """Go away: every connection is cut, new ones are refused."""
        if self._runner:
            await self._runner.cleanup()
        self._runner = None
        self._listening.close()

    def _refusal(self) -> web.Response | None:
        if not self.refusals:
            return None
        status, headers, body = self.refusals.pop(0)
        return web.Response(status=status, headers=headers, body=msgspec.json.encode(body))

    async def _health(self, request: web.Request) -> web.Response:
        self.authorization = request.headers.get("Authorization")
        return self._refusal() or web.json_response({"status": "ok", "version": "1", "store": "sqlite", "node": "n"})

    async def _post(self, request: web.Request) -> web.StreamResponse:
        if refusal := self._refusal():
            return refusal
        self.posts.append(await request.json())
        if self.lose_answers:
            self.lose_answers -= 1
            assert request.transport
            request.transport.abort()
        return web.json_response(
            {"turn_id": "t", "message_id": "m", "user_message_id": "u", "events_url": "/api/turns/t/events"}, status=202
        )

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        if refusal := self._refusal():
            return refusal
        data = await request.read()
        self.uploads.append((request.query["name"], request.headers["Content-Type"], data))
        if self.lose_answers:
            self.lose_answers -= 1
            assert request.transport
            request.transport.abort()
        file = {"id": "f", "name": "n", "media_type": "image/png", "size": len(data), "later": True}
        return web.json_response(file, status=201)

    async def _content(self, request: web.Request) -> web.Response:
        return self._refusal() or web.Response(body=self.uploads[-1][2], content_type="text/plain")

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if refusal := self._refusal():
            return refusal
        after = int(request.headers.get("Last-Event-ID", "0"))
        self.resumed_at.append(after)
        if self.log and after > self.log[-1].seq:
            problem = {"status": 409, "code": "ahead_of_log", "detail": "the log is shorter"}
            return web.json_response(problem, status=409, content_type="application/problem+json")
        if self.log and after == self.log[-1].seq:
            return web.Response(status=204)
        return await self._play(request, after, self.streams.pop(0) if self.streams else Stream())

    async def _play(self, request: web.Request, after: int, stream: Stream) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        body = stream.prefix + b"".join(sse(entry) for entry in self.log if entry.seq > after)
        await response.write(body if stream.cut_after is None else body[: stream.cut_after])
        if stream.how == "hang":
            await asyncio.Event().wait()
        if stream.cut_after is not None and stream.how == "abort" and request.transport:
            request.transport.close()
        return response


@asynccontextmanager
async def serving(log: list[LogEntry]) -> AsyncIterator[FakeServer]:
    """Run a fake server."""
    server = FakeServer(log)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def _listener(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    return listener
