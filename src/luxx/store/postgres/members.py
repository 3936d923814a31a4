"""Members: this node among those that share the database."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable

import psycopg

from luxx.core.errors import StorageError
from luxx.core.ids import new_id
from luxx.store.news import News, Told
from luxx.store.postgres.lease import Lease
from luxx.store.postgres.others import Announcements, Ears, Voice
from luxx.store.sql import nodes
from luxx.store.sql.connection import Connection
from luxx.store.sql.writer import Writer

_DEAD = "SELECT id FROM node WHERE expires < clock_timestamp() FOR UPDATE SKIP LOCKED"


class Members:
    """See luxx.store.interface.Nodes and luxx.store.sql.member.Member. Owns the lease, and what is heard and said."""

    shared = True

    def __init__(self, lease: Lease, ears: Ears, lost: asyncio.Event, writer: Writer) -> None:
        """`lost` is set when the lease is."""
        self._lease = lease
        self._ears = ears
        self._lost = lost
        self._writer = writer
        self._voice = Voice(writer)
        self._words = Announcements(self._say, lambda: not lease.alone)

    @property
    def id(self) -> str:
        """See Nodes."""
        return self._lease.node

    @property
    def node(self) -> str:
        """See Member."""
        return self._lease.node

    def check(self) -> None:
        """See Nodes."""
        self._lease.check()

    async def lost(self) -> None:
        """See Nodes."""
        await self._lost.wait()

    async def join(self) -> None:
        """See Nodes."""
        await self.leave()
        self._lost.clear()
        try:
            await asyncio.to_thread(self._lease.hold, new_id())
        except psycopg.Error as error:
            raise StorageError(f"The database failed: {error}") from error

    async def reap(self) -> int:
        """See Nodes."""
        if self._lease.well_for < self._lease.times.ttl:
            return 0

        def job(connection: Connection) -> int:
            dead = [node for (node,) in connection.execute(_DEAD).fetchall()]
            nodes.bury(connection, dead)
            return len(dead)

        reaped = await self._writer.write(job)
        if reaped:
            self._words.freed()
        return reaped

    def listen(self) -> AsyncIterator[News]:
        """See Nodes."""
        return self._ears.listen()

    async def tell(self, text: str) -> None:
        """See Nodes."""
        await asyncio.shield(self._voice.tell(self.node, Told(text)))

    async def leave(self) -> None:
        """See Nodes."""
        node = self._lease.node
        await asyncio.to_thread(self._lease.let_go)
        await self._writer.write(lambda connection: nodes.leave(connection, node))
        self._words.freed()

    def tell_appended(self, turn_ids: Iterable[str]) -> None:
        """See Member."""
        self._words.grew(turn_ids)

    def tell_cancelled(self, turn_ids: Iterable[str]) -> None:
        """See Member."""
        self._words.cancelled(turn_ids)

    async def close(self) -> None:
        """Say and hear no more."""
        self._words.close()
        await self._voice.close()
        await asyncio.to_thread(self._ears.close)

    def _say(self, news: News) -> None:
        with contextlib.suppress(StorageError):  # closed: nothing is lost
            self._voice.tell(self.node, news)
