"""MCP servers: the part of the client that deals with them."""

import re
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from luxx.client.transport import Transport
from luxx.core.errors import InvalidRequest
from luxx.core.ports import Check
from luxx.core.tool_servers import ServerState

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_PATH = "api/mcp-servers"


class McpServer(msgspec.Struct, frozen=True, kw_only=True):
    """An MCP server; `secrets` names those that it has, for a single one."""

    id: str
    name: str
    kind: str
    command: str | None = None
    args: tuple[str, ...] = ()
    cwd: str | None = None
    url: str | None = None
    has_secrets: bool = False
    secrets: tuple[str, ...] = ()
    trusted: bool = False
    enabled: bool = True
    created_at: str = ""
    status: ServerState = ServerState()

    @property
    def place(self) -> str:
        """Where it is, in one line."""
        return self.url or " ".join((self.command or "", *self.args))


class McpServerFields(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of an MCP server to add or to change: `command`, `args`, `cwd`, `env` of a program, or `url`, `headers`."""

    name: str | UnsetType = UNSET
    command: str | UnsetType = UNSET
    args: tuple[str, ...] | UnsetType = UNSET
    cwd: str | UnsetType | None = UNSET
    env: dict[str, str] | UnsetType = UNSET
    url: str | UnsetType = UNSET
    headers: dict[str, str] | UnsetType = UNSET
    trusted: bool | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class _Servers(msgspec.Struct, frozen=True):
    items: tuple[McpServer, ...]


class McpServers:
    """The MCP servers of a person. Methods raise ApiError for what the server refuses."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self) -> tuple[McpServer, ...]:
        """Return all, oldest first."""
        return (await self._transport.call("GET", _PATH, _Servers)).items

    async def get(self, server_id: str) -> McpServer:
        """Return one, with its log."""
        return await self._transport.call("GET", _one(server_id), McpServer)

    async def add(self, fields: McpServerFields) -> McpServer:
        """Add one. Needs the owner's secret."""
        return await self._transport.call("POST", _PATH, McpServer, body=_body(fields), repeat=False)

    async def change(self, server_id: str, fields: McpServerFields) -> McpServer:
        """Change the fields that are set. Needs the owner's secret."""
        return await self._transport.call("PATCH", _one(server_id), McpServer, body=_body(fields))

    async def delete(self, server_id: str) -> None:
        """Delete one. Needs the owner's secret."""
        await self._transport.call("DELETE", _one(server_id), type(None), repeat=False)

    async def test(self, server_id: str) -> Check:
        """Connect to one and list its tools."""
        return await self._transport.call("POST", f"{_one(server_id)}/test", Check, body={})


def _body(fields: McpServerFields) -> dict[str, Any]:
    return msgspec.to_builtins(fields)


def _one(server_id: str) -> str:
    if not _ID.fullmatch(server_id):
        raise InvalidRequest(f"{server_id!r} is not an id")
    return f"{_PATH}/{server_id}"
