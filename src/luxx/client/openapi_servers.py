"""OpenAPI services: the part of the client that deals with them."""

import re
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from luxx.client.transport import Transport
from luxx.core.errors import InvalidRequest
from luxx.core.openapi import OfferChange, OfferedOperation

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_PATH = "api/openapi-servers"


class OpenApiServer(msgspec.Struct, frozen=True, kw_only=True):
    """A web service; what follows `created_at` comes with a single one."""

    id: str
    name: str
    url: str | None = None
    base_url: str
    named: bool = False
    has_secrets: bool = False
    trusted: bool = False
    enabled: bool = True
    created_at: str = ""
    secrets: tuple[str, ...] = ()
    title: str = ""
    operations: tuple[OfferedOperation, ...] = ()
    left_out: tuple[str, ...] = ()


class OpenApiServerFields(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a web service to add, by the `url` of its document or the `document` itself, or to change."""

    name: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    document: str | UnsetType = UNSET
    base_url: str | UnsetType = UNSET
    secrets: dict[str, str] | UnsetType = UNSET
    trusted: bool | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class OpenApiRefreshed(msgspec.Struct, frozen=True, kw_only=True):
    """What is different about a document that was read again; after `moved`, secrets and trust are gone."""

    change: OfferChange
    moved: bool
    server: OpenApiServer


class _Servers(msgspec.Struct, frozen=True):
    items: tuple[OpenApiServer, ...]


class OpenApiServers:
    """The web services of a person. Methods raise ApiError for what the server refuses."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self) -> tuple[OpenApiServer, ...]:
        """Return all, oldest first."""
        return (await self._transport.call("GET", _PATH, _Servers)).items

    async def get(self, server_id: str) -> OpenApiServer:
        """Return one, with what its document offers."""
        return await self._transport.call("GET", _one(server_id), OpenApiServer)

    async def add(self, fields: OpenApiServerFields) -> OpenApiServer:
        """Add one. Needs the owner's secret."""
        return await self._transport.call("POST", _PATH, OpenApiServer, body=_body(fields), repeat=False)

    async def change(self, server_id: str, fields: OpenApiServerFields) -> OpenApiServer:
        """Change the fields that are set. Needs the owner's secret."""
        return await self._transport.call("PATCH", _one(server_id), OpenApiServer, body=_body(fields))

    async def refresh(self, server_id: str, document: str | None = None) -> OpenApiRefreshed:
        """Have the document fetched again, or replace it. Needs the owner's secret."""
        body = {} if document is None else {"document": document}
        return await self._transport.call(
            "POST", f"{_one(server_id)}/refresh", OpenApiRefreshed, body=body, repeat=False
        )

    async def delete(self, server_id: str) -> None:
        """Delete one. Needs the owner's secret."""
        await self._transport.call("DELETE", _one(server_id), type(None), repeat=False)


def _body(fields: OpenApiServerFields) -> dict[str, Any]:
    return msgspec.to_builtins(fields)


def _one(server_id: str) -> str:
    if not _ID.fullmatch(server_id):
        raise InvalidRequest(f"{server_id!r} is not an id")
    return f"{_PATH}/{server_id}"
