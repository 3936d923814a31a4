"""Servers: the OpenAPI documents that people have brought, as a source of tools."""

import asyncio
import functools
from collections.abc import Callable, Sequence

import msgspec
import structlog

from luxx.core.errors import ConfigurationError, InvalidRequest, NotFound, ToolServerFailed
from luxx.core.openapi import DocumentSource, Offer, OfferChange
from luxx.core.tool_servers import OpenApiTarget, ToolServer, ToolServerStore, mark_of
from luxx.tools.builtin.web.client import WebClient
from luxx.tools.builtin.web.guard import is_local
from luxx.tools.errors import ToolError
from luxx.tools.mcp.names import tool_name
from luxx.tools.openapi.document import BadDocument, read_document
from luxx.tools.openapi.tools import Access, Current, Service, service_of
from luxx.tools.tool import Tool

QUERY_SECRET = "query:"
"""A secret under such a name goes into the address; any other is a header."""

ClientFor = Callable[[str, Sequence[str]], WebClient]
"""Returns the client for a person's services: one with the guard of web fetch, but that it reaches the places named, wherever they are,
if the person may use private addresses.
"""

_KEPT = 256
_CHANGED = "The call was not made: the service was changed, switched off or removed since this turn began."

log = structlog.stdlib.get_logger(__name__)


class OpenApiServers:
    """Implements luxx.tools.sources.Source and luxx.core.openapi.OpenApiHost; owns the tools made of the documents."""

    def __init__(self, store: ToolServerStore, client_for: ClientFor) -> None:
        self._store = store
        self._client_for = client_for
        self._services: dict[str, tuple[ToolServer, Service]] = {}

    async def tools(self, owner: str) -> Sequence[Tool]:
        """Return the tools of the person's enabled documents, in the order in which these were added."""
        servers = await self._store.list(owner)
        found = [await self._tools(owner, server) for server in servers if server.kind == "openapi" and server.enabled]
        return tuple(tool for tools in found for tool in tools)

    async def offer(self, owner: str, server: ToolServer) -> Offer:
        """See OpenApiHost."""
        try:
            service = await self._service(owner, server)
        except (BadDocument, ConfigurationError) as error:
            return Offer(left_out=(str(error),))
        return _offer(service)

    async def take(self, owner: str, source: DocumentSource) -> OpenApiTarget:
        """See OpenApiHost."""
        field = "url" if source.url else "document"
        try:
            data = await self._fetched(owner, source.url) if source.url else source.document.encode()
        except BadDocument as error:
            raise InvalidRequest(str(error), field) from error
        return await self._target(owner, data, source, field)

    async def take_again(
        self, owner: str, server: ToolServer, document: str | None
    ) -> tuple[OpenApiTarget, OfferChange]:
        """See OpenApiHost."""
        old = _target_of(server)
        if document is None and not old.url:
            raise InvalidRequest("is required: the document was brought as a text", "document")
        try:
            data = await self._fetched(owner, old.url) if document is None else document.encode()
        except BadDocument as error:
            raise ToolServerFailed(str(error)) from error
        source = DocumentSource(url=old.url, base_url=old.base_url if old.named else "")
        target = await self._target(owner, data, source, "document")
        return target, await asyncio.to_thread(_difference, self._client_for(owner, ()), old, target, server.name)

    async def _target(self, owner: str, data: bytes, source: DocumentSource, field: str) -> OpenApiTarget:
        client = self._client_for(owner, ())
        try:
            target, _ = await new_target(data, client, source.base_url, source.url)
        except BadDocument as error:
            raise InvalidRequest(str(error), field) from error
        if refusal := self._client_for(owner, _named(target)).refusal(target.base_url):
            who = "" if target.named else f"The document says that the service is at {target.base_url[:200]}. "
            how = "" if target.named else " If that is right, say so with base_url."
            raise InvalidRequest(f"{who}{refusal}{how}", "base_url")
        return target

    async def _fetched(self, owner: str, url: str) -> bytes:
        return await fetched(self._client_for(owner, (url,)), url)

    async def _tools(self, owner: str, server: ToolServer) -> tuple[Tool, ...]:
        try:
            return (await self._service(owner, server)).tools
        except (BadDocument, NotFound, ConfigurationError) as error:
            log.warning("openapi_tools_left_out", server=server.name, reason=str(error))
            return ()

    async def _service(self, owner: str, server: ToolServer) -> Service:
        """Return the tools of a stored document. Raises BadDocument, NotFound, ConfigurationError."""
        known = self._services.get(server.id)
        if known and known[0] == server:
            return known[1]
        server, secrets = await self._store.credentials(owner, server.id)
        client = self._client_for(owner, _named(_target_of(server)))
        current = functools.partial(self._access, owner, server)
        target, access = _target_of(server), _access(secrets)
        service = await asyncio.to_thread(
            _stored, target, server.name, client, trusted=server.trusted, access=access, current=current
        )
        tools = tuple(msgspec.structs.replace(tool, target=mark_of(server)) for tool in service.tools)
        service = msgspec.structs.replace(service, tools=tools)
        if len(self._services) >= _KEPT:
            self._services.clear()
        self._services[server.id] = (server, service)
        return service

    async def _access(self, owner: str, server: ToolServer) -> Access:
        """Return the secrets as they are now. Raises ToolError if the service is no longer the one that the tools were made for."""
        try:
            now, secrets = await self._store.credentials(owner, server.id)
        except NotFound as error:
            raise ToolError(_CHANGED) from error
        except ConfigurationError as error:
            raise ToolError(str(error)) from error
        if not now.enabled or now.target != server.target or (server.trusted and not now.trusted):
            raise ToolError(_CHANGED)
        return _access(secrets)


