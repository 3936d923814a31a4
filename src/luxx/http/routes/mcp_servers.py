"""MCP servers: listed and tried by anyone here, added and changed by who has the owner's secret."""

from typing import Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from luxx.core.errors import NotFound
from luxx.core.ports import Check
from luxx.core.tool_servers import ToolServer
from luxx.http import bodies
from luxx.http.mcp_bodies import (
    ChangeMcpServer,
    FilledPrompt,
    FillPrompt,
    McpServerList,
    McpServerView,
    NewMcpServer,
    PromptList,
    mcp_server_view,
)
from luxx.http.openapi import PROBLEMS
from luxx.http.parts import Caller, Luxx, Surface, owner_only
from luxx.http.paths import IdInPath
from luxx.http.replies import answers, nothing, reply
from luxx.http.strict_json import StrictRoute

router = APIRouter(route_class=StrictRoute, responses=PROBLEMS, prefix="/api/mcp-servers", tags=["MCP servers"])

_SECRET: dict[str, Any] = {"security": [{"ownerSecret": []}]}


@router.get("", responses=answers(200, McpServerList, "All MCP servers, oldest first."))
async def list_all(luxx: Luxx, owner: Caller) -> Response:
    """List MCP servers with what is known of them; none is started for it."""
    servers = await luxx.parts.store.tool_servers.list(owner)
    host = luxx.parts.tool_servers
    found = (mcp_server_view(server, host.state(server)) for server in servers if server.kind != "openapi")
    return reply(McpServerList(tuple(found)))


@router.post(
    "",
    status_code=201,
    dependencies=[Depends(owner_only)],
    openapi_extra=_SECRET,
    responses=answers(201, McpServerView, "The MCP server."),
)
async def create(body: NewMcpServer, luxx: Luxx, owner: Caller) -> Response:
    """Add an MCP server; its tools are listed in the background. Needs the owner's secret."""
    made = await luxx.parts.store.tool_servers.create(owner, body.new())
    luxx.parts.tool_servers.changed(owner, made.id)
    return reply(await _detailed(luxx, owner, made.id), 201, {"Location": f"/api/mcp-servers/{made.id}"})


@router.get("/{server_id}", responses=answers(200, McpServerView, "The MCP server."))
async def get(server_id: IdInPath, luxx: Luxx, owner: Caller) -> Response:
    """Get an MCP server, with the last lines of its log."""
    return reply(await _detailed(luxx, owner, server_id))


@router.patch(
    "/{server_id}",
    dependencies=[Depends(owner_only)],
    openapi_extra=_SECRET,
    responses=answers(200, McpServerView, "The MCP server as it is now."),
)
async def change(server_id: IdInPath, body: ChangeMcpServer, luxx: Luxx, owner: Caller) -> Response:
    """Change the fields that are sent. Another origin gets neither the secrets nor the trust of the old one, unless they come in the
    same request. Needs the owner's secret.
    """
    before = await _mcp_server(luxx, owner, server_id)
    await luxx.parts.store.tool_servers.change(owner, server_id, body.change(before))
    luxx.parts.tool_servers.changed(owner, server_id)
    return reply(await _detailed(luxx, owner, server_id))


@router.delete("/{server_id}", status_code=204, dependencies=[Depends(owner_only)], openapi_extra=_SECRET)
async def delete(server_id: IdInPath, luxx: Luxx, owner: Caller) -> Response:
    """Stop an MCP server and delete it with its secrets. Needs the owner's secret."""
    await _mcp_server(luxx, owner, server_id)
    await luxx.parts.store.tool_servers.delete(owner, server_id)
    luxx.parts.tool_servers.changed(owner, server_id)
    return nothing()


@router.post("/{server_id}/test", responses=answers(200, Check, "What the try found."))
async def try_out(server_id: IdInPath, luxx: Luxx, owner: Caller, body: bodies.Nothing | None = None) -> Response:
    """Connect to the server and list its tools."""
    await _mcp_server(luxx, owner, server_id)
    return reply(await luxx.parts.tool_servers.check(owner, server_id))


@router.get("/{server_id}/prompts", responses=answers(200, PromptList, "What the server offers."))
async def prompts(server_id: IdInPath, luxx: Luxx, owner: Caller) -> Response:
    """List the prompts that the server offers."""
    await _mcp_server(luxx, owner, server_id)
    return reply(PromptList(await luxx.parts.tool_servers.prompts(owner, server_id)))


@router.post("/{server_id}/prompts", responses=answers(200, FilledPrompt, "The messages of the prompt."))
async def fill_prompt(server_id: IdInPath, body: FillPrompt, luxx: Luxx, owner: Caller) -> Response:
    """Fill a prompt in."""
    await _mcp_server(luxx, owner, server_id)
    messages = await luxx.parts.tool_servers.prompt(owner, server_id, body.name, body.arguments)
    return reply(FilledPrompt(messages))


async def _mcp_server(luxx: Surface, owner: str, server_id: str) -> ToolServer:
    server = await luxx.parts.store.tool_servers.get(owner, server_id)
    if server.kind == "openapi":
        raise NotFound("There is no such MCP server.")
    return server


async def _detailed(luxx: Surface, owner: str, server_id: str) -> McpServerView:
    await _mcp_server(luxx, owner, server_id)
    server, secrets = await luxx.parts.store.tool_servers.credentials(owner, server_id)
    return mcp_server_view(server, luxx.parts.tool_servers.state(server), tuple(secrets))
