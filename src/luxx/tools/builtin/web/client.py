"""Client: one bounded HTTP request to a checked address. Nothing of the environment is used, and nothing is remembered."""

import asyncio
import socket
import ssl
import zlib
from collections.abc import Mapping

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from luxx.tools.builtin.web.guard import Guard, Refused
from luxx.tools.errors import ToolError
from luxx.tools.results import shorten

MAX_REDIRECTS = 5
_CONNECT_S = 10.0
_FOLLOWED = frozenset({301, 302, 303, 307, 308})
_SAFE = frozenset({"GET", "HEAD"})
_USUAL_HEADERS = frozenset({"user-agent", "accept", "accept-encoding"})
_SHOWN_CHARS = 200
_BEFORE_SENDING = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)


class WebError(ToolError):
    """A request was refused or failed; the text is for the model. `sent` says whether the host may have got it."""

    def __init__(self, text: str, *, sent: bool = False) -> None:
        super().__init__(text)
        self.sent = sent


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back. `url` is the last one after redirects; `data` is unpacked, and `cut` where it was longer than allowed."""

    url: str
    status: int
    reason: str
    headers: Mapping[str, str]
    data: bytes
    cut: bool = False

    @property
    def media_type(self) -> str:
        """The media type that the host tells, in lower case and without parameters; empty if it tells none."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()


class WebClient:
    """Makes requests, each on a connection of its own: no cookies, no proxy, no cache of names, no `.netrc`.

    `max_bytes` bounds what is read, packed and unpacked; `timeout_s` is for a whole request with its redirects. `tls` replaces
    the certificates that are trusted. Errors name no header.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        max_bytes: int = 5_000_000,
        timeout_s: float = 20.0,
        user_agent: str = "Luxx",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._guard = guard
        self._max_bytes = max_bytes
        self.timeout_s = timeout_s
        self._user_agent = user_agent
        self._tls = tls

    def refusal(self, url: str) -> str | None:
        """Return why a URL would be refused for how it is spelled, or None."""
        try:
            self._guard.url(url)
        except Refused as refused:
            return str(refused)
        return None

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Make a request and follow redirects, each checked as the first; other methods than GET and HEAD follow none.

        Headers beyond the usual ones stay with the origin that they were meant for. Raises WebError.
        """
        sent = {"User-Agent": self._user_agent, "Accept": "*/*", "Accept-Encoding": "gzip, deflate", **(headers or {})}
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self._followed(method, self._guard.url(url), sent, body)
        except Refused as refused:
            raise WebError(str(refused)) from refused
        except TimeoutError as error:
            raise WebError(f"{_host(url)} did not answer within {self.timeout_s:g} s.", sent=True) from error
        except (aiohttp.ClientError, OSError, ValueError, zlib.error) as error:
            raise WebError(_explained(_host(url), error), sent=not isinstance(error, _BEFORE_SENDING)) from error

    async def _followed(self, method: str, url: URL, headers: dict[str, str], body: bytes | None) -> Answer:
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._once(method, url, headers, body)
            target = answer.headers.get("Location")
            if answer.status not in _FOLLOWED or not target or method not in _SAFE:
                return answer
            ahead = self._guard.url(str(url.join(URL(target))))
            if ahead.origin() != url.origin():
                headers = {name: value for name, value in headers.items() if name.lower() in _USUAL_HEADERS}
            url = ahead
        raise WebError(f"The page redirects more than {MAX_REDIRECTS} times.")

    async def _once(self, method: str, url: URL, headers: dict[str, str], body: bytes | None) -> Answer:
        connector = aiohttp.TCPConnector(
            resolver=_Pinned(self._guard),
            use_dns_cache=False,
            force_close=True,
            ssl=True if self._tls is None else self._tls,
        )
        async with (
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                skip_auto_headers=("Content-Type",),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S),
            ) as session,
            session.request(method, url, headers=headers, data=body, allow_redirects=False) as response,
        ):
            data, cut = await self._read(response)
            return Answer(
                url=str(url),
                status=response.status,
                reason=shorten(response.reason or "", _SHOWN_CHARS),
                headers=response.headers.copy(),
                data=data,
                cut=cut,
            )

    async def _read(self, response: aiohttp.ClientResponse) -> tuple[bytes, bool]:
        unpacker = _Unpacker(response.headers.get("Content-Encoding", ""), self._max_bytes)
        packed = 0
        async for chunk in response.content.iter_any():
            packed += len(chunk)
            unpacker.feed(chunk)
            if unpacker.full or packed > self._max_bytes:
                return unpacker.data, True
        return unpacker.data, False


class _Pinned(AbstractResolver):
    """Gives a connection the checked addresses of its host, and nothing else. Literal addresses were checked with their URL."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in await self._guard.addresses(host, port)
        ]

    async def close(self) -> None:
        """There is nothing to close."""


class _Unpacker:
    """Undoes a content encoding, up to a number of bytes."""

    def __init__(self, encoding: str, limit: int) -> None:
        self._encoding = encoding.strip().lower()
        if self._encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise WebError(
                f'The answer is packed in a way that is not read here: "{shorten(encoding, _SHOWN_CHARS)}".', sent=True
            )
        self._limit = limit
        self._inflate = None if self._encoding in ("", "identity") else zlib.decompressobj(47)
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def full(self) -> bool:
        """Whether there was more than the limit."""
        return self._size > self._limit

    @property
    def data(self) -> bytes:
        """What was unpacked, up to the limit."""
        return b"".join(self._pieces)[: self._limit]

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes. Raises zlib.error."""
        if self._inflate is None:
            self._add(chunk)
            return
        while chunk and not self.full:
            try:
                self._add(self._inflate.decompress(chunk, self._limit - self._size + 1))
            except zlib.error:
                if self._encoding != "deflate" or self._size:
                    raise
                self._encoding, self._inflate = "raw", zlib.decompressobj(-15)
                continue
            chunk = self._inflate.unconsumed_tail
            if self._inflate.eof:
                chunk, self._inflate = self._inflate.unused_data, zlib.decompressobj(47)

    def _add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._size += len(piece)


def _host(url: str) -> str:
    try:
        return URL(url).host or "The host"
    except ValueError:
        return "The host"


def _explained(host: str, error: Exception) -> str:
    refused = error.__cause__ or error.__context__
    if isinstance(refused, Refused):
        return str(refused)
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return f"{host} has no valid certificate."
        case aiohttp.ClientConnectorError() | aiohttp.ServerTimeoutError():
            return f"{host} cannot be reached."
        case aiohttp.ClientPayloadError() | aiohttp.ServerDisconnectedError() | ConnectionError():
            return f"{host} broke the connection off."
        case zlib.error():
            return f"{host} sent data that cannot be unpacked."
        case _:
            return f"{host} did not answer as a web server does."
