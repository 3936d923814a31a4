"""Alone: the node of an embedded store, which shares its database with nobody."""

import asyncio
from collections.abc import AsyncIterator, Iterable

from luxx.core.ids import new_id
from luxx.store.news import News
from luxx.store.sql.connection import Connection
from luxx.store.sql.nodes import join, leave
from luxx.store.sql.writer import Writer


class Alone:
    """See luxx.store.interface.Nodes and luxx.store.sql.member.Member."""

    shared = False

    def __init__(self, writer: Writer, node: str) -> None:
        self.node = node
        self._writer = writer
        self._closed = asyncio.Event()

    @property
    def id(self) -> str:
        """See Nodes."""
        return self.node

    def check(self) -> None:
        """See Nodes: the lock on the data directory is not lost while the process lives."""

    async def lost(self) -> None:
        """See Nodes: it never returns."""
        await asyncio.get_running_loop().create_future()

    async def join(self) -> None:
        """See Nodes."""
        node = new_id()

        def job(connection: Connection) -> None:
            leave(connection, self.node)
            join(connection, node)

        await self._writer.write(job)
        self.node = node

    async def reap(self) -> int:
        """See Nodes: whoever was there before has been reaped when the store was opened."""
        return 0

    async def listen(self) -> AsyncIterator[News]:
        """See Nodes: nothing is ever heard."""
        await self._closed.wait()
        nothing: tuple[News, ...] = ()
        for news in nothing:
            yield news

    async def tell(self, text: str) -> None:
        """See Nodes: there is nobody to hear it."""

    async def leave(self) -> None:
        """See Nodes."""
        await self._writer.write(lambda connection: leave(connection, self.node))

    def tell_appended(self, turn_ids: Iterable[str]) -> None:
        """See Member: readers in this process are woken by the journal."""

    def tell_cancelled(self, turn_ids: Iterable[str]) -> None:
        """See Member: the supervisor of this process knows already."""

    def close(self) -> None:
        """End who listens."""
        self._closed.set()
