"""Trust: which requests a server on loopback answers, decided before anything else looks at them.

Any page in the person's browser can send requests to loopback, and with DNS rebinding even read the answers. So a request
must be addressed to this server by a loopback name, come from its own page or from no page at all, and not through a proxy.
"""

from collections.abc import Collection

import msgspec
from starlette.types import Scope

UPLOADS = "/api/files"
"""Where files are sent to, each as the body as it is."""
IMPORTS = "/api/imports"
"""Where exports of other systems are sent to, as they are: most are JSON."""

_BINARY = b"application/octet-stream"
_JSON_METHODS = frozenset({"POST", "PUT", "PATCH"})
_PROXY = frozenset({b"forwarded", b"via", b"x-real-ip"})
_PAGES_UNDER_API = frozenset({"/api/docs"})
_OWN_SITE = frozenset({b"same-origin", b"none"})


class Refusal(msgspec.Struct, frozen=True):
    """Why a request is not answered; see luxx.http.errors.Problem."""

    status: int
    code: str
    detail: str


_HOST = Refusal(
    403,
    "foreign_host",
    "This server answers only to localhost, 127.0.0.1 or [::1] with its own port: accounts are needed for other addresses.",
)
_ORIGIN = Refusal(403, "foreign_origin", "Another web page sent this request (its Origin is not this server's).")
_SITE = Refusal(403, "cross_site", "Another web page sent this request (Sec-Fetch-Site).")
_BEHIND_PROXY = Refusal(
    403,
    "behind_proxy",
    "This request came through a proxy. A server without accounts trusts whoever reaches it, so it answers only direct "
    "requests from its own machine: accounts are needed behind a proxy.",
)
_MEDIA_TYPE = Refusal(
    415, "unsupported_media_type", "Send `Content-Type: application/json`; an empty object, {}, is enough of a body."
)
_FILE_TYPE = Refusal(
    415, "unsupported_media_type", "Send a file with `Content-Type: application/octet-stream`, whatever it holds."
)


class LoopbackTrust:
    """The rules for a server without accounts; `hosts` are the names that it may be reached by, `port` is its own."""

    def __init__(self, hosts: Collection[str], port: int) -> None:
        self._hosts = frozenset(f"{host}:{port}".lower().encode() for host in hosts)
        if port == 80:
            self._hosts |= frozenset(host.lower().encode() for host in hosts)

    def refusal(self, scope: Scope) -> Refusal | None:
        """Return why a request is refused, or None. Every header that counts must be right each time that it is there."""
        seen: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            if name in _PROXY or name.startswith(b"x-forwarded"):
                return _BEHIND_PROXY
            seen.setdefault(name, []).append(value)
        hosts = seen.get(b"host", [])
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return _HOST
        own = scope["scheme"].encode() + b"://" + hosts[0].lower()
        if any(origin.lower() != own for origin in seen.get(b"origin", ())):
            return _ORIGIN
        if not _OWN_SITE.issuperset(seen.get(b"sec-fetch-site", ())) and not _opens_a_page(scope, seen):
            return _SITE
        if scope["method"] == "POST" and scope["path"] == UPLOADS:
            return None if _declared(seen, _BINARY) else _FILE_TYPE
        if scope["method"] == "POST" and scope["path"] == IMPORTS and _declared(seen, _BINARY):
            return None
        return None if _is_json_where_needed(scope["method"], seen) else _MEDIA_TYPE


def _opens_a_page(scope: Scope, headers: dict[bytes, list[bytes]]) -> bool:
    """Whether a person follows a link to a page: what is shown then holds nothing of theirs until it asks by itself."""
    path: str = scope["path"]
    return (
        scope["method"] == "GET"
        and headers.get(b"sec-fetch-mode") == [b"navigate"]
        and headers.get(b"sec-fetch-dest") == [b"document"]
        and (not _is_under_api(path) or path in _PAGES_UNDER_API)
    )


def _is_under_api(path: str) -> bool:
    return path == "/api" or path.startswith("/api/")


def _is_json_where_needed(method: str, headers: dict[bytes, list[bytes]]) -> bool:
    """Whether a body is declared as JSON.

    A DELETE without a body may leave it out: browsers never send one for another page without asking first.
    """
    if method in _JSON_METHODS or (method == "DELETE" and _has_body(headers)):
        return _declared(headers, b"application/json")
    return True


def _has_body(headers: dict[bytes, list[bytes]]) -> bool:
    return b"transfer-encoding" in headers or any(length != b"0" for length in headers.get(b"content-length", ()))


def _declared(headers: dict[bytes, list[bytes]], wanted: bytes) -> bool:
    """Whether the body is said to be of this type, each time that it is said; no form of another page can say these types."""
    types = headers.get(b"content-type", [])
    return bool(types) and all(kind.partition(b";")[0].strip().lower() == wanted for kind in types)
