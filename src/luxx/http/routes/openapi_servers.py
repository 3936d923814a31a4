"""OpenAPI services: listed by anyone here, added and changed by who has the owner's secret."""

from typing import Any

from fastapi import APIRouter, Depends
from msgspec import UNSET
from starlette.responses import Response

from luxx.core.errors import InvalidRequest, NotFound
from luxx.core.openapi import is_named
from luxx.core.tool_servers import NewToolServer, OpenApiTarget, ToolServer, ToolServerChange, origin_of
from luxx.http.openapi import PROBLEMS
from luxx.http.openapi_bodies import (
    ChangeOpenApiServer,
    NewOpenApiServer,
    OpenApiServerDetail,
    OpenApiServerList,
    OpenApiServerRefreshed,
    RefreshOpenApiServer,
    openapi_server_detail,
    openapi_server_view,
)
from luxx.http.parts import Caller, Luxx, Surface, owner_only
from luxx.http.paths import IdInPath
from luxx.http.replies import answers, nothing, reply
from luxx.http.strict_json import StrictRoute

router = APIRouter(
    route_class=StrictRoute, responses=PROBLEMS, prefix="/api/openapi-servers", tags=["OpenAPI services"]
)

_SECRET: dict[str, Any] = {"security": [{"ownerSecret": []}]}


@router.get("", responses=answers(200, OpenApiServerList, "All services, oldest first."))
async def list_all(luxx: Luxx, owner: Caller) -> Response:
    """List the web services whose documents people have brought."""
    servers = await luxx.parts.store.tool_servers.list(owner)
    found = (openapi_server_view(one, one.target) for one in servers if isinstance(one.target, OpenApiTarget))
    return reply(OpenApiServerList(tuple(found)))


@router.post(
    "",
    status_code=201,
    dependencies=[Depends(owner_only)],
    openapi_extra=_SECRET,
    responses=answers(201, OpenApiServerDetail, "The service."),
)
async def create(body: NewOpenApiServer, luxx: Luxx, owner: Caller) -> Response:
    """Add a web service by its OpenAPI document, which is fetched now, without the secrets. Needs the owner's secret."""
    target = await luxx.parts.openapi.take(owner, body.source())
    if body.secrets:
        _require_named(target)
    new = NewToolServer(name=body.name, target=target, secrets=body.secrets, trusted=body.trusted, enabled=body.enabled)
    made = await luxx.parts.store.tool_servers.create(owner, new)
    return reply(await _detailed(luxx, owner, made.id), 201, {"Location": f"/api/openapi-servers/{made.id}"})


@router.get("/{server_id}", responses=answers(200, OpenApiServerDetail, "The service."))
async def get(server_id: IdInPath, luxx: Luxx, owner: Caller) -> Response:
    """Get a service, with the operations that its document offers and those that were left out."""
    return reply(await _detailed(luxx, owner, server_id))


@router.patch(
    "/{server_id}",
    dependencies=[Depends(owner_only)],
    openapi_extra=_SECRET,
    responses=answers(200, OpenApiServerDetail, "The service as it is now."),
)
async def change(server_id: IdInPath, body: ChangeOpenApiServer, luxx: Luxx, owner: Caller) -> Response:
    """Change the fields that are sent. Another origin gets neither the secrets nor the trust of the old one, unless they come in the
    same request. Needs the owner's secret.
    """
    _, target = await _service(luxx, owner, server_id)
    wanted = body.change(target)
    if body.secrets and wanted.target is UNSET:
        _require_named(target)
    await luxx.parts.store.tool_servers.change(owner, server_id, wanted)
    return reply(await _detailed(luxx, owner, server_id))


@router.post(
    "/{server_id}/refresh",
    dependencies=[Depends(owner_only)],
    openapi_extra=_SECRET,
    responses=answers(200, OpenApiServerRefreshed, "What is different, and the service as it is now."),
)
async def refresh(server_id: IdInPath, luxx: Luxx, owner: Caller, body: RefreshOpenApiServer | None = None) -> Response:
    """Fetch the document again, or take the one that is sent, and say what is different. Needs the owner's secret."""
    before, old = await _service(luxx, owner, server_id)
    target, difference = await luxx.parts.openapi.take_again(owner, before, body.document if body else None)
    await luxx.parts.store.tool_servers.change(owner, server_id, ToolServerChange(target=target))
    return reply(
        OpenApiServerRefreshed(
            change=difference,
            moved=origin_of(target) != origin_of(old),
            server=await _detailed(luxx, owner, server_id),
        )
    )


@router.delete("/{server_id}", status_code=204, dependencies=[Depends(owner_only)], openapi_extra=_SECRET)
async def delete(server_id: IdInPath, luxx: Luxx, owner: Caller) -> Response:
    """Delete a service with its secrets. Needs the owner's secret."""
    await _service(luxx, owner, server_id)
    await luxx.parts.store.tool_servers.delete(owner, server_id)
    return nothing()


async def _service(luxx: Surface, owner: str, server_id: str) -> tuple[ToolServer, OpenApiTarget]:
    server = await luxx.parts.store.tool_servers.get(owner, server_id)
    if not isinstance(server.target, OpenApiTarget):
        raise NotFound("There is no such OpenAPI service.")
    return server, server.target


async def _detailed(luxx: Surface, owner: str, server_id: str) -> OpenApiServerDetail:
    await _service(luxx, owner, server_id)
    server, secrets = await luxx.parts.store.tool_servers.credentials(owner, server_id)
    if not isinstance(server.target, OpenApiTarget):
        raise NotFound("There is no such OpenAPI service.")
    offer = await luxx.parts.openapi.offer(owner, server)
    return openapi_server_detail(server, server.target, offer, tuple(secrets))


def _require_named(target: OpenApiTarget) -> None:
    """Refuse secrets for an address that only the document names. Raises InvalidRequest."""
    if not is_named(target):
        raise InvalidRequest(
            f"is required: the document says that the service is at {target.base_url[:200]}; give that yourself if your secrets are"
            " to go there",
            field="base_url",
        )
