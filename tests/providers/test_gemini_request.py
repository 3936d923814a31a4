"""The rest of a generateContent request: settings, thinking, tools and their schemas, and what is left out after a refusal."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luxx.core.prompts import ModelRequest, Thinking, ToolSpec, UserPrompt
from luxx.providers.failures import Report
from luxx.providers.gemini.quirks import Quirk, quirk_in
from luxx.providers.gemini.request import encode_request
from luxx.providers.gemini.schema import subset
from luxx.providers.gemini.thinking import thinking_config
from luxx.providers.gemini.tools import tool_names, wire_name

SCHEMA = {"type": "object", "properties": {"x": {"type": ["string", "null"]}}, "additionalProperties": False}
TOOL = ToolSpec(name="f", description="Does f.", parameters=SCHEMA)


def _request(model: str = "gemini-2.0-flash", **fields: Any) -> ModelRequest:  # noqa: ANN401 - fields of any type
    return ModelRequest(model=model, prompts=(UserPrompt("hello"),), **fields)


def _body(
    request: ModelRequest, quirks: Sequence[Quirk] = (), extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    return json.loads(encode_request(request, quirks=frozenset(quirks), extra=extra))


def test_what_is_not_asked_for_is_not_there() -> None:
    assert _body(_request()) == {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}


def test_everything_has_its_place() -> None:
    body = _body(_request(system="Be kind.", temperature=0.0, max_tokens=9, tools=(TOOL,)))
    assert body["systemInstruction"] == {"parts": [{"text": "Be kind."}]}
    assert body["generationConfig"] == {"temperature": 0.0, "maxOutputTokens": 9}
    declared = {"name": "f", "description": "Does f.", "parametersJsonSchema": SCHEMA}
    assert body["tools"] == [{"functionDeclarations": [declared]}]


def test_extra_is_added_within_and_wins() -> None:
    search = {"googleSearch": {}}
    extra = {"tools": [search], "generationConfig": {"topK": 1, "temperature": 1}, "safetySettings": []}
    body = _body(_request(temperature=0.5, tools=(TOOL,)), extra=extra)
    assert body["tools"][1:] == [search]
    assert body["generationConfig"] == {"temperature": 1, "topK": 1}
    assert body["safetySettings"] == []
    assert _body(_request(), extra=extra)["tools"] == [search]


@pytest.mark.parametrize(
    ("model", "wanted", "config"),
    [
        ("gemini-2.0-flash", None, None),
        ("gemini-2.0-flash", "high", None),
        ("gemini-1.5-pro-002", None, None),
        ("gemini-2.5-flash-image", None, None),
        ("gemini-2.5-flash-preview-tts", "low", None),
        ("gemma-3-27b-it", None, None),
        ("gemini-2.5-flash", None, {"includeThoughts": True}),
        ("models/gemini-2.5-flash", "off", {"thinkingBudget": 0}),
        ("gemini-2.5-flash-lite", "low", {"includeThoughts": True, "thinkingBudget": 1024}),
        ("gemini-2.5-pro", "off", {"thinkingBudget": 128}),
        ("gemini-2.5-pro", "medium", {"includeThoughts": True, "thinkingBudget": 8192}),
        ("gemini-2.5-pro", "high", {"includeThoughts": True, "thinkingBudget": 24576}),
        ("gemini-3-pro-preview", None, {"includeThoughts": True}),
        ("gemini-3-pro-preview", "off", {"thinkingLevel": "LOW"}),
        ("gemini-3-pro-preview", "medium", {"includeThoughts": True, "thinkingLevel": "HIGH"}),
        ("gemini-3.1-pro-preview", "medium", {"includeThoughts": True, "thinkingLevel": "MEDIUM"}),
        ("google/gemini-3-flash-preview", "off", {"thinkingLevel": "MINIMAL"}),
        ("gemini-3.8-flash", "off", {"thinkingLevel": "LOW"}),
        ("gemini-3.8-flash-lite", "off", {"thinkingLevel": "MINIMAL"}),
        ("gemini-flash-latest", "off", {"thinkingLevel": "LOW"}),
        ("gemini-3-pro-image-preview", "low", {"includeThoughts": True}),
        ("gemini-3-pro-image-preview", "off", None),
        ("gemini-4-pro", "low", {"includeThoughts": True, "thinkingLevel": "LOW"}),
    ],
)
def test_thinking_is_asked_for_as_the_family_has_it(
    model: str, wanted: Thinking | None, config: dict[str, Any] | None
) -> None:
    assert thinking_config(model, wanted) == config
    assert _body(_request(model, thinking=wanted)).get("generationConfig", {}).get("thinkingConfig") == config


def test_less_is_asked_of_thinking_after_refusals() -> None:
    request = _request("gemini-3-flash-preview", thinking="medium")

    def asked(*quirks: Quirk) -> object:
        return _body(request, quirks).get("generationConfig", {}).get("thinkingConfig")

    assert asked("coarse_thinking") == {"includeThoughts": True, "thinkingLevel": "HIGH"}
    assert asked("coarse_thinking", "no_thinking_amount") == {"includeThoughts": True}
    assert asked("no_thinking") is None


@pytest.mark.parametrize("name", ["a b", "1st", "é", "x" * 65, "", "a/b", "a\ud800"])
def test_names_outside_the_alphabet_are_mapped_and_back(name: str) -> None:
    tool = ToolSpec(name=name, description="", parameters={})
    (wire,) = tool_names([tool])
    assert wire == wire_name(name) != name
    assert 0 < len(wire) <= 64
    assert wire.isascii()
    assert wire[0] == "_"
    assert tool_names([tool])[wire] == name


def test_names_that_differ_stay_different() -> None:
    assert wire_name("a b") != wire_name("a/b") != wire_name("a_b") == "a_b"
    assert wire_name("mcp.server-1:tool_2") == "mcp.server-1:tool_2"


@pytest.mark.parametrize(
    "parameters",
    [{}, {"type": "object"}, {"type": "object", "properties": {}, "additionalProperties": False, "required": []}],
)
def test_a_tool_without_parameters_has_none(parameters: dict[str, Any]) -> None:
    tool = ToolSpec(name="f", description="", parameters=parameters)
    for quirks in ((), ("older_schema",)):
        assert _body(_request(tools=(tool,)), quirks)["tools"] == [
            {"functionDeclarations": [{"name": "f", "description": "f"}]}
        ]


def test_the_older_field_gets_the_subset_of_the_schema() -> None:
    schema = {
        "$schema": "x",
        "type": "object",
        "$defs": {"Point": {"type": "object", "properties": {"x": {"type": "number", "exclusiveMinimum": 0}}}},
        "properties": {
            "at": {"$ref": "#/$defs/Point", "description": "Where."},
            "mode": {"const": "fast"},
            "size": {"enum": [1, 2], "description": "How."},
            "name": {"type": ["string", "null"], "format": "email", "maxLength": 3},
            "when": {"type": "string", "format": "date-time"},
            "either": {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}], "description": "D"},
            "maybe": {"oneOf": [{"type": "boolean"}, {"type": "null"}]},
            "many": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
            "any_list": {"type": "array"},
            "pair": {"type": "array", "prefixItems": [{"type": "integer"}]},
            "both": {"allOf": [{"properties": {"a": {"type": "string"}}, "required": ["a"]}, {"description": "x"}]},
            "kinds": {"type": ["string", "number"]},
            "anything": {},
            "yes": True,
        },
        "required": ["at", "gone"],
        "additionalProperties": False,
    }
    assert subset(schema) == {
        "type": "OBJECT",
        "properties": {
            "at": {"type": "OBJECT", "description": "Where.", "properties": {"x": {"type": "NUMBER"}}},
            "mode": {"type": "STRING", "enum": ["fast"]},
            "size": {"type": "INTEGER", "description": "How. One of: 1, 2"},
            "name": {"type": "STRING", "nullable": True},
            "when": {"type": "STRING", "format": "date-time"},
            "either": {"anyOf": [{"type": "STRING", "description": "D"}, {"type": "INTEGER", "description": "D"}]},
            "maybe": {"type": "BOOLEAN", "nullable": True},
            "many": {"type": "ARRAY", "items": {"type": "STRING", "enum": ["a", "b"]}},
            "any_list": {"type": "ARRAY", "items": {"type": "STRING"}},
            "pair": {"type": "ARRAY", "items": {"type": "INTEGER"}},
            "both": {"type": "OBJECT", "description": "x", "properties": {"a": {"type": "STRING"}}, "required": ["a"]},
            "kinds": {"anyOf": [{"type": "STRING"}, {"type": "NUMBER"}]},
            "anything": {"type": "STRING"},
            "yes": {"type": "STRING"},
        },
        "required": ["at"],
    }
    body = _body(_request(tools=(ToolSpec(name="f", description="d", parameters=schema),)), ["older_schema"])
    assert body["tools"][0]["functionDeclarations"][0]["parameters"] == subset(schema)


def test_a_schema_that_refers_to_itself_ends() -> None:
    node = {"type": "object", "properties": {"left": {"$ref": "#/$defs/N"}, "right": {"$ref": "#/$defs/N"}}}
    made = json.dumps(subset({"$defs": {"N": node, "L": {"$ref": "#/$defs/L"}}, "$ref": "#/$defs/N"}))
    assert len(made) < 200_000
    assert subset({"$defs": {"L": {"$ref": "#/$defs/L"}}, "$ref": "#/$defs/L"})["type"] == "OBJECT"
    assert (
        subset({"properties": {"x": {"$ref": "https://elsewhere.example/s.json"}}})["properties"]["x"]["type"]
        == "OBJECT"
    )


_KEYS = ("type", "properties", "items", "anyOf", "oneOf", "allOf", "enum", "const", "$ref", "required", "format", "x")
schemas = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["object", "array", "null", "#/x", "#"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(_KEYS), schemas))
def test_no_schema_breaks_a_request(schema: dict[str, Any]) -> None:
    body = _body(_request(tools=(ToolSpec(name="f", description="", parameters=schema),)), ["older_schema"])
    assert body["tools"]


def test_a_system_prompt_goes_into_the_first_message_where_it_has_no_place() -> None:
    body = _body(_request(system="Be kind."), ["system_as_text"])
    assert "systemInstruction" not in body
    assert body["contents"] == [{"role": "user", "parts": [{"text": "Be kind."}, {"text": "hello"}]}]


@pytest.mark.parametrize(
    ("said", "known", "quirk"),
    [
        ("Invalid JSON payload received. Unknown name \"id\" at 'contents[1].parts[0].function_call': Cannot find field.", (), "no_call_ids"),
        ("Function call is missing a thought_signature in functionCall parts.", (), "stand_in_signatures"),
        ("Function call is missing a thought_signature in functionCall parts.", ("stand_in_signatures",), None),
        ("Unable to submit request because Thought signature is not valid.", (), "no_signatures"),
        ("Corrupted thought signature.", (), "no_signatures"),
        ("Invalid value at 'contents[1].parts[0].thought_signature' (TYPE_BYTES), Base64 decoding failed", (), "no_signatures"),
        ("Thought signature is not valid.", ("no_signatures",), "no_signature_field"),
        ("Unknown name \"thoughtSignature\" at 'contents[1].parts[0]': Cannot find field.", (), "no_signature_field"),
        ("Unknown name \"parts\" at 'contents[2].parts[0].function_response': Cannot find field.", (), "images_beside"),
        ("Multimodal function response is not supported for this model.", (), "images_beside"),
        ("Thinking level MEDIUM is not supported for this model.", (), "coarse_thinking"),
        ("Thinking level is not supported for this model.", ("coarse_thinking",), "no_thinking_amount"),
        ("Budget 0 is invalid. This model only works in thinking mode.", (), "no_thinking_amount"),
        ("Thinking is not enabled for models/x", (), "no_thinking"),
        ("Unable to submit request because thinking is not supported by this model.", ("no_thinking",), None),
        ("Unknown name \"parametersJsonSchema\" at 'tools[0].function_declarations[0]': Cannot find field.", (), "older_schema"),
        ("parameters.properties: should be non-empty for OBJECT type", (), "older_schema"),
        ("tools[0].function_declarations[0].name: Invalid function name.", (), None),
        ("Developer instruction is not enabled for models/gemma-3-27b-it", (), "system_as_text"),
        ("temperature is deprecated for this model", (), "no_temperature"),
        ("it has a temperature value of 1000 but the supported range is from 0 to 2", (), None),
        ("User location is not supported for the API use.", (), None),
        ("Please ensure that function call turn comes immediately after a user turn.", (), None),
    ],
)  # fmt: skip
def test_a_refusal_tells_what_to_leave_out(said: str, known: Sequence[Quirk], quirk: Quirk | None) -> None:
    request = _request("gemini-3-flash", tools=(TOOL,), system="s", temperature=1.0, thinking="medium")
    assert quirk_in(Report(text=said), request, frozenset(known)) == quirk
