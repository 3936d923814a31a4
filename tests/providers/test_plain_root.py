"""A model is shown a plain object at the top of a tool's schema, and what its alternatives say."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from luxx.providers.plain_root import plain_root
from luxx.tools.model_schema import fitted
from tests.tools.test_model_schema import JSON

REFUSED = {"anyOf", "oneOf", "allOf", "enum", "const", "not", "if", "then", "else"}
TEXT, NUMBER = {"type": "string"}, {"type": "number"}
BEGINNING = "The arguments must also fit this JSON schema: "


def shown(schema: dict[str, Any]) -> dict[str, Any]:
    return plain_root(fitted(schema).schema)


@given(JSON)
def test_whatever_comes_is_shown_as_a_plain_object(schema: object) -> None:
    made = plain_root(fitted(schema).schema)
    Draft202012Validator.check_schema(made)
    assert made["type"] == "object"
    assert not REFUSED & made.keys()
    assert set(made.get("required", [])) <= made["properties"].keys()
    assert plain_root(made) == made


def test_a_plain_object_is_shown_as_it_is() -> None:
    schema = {"type": "object", "properties": {"a": TEXT, "b": {"anyOf": [TEXT, NUMBER]}}, "required": ["a"]}
    assert shown(schema) == schema


@pytest.mark.parametrize(
    ("schema", "properties", "required", "told"),
    [
        (
            {"anyOf": [{"properties": {"a": TEXT}, "required": ["a"]}, {"properties": {"b": TEXT}, "required": ["b"]}]},
            {"a": TEXT, "b": TEXT},
            None,
            '{"anyOf":[{"properties":{"a":{}},"required":["a"]},{"properties":{"b":{}},"required":["b"]}]}',
        ),
        (
            {"properties": {"a": TEXT, "b": TEXT}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
            {"a": TEXT, "b": TEXT},
            None,
            '{"anyOf":[{"required":["a"]},{"required":["b"]}]}',
        ),
        (
            {"allOf": [{"properties": {"a": TEXT}, "required": ["a"]}, {"$ref": "#/$defs/B"}]}
            | {"$defs": {"B": {"properties": {"b": NUMBER}, "required": ["b"]}}},
            {"a": TEXT, "b": NUMBER},
            ["a", "b"],
            '{"allOf":[{"$ref":"#/$defs/B"}]}',
        ),
        ({"allOf": [{"properties": {"a": TEXT}, "required": ["a"]}]}, {"a": TEXT}, ["a"], None),
        (
            {"oneOf": [{"properties": {"kind": {"const": word}, "n": n}} for word, n in (("x", TEXT), ("y", NUMBER))]},
            {"kind": {"enum": ["x", "y"]}, "n": {"anyOf": [TEXT, NUMBER]}},
            None,
            '{"oneOf":[{"properties":{"kind":{"const":"x"},"n":{"type":"string"}}},'
            '{"properties":{"kind":{"const":"y"},"n":{"type":"number"}}}]}',
        ),
        ({"enum": [{"a": 1}, {"a": 2}]}, {}, None, '{"enum":[{"a":1},{"a":2}]}'),
        ({"properties": {"a": TEXT}, "not": {"required": ["a"]}}, {"a": TEXT}, None, '{"not":{"required":["a"]}}'),
        (
            {"if": {"properties": {"a": TEXT}}, "then": {"properties": {"b": TEXT}}},
            {"a": TEXT, "b": TEXT},
            None,
            '{"if":{"properties":{"a":{}}},"then":{"properties":{"b":{}}}}',
        ),
        (
            {"properties": {"a": TEXT}, "additionalProperties": False, "anyOf": [{"properties": {"b": TEXT}}]},
            {"a": TEXT},
            None,
            '{"anyOf":[{"properties":{"b":{"type":"string"}}}]}',
        ),
    ],
)
def test_alternatives_become_members_and_words(
    schema: dict[str, Any], properties: object, required: object, told: str | None
) -> None:
    made = shown(schema)
    assert made["properties"] == properties
    assert made.get("required") == required
    assert made.get("description") == (told and BEGINNING + told)
    assert not REFUSED & made.keys()


def test_what_is_told_stands_after_the_schemas_own_words_and_is_bounded() -> None:
    made = shown({"description": "Mine.", "enum": [{"a": "x" * 500, "n": n} for n in range(100)]})
    assert made["description"].startswith("Mine.\n" + BEGINNING)
    assert len(made["description"]) < 2_100


def test_no_reference_leads_into_what_is_not_shown() -> None:
    part = {"properties": {"a": TEXT}}
    made = shown({"anyOf": [part], "properties": {"b": {"$ref": "#/anyOf/0/properties/a", "title": "B"}}})
    assert made["properties"] == {"a": TEXT, "b": {"title": "B"}}


async def test_alternatives_that_share_their_parts_over_and_over_take_no_longer() -> None:
    parts = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(60)}
    schema = {"anyOf": [{"$ref": "#/$defs/d0"}], "$defs": {**parts, "d60": {"properties": {"a": TEXT}}}}
    async with asyncio.timeout(10):
        made = await asyncio.to_thread(shown, schema)
    assert made["properties"] == {"a": TEXT}


def test_a_branch_that_leads_back_to_the_root_ends() -> None:
    assert shown({"properties": {"a": TEXT}, "if": {"$ref": "#"}})["properties"] == {"a": TEXT}


def test_what_gets_too_long_allows_any_object() -> None:
    parts = {f"d{n}": {"properties": {f"p{n}": {"enum": ["x" * 900]}}} for n in range(60)}
    schema = {"oneOf": [{"$ref": f"#/$defs/{name}"} for name in parts], "$defs": parts}
    assert len(fitted(schema).schema["$defs"]) == 60
    assert shown(schema) == {"type": "object", "properties": {}}
