"""Transport: HTTP to the providers, one connection for each answer, with time limits and a close that is felt at once."""

import asyncio
import io
import ipaddress
import math
import urllib.request
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import aiohttp
import msgspec
from yarl import URL

from luxx.core.errors import ProviderError, ProviderRejected, ProviderTimeout, ProviderUnreachable
from luxx.providers.pace import Pace

_HASTY_READS = 2
"""Reads of an answer that never wait: the first often brings nothing but the role, and the second the first token."""


_LARGE = 256 * 1024


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait, in seconds: for a connection, for the first byte of an answer, between two reads of it, and for something
    to show while only signs of life come.
    """

    connect_s: float = 10.0
    first_byte_s: float = 120.0
    between_reads_s: float = 120.0
    between_deltas_s: float = 600.0


class Reply:
    """An answer in the making. Its owner is the ``async with`` of Transport.open, which closes it."""

    def __init__(self, response: aiohttp.ClientResponse, patience: Patience, pace: Pace) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._patience = patience
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        self._reads = 0
        self._expired = False
        self._deadline: float | None = None
        self._armed = math.inf
        self._timer: asyncio.TimerHandle | None = None

    async def read(self, patience_s: float | None = None) -> bytes:
        """Return what one read of the network brought; empty at the end. `patience_s` overrides the time limits.

        Raises ProviderTimeout or ProviderUnreachable.
        """
        if patience_s is None:
            patience_s = self._patience.between_reads_s if self._reads else self._patience.first_byte_s
        if self._reads >= _HASTY_READS and (rest_s := self._pace.rest_s()):
            await self._rest(rest_s)
        self._expect(patience_s)
        try:
            data = await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            if self._expired:
                raise ProviderTimeout(f"The provider was silent for {patience_s:g} s.") from error
            raise ProviderUnreachable("The connection to the provider broke.") from error
        finally:
            self._deadline = None
        self._reads += 1
        return data

    async def read_all(self, limit: int) -> bytes:
        """Return the whole body, or its first `limit` bytes. Raises as read does."""
        pieces: list[bytes] = []
        size = 0
        while size < limit and (data := await self.read()):
            pieces.append(data)
            size += len(data)
        return b"".join(pieces)[:limit]

    def close(self) -> None:
        """Close the connection at once, unless the answer was read to its end: then it is free for the next request."""
        self._deadline = None
        if self._timer:
            self._timer.cancel()
        connection = self._response.connection
        if connection and connection.transport:
            connection.transport.abort()
        self._response.close()

    async def _rest(self, seconds: float) -> None:
        """Leave what comes to the kernel for a while; a connection that is read to its end has nothing to leave."""
        connection = self._response.connection
        transport = connection.transport if connection is not None else None
        if transport is None or transport.is_closing():
            return
        transport.pause_reading()
        try:
            await self._pace.rest(seconds)
        finally:
            if not transport.is_closing():
                transport.resume_reading()

    # One timer for the whole answer, moved only when it rings: arming one for each read would cost more than the read.
    def _expect(self, patience_s: float) -> None:
        deadline = self._loop.time() + patience_s
        self._deadline = deadline
        if deadline < self._armed:
            self._arm(deadline)

    def _arm(self, when: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._armed = when
        self._timer = self._loop.call_at(when, self._ring)

    def _ring(self) -> None:
        self._armed = math.inf
        if self._deadline is None:
            return
        if self._loop.time() < self._deadline:
            self._arm(self._deadline)
            return
        self._expired = True
        self.close()


class Transport:
    """The HTTP client of all providers of an application. Its session is made on the running loop at the first request.

    It follows no redirects, keeps no cookies, and takes proxies from the environment except for this machine's own
    addresses. `patience` holds for every request, and all answers share the `pace`.
    """

    def __init__(self, patience: Patience | None = None, user_agent: str = "luxx", pace: Pace | None = None) -> None:
        self.patience = patience or Patience()
        self._pace = pace or Pace()
        self._user_agent = user_agent
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    @asynccontextmanager
    async def open(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes | None = None
    ) -> AsyncGenerator[Reply, None]:
        """Send a request and give the reply, of whatever status, as soon as its headers are there.

        Leaving the context closes the connection. Raises ProviderUnreachable, ProviderTimeout or ProviderRejected.
        """
        reply = Reply(await self._send(method, url, headers, body), self.patience, self._pace)
        del body  # an answer may take minutes, and its request be megabytes
        try:
            yield reply
        finally:
            reply.close()

    async def aclose(self) -> None:
        """Close all connections; a request made later fails as unreachable."""
        self._closed = True
        if self._session:
            await self._session.close()

    async def _send(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes | None
    ) -> aiohttp.ClientResponse:
        if self._closed:
            raise ProviderUnreachable("The server is shutting down.")
        try:
            async with asyncio.timeout(self.patience.first_byte_s):
                return await self._live_session().request(
                    method, url, headers=headers, data=_sent(body), allow_redirects=False, proxy=proxy_for(url)
                )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise self._error(error, url) from error

    def _live_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(
                total=None, connect=self.patience.connect_s, sock_connect=self.patience.connect_s
            )
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, limit_per_host=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=timeout,
                # A compressing proxy may hold tokens back to fill its block.
                headers={"User-Agent": self._user_agent, "Accept-Encoding": "identity"},
            )
        return self._session

    def _error(self, error: Exception, url: URL) -> ProviderError:
        place = f"{url.host}:{url.port}" if url.host else "the provider"
        match error:
            case aiohttp.ConnectionTimeoutError():
                wait = f"{self.patience.connect_s:g} s"
                return ProviderUnreachable(f"Cannot reach {place}: no connection within {wait}.")
            case TimeoutError():
                return ProviderTimeout(f"{place} did not begin to answer within {self.patience.first_byte_s:g} s.")
            case aiohttp.ClientConnectorCertificateError():
                return ProviderUnreachable(f"Cannot reach {place}: its certificate is not valid for this address.")
            case aiohttp.ClientProxyConnectionError() | aiohttp.ClientHttpProxyError():
                return ProviderUnreachable(f"Cannot reach {place}: the proxy that the environment names refuses.")
            case aiohttp.ClientConnectorError():
                reason = error.os_error.strerror or "no connection"
                return ProviderUnreachable(
                    f"Cannot reach {place}: {reason}. Check the base URL and that it is running."
                )
            case aiohttp.ClientResponseError():
                return ProviderUnreachable(f"What answers at {place} does not speak HTTP.")
            case aiohttp.InvalidURL() | ValueError():
                return ProviderRejected("The base URL or the key of this provider cannot be sent in a request.")
            case _:
                return ProviderUnreachable(f"{place} closed the connection without an answer.")


def _sent(body: bytes | None) -> bytes | io.BytesIO | None:
    """Return a body as it is best sent: a large one piece by piece, so that nothing else waits for it."""
    return body if body is None or len(body) < _LARGE else io.BytesIO(body)


def proxy_for(url: URL) -> URL | None:
    """Return the proxy that the environment names for an address; never one for this machine.

    aiohttp's own way would also send the passwords of a ``.netrc`` file to providers, and fail for those with a key.
    """
    host = url.host or ""
    if is_loopback(host) or urllib.request.proxy_bypass(host):
        return None
    found = urllib.request.getproxies().get(url.scheme)
    if not found:
        return None
    return URL(found if "://" in found else f"http://{found}")


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
