"""An MCP server behind OAuth, and its log-in (RFC 9728, 8414, 7591, 7636), in the test's process; everybody is let in."""

import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

from aiohttp import web


class OAuthServer:
    """What a test sees: the tokens that are good, how often there was a log-in or a refresh, and how long tokens live."""

    def __init__(self) -> None:
        self.base = ""
        self.good: set[str] = set()
        self.logins = self.refreshes = 0
        self.lives_s = 3600
        self.login_host = ""

    @property
    def url(self) -> str:
        """The MCP server's address."""
        return f"{self.base}/mcp"

    async def mcp(self, request: web.Request) -> web.Response:
        """Answer as an MCP server with one tool."""
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.good:
            where = f'Bearer resource_metadata="{self.base}/.well-known/oauth-protected-resource"'
            return web.Response(status=401, headers={"WWW-Authenticate": where})
        if request.method != "POST":
            return web.Response(status=405)
        message: dict[str, Any] = await request.json()
        match message["method"]:
            case "initialize":
                info = {"name": "o", "version": "1"}
                result: dict[str, Any] = {
                    "protocolVersion": "2025-11-25",
                    "capabilities": {"tools": {}},
                    "serverInfo": info,
                }
            case "tools/list":
                result = {"tools": [{"name": "fine", "inputSchema": {"type": "object"}}]}
            case "tools/call":
                result = {"content": [{"type": "text", "text": "well"}]}
            case method if "id" not in message:
                assert method
                return web.Response(status=202)
            case _:
                error = {"code": -32601, "message": "no such method"}
                return web.json_response({"jsonrpc": "2.0", "id": message["id"], "error": error})
        return web.json_response({"jsonrpc": "2.0", "id": message["id"], "result": result})

    async def resource(self, request: web.Request) -> web.Response:
        """Say who gives tokens."""
        server = self.login_host or self.base
        return web.json_response({"resource": self.url, "authorization_servers": [server]})

    async def metadata(self, request: web.Request) -> web.Response:
        """Say where that is done."""
        places = {"authorization": "authorize", "token": "token", "registration": "register"}
        endpoints = {f"{name}_endpoint": f"{self.base}/{path}" for name, path in places.items()}
        more = {"issuer": self.base, "response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"]}
        return web.json_response({**endpoints, **more})

    async def register(self, request: web.Request) -> web.Response:
        """Register a client."""
        return web.json_response(
            {**await request.json(), "client_id": "c1", "token_endpoint_auth_method": "none"}, status=201
        )

    async def authorize(self, request: web.Request) -> web.Response:
        """Let the person in."""
        self.logins += 1
        query = request.query
        assert query["code_challenge_method"] == "S256"
        back = urlencode({"code": "the-code", "state": query["state"]})
        raise web.HTTPFound(f"{query['redirect_uri']}?{back}")

    async def token(self, request: web.Request) -> web.Response:
        """Give a token for a code or an older token."""
        form = await request.post()
        if form["grant_type"] == "refresh_token":
            self.refreshes += 1
        token = f"token-{self.logins}-{self.refreshes}-{time.monotonic_ns()}"
        self.good = {token}
        given = {"access_token": token, "token_type": "Bearer", "expires_in": self.lives_s, "refresh_token": "again"}
        return web.Response(body=json.dumps(given), content_type="application/json")


@contextlib.asynccontextmanager
async def oauth_server() -> AsyncIterator[OAuthServer]:
    """Serve on a free port."""
    server = OAuthServer()
    app = web.Application()
    app.router.add_route("*", "/mcp", server.mcp)
    app.router.add_get("/.well-known/oauth-protected-resource", server.resource)
    app.router.add_get("/.well-known/oauth-authorization-server", server.metadata)
    app.router.add_post("/register", server.register)
    app.router.add_get("/authorize", server.authorize)
    app.router.add_post("/token", server.token)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
