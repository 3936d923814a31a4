"""The store's parts: made of the connections that an engine opened, the same for each of them."""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

from luxx.store.records import FileLimits
from luxx.store.secrets import SecretBox
from luxx.store.sql.approvals import SqlApprovals
from luxx.store.sql.archive import SqlArchive
from luxx.store.sql.connection import Connection
from luxx.store.sql.conversations import SqlConversations
from luxx.store.sql.files import SqlFiles
from luxx.store.sql.installation import ping
from luxx.store.sql.member import Member
from luxx.store.sql.providers import SqlProviders
from luxx.store.sql.readers import Readers
from luxx.store.sql.tool_servers import SqlToolServers
from luxx.store.sql.turns import SqlTurns
from luxx.store.sql.writer import Writer

Node = TypeVar("Node", bound=Member)


class SqlStore(Generic[Node]):
    """See luxx.store.interface.Store; an engine adds how it is closed.

    `flushes` takes what the journal has grouped, `writer` everything else; both may be the same. `index` makes some of what is
    stored ready to be searched.
    """

    def __init__(
        self,
        *,
        flushes: Writer,
        writer: Writer,
        readers: Readers,
        nodes: Node,
        secrets: SecretBox,
        owner: str,
        limits: FileLimits,
        index: Callable[[Connection], int],
    ) -> None:
        self.owner: Final = owner
        self.nodes: Final = nodes
        self.turns: Final = SqlTurns(flushes, writer, readers, nodes, limits)
        self.approvals: Final = SqlApprovals(writer, readers)
        self.conversations: Final = SqlConversations(writer, readers, nodes)
        self.providers: Final = SqlProviders(writer, readers, secrets, shared=nodes.shared)
        self.tool_servers: Final = SqlToolServers(writer, readers, secrets, shared=nodes.shared)
        self.files: Final = SqlFiles(writer, readers, limits)
        self.archive: Final = SqlArchive(writer, readers, limits, index)
        self._writer = writer
        self._readers = readers

    @property
    def node(self) -> str:
        """See Store."""
        return self.nodes.node

    async def ping(self) -> None:
        """See Store."""
        await self._writer.write(ping)
