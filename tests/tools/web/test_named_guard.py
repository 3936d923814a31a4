"""The guard for places that a person has named: these may be anywhere, and nothing else."""

import pytest

from luxx.tools.builtin.web.client import WebClient, WebError
from luxx.tools.builtin.web.guard import NamedGuard, Refused, is_local
from tests.tools.web.sites import Names, site


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1:8000/v1", "http://localhost:22/", "http://[::1]:9/", "http://nas.lan/"]
)
def test_a_named_place_may_be_private_and_at_any_port(url: str) -> None:
    NamedGuard(Names(), [url]).url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1:8001/v1",
        "http://10.0.0.2:8000/v1",
        "http://localhost:8000/",
        "http://169.254.169.254/latest",
        "http://2130706433/",
        "ftp://10.0.0.1:8000/",
        "http://me:pw@10.0.0.1:8000/",
    ],
)
def test_other_places_are_checked_as_ever(url: str) -> None:
    with pytest.raises(Refused):
        NamedGuard(Names(), ["http://10.0.0.1:8000/v1"]).url(url)


async def test_a_name_of_the_internet_that_was_not_named_cannot_lead_inside() -> None:
    guard = NamedGuard(Names(evil_example=[["127.0.0.1"]]), ["http://inside.example:8000"])
    with pytest.raises(Refused):
        await guard.addresses("evil.example", 8000)
    with pytest.raises(Refused):
        await guard.addresses("inside.example", 80)
    assert await guard.addresses("inside.example", 8000) == ("127.0.0.2",)


async def test_a_redirect_from_a_named_place_is_checked() -> None:
    async with site(address="127.0.0.1") as at, site(address="127.0.0.1") as other:
        named = at.url("/a", "127.0.0.1")
        at.redirect("/a", other.url("/b", "127.0.0.1"))
        with pytest.raises(WebError, match="not public"):
            await WebClient(NamedGuard(Names(), [named])).request("GET", named)
        assert other.requests == []


def test_what_cannot_be_a_place_names_nothing() -> None:
    with pytest.raises(Refused):
        NamedGuard(Names(), ["nonsense", "http://0x7f.1/"]).url("http://0x7f.1/")


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:8000/x", True),
        ("http://192.168.1.2/", True),
        ("http://[::1]/", True),
        ("http://nas.local/", True),
        ("http://nas/", True),
        ("https://api.example/", False),
        ("https://1.1.1.1/", False),
        ("nonsense", False),
    ],
)
def test_local_hosts_are_known_by_their_spelling(url: str, local: bool) -> None:
    assert is_local(url) is local
