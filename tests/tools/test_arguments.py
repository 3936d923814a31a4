"""What a model writes as arguments: what is taken, what is refused, and what it is told."""

import contextlib
import enum
import json
from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luxx.tools.arguments import BadArguments
from luxx.tools.tool import Tool, tool
from tests.tools.calls import call


class Place(msgspec.Struct):
    city: str
    zip: int


class Unit(enum.Enum):
    CELSIUS = "celsius"
    FAHRENHEIT = "fahrenheit"


@tool(effect="read")
def weather(
    city: str,
    days: Annotated[int, msgspec.Meta(ge=1, le=14)] = 3,
    unit: Unit = Unit.CELSIUS,
    places: list[Place] | None = None,
) -> str:
    """Tell the weather.

    Args:
        city: Where.
    """
    return f"{city} {days} {unit.value} {places}"


USAGE = """
It takes one JSON object with:
- `city` (string, required): Where.
- `days` (integer, optional, default 3)
- `unit` (one of "celsius", "fahrenheit", optional, default "celsius")
- `places` (array of object or null, optional)"""


def read(hint: object, written: str, default: object = ...) -> dict[str, object]:
    """Return what a tool with one argument gets."""
    return one(hint, default).arguments.read('{"value": ' + written + "}")


def one(hint: object, default: object = ...) -> Tool:
    """Return a tool with one argument."""

    def function(value: object) -> None:
        """Do it."""

    function.__annotations__["value"] = hint
    if default is not ...:
        function.__defaults__ = (default,)
    return tool(function)


async def test_good_arguments_reach_the_function_as_its_hints_say() -> None:
    outcome = await call(weather, '{"city": "Ulm", "unit": "fahrenheit", "places": [{"city": "Bonn", "zip": 53111}]}')
    assert outcome.content == "Ulm 3 fahrenheit [Place(city='Bonn', zip=53111)]"
    assert not outcome.failed


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("", "- `city` is missing"),
        ("{}", "- `city` is missing"),
        ("null", "- `city` is missing"),
        ('{"city": 3}', "- `city`: expected `str`, got `int`; it was 3"),
        ('{"city": null}', "- `city`: expected `str`, got `null`; it was null"),
        ('{"city": "Ulm", "days": "many"}', '- `days`: expected `int`, got `str`; it was "many"'),
        ('{"city": "Ulm", "days": 2.5}', "- `days`: expected `int`, got `float`; it was 2.5"),
        ('{"city": "Ulm", "days": 99}', "- `days`: expected `int` <= 14; it was 99"),
        ('{"city": "Ulm", "unit": "kelvin"}', "- `unit`: invalid enum value 'kelvin'; it was \"kelvin\""),
        (
            '{"city": "Ulm", "places": [{"city": "Bonn", "zip": "x"}]}',
            '- `places[0].zip`: expected `int`, got `str`; it was [{"city": "Bonn", "zip": "x"}]',
        ),
        (
            '{"city": "Ulm", "places": [{"city": "Bonn"}]}',
            '- `places[0]`: object missing required field `zip`; it was [{"city": "Bonn"}]',
        ),
        ('{"city": "Ulm", "day": 1}', "- `day` is not an argument of this tool; did you mean `days`?"),
        ('{"city": "Ulm", "zzzz": 1}', "- `zzzz` is not an argument of this tool"),
        ('["Ulm"]', "- one JSON object is expected, but expected `object`, got `array`"),
        ("3", "- one JSON object is expected, but expected `object`, got `int`"),
        ('{"city": "Ulm"', "- the text is not valid JSON: Input data was truncated"),
        ("city=Ulm", "- the text is not valid JSON: JSON is malformed: invalid character (byte 0)"),
    ],
)
async def test_the_model_is_told_what_is_wrong_and_what_the_tool_takes(written: str, problem: str) -> None:
    outcome = await call(weather, written)
    assert outcome.failed
    assert outcome.content == f"`weather` was not run, its arguments are wrong:\n{problem}{USAGE}"


async def test_all_problems_are_told_at_once() -> None:
    outcome = await call(weather, {"days": 0, "unit": 1, "town": "Ulm"})
    assert [line.split("`")[1] for line in outcome.content.splitlines()[1:5]] == ["city", "days", "unit", "town"]


async def test_a_flood_of_unknown_arguments_is_told_in_short() -> None:
    outcome = await call(weather, {"city": "Ulm"} | {f"{'x' * 500}{n}": n for n in range(1000)})
    assert "and 980 more" in outcome.content
    assert len(outcome.content) < 5_000


