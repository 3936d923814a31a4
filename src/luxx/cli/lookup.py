"""Lookup: what a person names on the command line, as the server knows it."""

from luxx.client import Client, Conversation, McpServer, OpenApiServer, Provider
from luxx.core.errors import NotFound

LAST = "last"


async def provider_named(client: Client, wanted: str) -> Provider:
    """Return a provider given by its name or id. Raises NotFound, which lists the names."""
    providers = await client.providers()
    for provider in providers:
        if wanted in (provider.id, provider.name):
            return provider
    names = ", ".join(provider.name for provider in providers) or "none"
    raise NotFound(f"There is no provider {wanted!r}; there are: {names}")


async def mcp_server_named(client: Client, wanted: str) -> McpServer:
    """Return an MCP server given by its name or id. Raises NotFound, which lists the names."""
    servers = await client.mcp_servers.list()
    for server in servers:
        if wanted in (server.id, server.name):
            return server
    names = ", ".join(server.name for server in servers) or "none"
    raise NotFound(f"There is no MCP server {wanted!r}; there are: {names}")


async def openapi_server_named(client: Client, wanted: str) -> OpenApiServer:
    """Return a web service given by its name or id. Raises NotFound, which lists the names."""
    servers = await client.openapi_servers.list()
    for server in servers:
        if wanted in (server.id, server.name):
            return server
    names = ", ".join(server.name for server in servers) or "none"
    raise NotFound(f"There is no OpenAPI service {wanted!r}; there are: {names}")


async def conversation_named(client: Client, wanted: str) -> Conversation:
    """Return a conversation given by its id, or ``last``: the one with the newest activity. Raises NotFound."""
    if wanted != LAST:
        return await client.conversation(wanted)
    latest = (await client.list_conversations(limit=1)).items
    if not latest:
        raise NotFound("There is no conversation yet.")
    return await client.conversation(latest[0].id)
