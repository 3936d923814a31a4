"""Entry: the link printed at start, which makes a browser the owner's."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from luxx.http.parts import Luxx
from luxx.http.site import notice

router = APIRouter(include_in_schema=False)

_WRONG = "This link is not valid, or not any more. Open the one that <code>luxx serve</code> printed when it was last started."


@router.get("/mcp/login")
async def logged_in(
    luxx: Luxx,
    state: Annotated[str, Query()] = "",
    code: Annotated[str, Query()] = "",
    iss: Annotated[str | None, Query()] = None,
) -> Response:
    """Take a person who has logged in to an MCP server; `state` is known only to the page that they come from."""
    if code and await luxx.parts.tool_servers.logged_in(luxx.parts.store.owner, state, code, iss):
        return notice("You are logged in", "Luxx can use the MCP server now; this page can be closed.", 200)
    return notice("This log-in is not known", "It took too long, or was refused. Try it again from Luxx.", 400)


@router.get("/open")
async def enter(luxx: Luxx, token: Annotated[str, Query()] = "") -> Response:
    """Set the owner's cookie and lead to the page; the secret stays in no address that the browser shows or sends on."""
    if not luxx.secret.fits(token):
        return notice("This link does not open Luxx", _WRONG, 401)
    headers = {"Set-Cookie": luxx.secret.cookie(), "Cache-Control": "no-store"}
    return RedirectResponse("/", 303, headers=headers)
