"""Transport: requests that are repeated where that is safe, and byte streams, with every failure as a ClientError."""

import asyncio
import io
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, BinaryIO, TypeVar

import aiohttp
import msgspec
from yarl import URL

from luxx.client.errors import ApiError, ClientError, ProtocolError, Unreachable
from luxx.client.patience import Patience, Retry

T = TypeVar("T")

_CONNECT_S = 10
_ANSWER_S = 90
_LONG = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=3600)
"""For what may take as long as it takes; an import is silent until it is through."""
_GATEWAY_STATUS = frozenset({502, 504})
_ASK_FIRST = 1_000_000
"""Bytes from which a body is sent only when the server is ready for it: one that refuses it need not be sent it all."""
_JSON = "application/json"
_BINARY = "application/octet-stream"
_PROBLEM = "application/problem+json"


class Cut(Exception):
    """The connection failed, or the server said that it is not ready: `error` says so to a person.

    `unsent` says that the request cannot have been acted on; `asked` is the server's wish for the wait, in seconds.
    """

    def __init__(self, error: ClientError, unsent: bool = False, asked: float = 0) -> None:
        super().__init__(error.message)
        self.error = error
        self.unsent = unsent
        self.asked = asked


class _Body(msgspec.Struct, frozen=True):
    data: bytes
    kind: str


class _Problem(msgspec.Struct, frozen=True):
    code: str = "http"
    detail: str = ""
    title: str = ""
    turn_id: str | None = None


class Transport:
    """One server's connections. A server that never answered is reported at once; one that did is waited for.

    `changed` says that a call was sent that may have changed something.
    """

    def __init__(self, base_url: str, token: str | None, retry: Retry) -> None:
        self.retry = retry
        self.changed = False
        self._base = _address(base_url)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._met = False
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()
            self._session = None

    async def call(
        self,
        method: str,
        path: str,
        kind: type[T],
        *,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        repeat: bool = True,
    ) -> T:
        """Make a request and return its answer; `repeat` says that the server may get it twice without harm.

        Raises ApiError, ProtocolError, Unreachable.
        """
        sent = None if body is None else _Body(msgspec.json.encode(body), _JSON)
        return _decode(await self._patiently(method, path, sent, params, repeat=repeat), kind)

    async def _patiently(
        self,
        method: str,
        path: str,
        body: "_Body | None",
        params: Mapping[str, str] | None,
        *,
        repeat: bool = True,
    ) -> bytes:
        patience = Patience(self.retry)
        while True:
            try:
                return await self._ask(method, path, body, params)
            except Cut as cut:
                self.changed = self.changed or (method != "GET" and not cut.unsent)
                wait = patience.wait(cut.error.message, cut.asked) if self._met and (repeat or cut.unsent) else None
                if wait is None:
                    raise cut.error from cut.__cause__
                await asyncio.sleep(wait.delay)

    async def upload(self, path: str, kind: type[T], data: bytes, params: Mapping[str, str]) -> T:
        """Send bytes as they are and return the answer; a file that arrives twice does no harm. Raises as `call`."""
        body = _Body(data, _BINARY)
        return _decode(await self._patiently("POST", path, body, params), kind)

    async def fetch(self, path: str) -> bytes:
        """Return bytes as they are. Raises as `call`."""
        return await self._patiently("GET", path, None, None)

    async def send_file(self, path: str, kind: type[T], file: BinaryIO) -> T:
        """Send a file, however large, and return the answer, however long that takes; it is not repeated. Raises as `call`."""
        try:
            with self._cuts():
                async with self._open().post(
                    self._base.joinpath(path),
                    headers={"Accept": _JSON, "Content-Type": _BINARY},
                    data=file,
                    timeout=_LONG,
                    allow_redirects=False,
                    expect100=True,
                ) as response:
                    await _refuse(response)
                    return _decode(await response.read(), kind)
        except Cut as cut:
            raise cut.error from cut.__cause__

    async def download(self, path: str, params: Mapping[str, str]) -> AsyncGenerator[bytes]:
        """Yield bytes as they come, however many; it is not repeated. Raises as `call`."""
        try:
            with self._cuts():
                response = await self._open().get(
                    self._base.joinpath(path), params=params, timeout=_LONG, allow_redirects=False
                )
            async with response:
                with self._cuts():
                    await _refuse(response)
                async for chunk in self._chunks(response):
                    yield chunk
        except Cut as cut:
            raise cut.error from cut.__cause__

    @asynccontextmanager
    async def stream(self, path: str, headers: Mapping[str, str]) -> AsyncGenerator[AsyncIterator[bytes] | None]:
        """Open an event stream and give its bytes as they come, or None if the server has nothing more (204).

        Raises Cut, also from the bytes; ApiError, ProtocolError.
        """
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=self.retry.silence)
        with self._cuts():
            response = await self._open().get(
                self._base.joinpath(path),
                headers={"Accept": "text/event-stream", **headers},
                timeout=timeout,
                allow_redirects=False,
            )
        async with response:
            self._met = True
            if response.status == 204:
                yield None
                return
            with self._cuts():
                await _refuse(response)
            if response.content_type != "text/event-stream":
                raise ProtocolError(f"{self._base} does not answer with events: is it a Luxx server?")
            yield self._chunks(response)

    async def _chunks(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        while True:
            with self._cuts():
                chunk = await response.content.readany()
            if not chunk:
                return
            yield chunk

    async def _ask(self, method: str, path: str, body: "_Body | None", params: Mapping[str, str] | None) -> bytes:
        headers = {"Accept": _JSON}
        if body is not None:
            headers["Content-Type"] = body.kind
        with self._cuts():
            async with self._open().request(
                method,
                self._base.joinpath(path),
                headers=headers,
                data=None if body is None else io.BytesIO(body.data),
                params=params,
                allow_redirects=False,
                expect100=body is not None and len(body.data) > _ASK_FIRST,
            ) as response:
                self._met = True
                await _refuse(response)
                self.changed = self.changed or method != "GET"
                return await response.read()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=_ANSWER_S, sock_connect=_CONNECT_S),
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=2),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers={"User-Agent"},
            )
        return self._session

    @contextmanager
    def _cuts(self) -> Generator[None]:
        """Turn the ways in which a connection fails into Cut."""
        try:
            yield
        except aiohttp.ClientConnectorError as error:
            reason = error.os_error.strerror or str(error.os_error)
            refused = Unreachable(f"No server answers at {self._base}: {reason}", unsent=True)
            raise Cut(refused, unsent=True) from error
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise Cut(Unreachable(f"The connection to {self._base} broke: {error or type(error).__name__}")) from error


