"""A wire between a client and a server, which a test can cut or make deaf."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Wire:
    """Passes bytes on between its own port and a server's."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self._target = target
        self._ends: set[asyncio.StreamWriter] = set()
        self._open = asyncio.Event()
        self._open.set()

    def cut(self) -> None:
        """Break all connections, without a word to either side's program."""
        for end in list(self._ends):
            end.transport.abort()

    def stop(self) -> None:
        """Pass nothing on any more; connections stay."""
        self._open.clear()

    def go_on(self) -> None:
        """Pass on what waited, and what comes."""
        self._open.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._ends |= {writer, back}
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._carry(reader, back))
                tasks.create_task(self._carry(there, writer))
        finally:
            self._ends -= {writer, back}

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                await self._open.wait()
                sink.write(data)
                await sink.drain()
        sink.close()


@asynccontextmanager
async def wire(target: int) -> AsyncIterator[Wire]:
    """Lay a wire to a port of this machine."""
    laid = Wire(target)
    server = await asyncio.start_server(laid.serve, "127.0.0.1", 0)
    laid.port = server.sockets[0].getsockname()[1]
    try:
        yield laid
    finally:
        server.close()
        laid.go_on()
        laid.cut()
        await asyncio.sleep(0)
