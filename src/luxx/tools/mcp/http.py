"""HTTP: a server behind an address, with every answer bounded and every failure in words."""

import contextlib
import re
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any, cast

import httpx2
import msgspec
from mcp.client._transport import TransportStreams
from mcp.client.streamable_http import MCP_SESSION_ID, streamable_http_client

from luxx.tools.mcp.bounded import BoundedStream, Flooded, Gauge
from luxx.tools.mcp.log import ServerLog
from luxx.tools.mcp.oauth import authorization, check_origin
from luxx.tools.mcp.wire import Authorizer, Bounds, Watcher

UNREACHABLE = -32_050
"""The code of an error that the server did not send: it could not be reached, or answered with an HTTP status."""
SESSION_LOST = -32_051
"""The code of another one: the server took nothing, as it does not know the session."""
SESSION_IN_DOUBT = -32_052
"""And of a third: the server seems not to know the session, but may have taken the request."""
OURS = uuid.uuid4().hex
"""What such errors have as their data, so that none that a server sends can be taken for one."""

_CONNECT_S = 10.0
_CLOSE_S = 2.0
_SILENCE_S = 3600.0
_SHOWN_BYTES = 2_000
_SHOWN_CHARS = 300
_SESSION = re.compile(r"(?<![a-z])session|Session|SESSION")


@contextlib.asynccontextmanager
async def http_streams(
    url: str, headers: dict[str, str], authorizer: Authorizer | None, bounds: Bounds, watcher: Watcher, log: ServerLog
) -> AsyncGenerator[TransportStreams]:
    """Talk to the server at an address; the session is ended there when the context is left."""
    client = httpx2.AsyncClient(
        headers={"User-Agent": "luxx", **headers, "Accept-Encoding": "identity"},
        transport=_Transport(httpx2.URL(url), bounds, watcher, log),
        auth=authorization(url, authorizer) if authorizer else None,
        timeout=httpx2.Timeout(_SILENCE_S, connect=_CONNECT_S),
    )
    streams = streamable_http_client(url, http_client=client, max_sse_event_size=bounds.message_bytes)
    async with client, streams as (read, write):
        yield BoundedStream(read, bounds, watcher), write


class _Transport(httpx2.AsyncBaseTransport):
    """Sends requests; what fails becomes an answer in the words of JSON-RPC, so that it costs one call and not the session."""

    def __init__(self, endpoint: httpx2.URL, bounds: Bounds, watcher: Watcher, log: ServerLog) -> None:
        self._endpoint = endpoint
        self._inner = httpx2.AsyncHTTPTransport(retries=1)
        self._bounds = bounds
        self._watcher = watcher
        self._log = log

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request: to the server, or for a log-in."""
        if request.url != self._endpoint:
            check_origin(self._endpoint, request.url)
        if request.method == "DELETE":
            request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), _CLOSE_S)
        try:
            response = await self._inner.handle_async_request(request)
        except httpx2.TransportError as error:
            if request.method != "POST" or request.url != self._endpoint:
                raise
            reason = str(error) or type(error).__name__
            return self._failure(502, f"it cannot be reached: {reason}")
        encoding = response.headers.get("content-encoding", "identity")
        if encoding != "identity":
            await response.aclose()
            return self._failure(502, f"its answer is packed with {encoding}, which was not asked for")
        if response.status_code >= 400 and request.method == "POST" and request.url == self._endpoint:
            return await self._refusal(response, in_session=MCP_SESSION_ID in request.headers)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        is_stream = response.headers.get("content-type", "").lower().startswith("text/event-stream")
        response.stream = _BoundedBody(response.stream, self._bounds, self._watcher, endless=is_stream)
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    async def _refusal(self, response: httpx2.Response, *, in_session: bool) -> httpx2.Response:
        body = b""
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        with contextlib.suppress(httpx2.TransportError):
            async for chunk in response.stream:
                body += chunk
                if len(body) > _SHOWN_BYTES:
                    break
        await response.aclose()
        said = _error_message(body)
        text = " ".join(body[:_SHOWN_CHARS].decode(errors="replace").split())
        if in_session and (code := _end_of_session(response.status_code, said, text)):
            return self._failure(response.status_code, "it has ended the session", code=code)
        if said is not None:
            kept = {"content-type": "application/json"}
            kept |= {"www-authenticate": wanted} if (wanted := response.headers.get("www-authenticate")) else {}
            return httpx2.Response(response.status_code, headers=kept, content=body)
        words = f"it answered with HTTP {response.status_code}{_hint(response.status_code)}"
        return self._failure(response.status_code, f"{words}: {text}" if text else words, response.headers)

    def _failure(
        self, status: int, words: str, headers: Mapping[str, str] | None = None, code: int = UNREACHABLE
    ) -> httpx2.Response:
        self._log.note(words)
        error = {"jsonrpc": "2.0", "id": 0, "error": {"code": code, "message": words, "data": OURS}}
        kept = {name: value for name, value in (headers or {}).items() if name.lower() == "www-authenticate"}
        kept["content-type"] = "application/json"
        return httpx2.Response(status, headers=kept, content=msgspec.json.encode(error))


class _BoundedBody(httpx2.AsyncByteStream):
    """An answer's body; an endless one is bounded in what it brings in a time, any other in all."""

    def __init__(self, inner: httpx2.AsyncByteStream, bounds: Bounds, watcher: Watcher, *, endless: bool) -> None:
        self._inner = inner
        self._watcher = watcher
        limit, window = (bounds.flood_bytes, bounds.flood_s) if endless else (bounds.message_bytes, float("inf"))
        self._gauge = Gauge(limit, window, "bytes")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._inner:
            try:
                self._gauge.add(len(chunk))
            except Flooded as flooded:
                self._watcher.ended(str(flooded))
                raise httpx2.StreamError(str(flooded)) from None
            yield chunk

    async def aclose(self) -> None:
        """Let the connection go."""
        await self._inner.aclose()


def _hint(status: int) -> str:
    if status in (401, 403):
        return " (not authorized: it wants a token in a header)"
    return ""


def _end_of_session(status: int, said: str | None, text: str) -> int | None:
    """Return the code for an HTTP status in a session if it ends that. The specification has 404 for it; old servers take 400.

    A 404 that is about something else may come from behind the server, after it did what was asked.
    """
    if status == 404:
        about_session = not text or _SESSION.search(text if said is None else said)
        return SESSION_LOST if about_session else SESSION_IN_DOUBT
    if status == 400 and said is not None and _SESSION.search(said):
        return SESSION_IN_DOUBT
    return None


def _error_message(body: bytes) -> str | None:
    """Return the message of a JSON-RPC error, or None if the body is something else."""
    try:
        parsed: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(parsed, dict) or not {"jsonrpc", "error"} <= cast("dict[str, Any]", parsed).keys():
        return None
    error: object = cast("dict[str, Any]", parsed)["error"]
    message: object = cast("dict[str, Any]", error).get("message") if isinstance(error, dict) else None
    return message if isinstance(message, str) else ""
