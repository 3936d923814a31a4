"""Servers: the OpenAPI documents that people have brought, as a source of tools."""

import asyncio
import functools
from collections.abc import Callable, Sequence

import msgspec
import structlog

from luxx.core.errors import ConfigurationError, NotFound
from luxx.core.tool_servers import OpenApiTarget, ToolServer, ToolServerStore
from luxx.tools.builtin.web.client import WebClient
from luxx.tools.errors import ToolError
from luxx.tools.mcp.names import tool_name
from luxx.tools.mcp.tools import AnyObject
from luxx.tools.openapi.document import BadDocument, read_document
from luxx.tools.openapi.tools import Access, Service, service_of
from luxx.tools.tool import Tool

QUERY_SECRET = "query:"
"""A secret under such a name goes into the address; any other is a header."""

_KEPT = 256

log = structlog.stdlib.get_logger(__name__)


class Offer(msgspec.Struct, frozen=True):
    """What a document offers, for the person who brings it: the tools' names, and what was left out and why."""

    title: str
    tools: tuple[str, ...]
    problems: tuple[str, ...]


class OpenApiServers:
    """Implements luxx.tools.sources.Source. `client_for` gives the client for a person's services: one that reaches private addresses
    for who may use them, else one with the guard of web fetch.
    """

    def __init__(self, store: ToolServerStore, client_for: Callable[[str], WebClient]) -> None:
        self._store = store
        self._client_for = client_for
        self._tools: dict[str, tuple[ToolServer, tuple[Tool, ...]]] = {}

    async def tools(self, owner: str) -> Sequence[Tool]:
        """Return the tools of the person's enabled documents, in the order in which these were added."""
        servers = await self._store.list(owner)
        found = [await self._of(owner, server) for server in servers if server.kind == "openapi" and server.enabled]
        return tuple(tool for tools in found for tool in tools)

    async def _of(self, owner: str, server: ToolServer) -> tuple[Tool, ...]:
        known = self._tools.get(server.id)
        if known and known[0] == server:
            return known[1]
        try:
            server, secrets = await self._store.credentials(owner, server.id)
            tools = (await asyncio.to_thread(_service, server, self._client_for(owner), secrets)).tools
        except (BadDocument, NotFound, ConfigurationError) as error:
            log.warning("openapi_tools_left_out", server=server.name, reason=str(error))
            return ()
        if len(self._tools) >= _KEPT:
            self._tools.clear()
        self._tools[server.id] = (server, tools)
        return tools


async def fetched(client: WebClient, url: str) -> bytes:
    """Return the document at a URL. Raises BadDocument."""
    try:
        answer = await client.request("GET", url, headers={"Accept": "application/json, application/yaml, */*;q=0.5"})
    except ToolError as error:
        raise BadDocument(str(error)) from error
    if answer.status != 200 or answer.cut:
        raise BadDocument("The document is too large." if answer.cut else f"{url} answered {answer.status}.")
    return answer.data


async def new_target(
    data: bytes, client: WebClient, base_url: str = "", found_at: str = ""
) -> tuple[OpenApiTarget, Offer]:
    """Return what is to be stored of a document, and what it offers. Raises BadDocument.

    It works in a thread: YAML is slow to read.
    """
    return await asyncio.to_thread(_taken, data, client, base_url, found_at)


def _taken(data: bytes, client: WebClient, base_url: str, found_at: str) -> tuple[OpenApiTarget, Offer]:
    document = read_document(data)
    service = service_of(
        document, client, name=str, source="", reader=AnyObject(), base_url=base_url, found_at=found_at
    )
    target = OpenApiTarget(base_url=service.base_url, document=document.json())
    return target, Offer(service.title, tuple(tool.name for tool in service.tools), service.problems)


def _service(server: ToolServer, client: WebClient, secrets: dict[str, str]) -> Service:
    target = server.target
    if not isinstance(target, OpenApiTarget):
        raise BadDocument("this is no OpenAPI document")
    query = {name.removeprefix(QUERY_SECRET): value for name, value in secrets.items() if name.startswith(QUERY_SECRET)}
    headers = {name: value for name, value in secrets.items() if not name.startswith(QUERY_SECRET)}
    return service_of(
        read_document(target.document.encode()),
        client,
        name=functools.partial(tool_name, server.name),
        source=server.name,
        reader=AnyObject(),
        base_url=target.base_url,
        access=Access(headers=headers, query=query),
    )
