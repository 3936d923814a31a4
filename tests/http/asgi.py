"""A client that drives an ASGI app in process: whole answers, and streams that can be left in the middle."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope

from luxx.core.sse import ServerEvent, SSEParser

PORT = 8420
HOST = f"localhost:{PORT}"


class Answer(msgspec.Struct, frozen=True):
    """A whole answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever the body holds
        """The body decoded."""
        return msgspec.json.decode(self.body)

    @property
    def events(self) -> list[ServerEvent]:
        """The body as server-sent events."""
        return SSEParser().feed(self.body)


class Incoming(msgspec.Struct):
    """A stream being received: what came so far, and the way to wait for more or to leave."""

    arrived: asyncio.Condition
    gone: asyncio.Event
    chunks: list[bytes] = []
    status: int = 0
    headers: dict[str, str] = {}
    ended: bool = False

    async def until(self, count: int) -> list[ServerEvent]:
        """Wait for so many events and return all that came."""
        return (await self._until(lambda: len(self.events) >= count)).events

    async def until_text(self, text: bytes) -> bytes:
        """Wait for these bytes and return all that came."""
        return (await self._until(lambda: text in self.bytes)).bytes

    async def until_end(self) -> list[ServerEvent]:
        """Wait for the end and return all events."""
        return (await self._until(lambda: self.ended)).events

    async def until_begun(self) -> None:
        """Wait for the head."""
        await self._until(lambda: self.status != 0)

    @property
    def bytes(self) -> bytes:
        """All that came."""
        return b"".join(self.chunks)

    @property
    def events(self) -> list[ServerEvent]:
        """All events that came."""
        return SSEParser().feed(self.bytes)

    async def send(self, message: Message) -> None:
        """Take a message of the answer, as the server's send would."""
        async with self.arrived:
            if message["type"] == "http.response.start":
                self.status, self.headers = message["status"], _decoded(message["headers"])
            else:
                self.chunks = [*self.chunks, message.get("body", b"")]
                self.ended = not message.get("more_body", False)
            self.arrived.notify_all()

    async def _until(self, reached: Callable[[], bool]) -> "Incoming":
        async with asyncio.timeout(10), self.arrived:
            await self.arrived.wait_for(reached)
        return self


class Client:
    """Sends requests to an app as a program on this machine would; `headers` are sent with each."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str] | None = None) -> None:
        self._app = app
        self._headers = dict(headers or {})

    def with_headers(self, **headers: str) -> "Client":
        """Return a client that also sends these headers; ``_`` stands for ``-``."""
        return Client(
            self._app, {**self._headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        )

    async def get(self, path: str, **headers: str) -> Answer:
        """Send a GET."""
        return await self.send("GET", path, headers=_dashed(headers))

    async def post(self, path: str, body: object = None, **headers: str) -> Answer:
        """Send a POST with a JSON body."""
        return await self.send("POST", path, _encoded({} if body is None else body), _json_headers(headers))

    async def put(self, path: str, body: object, **headers: str) -> Answer:
        """Send a PUT with a JSON body."""
        return await self.send("PUT", path, _encoded(body), _json_headers(headers))

    async def patch(self, path: str, body: object, **headers: str) -> Answer:
        """Send a PATCH with a JSON body."""
        return await self.send("PATCH", path, _encoded(body), _json_headers(headers))

    async def delete(self, path: str, **headers: str) -> Answer:
        """Send a DELETE."""
        return await self.send("DELETE", path, headers=_dashed(headers))

    async def send(
        self,
        method: str,
        path: str,
        body: bytes | Sequence[bytes] = b"",
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> Answer:
        """Send a request and return the whole answer; a list of pieces is a chunked body."""
        incoming = Incoming(asyncio.Condition(), asyncio.Event())
        async with asyncio.timeout(20):
            scope = self._scope(method, path, _declared(headers, body))
            await self._app(scope, _receive(body, incoming.gone), incoming.send)
        assert incoming.ended
        return Answer(incoming.status, incoming.headers, incoming.bytes)

    @asynccontextmanager
    async def stream(self, method: str, path: str, body: object = None, **headers: str) -> AsyncIterator[Incoming]:
        """Open a stream; leaving the block closes the connection and waits for the app to have noticed."""
        incoming = Incoming(asyncio.Condition(), asyncio.Event())
        sent = _json_headers(headers) if method == "POST" else _dashed(headers)
        raw = b"" if method == "GET" else _encoded({} if body is None else body)
        scope = self._scope(method, path, _declared(sent, raw))
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            group.create_task(self._run(scope, _receive(raw, incoming.gone), incoming))
            await incoming.until_begun()
            try:
                yield incoming
            finally:
                incoming.gone.set()

    async def _run(self, scope: Scope, receive: Receive, incoming: Incoming) -> None:
        await self._app(scope, receive, incoming.send)

    def _scope(self, method: str, path: str, headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> Scope:
        bare, _, query = path.partition("?")
        pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
        sent = {name.lower() for name, _ in pairs}
        pairs += [(name, value) for name, value in {"host": HOST, **self._headers}.items() if name.lower() not in sent]
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": bare,
            "raw_path": bare.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", PORT),
            "state": {},
        }


def _declared(
    headers: Mapping[str, str] | Iterable[tuple[str, str]], body: bytes | Sequence[bytes]
) -> list[tuple[str, str]]:
    """Return the headers with the length of a body that is in one piece, unless they name one."""
    pairs = [*headers.items()] if isinstance(headers, Mapping) else [*headers]
    known = any(name.lower() == "content-length" for name, _ in pairs)
    return pairs if known or not body or not isinstance(body, bytes) else [*pairs, ("content-length", str(len(body)))]


def _receive(body: bytes | Sequence[bytes], gone: asyncio.Event) -> Receive:
    pieces = [body] if isinstance(body, bytes) else list(body)
    messages = [
        {"type": "http.request", "body": piece, "more_body": place + 1 < len(pieces)}
        for place, piece in enumerate(pieces)
    ]

    async def receive() -> Message:
        if messages:
            return messages.pop(0)
        await gone.wait()
        return {"type": "http.disconnect"}

    return receive


def _encoded(body: object) -> bytes:
    return body if isinstance(body, bytes) else msgspec.json.encode(body)


def _decoded(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode(): value.decode("latin-1") for name, value in headers}


def _dashed(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def _json_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {"content-type": "application/json", **_dashed(headers)}