async def test_a_tool_without_arguments_says_so() -> None:
    nothing = tool(lambda: "fine", name="nothing", description="Do nothing.")
    assert (await call(nothing, "")).content == "fine"
    assert (await call(nothing, '{"a": 1}')).content.endswith("It takes no arguments: {}")


@pytest.mark.parametrize("text", ["", "  \n", "{}", "null", '"{}"', '""'])
async def test_no_arguments_can_be_written_in_several_ways(text: str) -> None:
    assert not (await call(tool(lambda: "fine", name="nothing", description="Do nothing."), text)).failed


async def test_an_object_that_was_written_as_text_is_read() -> None:
    assert (await call(weather, json.dumps(json.dumps({"city": "Ulm"})))).content.startswith("Ulm")


@pytest.mark.parametrize(
    ("hint", "written", "expected"),
    [
        (int, '"3"', 3),
        (int, "3.0", 3),
        (int, '"-7"', -7),
        (float, '"1.5"', 1.5),
        (float, "2", 2.0),
        (bool, '"true"', True),
        (bool, "1", True),
        (list[int], '"[1, 2]"', [1, 2]),
        (list[int], '["1", 2]', [1, 2]),
        (dict[str, int], '"{\\"a\\": 1}"', {"a": 1}),
        (int | None, '"null"', None),
        (int | str, '"3"', "3"),
        (str, '"3"', "3"),
        (str, '"null"', "null"),
        (Literal[1, 2], '"2"', 2),
        (date, '"2026-11-22"', date(2026, 11, 22)),
        (datetime, '"2026-11-22T08:30:00"', datetime(2026, 11, 22, 8, 30)),
        (int, "123456789012345678901234567890", 123456789012345678901234567890),
        (str, '"\\ud83d\\ude00"', "😀"),
    ],
)
def test_a_value_in_another_form_is_read_where_nothing_is_lost(hint: object, written: str, expected: object) -> None:
    value = read(hint, written)["value"]
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("hint", "written"),
    [
        (int, "2.5"),
        (int, '"2.5"'),
        (int, "true"),
        (int, '"three"'),
        (bool, '"yes"'),
        (bool, "2"),
        (str, "3"),
        (str, '["a"]'),
        (float, '"nan"'),
        (float, '"inf"'),
        (float, "1e999"),
        (list[int], '"1, 2"'),
        (list[int], "1"),
        (date, '"tomorrow"'),
        (str, '"\\ud800"'),
        (list[Any], "[" * 5_000 + "]" * 5_000),
        (list[Any], '"' + "[" * 5_000 + "]" * 5_000 + '"'),
    ],
)
def test_a_value_that_does_not_fit_is_refused(hint: object, written: str) -> None:
    with pytest.raises(BadArguments, match="was not run"):
        read(hint, written)


def test_null_for_an_argument_with_a_default_is_as_if_it_was_left_out() -> None:
    assert read(int, "null", 3) == {}
    assert read(int | None, "null", 3) == {"value": None}


async def test_a_type_of_the_tools_own_may_refuse_a_value() -> None:
    class Even(msgspec.Struct):
        number: int

        def __post_init__(self) -> None:
            if self.number % 2:
                raise ValueError("must be even")

    class Broken(msgspec.Struct):
        number: int

        def __post_init__(self) -> None:
            raise LookupError("broken")

    refused = await call(one(Even), '{"value": {"number": 3}}')
    assert "- `value`: must be even" in refused.content
    broken = await call(one(Broken), '{"value": {"number": 3}}')
    assert broken.content == "`function` was not run, its arguments cannot be read: LookupError: broken"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@given(st.text() | json_values.map(json.dumps))
@settings(deadline=None)
def test_whatever_the_model_writes_is_read_or_refused(written: str) -> None:
    with contextlib.suppress(BadArguments):
        assert isinstance(weather.arguments.read(written)["city"], str)


@given(st.integers(), st.text(), st.lists(st.integers()), st.booleans())
@settings(deadline=None)
def test_what_fits_is_taken_as_it_is(number: int, text: str, numbers: list[int], flag: bool) -> None:
    def function(number: int, text: str, numbers: list[int], flag: bool) -> None:
        """Do it."""

    given_values = {"number": number, "text": text.replace("\0", ""), "numbers": numbers, "flag": flag}
    assert tool(function).arguments.read(json.dumps(given_values)) == given_values
