"""Endpoint: the door at ``/mcp``, which asks for the owner's secret and loads the rest when somebody has it."""

import asyncio
import importlib
from collections.abc import Callable
from typing import cast

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from luxx.http.owner import OwnerSecret
from luxx.http.parts import HttpOptions, Parts

PATH = "/mcp"

_SDK_SIDE = "luxx.http.mcp_server.service"


class McpEndpoint:
    """Answers the requests of MCP clients; owns the service, which is made at the first of them."""

    def __init__(self, parts: Parts, options: HttpOptions, secret: OwnerSecret) -> None:
        self._parts = parts
        self._options = options
        self._secret = secret
        self._loading = asyncio.Lock()
        self._service: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises SecretRequired: the cookie of the page does not count, for it is not the page that asks."""
        self._secret.require(Headers(scope=scope).get("authorization"), {})
        service = self._service or await self._load()
        await service(scope, receive, send)

    async def _load(self) -> ASGIApp:
        async with self._loading:
            if self._service is None:
                module = await asyncio.to_thread(importlib.import_module, _SDK_SIDE)
                make = cast(Callable[[Parts, HttpOptions, bytes], ASGIApp], module.Service)
                self._service = make(self._parts, self._options, self._secret.derived("mcp approvals"))
            return self._service
