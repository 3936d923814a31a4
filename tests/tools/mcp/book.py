"""Book: a store of tool servers in memory, and MCP servers over it, as tests use them."""

import contextlib
import hashlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from luxx.core.errors import NotFound
from luxx.core.tool_servers import HttpTarget, NewToolServer, SecretsChange, StdioTarget, ToolServer, ToolServerChange
from luxx.tools.box import Toolbox
from luxx.tools.mcp.connection import Limits, Patience
from luxx.tools.mcp.servers import McpServers
from luxx.tools.mcp.wire import Bounds
from luxx.tools.sources import ToolSources

OWNER = "owner-1"
HOSTILE = Path(__file__).with_name("hostile_server.py")
QUICK = Limits(
    patience=Patience(connect_s=20, call_s=20, whole_call_s=60, idle_s=60, listing_s=15),
    bounds=Bounds(stop_s=0.5),
)


class Book:
    """See luxx.core.tool_servers.ToolServerStore."""

    def __init__(self) -> None:
        self.servers: dict[str, ToolServer] = {}
        self.secrets: dict[str, dict[str, str]] = {}

    async def create(self, owner: str, new: NewToolServer) -> ToolServer:
        made = ToolServer(
            id=f"server-{len(self.servers) + 1}",
            name=new.name,
            target=new.target,
            trusted=new.trusted,
            enabled=new.enabled,
            created_at="2026-11-22T00:00:00.000000Z",
            secrets_tag=_tag(new.secrets),
        )
        self.servers[made.id] = made
        self.secrets[made.id] = new.secrets
        return made

    async def get(self, owner: str, server_id: str) -> ToolServer:
        if server_id not in self.servers:
            raise NotFound("There is no such tool server.")
        return self.servers[server_id]

    async def list(self, owner: str) -> tuple[ToolServer, ...]:
        return tuple(self.servers.values())

    async def change(self, owner: str, server_id: str, change: ToolServerChange) -> ToolServer:
        fields = {
            name: value for name in change.__struct_fields__ if (value := getattr(change, name)) is not msgspec.UNSET
        }
        if "secrets" in fields:
            self.secrets[server_id] = fields.pop("secrets")
            fields["secrets_tag"] = _tag(self.secrets[server_id])
        if "target" in fields:
            fields["tools"] = None
        self.servers[server_id] = msgspec.structs.replace(self.servers[server_id], **fields)
        return self.servers[server_id]

    async def delete(self, owner: str, server_id: str) -> None:
        del self.servers[server_id]

    async def credentials(self, owner: str, server_id: str) -> tuple[ToolServer, dict[str, str]]:
        return await self.get(owner, server_id), self.secrets[server_id]

    async def change_secrets(self, owner: str, server: ToolServer, change: SecretsChange) -> bool:
        if server.id not in self.servers or self.servers[server.id].target != server.target:
            return False
        changed = change(self.secrets[server.id])
        if changed is not None:
            await self.change(owner, server.id, ToolServerChange(secrets=changed))
        return changed is not None

    async def set_tools(self, owner: str, server: ToolServer, tools: bytes) -> bool:
        self.servers[server.id] = msgspec.structs.replace(self.servers[server.id], tools=tools)
        return True


class Bench:
    """MCP servers of one person, and the box that a turn would have."""

    def __init__(self, book: Book, servers: McpServers) -> None:
        self.book = book
        self.servers = servers
        self.sources = ToolSources(Toolbox(()), [servers])

    async def add(
        self,
        name: str,
        target: StdioTarget | HttpTarget,
        *,
        trusted: bool = False,
        secrets: dict[str, str] | None = None,
    ) -> ToolServer:
        """Add a server."""
        new = NewToolServer(name=name, target=target, trusted=trusted, secrets=secrets or {})
        return await self.book.create(OWNER, new)

    async def names(self) -> list[str]:
        """Return the names of the tools that a turn would have."""
        return [info.name for info in await self.sources.offered(OWNER)]

    async def box(self) -> Toolbox:
        """Return a box with all tools."""
        return await self.sources.box(OWNER, tuple(await self.names()))


@contextlib.asynccontextmanager
async def bench(limits: Limits = QUICK, book: Book | None = None) -> AsyncIterator[Bench]:
    """Run MCP servers over a store in memory."""
    book = book or Book()
    servers = McpServers(book, limits)
    await servers.start()
    try:
        yield Bench(book, servers)
    finally:
        await servers.aclose()


def hostile(how: str, *more: str) -> StdioTarget:
    """Return the hostile server, which misbehaves in this way."""
    return StdioTarget(command=sys.executable, args=(str(HOSTILE), how, *more))


def module(name: str, *args: str) -> StdioTarget:
    """Return a server that is a module of Python."""
    return StdioTarget(command=sys.executable, args=("-m", name, *args))


def _tag(secrets: dict[str, str]) -> str:
    return hashlib.sha256(repr(secrets).encode()).hexdigest()[:8] if secrets else ""
