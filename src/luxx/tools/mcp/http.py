"""HTTP: a server behind an address, with every answer bounded and every failure in words."""

import contextlib
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping

import httpx2
import msgspec
from mcp.client._transport import TransportStreams
from mcp.client.streamable_http import MCP_SESSION_ID, streamable_http_client
from mcp_types import ErrorData, JSONRPCError

from luxx.tools.mcp.bounded import BoundedStream, Flooded, Gauge
from luxx.tools.mcp.log import ServerLog
from luxx.tools.mcp.messages import IN_DOUBT, OURS, answer_of, messages_of, read, shallow
from luxx.tools.mcp.oauth import authorization, check_origin
from luxx.tools.mcp.wire import Authorizer, Bounds, Watcher

UNREACHABLE = -32_050
"""The code of an error of our own: the server could not be reached, or refused the request with an HTTP status."""
SESSION_LOST = -32_051
"""The code of another one: the server took nothing, as it does not know the session."""
SESSION_IN_DOUBT = -32_052
"""And of a third: the server seems not to know the session, but may have taken the request."""

_CONNECT_S = 10.0
_CLOSE_S = 2.0
_SILENCE_S = 3600.0
_SHOWN_BYTES = 2_000
_SHOWN_CHARS = 300
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)
_LEFT = (301, 302, 303)
"""Redirects after which a POST would be another request: it has been taken, and what became of it is said elsewhere."""
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
        is_post = request.method == "POST" and request.url == self._endpoint
        if request.url != self._endpoint:
            check_origin(self._endpoint, request.url)
        if request.method == "DELETE":
            request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), _CLOSE_S)
        try:
            response = await self._inner.handle_async_request(request)
        except _NOT_SENT as error:
            if not is_post:
                raise
            return self._failure(502, f"it cannot be reached: {_words(error)}")
        except httpx2.TransportError as error:
            if not is_post:
                raise
            return self._failure(502, f"the connection broke: {_words(error)}", code=IN_DOUBT)
        return await self._bounded(request, response, is_post=is_post)

    async def _bounded(self, request: httpx2.Request, response: httpx2.Response, *, is_post: bool) -> httpx2.Response:
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        encoding = response.headers.get("content-encoding", "identity")
        if encoding != "identity":
            await response.aclose()
            return self._failure(502, f"its answer is packed with {encoding}, which was not asked for", code=IN_DOUBT)
        if is_post and (response.status_code >= 400 or response.status_code in _LEFT):
            return await self._refusal(response, in_session=MCP_SESSION_ID in request.headers)
        kind = response.headers.get("content-type", "").lower()
        is_stream = kind.startswith("text/event-stream")
        body = _BoundedBody(response.stream, self._bounds, self._watcher, endless=is_stream)
        if is_stream:
            request_id = _id_of(request.content) if is_post else None
            response.stream = _MendedEvents(body, self._bounds.message_bytes, request_id)
        elif is_post and response.status_code == 200 and kind.startswith("application/json"):
            return await self._answer(request, response, body)
        else:
            response.stream = body
        return response

    async def _answer(
        self, request: httpx2.Request, response: httpx2.Response, body: "_BoundedBody"
    ) -> httpx2.Response:
        """Return the whole answer to a request, as one that the SDK can read and that belongs to the request."""
        request_id = _id_of(request.content)
        try:
            data = b"".join([chunk async for chunk in body])
        except (httpx2.TransportError, httpx2.StreamError) as error:
            return self._failure(502, f"its answer broke off: {_words(error)}", code=IN_DOUBT)
        finally:
            await response.aclose()
        if request_id is not None:
            answer = answer_of(await read(messages_of, data), data, request_id)
            data = answer.model_dump_json(by_alias=True, exclude_unset=True).encode()
        kept = [(name, value) for name, value in response.headers.multi_items() if name.lower() != "content-length"]
        return httpx2.Response(200, headers=kept, content=data)

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
        status, said = response.status_code, _error_in(body)
        text = " ".join(body[:_SHOWN_CHARS].decode(errors="replace").split())
        if in_session and (code := _end_of_session(status, said.message if said else None, text)):
            return self._failure(status, "it has ended the session", code=code)
        if said is not None and status < 500:
            kept = {"content-type": "application/json"}
            kept |= {"www-authenticate": wanted} if (wanted := response.headers.get("www-authenticate")) else {}
            return httpx2.Response(status, headers=kept, content=body)
        words = f"it answered with HTTP {status}{_hint(status)}"
        words += f": {said.message if said else _plain(body, text)}".rstrip(": ")
        is_refused = status < 500 and status not in (*_LEFT, 408)
        code = UNREACHABLE if is_refused else IN_DOUBT
        return self._failure(502 if status in _LEFT else status, words, response.headers, code)

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


class _MendedEvents(httpx2.AsyncByteStream):
    """A stream of events without what the SDK would misread: lines nested too deep, and answers to another request than this one."""

    def __init__(self, inner: httpx2.AsyncByteStream, max_bytes: int, request_id: int | str | None) -> None:
        self._inner = inner
        self._max_bytes = max_bytes
        self._request_id = request_id

    async def __aiter__(self) -> AsyncIterator[bytes]:
        partial = bytearray()
        async for chunk in self._inner:
            at = max(chunk.rfind(b"\n"), chunk.rfind(b"\r")) + 1
            if at or len(partial) > self._max_bytes:
                yield await read(self._mended, bytes(partial + chunk[:at]))
                partial.clear()
            partial += chunk[at:]
        yield await read(self._mended, bytes(partial))

    async def aclose(self) -> None:
        """Let the connection go."""
        await self._inner.aclose()

    def _mended(self, data: bytes) -> bytes:
        lines = map(shallow, data.splitlines(keepends=True))
        return b"".join(line for line in lines if not _answers_another(line, self._request_id))


def _answers_another(line: bytes, request_id: int | str | None) -> bool:
    """Whether a line of an event is the answer to another request: the SDK takes any answer in a request's stream for its own."""
    if request_id is None or not line.startswith(b"data:"):
        return False
    try:
        message = msgspec.json.decode(line[5:], type=_Came)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False
    return message.method is None and message.id is not None and str(message.id) != str(request_id)


def _hint(status: int) -> str:
    if status in (401, 403):
        return " (not authorized: it wants a token in a header)"
    if status in (404, 405):
        return " (no MCP server is at this address: check its path)"
    return ""


def _plain(body: bytes, text: str) -> str:
    """Return the words in a refusal: the message in a JSON object, nothing of a page, else its text."""
    if text.startswith("<"):
        return ""
    try:
        found = msgspec.json.decode(body, type=_Refusal)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return text
    return next((one for one in (found.detail, found.message, found.error) if isinstance(one, str)), text)


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


def _error_in(body: bytes) -> ErrorData | None:
    """Return the JSON-RPC error that a body is, or None if it is something else."""
    for message in messages_of(body):
        if isinstance(message, JSONRPCError) and message.error.data != OURS:
            return message.error
    return None


def _id_of(content: bytes) -> int | str | None:
    """Return the id of a request of ours, or None for what is not answered."""
    return msgspec.json.decode(content, type=_Sent).id


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__


class _Sent(msgspec.Struct):
    id: int | str | None = None


class _Refusal(msgspec.Struct):
    detail: object = None
    message: object = None
    error: object = None


class _Came(msgspec.Struct):
    id: int | str | None = None
    method: str | None = None
