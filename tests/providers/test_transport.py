"""What the transport does beside carrying bytes: it finds the proxy, and the machine's own addresses need none."""

import pytest
from yarl import URL

from luxx.core.errors import ProviderTimeout
from luxx.providers.pace import Pace
from luxx.providers.transport import Transport, is_loopback, proxy_for
from tests.providers.endpoint import Answer, Endpoint


class Hurried(Pace):
    """Counts how often it is asked for a rest; none is needed."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def rest_s(self) -> float:
        """Count."""
        self.asked += 1
        return 0.0


@pytest.fixture(autouse=True)
def proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY", "http_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "proxy.example:3128")
    monkeypatch.setenv("no_proxy", "inner.example")


def test_a_proxy_of_the_environment_is_used() -> None:
    assert proxy_for(URL("https://api.example/v1")) == URL("http://proxy.example:3128")


async def test_a_proxy_gets_its_credentials_and_the_provider_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    transport = Transport()
    async with Endpoint(Answer(pieces=[b"x"])) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("http://", "http://user:pass@"))
        headers = {"Authorization": "Bearer key"}
        async with transport.open("GET", URL("http://api.example/v1"), headers) as reply:
            assert await reply.read_all(9) == b"x"
    await transport.aclose()
    (asked,) = proxy.asked
    assert asked.path == "http://api.example/v1"
    assert asked.headers["authorization"] == "Bearer key"
    assert asked.headers["proxy-authorization"] == "Basic dXNlcjpwYXNz"


async def test_under_load_an_answer_rests_from_its_third_read_on_and_so_never_before_the_first_token() -> None:
    pace = Hurried()
    transport = Transport(pace=pace)
    held = Endpoint(Answer(pieces=[b"role"], end="hold"))
    async with held, transport.open("GET", URL(held.url), {}) as reply:
        assert await reply.read() == b"role"
        with pytest.raises(ProviderTimeout):
            await reply.read(0.01)
        assert pace.asked == 0
    long = Endpoint(Answer(pieces=[b"x" * 200_000] * 20))
    async with long, transport.open("GET", URL(long.url), {}) as reply:
        reads = 0
        while await reply.read():
            reads += 1
            assert pace.asked == max(0, reads - 2)
    assert reads > 2
    await transport.aclose()


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/v1",
        "https://localhost:1/",
        "https://[::1]/",
        "https://inner.example/",
        "http://api.example/",
        "x:",
    ],
)
def test_an_address_that_needs_no_proxy_gets_none(url: str) -> None:
    assert proxy_for(URL(url)) is None


def test_loopback_is_told_by_name_and_address() -> None:
    assert all(map(is_loopback, ["localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "::1"]))
    assert not any(map(is_loopback, ["", "10.0.0.1", "localhost.example", "example", "0.0.0.0"]))