async def fetched(client: WebClient, url: str) -> bytes:
    """Return the document at a URL. Raises BadDocument."""
    try:
        answer = await client.request("GET", url, headers={"Accept": "application/json, application/yaml, */*;q=0.5"})
    except ToolError as error:
        raise BadDocument(str(error)) from error
    if answer.status != 200 or answer.cut:
        raise BadDocument("The document is too large." if answer.cut else f"{url[:200]} answered {answer.status}.")
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
    service = service_of(document, client, name=str, source="", base_url=base_url, found_at=found_at)
    target = OpenApiTarget(base_url=service.base_url, document=document.json(), url=found_at, named=bool(base_url))
    return target, _offer(service)


def _offer(service: Service) -> Offer:
    return Offer(title=service.title, operations=service.operations, left_out=service.problems)


def _named(target: OpenApiTarget) -> tuple[str, ...]:
    """Return the places that a person has named for a service, which may be at a private address.

    Where the document lies is such a place only if it is spelled as a local one: a name of the internet could lead into the local
    network later.
    """
    if target.named:
        return (target.base_url,)
    return (target.url,) if target.url and is_local(target.url) else ()


def _access(secrets: dict[str, str]) -> Access:
    query = {name.removeprefix(QUERY_SECRET): value for name, value in secrets.items() if name.startswith(QUERY_SECRET)}
    headers = {name: value for name, value in secrets.items() if not name.startswith(QUERY_SECRET)}
    return Access(headers=headers, query=query)


def _target_of(server: ToolServer) -> OpenApiTarget:
    if not isinstance(server.target, OpenApiTarget):
        raise NotFound("There is no such OpenAPI service.")
    return server.target


def _stored(
    target: OpenApiTarget,
    name: str,
    client: WebClient,
    *,
    trusted: bool = False,
    access: Access | None = None,
    current: Current | None = None,
) -> Service:
    return service_of(
        read_document(target.document.encode()),
        client,
        name=functools.partial(tool_name, name),
        source=name,
        base_url=target.base_url,
        trusted=trusted,
        access=access,
        current=current,
    )


def _difference(client: WebClient, old: OpenApiTarget, new: OpenApiTarget, name: str) -> OfferChange:
    before, after = (_specs(client, target, name) for target in (old, new))
    return OfferChange(
        added=tuple(tool for tool in after if tool not in before),
        removed=tuple(tool for tool in before if tool not in after),
        changed=tuple(tool for tool in after if tool in before and after[tool] != before[tool]),
    )


def _specs(client: WebClient, target: OpenApiTarget, name: str) -> dict[str, object]:
    """Return what a model is told of each tool, and how it is called; nothing for a document that cannot be read any longer."""
    try:
        service = _stored(target, name, client)
    except BadDocument:
        return {}
    return {
        tool.name: (tool.spec, one.method, one.path)
        for tool, one in zip(service.tools, service.operations, strict=True)
    }
