"""What becomes of whatever a tool returns."""

import dataclasses
import enum
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luxx.core.files import FileRef
from luxx.core.ports import ToolOutcome
from luxx.tools.results import ToolFile, cut, shorten
from luxx.tools.tool import Tool, tool
from tests.tools.calls import FakeContext, FakeFiles, call


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


async def test_an_outcome_of_the_tools_own_is_taken_as_it_is() -> None:
    file = FileRef(id="file-9", name="a.png", media_type="image/png", size=3)
    own = ToolOutcome(content="a picture", failed=True, files=(file,), data={"a": 1})
    outcome = await call(giving(own))
    assert msgspec.structs.replace(outcome, duration_ms=0) == own


async def test_the_data_of_an_outcome_is_plain_json_that_can_be_stored() -> None:
    data: Any = {"k\ud800": ("\ud83d\ude00", "\0"), "at": date(2026, 11, 22)}
    outcome = await call(giving(ToolOutcome(content="x", data=data)))
    assert outcome.data == {"k\ufffd": ["😀", "\ufffd"], "at": "2026-11-22"}


@pytest.mark.parametrize("data", [{"a": object()}, ["no object"], {"a": 10**5000}, 7])
async def test_data_that_is_no_json_object_is_refused_with_the_reason(data: Any) -> None:  # noqa: ANN401
    outcome = await call(giving(ToolOutcome(content="x", data=data)))
    assert outcome.failed
    assert outcome.content.startswith("The tool ran, but the data of its result cannot be shown as JSON: ")


async def test_data_beyond_the_longest_result_is_left_out() -> None:
    outcome = await call(giving(ToolOutcome(content="x", data={"a": "y" * 200})), max_result_chars=100)
    assert (outcome.content, outcome.data) == ("x", None)


@pytest.mark.parametrize("value", [b"\x89PNG", bytearray(b"\x89PNG"), memoryview(b"\x89PNG")])
async def test_bytes_are_kept_as_a_file(value: object) -> None:
    at = FakeContext()
    outcome = await call(giving(value), context=at)
    assert outcome.content == "[file give-output: id file-1, image/png, 4 bytes]"
    assert outcome.files == tuple(at.files.refs)
    assert at.files.contents == {"file-1": b"\x89PNG"}


async def test_a_file_among_text_is_kept_and_named() -> None:
    at = FakeContext()
    outcome = await call(
        giving(["Two charts:", ToolFile("a.png", b"\x89PNG1"), {"n": 2}, ToolFile("b", b"text")]), context=at
    )
    assert outcome.content == (
        'Two charts:\n{"n":2}\n[file a.png: id file-1, image/png, 5 bytes]\n[file b: id file-2, text/plain, 4 bytes]'
    )
    assert [file.name for file in outcome.files] == ["a.png", "b"]


async def test_a_file_that_cannot_be_kept_is_told_of() -> None:
    outcome = await call(giving(ToolFile("big.bin", b"x" * 11)), context=FakeContext(max_bytes=10))
    assert (outcome.content, outcome.files) == ("[the file big.bin could not be kept: the file is too large]", ())


async def test_files_beyond_a_number_are_not_kept() -> None:
    outcome = await call(giving([ToolFile(f"{n}", b"x") for n in range(25)]))
    assert len(outcome.files) == 20
    assert outcome.content.endswith("[5 more files were not kept]")


@pytest.mark.parametrize("value", [object(), {(1, 2): 3}, [range(3)], {"a\ud800": object()}])
async def test_a_result_that_is_no_json_is_refused_with_its_reason(value: object) -> None:
    outcome = await call(giving(value))
    assert outcome.failed
    assert outcome.content.startswith("The tool ran, but its result cannot be shown as JSON: ")


async def test_a_result_that_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert (await call(giving(endless))).failed


async def test_a_long_result_is_cut_and_all_of_it_kept_as_a_file() -> None:
    at = FakeContext()
    outcome = await call(giving("x" * 1_234_567), context=at, max_result_chars=1_000)
    assert outcome.content == (
        "x" * 1_000 + "\n[1,233,567 of 1,234,567 characters left out; all of it is in the file file-1: "
        'read_file("file-1", offset=1000) reads on]'
    )
    assert (at.files.refs[0].name, at.files.contents["file-1"]) == ("give-output.txt", b"x" * 1_234_567)
    assert outcome.files == tuple(at.files.refs)


async def test_a_long_result_that_cannot_be_kept_is_cut_with_a_note() -> None:
    outcome = await call(giving("x" * 1_234_567), context=FakeContext(max_bytes=10), max_result_chars=1_000)
    assert outcome.content == "x" * 1_000 + "\n[1,233,567 of 1,234,567 characters left out]"


async def test_a_result_of_just_the_length_is_not_cut() -> None:
    assert (await call(giving("x" * 1_000), max_result_chars=1_000)).content == "x" * 1_000


@given(st.text(st.characters(exclude_categories=())), st.integers(1, 50))
@settings(deadline=None)
def test_any_text_keeps_its_bound(text: str, limit: int) -> None:
    assert cut(text, limit).startswith(text[:limit])
    assert len(shorten(text, limit)) <= limit


class BrokenFiles(FakeFiles):
    """A store with a fault that nobody foresaw."""

    async def keep(self, name: str, data: bytes) -> FileRef:
        raise RuntimeError("a bug")


async def test_a_fault_of_the_store_does_not_fail_a_tool_that_has_run() -> None:
    at = FakeContext()
    at.files = BrokenFiles()
    outcome = await call(giving(["text", ToolFile("a", b"x")]), context=at)
    assert (outcome.content, outcome.failed, outcome.files) == ("text", False, ())
