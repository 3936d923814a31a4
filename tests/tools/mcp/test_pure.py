"""What needs no server: names, schemas, listings, and whether a result fits."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luxx.core.fits import misfit
from luxx.tools.mcp.listing import MAX_SCHEMA_BYTES, decode, encode, made_listing, mended_schema
from luxx.tools.mcp.log import MAX_LINES, ServerLog
from luxx.tools.mcp.names import tool_name
from luxx.tools.mcp.wire import RawTool, RawTools, ServerIdentity

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
TEXT = st.text(max_size=100)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | TEXT,
    lambda members: st.lists(members, max_size=4) | st.dictionaries(TEXT, members, max_size=4),
    max_leaves=20,
)


@given(TEXT, TEXT)
def test_every_name_suits_every_provider(server: str, tool: str) -> None:
    assert NAME.fullmatch(tool_name(server, tool))


@given(TEXT, TEXT, TEXT, TEXT)
def test_no_two_tools_are_alike(server: str, tool: str, other_server: str, other_tool: str) -> None:
    if (server, tool) != (other_server, other_tool):
        assert tool_name(server, tool) != tool_name(other_server, other_tool)


@pytest.mark.parametrize(
    ("server", "tool", "name"),
    [
        ("github", "create_issue", "github__create_issue"),
        ("my-files", "read", "my-files__read"),
        ("a", "b__c", "a__b__c"),
    ],
)
def test_a_plain_name_stays_as_it_is(server: str, tool: str, name: str) -> None:
    assert tool_name(server, tool) == name


def test_the_names_of_two_servers_do_not_run_into_each_other() -> None:
    assert re.fullmatch(r"a_b_[0-9a-f]{6}__c", tool_name("a__b", "c"))
    assert tool_name("a", "b__c") == "a__b__c"


@given(JSON)
def test_whatever_is_sent_as_a_schema_becomes_one_of_an_object(schema: object) -> None:
    mended = mended_schema(schema)
    assert mended["type"] == "object"
    assert all(isinstance(member, dict) for member in mended.get("properties", {}).values())
    assert set(mended.get("required", [])) <= mended.get("properties", {}).keys()


def test_a_good_schema_stays_as_it_is() -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"b": {"$ref": "#/$defs/x"}, "a": {"type": "string", "enum": ["1", "2"]}},
        "required": ["b"],
        "$defs": {"x": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
        "additionalProperties": False,
    }
    assert mended_schema(schema) == schema
    assert list(mended_schema(schema)["properties"]) == ["b", "a"]


@pytest.mark.parametrize("schema", [{"type": "object", "x": "y" * MAX_SCHEMA_BYTES}, {"a": float("inf"), "b": 2**70}])
def test_what_cannot_be_a_schema_allows_any_object(schema: object) -> None:
    assert mended_schema(schema)["type"] == "object"


def test_a_listing_is_the_same_in_whatever_order_the_server_lists() -> None:
    tools = [RawTool(name=name, parameters={"type": "object"}) for name in ("b", "a", "c")]
    identity = ServerIdentity(title="t", protocol="2025-11-25")
    first, second = (made_listing(RawTools(tools=order), identity, 10) for order in (tools, tools[::-1]))
    assert encode(first) == encode(second)
    assert decode(encode(first)) == first
    assert decode(b'{"tools": 3}') is None
    assert decode(b"{}") is None


def test_what_is_left_out_is_counted_and_said() -> None:
    names = [*(f"t{number:04}" for number in range(1_000)), "t0000", "", "x" * 201, "a\u202eb"]
    tools = [RawTool(name=name, parameters={"type": "object"}) for name in names]
    listing = made_listing(RawTools(tools=tools, listed=5_000, endless=True), ServerIdentity(), 128)
    assert (len(listing.tools), listing.left_out) == (128, 4_872)
    assert listing.problems[:3] == (
        "872 tools are left out: only 128 are taken, the first by name",
        "3,996 tools are left out: they are none, or too many on one page",
        "it lists tools without end: not all pages were read",
    )
    assert "'t0000' is left out: there is another of this name" in listing.problems
    assert "'ab' is left out: its name has characters that nobody sees" in listing.problems


def test_what_was_loosened_in_a_schema_is_said() -> None:
    tools = [RawTool(name="a", parameters={"properties": {"x y": {"type": "any"}}}), RawTool(name="b", parameters=[1])]
    listing = made_listing(RawTools(tools=tools), ServerIdentity(), 128)
    assert listing.problems == (
        "a: properties.x y: its `type` is not valid",
        "b: its schema: this is no schema",
    )
    assert listing.left_out == 0


INTEGER = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}


@pytest.mark.parametrize(
    ("value", "schema", "wrong"),
    [
        ({"n": 1}, INTEGER, None),
        ({"n": 1.0}, INTEGER, None),
        ({"n": "1"}, INTEGER, "the result.n is not of the type integer"),
        ({"n": True}, INTEGER, "the result.n is not of the type integer"),
        ({"n": 0}, INTEGER, "the result.n is out of range"),
        ({}, INTEGER, "the result.n is missing"),
        ([1, "x"], {"type": "array", "items": {"type": "integer"}}, "the result[1] is not of the type integer"),
        ({"a": 1}, {"additionalProperties": False}, "the result.a must not be there"),
        ("c", {"enum": ["a", "b"]}, "the result is none of the values that are allowed"),
        (1, {"anyOf": [{"type": "string"}, {"type": "null"}]}, "the result is none of what is allowed"),
        ({"x": "y"}, {"$defs": {"t": {"type": "object", "properties": {"x": {"const": 1}}}}, "$ref": "#/$defs/t"}, "the result.x is not the value that is allowed"),
        ({"x": 1}, {"properties": {"x": {"$ref": "https://elsewhere.example/"}}}, None),
        (1, {"minimum": "zero"}, None),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(value: object, schema: dict[str, Any], wrong: str | None) -> None:
    assert misfit(value, schema) == wrong


@given(JSON, st.dictionaries(TEXT, JSON, max_size=4))
def test_no_value_and_no_schema_can_break_the_check(value: object, schema: dict[str, Any]) -> None:
    assert misfit(value, schema) is None or schema


def test_a_schema_that_multiplies_is_given_up() -> None:
    levels = {f"l{n}": {"allOf": [{"$ref": f"#/$defs/l{n + 1}"}] * 2} for n in range(40)}
    assert misfit({}, {"$ref": "#/$defs/l0", "$defs": levels}) is None
    assert misfit({}, {"$ref": "#"}) is None


def test_the_log_keeps_the_last_lines_without_secrets() -> None:
    log = ServerLog(["Bearer abc-def-ghi", "x"])
    log.feed(b"first abc-def-")
    log.feed(b"ghi second\nthird")
    assert log.lines == ("first [secret] second", "third")
    log.feed(b"\n" + b"more\n" * 1_000)
    assert len(log.lines) == MAX_LINES
    assert log.hidden("x Bearer abc-def-ghi") == "x [secret]"
