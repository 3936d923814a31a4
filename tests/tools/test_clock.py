"""The clock."""

from datetime import UTC, datetime, tzinfo

import pytest

from luxx.tools.builtin.clock import clock_tool
from tests.tools.calls import call


def at_noon(zone: tzinfo) -> datetime:
    return datetime(2026, 11, 22, 12, 0, 0, 999, tzinfo=UTC).astimezone(zone)


CLOCK = clock_tool(at_noon)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "2026-11-22T12:00:00+00:00 (Sunday, UTC)"),
        ({"timezone": None}, "2026-11-22T12:00:00+00:00 (Sunday, UTC)"),
        ({"timezone": ""}, "2026-11-22T12:00:00+00:00 (Sunday, UTC)"),
        ({"timezone": "utc"}, "2026-11-22T12:00:00+00:00 (Sunday, UTC)"),
        ({"timezone": "Europe/Berlin"}, "2026-11-22T13:00:00+01:00 (Sunday, Europe/Berlin)"),
        ({"timezone": " europe/berlin "}, "2026-11-22T13:00:00+01:00 (Sunday, Europe/Berlin)"),
        ({"timezone": "Pacific/Auckland"}, "2026-11-23T01:00:00+13:00 (Monday, Pacific/Auckland)"),
    ],
)
async def test_it_tells_the_time_in_a_zone(arguments: dict[str, str | None], text: str) -> None:
    outcome = await call(CLOCK, arguments)
    assert (outcome.content, outcome.failed) == (text, False)


@pytest.mark.parametrize(
    ("zone", "hint"),
    [
        ("Berlin", "Did you mean Europe/Berlin?"),
        ("new york", "Did you mean America/New_York?"),
        ("Europe/Berlim", "Did you mean Europe/Berlin"),
        ("Europe", "Did you mean Europe/Amsterdam or "),
    ],
)
async def test_a_zone_that_is_nearly_right_brings_suggestions(zone: str, hint: str) -> None:
    outcome = await call(CLOCK, {"timezone": zone})
    assert outcome.failed
    assert hint in outcome.content


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", "x" * 100_000, "a\x00b"])
async def test_a_zone_that_is_not_there_is_refused(zone: str) -> None:
    outcome = await call(CLOCK, {"timezone": zone})
    assert outcome.failed
    assert outcome.content.startswith("There is no time zone ")
    assert len(outcome.content) < 400


async def test_without_a_clock_of_its_own_it_tells_now() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    told = datetime.fromisoformat((await call(clock_tool())).content.split(" ")[0])
    assert before <= told <= datetime.now(UTC)
