"""Servers: the MCP servers of all people on this node, as a source of tools and for the API."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Coroutine, Sequence
from typing import Any

import msgspec
import structlog

from luxx.core.errors import LuxxError, NotFound, ToolServerFailed
from luxx.core.ports import Check
from luxx.core.tool_servers import (
    HttpTarget,
    OpenApiTarget,
    PromptInfo,
    PromptMessage,
    ServerState,
    ToolServer,
    ToolServerStore,
)
from luxx.tools.errors import ToolError
from luxx.tools.mcp.connection import Connection, Limits
from luxx.tools.mcp.listing import Listing, decode, encode
from luxx.tools.mcp.logins import Logins, ServerLogin, leave, without_tokens
from luxx.tools.mcp.tools import tools_of
from luxx.tools.mcp.wire import Launch, ServerFailed, Session
from luxx.tools.tool import Tool

_CLOSE_S = 10.0

log = structlog.stdlib.get_logger(__name__)


class McpServers:
    """Implements luxx.tools.sources.Source and luxx.core.tool_servers.ToolServerHost.

    Owns the connections of this node and their tasks: between `start` and `aclose`. The tools of a server come from what the store
    keeps of it, so that no server has to run for a turn to begin, and so that the tools are the same after a restart; each
    connection brings that up to date. What other nodes change is read from the store with each turn and each call.
    """

    def __init__(self, store: ToolServerStore, limits: Limits | None = None) -> None:
        self._store = store
        self._limits = limits or Limits()
        self._tasks = asyncio.TaskGroup()
        self._started = False
        self.logins = Logins()
        self._connections: dict[str, _Entry] = {}
        self._listings: dict[str, tuple[bytes, Listing]] = {}
        self._tools: dict[str, tuple[ToolServer, tuple[Tool, ...]]] = {}
        self._first: dict[str, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Let servers be used."""
        await self._tasks.__aenter__()
        self._started = True

    async def aclose(self) -> None:
        """Stop all servers."""
        if not self._started:
            return
        entries, self._connections = list(self._connections.values()), {}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await asyncio.gather(*(entry.connection.close() for entry in entries))
        for task in tuple(self._first.values()):
            task.cancel()
        await self._tasks.__aexit__(None, None, None)

    async def tools(self, owner: str) -> Sequence[Tool]:
        """See Source."""
        servers = await self._enabled(owner)
        if await self._listed_first(owner, servers):
            servers = await self._enabled(owner)
        return tuple(tool for server in servers for tool in self._tools_of(owner, server))

    def state(self, server: ToolServer) -> ServerState:
        """See ToolServerHost."""
        entry = self._connections.get(server.id)
        state = entry.connection.state if entry else ServerState()
        listing = self._listing(server)
        if listing is None:
            return state
        identity = listing.identity
        return msgspec.structs.replace(
            state,
            protocol=identity.protocol or None,
            title=identity.title or None,
            instructions=identity.instructions or None,
            tools=len(listing.tools),
            left_out=listing.left_out,
            problems=listing.problems,
        )

    def changed(self, owner: str, server_id: str) -> None:
        """See ToolServerHost."""
        if entry := self._connections.pop(server_id, None):
            self._spawn(entry.connection.close())
        for known in (self._listings, self._tools, self._first):
            known.pop(server_id, None)
        self._first[server_id] = self._spawn(self._list_first(owner, server_id))

    async def check(self, owner: str, server_id: str) -> Check:
        """See ToolServerHost."""
        server = await self._store.get(owner, server_id)
        try:
            connection = await self._connection(owner, server)
            connection.retry()
            async with connection.session() as session:
                identity = session.identity
        except (ServerFailed, ToolError) as error:
            return Check(ok=False, detail=f"The server cannot be used: {error}")
        state = self.state(await self._store.get(owner, server_id))
        extras = [word for word, there in (("resources", identity.resources), ("prompts", identity.prompts)) if there]
        extras += [f"{state.left_out:,} tools left out"] if state.left_out else []
        beside = f"; {', '.join(extras)}" if extras else ""
        found = (
            f"{state.title or 'The server'} speaks MCP {identity.protocol} and offers {state.tools or 0} tools{beside}."
        )
        return Check(ok=True, detail="\n".join((found, *state.problems)))

    async def logged_in(self, owner: str, state: str, code: str, issuer: str | None) -> bool:
        """See ToolServerHost."""
        return self.logins.returned(state, code, issuer) or await leave(self._store, owner, state, code, issuer)

    async def prompts(self, owner: str, server_id: str) -> tuple[PromptInfo, ...]:
        """See ToolServerHost."""
        async with self._asked(owner, server_id) as session:
            return await session.prompts() if session.identity.prompts else ()

    async def prompt(
        self, owner: str, server_id: str, name: str, arguments: dict[str, str]
    ) -> tuple[PromptMessage, ...]:
        """See ToolServerHost."""
        async with self._asked(owner, server_id) as session:
            return await session.prompt(name, arguments)

    @contextlib.asynccontextmanager
    async def _asked(self, owner: str, server_id: str) -> AsyncGenerator[Session]:
        server = await self._store.get(owner, server_id)
        try:
            connection = await self._connection(owner, server)
            async with connection.session() as session, asyncio.timeout(self._limits.patience.call_s):
                yield session
        except TimeoutError as error:
            raise ToolServerFailed(f"The server {server.name} did not answer in time.") from error
        except (ServerFailed, ToolError) as error:
            raise ToolServerFailed(f"The server {server.name} failed: {error}") from error

    async def _enabled(self, owner: str) -> list[ToolServer]:
        servers = await self._store.list(owner)
        return [server for server in servers if server.enabled and not isinstance(server.target, OpenApiTarget)]

    def _tools_of(self, owner: str, server: ToolServer) -> tuple[Tool, ...]:
        known = self._tools.get(server.id)
        if known and known[0] == server:
            return known[1]
        listing = self._listing(server)
        if listing is None:
            return ()

        async def connect() -> Connection:
            return await self._connection(owner, server)

        tools = tools_of(server, listing, connect, self._limits.patience)
        self._tools[server.id] = (server, tools)
        return tools

    def _listing(self, server: ToolServer) -> Listing | None:
        if server.tools is None:
            return None
        known = self._listings.get(server.id)
        if known and known[0] == server.tools:
            return known[1]
        listing = decode(server.tools)
        if listing is not None:
            self._listings[server.id] = (server.tools, listing)
        return listing

    async def _listed_first(self, owner: str, servers: list[ToolServer]) -> bool:
        """Wait a moment for servers that were never listed, once for each; tell whether there was anything to wait for."""
        waiting: list[asyncio.Task[None]] = []
        for server in servers:
            if self._listing(server) is not None:
                continue
            if server.id not in self._first:
                self._first[server.id] = self._spawn(self._list_first(owner, server.id))
            if not self._first[server.id].done():
                waiting.append(self._first[server.id])
        if not waiting:
            return False
        await asyncio.wait(waiting, timeout=self._limits.patience.listing_s)
        return True

    async def _list_first(self, owner: str, server_id: str) -> None:
        try:
            server = await self._store.get(owner, server_id)
            if server.enabled and not isinstance(server.target, OpenApiTarget):
                async with (await self._connection(owner, server)).session():
                    return
        except (ServerFailed, ToolError, LuxxError) as error:
            log.info("mcp_server_not_listed", server=server_id, reason=str(error))

    async def _connection(self, owner: str, server: ToolServer) -> Connection:
        """Return the connection with a server as it is now. Raises ToolError if it is not the one that the tools came from."""
        try:
            current, secrets = await self._store.credentials(owner, server.id)
        except NotFound as error:
            raise ToolError(f"The server {server.name} was removed.") from error
        if not current.enabled or current.target != server.target or current.trusted < server.trusted:
            raise ToolError(f"The server {server.name} was changed or switched off: this call was not made.")
        if isinstance(current.target, OpenApiTarget):
            raise ToolError(f"{server.name} is no MCP server.")
        entry = self._connections.get(server.id)
        if entry and entry.is_for(current, without_tokens(secrets)):
            return entry.connection
        if entry:
            self._spawn(entry.connection.close())

        async def listed(listing: Listing) -> None:
            await self._keep(owner, current, listing)

        given = without_tokens(secrets)
        login = self._login(owner, current, given)
        launch = Launch(target=current.target, secrets=given, authorizer=login)
        made = _Entry(current, given, Connection(launch, self._limits, self._spawn, listed))
        if login:
            login.asked = made.connection
        self._connections[server.id] = made
        return made.connection

    async def _keep(self, owner: str, server: ToolServer, listing: Listing) -> None:
        """Keep what a server offers. A store that fails costs nothing but time: it is asked again at the next connection."""
        data = encode(listing)
        try:
            if (await self._store.get(owner, server.id)).tools != data:
                await self._store.set_tools(owner, server, data)
        except LuxxError as error:
            log.warning("mcp_tools_not_kept", server=server.name, reason=error.message)

    def _login(self, owner: str, server: ToolServer, secrets: dict[str, str]) -> ServerLogin | None:
        """Return how to log in to a server, where that is possible: it has an address, and no token was given."""
        has_token = any(name.lower() == "authorization" for name in secrets)
        if not isinstance(server.target, HttpTarget) or has_token or self.logins.redirect_uri is None:
            return None
        return ServerLogin(self.logins, self._store, owner, server)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self._tasks.create_task(work)


class _Entry:
    """A connection and the server that it was made for."""

    def __init__(self, server: ToolServer, secrets: dict[str, str], connection: Connection) -> None:
        self._made_for = (server.target, secrets)
        self.connection = connection

    def is_for(self, server: ToolServer, secrets: dict[str, str]) -> bool:
        """Whether the connection would be made like this for the server as it is now."""
        return self._made_for == (server.target, secrets)
