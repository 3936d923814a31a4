"""A schema from elsewhere is one that every provider takes, whatever it was."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from luxx.tools.model_schema import MAX_BYTES, fitted, restore, shown_name

NAME = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
ANYTHING = {"type": "object", "properties": {}}
WORDS = st.sampled_from(
    ["type", "enum", "pattern", "$ref", "properties", "required", "items", "anyOf", "$defs", "minimum", "a", "b c"]
)
VALUES = st.sampled_from(["object", "string", "any", "#", "#/$defs/a", "#/properties/a", "(", "^a+$", "http://x/"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | VALUES,
    lambda members: st.lists(members, max_size=4) | st.dictionaries(WORDS | st.text(max_size=9), members, max_size=5),
    max_leaves=30,
)


def schemas(schema: object) -> Iterator[dict[str, Any]]:
    """Yield a schema and all that are in it."""
    if isinstance(schema, dict):
        yield schema
        for word, content in schema.items():
            if word in ("properties", "$defs", "definitions", "patternProperties"):
                for member in content.values():
                    yield from schemas(member)
            elif word in ("items", "additionalProperties"):
                yield from schemas(content)
            elif word in ("anyOf", "allOf", "oneOf", "prefixItems"):
                for member in content:
                    yield from schemas(member)


def of(part: object) -> object:
    """Return what becomes of a part of a schema."""
    return fitted({"type": "object", "properties": {"p": part}}).schema["properties"]["p"]


@given(JSON)
def test_whatever_comes_becomes_a_valid_schema_of_an_object(schema: object) -> None:
    made = fitted(schema).schema
    Draft202012Validator.check_schema(made)
    assert made["type"] == "object"
    assert set(made.get("required", [])) <= made["properties"].keys()
    for part in schemas(made):
        assert all(NAME.fullmatch(name) for name in part.get("properties", {}))
        assert part.get("type") != "array" or "items" in part
    assert fitted(made).schema == made


def test_a_good_schema_stays_as_it_is() -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "description": "All of it",
        "properties": {
            "b": {"$ref": "#/$defs/x"},
            "a": {"type": "string", "enum": ["1", "2"], "default": "1", "pattern": r"^\d{1,3}[a-z*+]+$"},
            "list": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1, "uniqueItems": True},
            "tree": {"$ref": "#/$defs/tree"},
            "none": {"type": ["string", "null"], "default": None, "title": "None"},
            "map": {"type": "object", "additionalProperties": {"type": "number"}},
        },
        "required": ["b"],
        "$defs": {
            "x": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "tree": {"type": "object", "properties": {"of": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}},
        },
        "additionalProperties": False,
        "if": {"required": ["a"]},
        "then": {"properties": {"b": {"not": {"type": "null"}}}},
    }
    found = fitted(schema)
    assert found.schema == schema
    assert list(found.schema["properties"]) == list(schema["properties"])
    assert (found.names, found.notes) == ({}, ())


@pytest.mark.parametrize(
    ("part", "made"),
    [
        ({"type": "any", "description": "d"}, {"description": "d"}),
        ({"type": ["string", "text"]}, {}),
        ({"type": 3}, {}),
        ({"type": []}, {}),
        ({"enum": "a"}, {}),
        ({"enum": []}, {}),
        ({"enum": ["a", "a", 1, True]}, {"enum": ["a", 1, True]}),
        ({"pattern": "("}, {}),
        ({"pattern": "(?P<a>x)"}, {}),
        ({"pattern": "a++"}, {}),
        ({"pattern": "(?i)a"}, {}),
        ({"pattern": "(?=a)(?<b>x)"}, {}),
        ({"$ref": "#/$defs/nowhere", "description": "d"}, {"description": "d"}),
        ({"$ref": "https://elsewhere.example/x"}, {}),
        ({"$ref": "#/properties"}, {}),
        ({"$ref": "#/properties/p"}, {}),
        ({"allOf": [{"$ref": "#/properties/p"}]}, {"allOf": [{}]}),
        ({"type": "object", "properties": [1]}, {"type": "object"}),
        ({"type": "object", "properties": {"a": 3, "b": True, "c": None}}, {"type": "object", "properties": {"a": {}, "b": {}, "c": {}}}),
        ({"type": "object", "required": "all"}, {"type": "object"}),
        ({"type": "object", "properties": {"a": {}}, "required": ["a", "a", "z"]}, {"type": "object", "properties": {"a": {}}, "required": ["a"]}),
        ({"type": "string", "required": True}, {"type": "string"}),
        ({"type": "array"}, {"type": "array", "items": {}}),
        ({"type": "array", "items": [{"type": "string"}]}, {"type": "array", "prefixItems": [{"type": "string"}], "items": {}}),
        ({"minimum": "0", "maximum": float("inf"), "exclusiveMinimum": True, "multipleOf": 0, "minLength": -1}, {}),
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"anyOf": []}, {}),
        ({"anyOf": [{"type": "x"}, 7]}, {"anyOf": [{}, {}]}),
        ({"$id": "http://x/", "$anchor": "a b", "x-more": 1, "not": 3}, {}),
        ({"description": 3, "title": "a\u202eb"}, {"title": "ab"}),
        ({"default": "x" * 5_000}, {}),
        ({"minimum": 10**400, "maximum": -(2**63), "multipleOf": float("nan")}, {}),
        ({"default": float("inf"), "const": 10**400, "enum": [1, 2**63], "examples": [[{"a": float("nan")}]]}, {}),
        ({"default": 2**63 - 1, "const": [-1.5, None, True]}, {"default": 2**63 - 1, "const": [-1.5, None, True]}),
        ({"pattern": "[[a]&&b]"}, {"pattern": "[[a]&&b]"}),
        ("text", {}),
    ],
)  # fmt: skip
def test_a_part_that_is_not_valid_allows_anything(part: object, made: object) -> None:
    assert of(part) == made


def test_what_was_loosened_is_told() -> None:
    found = fitted({"properties": {"a": {"type": "any"}, "b": {"$ref": "http://x/"}, "c": 3}, "required": 1})
    assert found.notes == (
        "properties.a: its `type` is not valid",
        "properties.b: its `$ref` is not valid",
        "properties.c: this is no schema",
        "its schema: its `required` is not valid",
    )


def test_members_with_names_that_are_refused_have_others_until_the_call() -> None:
    inner = {"type": "object", "properties": {"@type": {"type": "string"}}, "required": ["@type"]}
    schema = {"type": "object", "properties": {"filter[name]": inner, "ok": {}}, "required": ["filter[name]"]}
    found = fitted(schema)
    shown = shown_name("filter[name]")
    assert NAME.fullmatch(shown)
    assert shown.startswith("filter_name_")
    assert found.schema["required"] == [shown]
    assert found.schema["properties"][shown]["required"] == [shown_name("@type")]
    values: dict[str, object] = {shown: [{shown_name("@type"): "x"}], "ok": 1}
    restore(values, found.names)
    assert values == {"filter[name]": [{"@type": "x"}], "ok": 1}


@pytest.mark.parametrize("schema", [None, 3, "x", [], {"type": "array"}, {"type": "string", "properties": {"a": {}}}])
def test_what_is_not_that_of_an_object_allows_any_object(schema: object) -> None:
    assert fitted(schema).schema == ANYTHING
    assert fitted(schema).notes


def test_a_root_that_refers_to_another_schema_is_that_one() -> None:
    schema = {"$ref": "#/$defs/A", "$defs": {"A": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}}}
    assert list(fitted(schema).schema["properties"]) == ["a"]
    assert fitted({"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}}}).notes


@pytest.mark.parametrize("levels", [300, 900])
def test_what_is_too_deep_is_cut_where_it_gets_so(levels: int) -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "description": "d", "properties": {"x": schema}}
    found = fitted(schema)
    assert len(list(schemas(found.schema))) == 18
    assert any("too deep" in note for note in found.notes)


@pytest.mark.parametrize(
    "schema",
    [
        {"description": "x" * 5_000_000, "properties": {"a": {}}},
        {"properties": {f"p{n}": {"type": "string", "description": "d" * 100} for n in range(100_000)}},
        {"properties": {"a": {"enum": list(range(1_000_000))}}},
        {"required": ["a"] * 1_000_000},
        {"anyOf": [{}] * 1_000_000},
        {"properties": {"a": {"default": [[[0] * 1_000] * 1_000]}}},
        {"$defs": {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(20_000)}},
        {"properties": {f"p{n}": {"pattern": "(a+)+" * 99} for n in range(20_000)}},
    ],
)
def test_megabytes_are_bounded(schema: object) -> None:
    found = fitted(schema)
    assert len(repr(found.schema)) <= 2 * MAX_BYTES
    assert len(found.notes) <= 20
