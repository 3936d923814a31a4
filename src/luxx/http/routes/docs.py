"""Docs: the API's own description, for people."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from luxx.http.reference import render

router = APIRouter(include_in_schema=False)


@router.get("/api/docs")
async def docs(request: Request) -> HTMLResponse:
    """Show the OpenAPI document as a page."""
    return HTMLResponse(render(request.app.openapi()), headers={"Cache-Control": "no-cache"})
