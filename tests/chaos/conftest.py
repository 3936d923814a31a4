"""How long the chaos lasts, and with which seed: options of pytest, given as `pytest tests/chaos --chaos-seed 7`."""

import random
from pathlib import Path

import pytest

CHAOS = Path(__file__).parent
CI_SEED, CI_SECONDS = 20261122, 6.0
OVERHEAD = 150


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("chaos")
    group.addoption("--chaos-seed", help=f"a number, or 'random' (default {CI_SEED})")
    group.addoption("--chaos-seconds", type=float, help=f"how long each run is disturbed (default {CI_SECONDS:g})")
    group.addoption(
        "--chaos-long", action="store_true", help="strike at every boundary, and watch memory over a long life"
    )
    group.addoption("--chaos-breaks", action="store_true", help="also break the server on purpose and see it noticed")


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers."""
    config.addinivalue_line("markers", "breaks: runs the suite against a server that is broken on purpose")
    config.addinivalue_line("markers", "long: tells something only when it lasts for minutes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the deliberate breaks and the long runs to those who ask for them, and give each run its time."""
    for marker in ("breaks", "long"):
        if not config.getoption(f"chaos_{marker}", False):
            left_out = [item for item in items if item.get_closest_marker(marker)]
            items[:] = [item for item in items if item not in left_out]
            config.hook.pytest_deselected(items=left_out)
    for item in items:
        if CHAOS in item.path.parents and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(seconds_of(config) + OVERHEAD))


def seconds_of(config: pytest.Config) -> float:
    """How long a run is disturbed."""
    return config.getoption("chaos_seconds", None) or CI_SECONDS


@pytest.fixture
def chaos_seconds(request: pytest.FixtureRequest) -> float:
    """How long a run is disturbed."""
    return seconds_of(request.config)


@pytest.fixture
def chaos_long(request: pytest.FixtureRequest) -> bool:
    """Whether there is time for everything."""
    return bool(request.config.getoption("chaos_long", False))


@pytest.fixture
def chaos_seed(request: pytest.FixtureRequest) -> int:
    """The seed that decides all that the test decides; what processes make of it is theirs."""
    given = request.config.getoption("chaos_seed", None)
    return random.randrange(2**32) if given == "random" else int(given or CI_SEED)


@pytest.fixture
def chaos_report(told: list[str]) -> list[str]:
    """What was counted, which is printed at the end."""
    return told
