"""Relay: the least that a relay which understands its stream can do, for comparison. `python -m benchmarks.relay PORT UPSTREAM`.

Protocols on both sides, no tasks per stream: each event is decoded and framed anew with an id, as Luxx frames it. Nothing is
stored, nothing can be resumed, and a request is passed on as it is.
"""

import asyncio
import sys
from collections.abc import Callable

import httptools
import msgspec
import uvloop

from benchmarks.wire import http_chunk

_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
_REQUEST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: model\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
_DELTA = b'id: %d\nevent: step_delta\ndata: {"index":0,"text":%b}\n\n'
_DONE = b'id: %d\nevent: done\ndata: {"finish_reason":"stop"}\n\n'
_encode = msgspec.json.Encoder().encode


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []


_decode = msgspec.json.Decoder(_Chunk).decode

Connect = Callable[["Client"], None]


class Upstream(asyncio.Protocol):
    """A connection to the model; it is kept for the next request."""

    def __init__(self, idle: "list[Upstream]") -> None:
        self._idle = idle
        self._client: Client | None = None
        self._rest = b""
        self._seq = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Keep the transport."""
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Cut the client's answer too, if one is under way."""
        if self in self._idle:
            self._idle.remove(self)
        if self._client:
            self._client.close()

    def ask(self, client: "Client", body: bytes) -> None:
        """Send a request for a client."""
        self._client, self._seq, self._rest = client, 0, b""
        self._parser = httptools.HttpResponseParser(self)
        self._transport.write(_REQUEST % (len(body), body))
        client.write(_HEAD)

    def forget(self) -> None:
        """Give the answer up: its client has gone."""
        self._client = None
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Parse."""
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """Frame the events of a piece anew and pass them on in one write."""
        *events, self._rest = (self._rest + body).split(b"\n\n")
        frames = b"".join(self._frame(event[6:]) for event in events)
        if frames and self._client:
            self._client.write(http_chunk(frames))

    def on_message_complete(self) -> None:
        """End the client's answer, and wait for the next."""
        client, self._client = self._client, None
        self._idle.append(self)
        if client:
            client.end()

    def _frame(self, data: bytes) -> bytes:
        if data == b"[DONE]":
            return _DONE % (self._seq + 1)
        choices = _decode(data).choices
        if not choices or not choices[0].delta.content:
            return b""
        self._seq += 1
        return _DELTA % (self._seq, _encode(choices[0].delta.content))


class Client(asyncio.Protocol):
    """A client's connection: one request after another."""

    def __init__(self, connect: Connect) -> None:
        self.upstream: Upstream | None = None
        self.request = b""
        self._connect = connect
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Keep the transport."""
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the answer under way."""
        if self.upstream:
            self.upstream.forget()

    def data_received(self, data: bytes) -> None:
        """Parse."""
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """Collect the request's body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Ask the model."""
        self.request, self._body = b"".join(self._body), []
        self._connect(self)

    def write(self, data: bytes) -> None:
        """Pass data on."""
        self._transport.write(data)

    def end(self) -> None:
        """End the answer."""
        self.upstream = None
        self._transport.write(b"0\r\n\r\n")

    def close(self) -> None:
        """Cut the answer."""
        self.upstream = None
        self._transport.close()


class Relay:
    """Finds each client a connection to the model; owns the idle ones."""

    def __init__(self, port: int, group: asyncio.TaskGroup) -> None:
        self._port = port
        self._group = group
        self._idle: list[Upstream] = []

    def connect(self, client: Client) -> None:
        """Send a client's request."""
        if self._idle:
            self._ask(self._idle.pop(), client)
        else:
            self._group.create_task(self._dial(client))

    async def _dial(self, client: Client) -> None:
        try:
            _, upstream = await asyncio.get_running_loop().create_connection(
                lambda: Upstream(self._idle), "127.0.0.1", self._port
            )
        except OSError:
            client.close()
        else:
            self._ask(upstream, client)

    @staticmethod
    def _ask(upstream: Upstream, client: Client) -> None:
        client.upstream = upstream
        upstream.ask(client, client.request)


async def serve(port: int, upstream_port: int) -> None:
    """Serve until the process ends."""
    async with asyncio.TaskGroup() as group:
        relay = Relay(upstream_port, group)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Client(relay.connect), "127.0.0.1", port, backlog=4096)
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2])))
