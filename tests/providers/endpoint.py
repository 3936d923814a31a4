"""A provider's endpoint on this machine, down to the bytes: what it is to answer is written out by the test."""

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, Self

import msgspec


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the endpoint answers to one request.

    The pieces are sent one by one. `end` says what follows: a proper end of the body, a cut connection, or nothing at all
    until the client goes away. A `silent` answer does not even have headers.
    """

    pieces: Sequence[bytes] = ()
    status: int = 200
    headers: Mapping[str, str] = MappingProxyType({"Content-Type": "text/event-stream"})
    end: Literal["whole", "cut", "hold"] = "whole"
    silent: bool = False


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request that came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)


class Endpoint:
    """Serves the answers in order, the last one again and again; remembers what it was asked.

    With a `listing` what is asked by GET has an answer of its own, and is not remembered.
    """

    def __init__(self, *answers: Answer, listing: Answer | None = None) -> None:
        self.answers = list(answers)
        self.listing = listing
        self.asked: list[Asked] = []
        self.connections = 0
        self.arrived = asyncio.Event()
        """Set when a request came."""
        self.gone = asyncio.Event()
        """Set when a client closed the connection of an answer that was on hold."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self._exchange(reader, writer):
                pass
        writer.close()

    def answer(self, asked: Asked) -> Answer:
        """Return what this request is answered with."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def _answer_to(self, asked: Asked) -> Answer:
        if self.listing is not None and asked.method == "GET":
            return self.listing
        self.asked.append(asked)
        self.arrived.set()
        return self.answer(asked)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        answer = self._answer_to(Asked(method=method, path=path, headers=headers, body=body))
        if answer.silent:
            await reader.read()
            self.gone.set()
            return False
        fields = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
        writer.write(f"HTTP/1.1 {answer.status} X\r\n{fields}Transfer-Encoding: chunked\r\n\r\n".encode())
        for piece in answer.pieces:
            if piece:
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                await writer.drain()
                await asyncio.sleep(0)
        if answer.end == "whole":
            writer.write(b"0\r\n\r\n")
            return True
        if answer.end == "hold":
            await reader.read()
            self.gone.set()
        return False


def json_answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer whose body is JSON."""
    return Answer(
        pieces=[json.dumps(value).encode()],
        status=status,
        headers={"Content-Type": "application/json", **(headers or {})},
    )
