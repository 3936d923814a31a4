"""MCP clients of a server in this process, over a real socket, with tools of the test's own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import uvicorn
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import TextContent
from starlette.types import ASGIApp

from luxx.core.ports import ToolInfo, Tools
from luxx.http.server import listen
from luxx.tools.box import Toolbox
from luxx.tools.tool import Tool
from tests.http.world import TOKEN, World, world

MODERN, LEGACY = "auto", "legacy"
MODES = (MODERN, LEGACY)


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}
ACCEPT = {"accept": "application/json, text/event-stream"}


def text(result: Any) -> str:  # noqa: ANN401 - any result with content
    return "".join(part.text for part in result.content if isinstance(part, TextContent))


class BoxTools:
    """All tools of a box, for everybody."""

    def __init__(self, box: Toolbox) -> None:
        self._box = box

    def replace(self, box: Toolbox) -> None:
        """Have others from now on."""
        self._box = box

    async def offered(self, owner: str) -> tuple[ToolInfo, ...]:
        """Return them."""
        return self._box.infos()

    async def targets(self, owner: str) -> dict[str, str]:
        """Have none that can be changed."""
        return {}

    async def box(self, owner: str, names: tuple[str, ...], targets: Mapping[str, str] | None = None) -> Toolbox:
        """Return those named."""
        return self._box.subset(names)


class McpWorld(msgspec.Struct, frozen=True):
    """A world with an address."""

    at: World
    url: str

    def client(self, mode: str = MODERN, **options: Any) -> contextlib.AbstractAsyncContextManager[Client]:  # noqa: ANN401
        """Return a client with the owner's secret, to be entered."""
        return client(self.url, TOKEN, mode, **options)


@contextlib.asynccontextmanager
async def client(url: str, token: str, mode: str = MODERN, **options: Any) -> AsyncIterator[Client]:  # noqa: ANN401
    """Connect the SDK's own client."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=mode, **options) as connected,
    ):
        yield connected


@contextlib.asynccontextmanager
async def mcp_world(
    path: Path,
    *tools: Tool,
    offering: Tools | None = None,
    around: Callable[[ASGIApp], ASGIApp] = lambda app: app,
    **options: int,
) -> AsyncIterator[McpWorld]:
    """Serve a world with these tools, or with another offer of them; `around` puts something before the app."""
    with contextlib.closing(listen("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
        async with world(path, tools=offering or BoxTools(Toolbox(tools)), port=port, **options) as at:
            config = uvicorn.Config(
                around(at.app), lifespan="off", log_config=None, ws="none", timeout_graceful_shutdown=1
            )
            server = _Server(config)
            async with asyncio.TaskGroup() as group:
                serving = group.create_task(server.serve([sock]))
                try:
                    yield McpWorld(at, f"http://127.0.0.1:{port}")
                finally:
                    server.should_exit = True
                    await serving


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them to pytest."""
        yield
