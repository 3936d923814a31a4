"""A wire that can also break what it carries into small pieces."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Iterator

from tests.wire import Wire


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
                for piece in self._pieces(data):
                    sink.write(piece)
                    await sink.drain()
                    await asyncio.sleep(0)
        sink.close()

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        if not self.fragments:
            yield data
            return
        while data:
            size = self._dice.choice((1, 3, 17, 200))
            yield data[:size]
            data = data[size:]


@contextlib.asynccontextmanager
async def rough_wire(target: int, dice: random.Random) -> AsyncIterator[RoughWire]:
    """Lay a rough wire to a port of this machine."""
    laid = RoughWire(target, dice)
    server = await asyncio.start_server(laid.serve, "127.0.0.1", 0)
    laid.port = server.sockets[0].getsockname()[1]
    try:
        yield laid
    finally:
        server.close()
        laid.go_on()
        laid.cut()
        await asyncio.sleep(0)
