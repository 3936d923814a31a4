"""Site: the built web page, held in memory and served without a look at the disk."""

import hashlib
import mimetypes
from pathlib import Path

import msgspec
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from luxx.http.errors import on_http_error
from luxx.http.paths import weights

_HASHED = "/assets/"
_FOREVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_ENCODINGS = {"br": ".br", "gzip": ".gz"}
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_NOT_BUILT = (
    "The web page has not been built. In the source tree, run <code>make page</code> once and start the server again. "
    'The API works without it: see <a href="/api/docs">/api/docs</a>.'
)


class Asset(msgspec.Struct, frozen=True):
    """A file of the page, as it is and compressed; `encoded` is by content coding."""

    body: bytes
    encoded: dict[str, bytes]
    media_type: str
    etag: str
    cache: str


class Site:
    """The page: its files by path, and ``index.html`` for every other path that a browser opens."""

    def __init__(self, assets: dict[str, Asset]) -> None:
        self._assets = assets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that no route has."""
        await (await self._answer(Request(scope)))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        path = request.url.path
        if path == "/api" or path.startswith("/api/"):
            return await on_http_error(request, HTTPException(404))
        if request.method not in ("GET", "HEAD"):
            return await on_http_error(request, HTTPException(405, headers={"Allow": "GET, HEAD"}))
        asset = self._assets.get(path)
        if asset is None and _is_place_in_the_page(path, request.headers):
            asset = self._assets.get("/index.html")
            if asset is None:
                return notice("Luxx", _NOT_BUILT, 503)
        if asset is None:
            return await on_http_error(request, HTTPException(404))
        return _send(asset, request.headers)


def _is_place_in_the_page(path: str, headers: Headers) -> bool:
    """Whether a path is one that the page itself understands, such as ``/c/ID``: a browser opens it as a document."""
    return path == "/" or (not path.startswith(_HASHED) and "text/html" in headers.get("accept", "").lower())


def load_site(folder: Path) -> Site:
    """Read the page's files; a folder that is not there makes a site that says how to build it."""
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    assets = {
        f"/{name}": _asset(f"/{name}", path, files)
        for name, path in files.items()
        if not name.endswith(tuple(_ENCODINGS.values()))
    }
    if "/index.html" in assets:
        assets["/"] = assets["/index.html"]
    return Site(assets)


def notice(title: str, html: str, status: int) -> Response:
    """Return a page of one paragraph; `html` must be safe."""
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width"><body style="font:1rem/1.5 system-ui;margin:4rem auto;'
        f'max-width:36rem;padding:0 1rem"><h1>{title}</h1><p>{html}</p></body></html>',
        status,
        headers={"Cache-Control": "no-store"},
    )


def _asset(name: str, path: Path, files: dict[str, Path]) -> Asset:
    body = path.read_bytes()
    encoded = {
        coding: files[name[1:] + suffix].read_bytes()
        for coding, suffix in _ENCODINGS.items()
        if name[1:] + suffix in files
    }
    return Asset(
        body=body,
        encoded=encoded,
        media_type=_TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream",
        etag=hashlib.sha256(body).hexdigest()[:32],
        cache=_FOREVER if name.startswith(_HASHED) else _ASK_AGAIN,
    )


def _send(asset: Asset, headers: Headers) -> Response:
    accepted = weights(headers.get("accept-encoding", ""))
    coding = next((coding for coding in asset.encoded if accepted.get(coding, 0.0) > 0), None)
    etag = f'"{asset.etag}-{coding}"' if coding else f'"{asset.etag}"'
    sent = {"Cache-Control": asset.cache, "ETag": etag, "Vary": "Accept-Encoding"}
    if etag in [tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=sent)
    if coding:
        sent["Content-Encoding"] = coding
    body = asset.encoded[coding] if coding else asset.body
    return Response(body, headers=sent, media_type=asset.media_type)
