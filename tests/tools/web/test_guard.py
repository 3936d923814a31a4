"""The guard: which addresses may be asked, in whatever way they are written."""

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luxx.tools.builtin.web.guard import Guard, Refused, is_public, is_web_port, open_guard
from tests.tools.web.sites import Names

GUARD = Guard(Names())


def words(text: str) -> list[str]:
    """Return the words of a text, for long lists."""
    return text.split()


@pytest.mark.parametrize(
    "address",
    words(
        """
        0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 169.254.169.254
        172.16.0.1 172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.7
        203.0.113.7 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::127.0.0.1 ::ffff:127.0.0.1
        ::ffff:10.0.0.1 ::ffff:0:127.0.0.1 64:ff9b::127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::808:808 100::1 2001::1
        2001:0:808:808::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:808:808::1 3fff::1 5f00::1 fc00::1
        fd12:3456::1 fe80::1 fec0::1 ff02::1 2606:4700::5efe:10.0.0.1 2606:4700::200:5efe:10.0.0.1 fe80::1%eth0
        4000::1 168.63.129.16 100.100.100.200 192.0.0.192 169.254.0.23 169.254.170.2 fd00:ec2::254 fd20:ce::254
        ::ffff:168.63.129.16 ::168.63.129.16 64:ff9b::168.63.129.16 64:ff9b::100.100.100.200 64:ff9b::192.0.0.192
        2002:a83f:8110:: 2001:0:a83f:8110:: 64:ff9b:1::a83f:8110 ::8.8.8.8
        """
    ),
)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    words(
        """
        1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 126.1.1.1 128.0.0.1 172.15.0.1 172.32.0.1
        192.167.1.1 198.17.0.1 198.20.0.1 223.255.255.254 2606:4700:4700::1111 2a00:1450:4001::1
        2001:4860:4860::8888 ::ffff:8.8.8.8 64:ff9b::8.8.8.8
        """
    ),
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@given(st.ip_addresses(v=4))
@settings(deadline=None)
def test_nothing_is_more_public_than_the_standard_library_says(address: ipaddress.IPv4Address) -> None:
    assert not is_public(address) or (address.is_global and not address.is_multicast)
    assert is_public(ipaddress.IPv6Address(f"::ffff:{address}")) is is_public(address)


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://site.example", "http://site.example"),
        ("HTTPS://Site.EXAMPLE:443/A?b=%20C&d#e", "https://site.example/A?b=%20C&d"),
        ("http://site.example./x", "http://site.example/x"),
        ("http://münchen.example/ü", "http://xn--mnchen-3ya.example/%C3%BC"),
        ("http://site。example/", "http://site.example/"),
        ("http://8.8.8.8:8080/", "http://8.8.8.8:8080/"),
        ("http://[2606:4700::1111]/", "http://[2606:4700::1111]/"),
        ("http://1.1.1.1.site.example/", "http://1.1.1.1.site.example/"),
        ("http://private.site.example/", "http://private.site.example/"),
        ("http://mymetadata.goog/", "http://mymetadata.goog/"),
    ],
)
def test_a_url_is_asked_in_its_plain_spelling(url: str, asked: str) -> None:
    assert str(GUARD.url(url)) == asked


