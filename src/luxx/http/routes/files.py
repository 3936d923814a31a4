"""Files: uploaded for a message, listed, and given back as what they are and nothing more."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Header, Query, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from luxx.core.errors import InvalidRequest
from luxx.core.files import FileRef
from luxx.core.media import IMAGES, PDF, UNKNOWN
from luxx.http.openapi import PROBLEMS
from luxx.http.parts import Caller, Luxx
from luxx.http.paths import IdInPath
from luxx.http.replies import answers, nothing, reply
from luxx.http.views import FileList

router = APIRouter(responses=PROBLEMS, prefix="/api", tags=["files"])

_BINARY: dict[str, Any] = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_UPLOAD: dict[str, Any] = {"requestBody": {"required": True, "content": _BINARY}}
_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file; `Content-Type` is found by its content.", "content": _BINARY},
    304: {"description": "The file that the client has (`If-None-Match`) is this one."},
}
_INERT = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
_CACHED = "private, max-age=31536000, immutable"


@router.post(
    "/files", status_code=201, responses=answers(201, FileRef, "The file, loose until sent."), openapi_extra=_UPLOAD
)
async def upload(
    request: Request,
    luxx: Luxx,
    owner: Caller,
    name: Annotated[str, Query(max_length=1000, description="What the file is called; it says nothing of its type.")],
) -> Response:
    """Upload a file, to be named in the `attachments` of a message within a day."""
    try:
        data = b"".join([chunk async for chunk in request.stream()])
    except ClientDisconnect as error:
        raise InvalidRequest("The upload was cut off.") from error
    kept = await luxx.parts.store.files.keep(owner, None, name, data)
    return reply(kept, 201, {"Location": f"/api/files/{kept.id}"})


@router.get("/files/{file_id}", responses=answers(200, FileRef, "The file."))
async def get(file_id: IdInPath, luxx: Luxx, owner: Caller) -> Response:
    """Get what is known of a file."""
    return reply(await luxx.parts.store.files.get(owner, file_id))


@router.get("/files/{file_id}/content", responses=_CONTENT)
async def content(
    file_id: IdInPath,
    luxx: Luxx,
    owner: Caller,
    known: Annotated[str, Header(alias="If-None-Match", include_in_schema=False)] = "",
) -> Response:
    """Get a file's content. Images can be shown; anything else is to be saved, and text never acts as a page."""
    file = await luxx.parts.store.files.get(owner, file_id)
    headers = {
        "ETag": f'"{file.id}"',
        "Cache-Control": _CACHED,
        "Content-Security-Policy": _INERT,
        "Content-Disposition": _disposition(file),
    }
    if known.strip() == "*" or any(tag.strip().removeprefix("W/") == headers["ETag"] for tag in known.split(",")):
        return Response(status_code=304, headers=headers)
    data = await luxx.parts.store.files.read(owner, file_id)
    return Response(data, headers={**headers, "Content-Type": _served_as(file)})


@router.delete("/files/{file_id}", status_code=204)
async def delete(file_id: IdInPath, luxx: Luxx, owner: Caller) -> Response:
    """Delete a file that was uploaded and not sent."""
    await luxx.parts.store.files.delete(owner, file_id)
    return nothing()


@router.get("/conversations/{conversation_id}/files", responses=answers(200, FileList, "The files, oldest first."))
async def of_conversation(conversation_id: IdInPath, luxx: Luxx, owner: Caller) -> Response:
    """List a conversation's files: what was sent, and what models and tools made."""
    return reply(FileList(await luxx.parts.store.files.list(owner, conversation_id)))


def _served_as(file: FileRef) -> str:
    if file.is_text:
        return "text/plain; charset=utf-8"
    return file.media_type if file.media_type in IMAGES or file.media_type == PDF else UNKNOWN


def _disposition(file: FileRef) -> str:
    """Return the header of RFC 6266: the name in ASCII for old readers, and as it is."""
    kind = "inline" if file.media_type in IMAGES else "attachment"
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in file.name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}"
