"""Follow: a turn's events, each once and in order, through cut connections and server restarts."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from luxx.client.errors import ProtocolError
from luxx.client.patience import Patience, Reconnecting
from luxx.client.transport import Cut, Transport
from luxx.core.events import LogEntry
from luxx.core.replay import is_end
from luxx.core.sse import EventTooLarge, ServerEvent, SSEParser

OnWait = Callable[[Reconnecting], None]
"""Is told each time that the server is away, before the wait."""


class Follower:
    """One reader of one turn. `seen` is the last seq that it gave out."""

    def __init__(self, transport: Transport, path: str, after: int, on_wait: OnWait | None) -> None:
        self.seen = after
        self._transport = transport
        self._path = path
        self._on_wait = on_wait
        self._patience = Patience(transport.retry)
        self._retry_ms = 0

    async def entries(self) -> AsyncGenerator[LogEntry]:
        """Yield what comes after `seen` up to the turn's last event; nothing if all was seen.

        Raises ApiError (404, or 409 ``ahead_of_log``), ProtocolError, and Unreachable when the patience is used up.
        """
        while True:
            try:
                headers = {"Last-Event-ID": str(self.seen)} if self.seen else {}
                async with self._transport.stream(self._path, headers) as chunks:
                    if chunks is None:
                        return
                    async for entry in self._read(chunks):
                        yield entry
                        if is_end(entry):
                            return
            except Cut as cut:
                await self._wait(cut, cut.asked)
            else:
                await self._wait(None, self._retry_ms / 1000)

    async def _read(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[LogEntry]:
        parser = SSEParser()
        async for chunk in chunks:
            self._patience.met()
            for event in _feed(parser, chunk):
                seq = _seq(event)
                if seq > self.seen:
                    self.seen = seq
                    yield LogEntry(seq, event.event, event.data)
            self._retry_ms = parser.retry_ms or self._retry_ms

    async def _wait(self, cut: Cut | None, asked: float) -> None:
        """Wait for the server, and raise what went wrong once the patience is used up."""
        reason = cut.error.message if cut else "the server ended the stream"
        wait = self._patience.wait(reason, asked)
        if wait is None:
            raise (
                cut.error
                if cut
                else ProtocolError("The server ends the stream again and again without an end of the turn.")
            )
        if self._on_wait:
            self._on_wait(wait)
        await asyncio.sleep(wait.delay)


def _feed(parser: SSEParser, chunk: bytes) -> list[ServerEvent]:
    try:
        return parser.feed(chunk)
    except EventTooLarge as error:
        raise ProtocolError(str(error)) from error


def _seq(event: ServerEvent) -> int:
    if not (event.id.isascii() and event.id.isdecimal() and len(event.id) < 16):
        raise ProtocolError(f"An event has no number: {event.id!r}")
    return int(event.id)