def _address(base_url: str) -> URL:
    try:
        url = URL(base_url)
    except ValueError as error:
        raise ClientError(f"{base_url!r} is not an address: {error}") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise ClientError(f"{base_url!r} is not an address of the kind http://127.0.0.1:8420")
    return url.with_query(None).with_fragment(None)


async def _refuse(response: aiohttp.ClientResponse) -> None:
    """Raise what a refusal says: ApiError, or Cut for a server that is not ready."""
    if response.status < 300:
        return
    error = _api_error(response, await response.read())
    if _not_ready(response):
        after = response.headers.get("Retry-After", "")
        raise Cut(
            error, unsent=response.status == 503, asked=float(after) if after.isdecimal() and len(after) < 6 else 0
        )
    raise error


def _not_ready(response: aiohttp.ClientResponse) -> bool:
    """Whether to ask again: a 502 or 504 that is not Luxx's own word on a provider comes from something on the way."""
    return response.status == 503 or (response.status in _GATEWAY_STATUS and response.content_type != _PROBLEM)


def _api_error(response: aiohttp.ClientResponse, body: bytes) -> ApiError:
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except msgspec.DecodeError:
        problem = _Problem()
    detail = problem.detail or problem.title or f"HTTP {response.status} {response.reason or ''}".strip()
    return ApiError(response.status, problem.code, detail, problem.turn_id)


def _decode(body: bytes, kind: type[T]) -> T:
    if kind is type(None):
        return kind()
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise ProtocolError(f"The answer is not what a Luxx server gives ({error})") from error
