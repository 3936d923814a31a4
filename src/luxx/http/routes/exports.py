"""Exports: a conversation as Markdown or JSON, and all of them as JSON lines."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Query
from msgspec.structs import replace
from starlette.responses import Response, StreamingResponse

from luxx.archive.branches import branch
from luxx.archive.markdown import markdown
from luxx.core.archive import ArchivedConversation
from luxx.core.errors import NotFound
from luxx.http.openapi import PROBLEMS
from luxx.http.parts import Caller, Luxx
from luxx.http.paths import IdInPath, IdInQuery
from luxx.store.interface import Store

router = APIRouter(responses=PROBLEMS, prefix="/api", tags=["keeping"])

_PAGE = 100
_TEXT: dict[str, Any] = {"schema": {"type": "string"}}
_ONE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The conversation, to be saved as a file.",
        "content": {"text/markdown": _TEXT, "application/json": {"schema": {"type": "object"}}},
    }
}
_ALL: dict[int | str, dict[str, Any]] = {
    200: {"description": "A conversation in each line, oldest first.", "content": {"application/jsonl": _TEXT}}
}
_UNFIT = frozenset('\\/:*?"<>|%')

_json = msgspec.json.Encoder()

Contents = Annotated[bool, Query(description="Whether the files' contents are in it, as base64.")]


@router.get("/conversations/{conversation_id}/export", responses=_ONE)
async def export(
    conversation_id: IdInPath,
    luxx: Luxx,
    owner: Caller,
    format: Literal["markdown", "json"] = "markdown",
    leaf: IdInQuery = None,
    contents: Contents = False,
) -> Response:
    """Export a conversation: a branch as Markdown, or the whole tree as JSON, which can be imported again."""
    store = luxx.parts.store
    conversation = await store.archive.whole(owner, conversation_id)
    if format == "markdown":
        text = await asyncio.to_thread(markdown, conversation, leaf)
        return Response(text, headers=_saved(conversation.title, "md"), media_type="text/markdown; charset=utf-8")
    branch(conversation, leaf)
    pieces = _pieces(store, owner, conversation, contents)
    return StreamingResponse(pieces, headers=_saved(conversation.title, "json"), media_type="application/json")


@router.get("/export", responses=_ALL)
async def export_all(luxx: Luxx, owner: Caller, contents: Contents = False) -> Response:
    """Export all conversations, in lines that can be imported again; one that is deleted meanwhile is left out."""
    lines = _lines(luxx.parts.store, owner, contents)
    return StreamingResponse(lines, headers=_saved("luxx", "jsonl"), media_type="application/jsonl")


async def _lines(store: Store, owner: str, contents: bool) -> AsyncIterator[bytes]:
    after: str | None = None
    while ids := await store.archive.ids(owner, after, _PAGE):
        for conversation_id in ids:
            try:
                conversation = await store.archive.whole(owner, conversation_id)
            except NotFound:
                continue
            async for piece in _pieces(store, owner, conversation, contents):
                yield piece
            yield b"\n"
        after = ids[-1]


async def _pieces(store: Store, owner: str, conversation: ArchivedConversation, contents: bool) -> AsyncIterator[bytes]:
    """Yield a conversation as JSON, with one file at a time in memory: they are its last member."""
    if not contents:
        yield await asyncio.to_thread(_json.encode, conversation)
        return
    whole = await asyncio.to_thread(_json.encode, replace(conversation, files=()))
    yield whole.removesuffix(b"]}")
    for place, file in enumerate(conversation.files):
        try:
            data = await store.files.read(owner, file.id)
        except NotFound:
            data = None
        yield (b"," if place else b"") + await asyncio.to_thread(_json.encode, replace(file, data=data))
    yield b"]}"


def _saved(title: str, ending: str) -> dict[str, str]:
    """Return the headers of a file to be saved (RFC 6266)."""
    name = "".join("_" if letter in _UNFIT or not letter.isprintable() else letter for letter in title)[:80].strip(" .")
    plain = "".join(letter if letter.isascii() else "_" for letter in name) or "conversation"
    full = quote(f"{name or 'conversation'}.{ending}", safe="")
    return {
        "Content-Disposition": f"attachment; filename=\"{plain}.{ending}\"; filename*=UTF-8''{full}",
        "Cache-Control": "no-store",
    }
