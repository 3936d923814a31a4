"""Mock: an OpenAI-compatible model server whose answers are made to order. `python -m benchmarks.mock PORT`.

The way without Go: one thread of asyncio, enough for 1000 streams of 20 tokens a second.
"""

import asyncio
import sys
import time

import httptools
import msgspec
import uvloop

from benchmarks.wire import Directive, find_directive, http_chunk, stamp

_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
_EVENT = b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"mock","choices":['
_ROLE = _EVENT + b'{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n'
_TEXT = _EVENT + b'{"index":0,"delta":{"content":"%b"},"finish_reason":null}]}\n\n'
_STOP = _EVENT + b'{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
_USAGE = _EVENT + b'],"usage":{"prompt_tokens":100,"completion_tokens":%d,"total_tokens":%d}}\n\ndata: [DONE]\n\n'
_WORDS = b"the quick brown fox jumps over the lazy dog and runs far away to the sea "
_SLOT_S = 0.001


class _Message(msgspec.Struct):
    role: str
    content: msgspec.Raw = msgspec.Raw(b"null")


class _Request(msgspec.Struct):
    messages: list[_Message]


_decode = msgspec.json.Decoder(_Request).decode


class Answer:
    """One answer under way; `step` gives its next piece."""

    def __init__(self, connection: "Connection", directive: Directive) -> None:
        self.due = time.monotonic()
        self.itl_s = directive.itl_s
        self._connection = connection
        self._n = directive.n
        self._words = (_WORDS * (directive.chunk // len(_WORDS) + 2))[: directive.chunk]
        self._seq = 0

    def step(self) -> bool:
        """Write the next piece; False if it was the last one, or nobody listens."""
        transport = self._connection.transport
        if transport is None or transport.is_closing():
            return False
        events = (_ROLE if self._seq == 0 else b"") + _TEXT % (self._words + stamp(self._seq))
        self._seq += 1
        if self._seq < self._n:
            transport.write(http_chunk(events))
            return True
        end = _STOP + _USAGE % (self._n, 100 + self._n)
        transport.write(http_chunk(events + end) + b"0\r\n\r\n")
        return False


class Wheel:
    """Steps all timed answers: one timer, slots of a millisecond."""

    def __init__(self) -> None:
        self._slots: dict[int, list[Answer]] = {}
        self._at = 0
        self._live = 0

    def add(self, answer: Answer) -> None:
        """Take an answer and step it from now on."""
        if self._live == 0:
            self._at = int(time.monotonic() / _SLOT_S)
            self._arm()
        self._live += 1
        self._put(answer)

    def _put(self, answer: Answer) -> None:
        slot = max(int(answer.due / _SLOT_S) + 1, self._at)
        self._slots.setdefault(slot, []).append(answer)

    def _arm(self) -> None:
        asyncio.get_running_loop().call_later(_SLOT_S, self._turn)

    def _turn(self) -> None:
        now = int(time.monotonic() / _SLOT_S)
        while self._at <= now:
            due = self._slots.pop(self._at, ())
            self._at += 1
            for answer in due:
                if answer.step():
                    answer.due += answer.itl_s
                    self._put(answer)
                else:
                    self._live -= 1
        if self._live:
            self._arm()


class Connection(asyncio.Protocol):
    """One client's connection: requests one after another."""

    def __init__(self, wheel: Wheel) -> None:
        self.transport: asyncio.Transport | None = None
        self._wheel = wheel
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Keep the transport."""
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the answer under way find that nobody listens."""
        self.transport = None

    def data_received(self, data: bytes) -> None:
        """Parse."""
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """Collect the request's body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Answer."""
        body, self._body = b"".join(self._body), []
        assert self.transport is not None
        if not body:
            self._reply(b'{"object":"list","data":[{"id":"mock","object":"model"}]}')
            return
        users = [message.content for message in _decode(body).messages if message.role == "user"]
        answer = Answer(self, find_directive(bytes(users[-1]) if users else b""))
        self.transport.write(_HEAD)
        if answer.itl_s > 0:
            self._wheel.add(answer)
        else:
            while answer.step():
                pass

    def _reply(self, body: bytes) -> None:
        assert self.transport is not None
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self.transport.write(head + body)


async def serve(port: int) -> None:
    """Serve until the process ends."""
    wheel = Wheel()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(wheel), "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
