"""HTTP: a server behind an address, with every answer bounded and every failure in words."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

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

_CONNECT_S = 10.0
_CLOSE_S = 2.0
_SILENCE_S = 3600.0
_SHOWN_BYTES = 2_000
_SHOWN_CHARS = 300


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
        if in_session and (response.status_code == 404 or (response.status_code == 400 and b"ession" in body)):
            return httpx2.Response(404)  # which the SDK takes for the end of the session, as the specification has it
        if _is_json_rpc(body):
            kept = {"content-type": "application/json"}
            kept |= {"www-authenticate": wanted} if (wanted := response.headers.get("www-authenticate")) else {}
            return httpx2.Response(response.status_code, headers=kept, content=body)
        text = " ".join(body[:_SHOWN_CHARS].decode(errors="replace").split())
        words = f"it answered with HTTP {response.status_code}{_hint(response.status_code)}"
        return self._failure(response.status_code, f"{words}: {text}" if text else words, response.headers)

    def _failure(self, status: int, words: str, headers: Mapping[str, str] | None = None) -> httpx2.Response:
        self._log.note(words)
        error = {"jsonrpc": "2.0", "id": 0, "error": {"code": UNREACHABLE, "message": words}}
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


def _is_json_rpc(body: bytes) -> bool:
    try:
        parsed: Any = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return False
    return isinstance(parsed, dict) and "jsonrpc" in parsed and "error" in parsed
