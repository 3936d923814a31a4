"""Guard: which addresses may be asked on behalf of a model. Imports nothing of Luxx.

A URL is refused by how it is spelled, then its host is resolved once, every address found is checked, and only these addresses
are connected to: nothing is resolved a second time, so that a name cannot change what it points to in between.
"""

import ipaddress
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence

from yarl import URL

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses of a host; raises OSError."""

MAX_URL_CHARS = 4_000

_NOT_PUBLIC_4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # carrier-grade NAT
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # the platform of Azure, as each of its machines sees it
            "169.254.0.0/16",  # link-local, the metadata of clouds
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # AMT
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
        ),
    )
)
"""https://www.iana.org/assignments/iana-ipv4-special-registry, and https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16"""

_PUBLIC_6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "2001::/23",  # protocol assignments, Teredo and ORCHID among them
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ),
    )
)
"""https://www.iana.org/assignments/iana-ipv6-special-registry"""

_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})

_LOWEST_FREE_PORT = 1024
_WEB_PORTS = frozenset({80, 443})
_OTHER_SERVICES = frozenset(
    {1719, 1720, 1723, 2049, 2375, 2376, 3306, 3389, 3659, 4045, 4190, 5060, 5061, 5432, 5672, 5900, 5984, 6000, 6379}
    | {6443, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 9042, 9092, 9200, 9300, 10080, 10250, 11211, 27017}
)

_UNFIT = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2000-\u200f\u2028-\u202f\u2060-\u206f\u3000\ufeff\ud800-\udfff]")
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_AUTHORITY = re.compile(r"[^/?#]*//([^/?#]*)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LOCAL = "localhost local localdomain internal intranet private lan home corp svc consul onion test invalid home.arpa"
_METADATA = "metadata.goog metadata.tencentyun.com metadata.packet.net metadata.platformequinix.com oraclevcn.com"
_LOCAL_ENDINGS = tuple(f".{name}" for name in f"{_LOCAL} {_METADATA}".split())
"""Names that mean nothing outside of a network or a cloud. A second fence: the addresses that a name leads to decide."""


class Refused(Exception):
    """An address that may not be asked; the text says why, in words for a model and a person."""


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet; one that carries an IPv4 address inside, if that one does."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    if address in _MAPPED or address in _NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if address.scope_id or address not in _PUBLIC_6 or (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        return False
    return not any(address in network for network in _NOT_PUBLIC_6)


def is_web_port(port: int) -> bool:
    """Whether web pages are served at a port: 80, 443, and those above 1023 that are not known for something else."""
    return port in _WEB_PORTS or (port >= _LOWEST_FREE_PORT and port not in _OTHER_SERVICES)


class Guard:
    """Checks URLs and the addresses of their hosts. `allowed` and `ports` replace the rules above.

    `local_names` lets names of local networks through, whose addresses are then checked as any others are.
    """

    def __init__(
        self,
        resolver: Resolve,
        allowed: Callable[[Address], bool] = is_public,
        ports: Callable[[int], bool] = is_web_port,
        *,
        local_names: bool = False,
    ) -> None:
        self._resolve = resolver
        self._allowed = allowed
        self._ports = ports
        self._local_names = local_names

    def url(self, text: str) -> URL:
        """Return a URL as it is asked for: without its fragment, its host in lower case and in ASCII.

        Raises Refused for anything but http and https, for user names and passwords in it, for odd spellings of hosts, for hosts
        of local networks, and for ports of other services.
        """
        if len(text) > MAX_URL_CHARS:
            raise Refused(f"The URL is longer than {MAX_URL_CHARS:,} characters.")
        if _UNFIT.search(text):
            raise Refused("A URL has no spaces, control characters or backslashes; percent-encode them.")
        try:
            url = URL(text).with_fragment(None)
            scheme, port = url.scheme, url.port
            host = (url.raw_host or "").lower()
        except (ValueError, UnicodeError, TypeError, IndexError) as error:
            raise Refused(f"This is no URL: {error}") from error
        if scheme not in ("http", "https"):
            raise Refused("Only http:// and https:// URLs can be fetched.")
        authority = found[1] if (found := _AUTHORITY.match(text)) else ""
        if "@" in authority:
            raise Refused("A URL with a user name or password in it is not fetched.")
        if "[" in authority and not isinstance(_literal(host), ipaddress.IPv6Address):
            raise Refused("The host of the URL stands in brackets and is no IPv6 address.")
        if not host:
            raise Refused("The URL has no host.")
        if port is None or not self._ports(port):
            raise Refused(f"Port {port} is not one of web pages.")
        return url.with_host(self._host(host))

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """Resolve a host once and return its addresses, all of them checked; they alone may be connected to.

        Raises Refused if there is none, or if any of them is not allowed.
        """
        literal = _literal(host)
        try:
            found = [str(literal)] if literal else await self._resolve(host.rstrip("."), port)
        except (OSError, UnicodeError) as error:
            raise Refused(f"The host {host} cannot be found.") from error
        for text in found:
            self._check(host, text)
        if not found:
            raise Refused(f"The host {host} cannot be found.")
        return tuple(found)

    def _host(self, host: str) -> str:
        literal = _literal(host)
        if literal:
            self._check(host, str(literal))
            return str(literal)
        host = host.removesuffix(".")
        if not _HOST.fullmatch(host):
            raise Refused("The host of the URL is not spelled as hosts are.")
        if _NUMBER.fullmatch(host.rpartition(".")[2]):
            raise Refused("The host of the URL is a number; an IPv4 address is written as four decimal numbers.")
        if not self._local_names and _is_local_name(host):
            raise Refused(f"The host {host} belongs to a local network, which is not fetched from.")
        return host

    def _check(self, host: str, text: str) -> None:
        address = _literal(text)
        if address is None or not self._allowed(address):
            raise Refused(f"The host {host} is at an address that is not public; such addresses are not fetched from.")


class NamedGuard(Guard):
    """The rules of Guard, but for the hosts and ports of `named` URLs: a person with the right to it has named these, so they may be
    anywhere. What else a document or a redirect leads to is checked as ever.
    """

    def __init__(self, resolver: Resolve, named: Iterable[str]) -> None:
        super().__init__(resolver)
        self._open = open_guard(resolver)
        self._named = frozenset(place for text in named if (place := self._place(text)))

    def url(self, text: str) -> URL:
        """Return a URL as it is asked for; see Guard. Raises Refused."""
        url = self._open.url(text)
        return url if _place(url) in self._named else super().url(text)

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """Return the addresses of a host; see Guard. Raises Refused."""
        if (host, port) in self._named:
            return await self._open.addresses(host, port)
        return await super().addresses(host, port)

    def _place(self, text: str) -> tuple[str, int | None] | None:
        try:
            return _place(self._open.url(text))
        except Refused:
            return None


def is_local(url: str) -> bool:
    """Whether the host of a URL is spelled as one of a local network: an address that is not public, or a name of no one else."""
    try:
        host = open_guard(_nowhere).url(url).host or ""
    except Refused:
        return False
    literal = _literal(host)
    return not is_public(literal) if literal else _is_local_name(host)


async def _nowhere(host: str, port: int) -> Sequence[str]:
    return ()


def _is_local_name(host: str) -> bool:
    return "." not in host or f".{host}".endswith(_LOCAL_ENDINGS)


def _place(url: URL) -> tuple[str, int | None]:
    return url.host or "", url.port


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def open_guard(resolver: Resolve) -> Guard:
    """Return a guard for addresses that a person with the right to it has set up: any host, any port."""
    return Guard(resolver, allowed=lambda _: True, ports=lambda _: True, local_names=True)
