"""The application: routes, errors and rules put together into one ASGI app."""

import asyncio
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp

from luxx.core.errors import LuxxError
from luxx.http import errors
from luxx.http.front import Front
from luxx.http.limits import StreamLimit
from luxx.http.mcp_server.endpoint import PATH, McpEndpoint
from luxx.http.openapi import describe
from luxx.http.owner import OwnerSecret
from luxx.http.parts import HttpOptions, Parts, Surface
from luxx.http.routes import (
    approvals,
    conversations,
    docs,
    entry,
    exports,
    files,
    health,
    imports,
    limits,
    mcp_servers,
    messages,
    openapi_servers,
    providers,
    search,
    shares,
    tools,
    turns,
)
from luxx.http.shortcut import Shortcut
from luxx.http.site import load_site
from luxx.http.trust import LoopbackTrust

_PAGE = Path(__file__).parent / "page"
_ROUTERS = (
    conversations.router,
    messages.router,
    limits.router,
    turns.router,
    approvals.router,
    providers.router,
    providers.preset_router,
    tools.router,
    mcp_servers.router,
    search.router,
    exports.router,
    shares.router,
    shares.pages,
    openapi_servers.router,
    health.router,
    docs.router,
    entry.router,
)


class LuxxAPI(FastAPI):
    """FastAPI with Luxx's OpenAPI document."""

    def openapi(self) -> dict[str, Any]:
        """Return the document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = describe(self.title, self.version, self.routes)
        return self.openapi_schema


def create_app(parts: Parts, options: HttpOptions, page: Path = _PAGE) -> ASGIApp:
    """Return the whole HTTP surface; `page` is the folder of the built web page, which is read now."""
    app = LuxxAPI(
        title="Luxx",
        version=parts.version,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        max_body_size=options.max_body,
    )
    secret = OwnerSecret(parts.owner_token, options.port)
    surface = app.state.surface = Surface(
        parts=parts,
        options=options,
        streams=StreamLimit(options.max_streams),
        secret=secret,
        importing=asyncio.Lock(),
    )
    app.add_exception_handler(LuxxError, errors.on_luxx_error)
    app.add_exception_handler(RequestValidationError, errors.on_invalid)
    app.add_exception_handler(HTTPException, errors.on_http_error)
    app.add_exception_handler(Exception, errors.on_unexpected)
    for router in _ROUTERS:
        app.include_router(router)
    app.include_router(files.router, max_body_size=options.max_file)
    app.include_router(imports.router, max_body_size=options.max_import)
    app.router.routes.append(Route(PATH, McpEndpoint(parts, options, secret), methods=["POST"]))
    app.router.default = load_site(page)
    return errors.ErrorBoundary(
        Front(
            Shortcut(app, surface),
            LoopbackTrust(options.hosts, options.port),
            options.max_body,
            options.max_file,
            options.max_import,
        )
    )