@pytest.mark.parametrize(
    "host",
    words(
        """
        127.0.0.1 127.1 127.0.1 2130706433 017700000001 0x7f000001 0x7f.1 0x7f.0.0.1 0177.0.0.1 127.0.0.0x1
        127.0.0.1. 0 0.0.0.0 00.00.00.00 \uff11\uff12\uff17.0.0.1 ①27.0.0.1 127。0。0。1 127.0.0.1%2f.site.example
        %31%32%37.0.0.1 site.example%00.x [::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1]
        [fe80::1%25eth0] [fe80::1%eth0] [::1%251] [64:ff9b::7f00:1] [2002:7f00:1::] 169.254.169.254 [fd00:ec2::254]
        localhost LOCALHOST localhost. a.localhost printer.local metadata.google.internal router.lan intranet
        metadata.goog METADATA.goog. x.metadata.goog metadata metadata.azure.internal instance-data.ec2.internal
        metadata.tencentyun.com metadata.packet.net metadata.platformequinix.com node.vcn.oraclevcn.com 168.63.129.16
        100.100.100.200 192.0.0.192 [::ffff:100.100.100.200] [::ffff:a83f:8110] 0xa83f8110 [fd20:ce::254] [v1.a] [v1.fe80::a]
        [site.example] [8.8.8.8] api.default.svc api.default.svc.cluster.local db.cluster.local redis.service.consul
        db.private app.test x.invalid a.internal host.docker.internal pc.lan pc.home pc.corp pc.intranet pc.localdomain
        home.arpa x.home.arpa abc.onion -a.example a..example .example a_.example- 999.999.999.999 1.2.3 1.2.3.4.5 256.1.1.1
        """
    ),
)
def test_a_host_that_is_not_public_is_refused_in_every_spelling(host: str) -> None:
    with pytest.raises(Refused):
        GUARD.url(f"http://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://site.example/",
        "file:///etc/passwd",
        "gopher://site.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        "//site.example/",
        "site.example",
        "",
        "http://",
        "http:///x",
        "http:site.example",
        "http:/site.example",
        "http://me@site.example/",
        "http://me:secret@site.example/",
        "http://@site.example/",
        "http://:@site.example/",
        "http://site.example@127.0.0.1/",
        "http://site.example\\@127.0.0.1/",
        "http://127.0.0.1\\.site.example/",
        "http://site.example /",
        "http://site.example/a b",
        "http://site.example/\r\nHost: x",
        "http://site.example/\x00",
        "http://site.ex\u200bample/",
        "http://site.example/\ud800",
        "http://site.example:22/",
        "http://site.example:25/",
        "http://site.example:0/",
        "http://site.example:6379/",
        "http://site.example:99999/",
        "http://site.example:8o/",
        "http://[::1/",
        "http://" + "a" * 64 + ".example/",
        "http://site.example/" + "a" * 5000,
    ],
)
def test_a_url_that_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        GUARD.url(url)


def test_pages_are_served_at_the_ports_of_the_web_and_at_free_ones() -> None:
    assert [port for port in (80, 443, 3000, 8080, 8443, 65535, 21, 22, 23, 25, 110, 139, 445, 5432, 6379, 11211) if is_web_port(port)] == [
        80, 443, 3000, 8080, 8443, 65535,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "found", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["2606:4700::1", "::1"], ["fe80::1%eth0"], ["not an address"], []]
)
async def test_a_host_with_any_address_that_is_not_public_is_refused(found: list[str]) -> None:
    with pytest.raises(Refused):
        await Guard(Names(trap_example=[found])).addresses("trap.example", 80)


async def test_the_addresses_of_a_host_are_returned_as_they_were_checked() -> None:
    names = Names(site_example=[["8.8.8.8", "2606:4700::1"]])
    assert await Guard(names).addresses("site.example", 443) == ("8.8.8.8", "2606:4700::1")
    assert names.asked == ["site.example"]


async def test_a_literal_address_is_not_resolved() -> None:
    names = Names()
    assert await Guard(names).addresses("8.8.8.8", 80) == ("8.8.8.8",)
    with pytest.raises(Refused):
        await Guard(names).addresses("10.0.0.1", 80)
    assert names.asked == []


async def test_a_host_that_is_not_found_is_named() -> None:
    with pytest.raises(Refused, match=r"gone\.test cannot be found"):
        await Guard(Names()).addresses("gone.test", 80)


async def test_an_open_guard_lets_a_persons_own_network_through() -> None:
    guard = open_guard(Names())
    assert str(guard.url("http://searx:8888/x")) == "http://searx:8888/x"
    assert await guard.addresses("127.0.0.1", 22) == ("127.0.0.1",)
    with pytest.raises(Refused):
        guard.url("file:///etc/passwd")
