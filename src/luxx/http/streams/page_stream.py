"""Multiplex: the notices and the events of several turns in one stream, since browsers allow six connections to a host."""

import asyncio
from collections.abc import AsyncGenerator, Mapping

import msgspec
from starlette.types import Receive

from luxx.core.events import LogEntry
from luxx.core.replay import is_end
from luxx.http.reply import Reply
from luxx.http.streams.positions import Cursor
from luxx.http.streams.sse import COME_BACK, KEEP_ALIVE, Batches, begin, body, until_gone
from luxx.turns.requests import Notice

_encoder = msgspec.json.Encoder()


class _Draining(Exception):
    """A log ended before its turn did: the server is shutting down."""


class PageStream:
    """One page's stream: each event says which turn it is of, and its id says where all turns of the stream are.

    Positions move and are sent under one lock, so that no id is ahead of what was sent before it.
    """

    def __init__(
        self,
        logs: Mapping[str, Batches],
        notices: AsyncGenerator[Notice | None, None],
        positions: dict[str, int],
        cursor: Cursor,
    ) -> None:
        self._logs = logs
        self._notices = notices
        self._positions = positions
        self._cursor = cursor
        self._turn_to_send = asyncio.Lock()

    async def run(self, receive: Receive, reply: Reply) -> None:
        """Stream until the server drains or the client has gone."""
        try:
            await begin(reply)
            await until_gone(receive, self._send_all(reply))
        finally:
            for source in (*self._logs.values(), self._notices):
                await source.aclose()

    async def _send_all(self, reply: Reply) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for turn_id, log in self._logs.items():
                    group.create_task(self._send_log(reply, turn_id, log))
                await self._send_notices(reply)
                raise _Draining
        except* _Draining:
            await reply.raw(body(COME_BACK, more=False))

    async def _send_log(self, reply: Reply, turn_id: str, log: Batches) -> None:
        ended = False
        async for entries in log:
            if entries:
                async with self._turn_to_send:
                    await reply.raw(body(b"".join(self._frame(turn_id, entry) for entry in entries)))
                ended = is_end(entries[-1])
        if not ended:
            raise _Draining

    async def _send_notices(self, reply: Reply) -> None:
        async for notice in self._notices:
            async with self._turn_to_send:
                piece = KEEP_ALIVE if notice is None else _event("notice", self._id(), _encoder.encode(notice))
                await reply.raw(body(piece))

    def _frame(self, turn_id: str, entry: LogEntry) -> bytes:
        self._positions[turn_id] = entry.seq
        data = b'{"turn":"%s","seq":%d,"data":%s}' % (turn_id.encode(), entry.seq, entry.data)
        return _event(entry.name, self._id(), data)

    def _id(self) -> str:
        return self._cursor.write(self._positions)


def _event(name: str, event_id: str, data: bytes) -> bytes:
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (event_id.encode(), name.encode(), data)
