"""Parts: what the HTTP surface is built from, and how a route gets at it."""

import asyncio
from typing import Annotated, cast

import msgspec
from fastapi import Depends, Request

from luxx.core.openapi import OpenApiHost
from luxx.core.ports import Tools
from luxx.core.tool_servers import ToolServerHost
from luxx.http.limits import StreamLimit
from luxx.http.owner import OwnerSecret
from luxx.store.interface import Store
from luxx.turns.endpoints import Endpoints
from luxx.turns.supervisor import Supervisor


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """The rest of Luxx, as the surface uses it. `storage` names the kind of store, such as ``sqlite``."""

    store: Store
    supervisor: Supervisor
    endpoints: Endpoints
    tools: Tools
    tool_servers: ToolServerHost
    openapi: OpenApiHost
    owner_token: str
    version: str
    storage: str = "sqlite"


class HttpOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The surface's numbers. `port` is the one that people type, `hosts` the names under which they may reach it.

    `max_body`, `max_file` and `max_import` are in bytes, `heartbeat` in seconds.
    """

    port: int
    hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    max_body: int = 2_000_000
    max_file: int = 20_000_000
    max_import: int = 500_000_000
    max_message_chars: int = 400_000
    max_streams: int = 4_000
    max_turns_per_stream: int = 50
    heartbeat: float = 15.0


class Surface(msgspec.Struct, frozen=True):
    """What routes work with: the parts, the options, and the state that the surface itself has.

    `importing` is held while a file is imported, by one request at a time.
    """

    parts: Parts
    options: HttpOptions
    streams: StreamLimit
    secret: OwnerSecret
    importing: asyncio.Lock


async def surface_of(request: Request) -> Surface:
    """Return the surface that a request came to."""
    return cast(Surface, request.app.state.surface)  # starlette's state is untyped


async def caller(request: Request) -> str:
    """Return the user id of who calls: the person at this machine, until there are accounts."""
    return cast(Surface, request.app.state.surface).parts.store.owner  # starlette's state is untyped


async def owner_only(request: Request) -> None:
    """Let the request pass if it brings the owner's secret. Raises SecretRequired."""
    surface = cast(Surface, request.app.state.surface)  # starlette's state is untyped
    surface.secret.require(request.headers.get("authorization"), request.cookies)


Luxx = Annotated[Surface, Depends(surface_of)]
Caller = Annotated[str, Depends(caller)]
