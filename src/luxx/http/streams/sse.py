"""SSE: log entries as server-sent events, and the answer that streams a turn (WHATWG HTML, section 9.2)."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable

from starlette.types import Message, Receive

from luxx.core.events import LogEntry
from luxx.core.replay import is_end
from luxx.http.reply import Reply

KEEP_ALIVE = b": keep-alive\n\n"
COME_BACK = b"retry: 500\n\n"
"""Sent when the server drains: the client asks again after half a second."""

STREAM_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)

Batches = AsyncGenerator[tuple[LogEntry, ...], None]
Encode = Callable[[tuple[LogEntry, ...]], bytes]


def frame(entry: LogEntry) -> bytes:
    """Return an entry as an event. Its data is JSON, which has no line breaks."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (entry.seq, entry.name.encode(), entry.data)


def frames(entries: tuple[LogEntry, ...]) -> bytes:
    """Return entries as events, or a comment if there are none."""
    if len(entries) == 1:
        return frame(entries[0])
    return b"".join(map(frame, entries)) if entries else KEEP_ALIVE


def body(piece: bytes, more: bool = True) -> Message:
    """Return a piece of an answer as an ASGI message."""
    return {"type": "http.response.body", "body": piece, "more_body": more}


async def begin(reply: Reply, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Send the head of an event stream, at once."""
    await reply({"type": "http.response.start", "status": 200, "headers": [*STREAM_HEADERS, *headers]})


async def until_gone(receive: Receive, work: Awaitable[None]) -> None:
    """Do the work, or stop it when the client goes away: then the server's send says nothing."""
    try:
        async with asyncio.TaskGroup() as group:
            watcher = group.create_task(_watch(receive))
            await work
            watcher.cancel()
    except* _Gone:
        pass


class TurnStream:
    """The events of one turn, from where the reader wants them to the last one.

    One send takes all entries that wait. The server's send waits for a slow reader, and `batches` then reads on from the
    log: nothing piles up here.
    """

    def __init__(self, batches: Batches, encode: Encode, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self._batches = batches
        self._encode = encode
        self._headers = headers

    async def run(self, receive: Receive, reply: Reply) -> None:
        """Stream until the turn's last event, the server drains, or the client has gone."""
        try:
            await begin(reply, self._headers)
            await until_gone(receive, self._send(reply))
        finally:
            await self._batches.aclose()

    async def _send(self, reply: Reply) -> None:
        send, encode, ended = reply.raw, self._encode, False
        async for entries in self._batches:
            if piece := encode(entries):
                await send(body(piece))
            ended = bool(entries) and is_end(entries[-1])
        await send(body(b"" if ended else COME_BACK, more=False))


class _Gone(Exception):
    """The client has closed the connection."""


async def _watch(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    raise _Gone
