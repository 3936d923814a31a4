"""What becomes of whatever a tool returns."""

import dataclasses
import enum
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luxx.core.ports import ToolOutcome
from luxx.tools.results import cut, shorten
from luxx.tools.tool import Tool, tool
from tests.tools.calls import call


class Mark(enum.Enum):
    GOOD = "good"


@dataclasses.dataclass
class Hit:
    title: str
    score: float


def giving(value: object) -> Tool:
    """Return a tool that gives a value."""

    async def give() -> object:
        """Give it."""
        return value

    return tool(give)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is\n", "as it is\n"),
        ("", ""),
        (None, "Done; the tool gave no result."),
        (3, "3"),
        (True, "true"),
        (0.1, "0.1"),
        ([1, "zwei", None], '[1,"zwei",null]'),
        ({"a": {"b": (1, 2)}}, '{"a":{"b":[1,2]}}'),
        (Hit("Ulm", 0.5), '{"title":"Ulm","score":0.5}'),
        (Mark.GOOD, '"good"'),
        (date(2026, 11, 22), '"2026-11-22"'),
        (10**40, str(10**40)),
        ("a\x00b\ud800c", "a\ufffdb\ufffdc"),
        ("\ud83d\ude00", "😀"),
        ({"k\ud800": ["\ud83d\ude00", "\udc00"]}, '{"k\ufffd":["😀","\ufffd"]}'),
        (ToolOutcome(content="no\x00", failed=True), "no\ufffd"),
    ],
)
async def test_a_result_is_text_or_json(value: object, text: str) -> None:
    assert (await call(giving(value))).content == text


async def test_an_outcome_of_the_tools_own_keeps_its_parts() -> None:
    own = ToolOutcome(content="a picture", failed=True, parts=({"type": "image"},))
    outcome = await call(giving(own))
    assert msgspec.structs.replace(outcome, duration_ms=0) == own


async def test_the_parts_of_an_outcome_are_plain_json_that_can_be_stored() -> None:
    parts: Any = [{"k\ud800": ("\ud83d\ude00", "\0"), "at": date(2026, 11, 22)}]
    outcome = await call(giving(ToolOutcome(content="x", parts=parts)))
    assert outcome.parts == ({"k\ufffd": ["😀", "\ufffd"], "at": "2026-11-22"},)


@pytest.mark.parametrize("parts", [({"a": object()},), ("no object",), ({"a": 10**5000},), 7])
async def test_parts_that_are_no_json_are_refused_with_the_reason(parts: Any) -> None:  # noqa: ANN401
    outcome = await call(giving(ToolOutcome(content="x", parts=parts)))
    assert outcome.failed
    assert outcome.content.startswith("The tool ran, but the parts of its result cannot be shown as JSON: ")


@pytest.mark.parametrize("value", [b"\x89PNG", bytearray(b"x"), memoryview(b"x")])
async def test_bytes_are_refused(value: object) -> None:
    outcome = await call(giving(value))
    assert outcome.failed
    assert outcome.content == "The tool ran, but it gave bytes, which cannot be shown as text."


@pytest.mark.parametrize("value", [object(), {(1, 2): 3}, [range(3)], {"a\ud800": object()}])
async def test_a_result_that_is_no_json_is_refused_with_its_reason(value: object) -> None:
    outcome = await call(giving(value))
    assert outcome.failed
    assert outcome.content.startswith("The tool ran, but its result cannot be shown as JSON: ")


async def test_a_result_that_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert (await call(giving(endless))).failed


async def test_a_long_result_is_cut_with_a_note() -> None:
    outcome = await call(giving("x" * 1_234_567), max_result_chars=1_000)
    assert outcome.content == "x" * 1_000 + "\n[1,233,567 of 1,234,567 characters left out]"


async def test_a_result_of_just_the_length_is_not_cut() -> None:
    assert (await call(giving("x" * 1_000), max_result_chars=1_000)).content == "x" * 1_000


@given(st.text(st.characters(exclude_categories=())), st.integers(1, 50))
@settings(deadline=None)
def test_any_text_keeps_its_bound(text: str, limit: int) -> None:
    assert cut(text, limit).startswith(text[:limit])
    assert len(shorten(text, limit)) <= limit
