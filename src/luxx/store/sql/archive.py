"""The archive: luxx.store.archive.ArchiveStore, for every engine."""

from collections.abc import Callable

from luxx.core.archive import ArchivedConversation, ShareInclude, Source
from luxx.store.archive import HitPage, Share, TakenIn
from luxx.store.records import FileLimits
from luxx.store.sql import searching, shares, taking_in, trees
from luxx.store.sql.connection import Connection
from luxx.store.sql.readers import Readers
from luxx.store.sql.writer import Writer

_IDS = "SELECT id FROM conversation WHERE owner_id = ? AND deleted_at IS NULL AND id > ? ORDER BY id LIMIT ?"


class SqlArchive:
    """See ArchiveStore for what each method does. `index` brings messages into an index that does not keep itself."""

    def __init__(
        self, writer: Writer, readers: Readers, limits: FileLimits, index: Callable[[Connection], int] | None = None
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._limits = limits
        self._index = index

    async def search(self, owner: str, query: str, limit: int, cursor: str | None) -> HitPage:
        """See ArchiveStore."""
        after = None if cursor is None else searching.position(cursor)
        return await self._readers.search(lambda connection: searching.search(connection, owner, query, limit, after))

    async def index(self) -> int:
        """See ArchiveStore."""
        return 0 if self._index is None else await self._writer.write(self._index)

    async def whole(self, owner: str, conversation_id: str) -> ArchivedConversation:
        """See ArchiveStore."""
        return await self._readers.read(lambda connection: trees.whole(connection, owner, conversation_id))

    async def ids(self, owner: str, after: str | None, limit: int) -> tuple[str, ...]:
        """See ArchiveStore."""
        values = (owner, after or "", limit)
        return await self._readers.read(
            lambda connection: tuple(found for (found,) in connection.execute(_IDS, values))
        )

    async def take_in(self, owner: str, source: Source, conversation: ArchivedConversation) -> TakenIn:
        """See ArchiveStore."""
        limits = self._limits
        return await self._writer.write(
            lambda connection: taking_in.take_in(connection, owner, source, conversation, limits)
        )

    async def share(
        self,
        owner: str,
        conversation_id: str,
        title: str,
        include: tuple[ShareInclude, ...],
        token_hash: bytes,
        body: bytes,
    ) -> Share:
        """See ArchiveStore."""
        new = shares.NewShare(conversation_id, title, include, token_hash, body)
        return await self._writer.write(lambda connection: shares.share(connection, owner, new))

    async def shares(self, owner: str) -> tuple[Share, ...]:
        """See ArchiveStore."""
        return await self._readers.read(lambda connection: shares.shares(connection, owner))

    async def unshare(self, owner: str, share_id: str) -> None:
        """See ArchiveStore."""
        await self._writer.write(lambda connection: shares.unshare(connection, owner, share_id))

    async def shared(self, token_hash: bytes) -> bytes:
        """See ArchiveStore."""
        return await self._readers.read(lambda connection: shares.shared(connection, token_hash))
