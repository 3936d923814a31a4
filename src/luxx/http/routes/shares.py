"""Shares: frozen copies of branches, made and taken back by their owner, and read by who knows the link."""

import asyncio
import hashlib
import secrets

import msgspec
from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from luxx.archive.sharing import SharedBranch, frozen
from luxx.core.archive import ArchivedConversation, ShareInclude
from luxx.core.errors import InvalidRequest, NotFound
from luxx.core.media import IMAGES
from luxx.http.archive_views import NewShare, NewShareView, ShareList
from luxx.http.openapi import PROBLEMS
from luxx.http.parts import Caller, Luxx, Surface
from luxx.http.paths import IdInPath
from luxx.http.replies import answers, nothing, reply
from luxx.http.share_page import HEADERS, share_page
from luxx.http.site import notice
from luxx.http.strict_json import StrictRoute
from luxx.store.clock import timestamp

router = APIRouter(route_class=StrictRoute, responses=PROBLEMS, prefix="/api", tags=["sharing"])
pages = APIRouter(prefix="/share", tags=["sharing"])

MOST_BYTES = 5_000_000
"""Bytes of one share as JSON."""
_TOKEN_BYTES = 16
_LONGEST_TOKEN = 64

_json = msgspec.json.Encoder()
_branch = msgspec.json.Decoder(SharedBranch)


@router.post(
    "/conversations/{conversation_id}/shares",
    status_code=201,
    responses=answers(201, NewShareView, "The share, with the path that holds its token: it is told only now."),
)
async def share(conversation_id: IdInPath, body: NewShare, luxx: Luxx, owner: Caller) -> Response:
    """Share a branch as it is now: what was said, and of the rest what `include` names."""
    store = luxx.parts.store
    include = tuple(dict.fromkeys(body.include))
    conversation = await store.archive.whole(owner, conversation_id)
    images = await _images(luxx, owner, conversation) if "files" in include else {}
    encoded = await asyncio.to_thread(_frozen, conversation, body.leaf, include, images)
    if len(encoded) > MOST_BYTES:
        raise InvalidRequest(f"A share may have at most {MOST_BYTES:,} bytes; this one would have {len(encoded):,}.")
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    made = await store.archive.share(owner, conversation_id, conversation.title, include, _hash(token), encoded)
    return reply(NewShareView(made, f"/share/{token}"), 201)


@router.get("/shares", responses=answers(200, ShareList, "All shares, newest first."))
async def list_all(luxx: Luxx, owner: Caller) -> Response:
    """List the shares of all conversations."""
    return reply(ShareList(await luxx.parts.store.archive.shares(owner)))


@router.delete("/shares/{share_id}", status_code=204)
async def take_back(share_id: IdInPath, luxx: Luxx, owner: Caller) -> Response:
    """Take a share back: its link leads nowhere from now on."""
    await luxx.parts.store.archive.unshare(owner, share_id)
    return nothing()


@pages.get("/{token}.json", responses=answers(200, SharedBranch, "The shared branch.") | PROBLEMS)
async def as_json(token: str, luxx: Luxx) -> Response:
    """Get a shared branch as JSON."""
    return Response(await _shared(luxx, token), headers=HEADERS, media_type="application/json")


@pages.get("/{token}", include_in_schema=False)
async def page(token: str, luxx: Luxx) -> Response:
    """Show a shared branch."""
    try:
        body = await _shared(luxx, token)
    except NotFound as error:
        missing = notice("Nothing is shared here", error.message, 404)
        missing.headers.update(HEADERS)
        missing.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
        )
        return missing
    return HTMLResponse(await asyncio.to_thread(_page, body), headers=HEADERS)


async def _shared(luxx: Surface, token: str) -> bytes:
    if len(token) > _LONGEST_TOKEN:
        raise NotFound("There is no such share, or it was taken back.")
    return await luxx.parts.store.archive.shared(_hash(token))


async def _images(luxx: Surface, owner: str, conversation: ArchivedConversation) -> dict[str, bytes]:
    """Return the contents of the images, as long as there is room for them."""
    images: dict[str, bytes] = {}
    left = MOST_BYTES // 2
    for file in conversation.files:
        if file.media_type in IMAGES and file.size <= left:
            left -= file.size
            images[file.id] = await luxx.parts.store.files.read(owner, file.id)
    return images


def _frozen(
    conversation: ArchivedConversation, leaf: str | None, include: tuple[ShareInclude, ...], images: dict[str, bytes]
) -> bytes:
    return _json.encode(frozen(conversation, leaf, include, images, timestamp()))


def _page(body: bytes) -> str:
    return share_page(_branch.decode(body))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
