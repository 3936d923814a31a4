"""Wires that can do more than break: carry everything in small pieces, and lose the answer to a COMMIT."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Iterator
from typing import TypeVar

from tests.wire import Wire

_INSERTED, _COMMITTED = b"INSERT 0 ", b"C\x00\x00\x00\x0bCOMMIT\x00"
"""PostgreSQL's CommandComplete: of an INSERT, the beginning of its tag; of a COMMIT, the whole message."""


class RoughWire(Wire):
    """Passes bytes on, in pieces of any size while `fragments` is set."""

    def __init__(self, target: int, dice: random.Random) -> None:
        super().__init__(target)
        self.fragments = False
        self._dice = dice

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                await self._open.wait()
                await self._pass_on(data, sink)
        sink.close()

    async def _pass_on(self, data: bytes, sink: asyncio.StreamWriter) -> None:
        for piece in self._pieces(data):
            sink.write(piece)
            await sink.drain()
            await asyncio.sleep(0)

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        if not self.fragments:
            yield data
            return
        while data:
            size = self._dice.choice((1, 3, 17, 200))
            yield data[:size]
            data = data[size:]


SomeWire = TypeVar("SomeWire", bound=RoughWire)


class DatabaseWire(RoughWire):
    """A wire to PostgreSQL: of the next `to_lose` transactions that insert, the database's word that they are committed is
    swallowed and the connection broken; `lost` counts them."""

    to_lose = 0
    lost = 0

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        inserted = False
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                await self._open.wait()
                inserted = inserted or _INSERTED in data
                if _COMMITTED in data:
                    if inserted and self.to_lose:
                        self.to_lose, self.lost = self.to_lose - 1, self.lost + 1
                        sink.transport.abort()
                        return
                    inserted = False
                await self._pass_on(data, sink)
        sink.close()


@contextlib.asynccontextmanager
async def laid(wire: SomeWire) -> AsyncIterator[SomeWire]:
    """Lay a wire to a port of this machine, under a port of its own."""
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
        wire.go_on()
        wire.cut()
        await asyncio.sleep(0)
