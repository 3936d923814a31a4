"""Plain root: the schema of a tool's arguments as a model is shown it, which has no alternatives at its top.

OpenAI and Anthropic refuse a whole request for one tool whose schema is more there than that of an object.
"""

from collections.abc import Iterable, Iterator
from typing import Any, cast
from urllib.parse import unquote

import msgspec

from luxx.core.json_schema import Schema, part_at
from luxx.providers.values import fields_of, items_of, objects, text_of, texts

_UNIONS = ("allOf", "anyOf", "oneOf")
_BRANCHES = ("if", "then", "else")
_REFUSED = (*_UNIONS, *_BRANCHES, "not", "enum", "const")
_LOST = [[word] for word in _REFUSED]
_MAX_TOLD_CHARS = 2_000
_MAX_BYTES = 64_000
_TOLD = "The arguments must also fit this JSON schema: "

_encoder = msgspec.json.Encoder(order="sorted")


def plain_root(schema: Schema) -> Schema:
    """Return a schema with the members of all its alternatives at the top, as ones that may be left out.

    What else the alternatives say is told in the description. A call is to be checked against the schema itself, which is what comes
    back if it has none.
    """
    if schema.keys().isdisjoint(_REFUSED):
        return schema
    made: Schema = {word: content for word, content in schema.items() if word not in _REFUSED}
    made["properties"], required = _members(schema)
    if required:
        made["required"] = required
    made["description"] = "\n".join(
        filter(None, (text_of(schema.get("description")), _told(schema, made["properties"])))
    )
    if not made["description"]:
        del made["description"]
    made = cast("Schema", _without_lost_references(made))
    too_long = len(_encoder.encode(made)) > _MAX_BYTES
    return {"type": "object", "properties": {}} if too_long else made


def _members(schema: Schema) -> tuple[Schema, list[str]]:
    """Return the members of a schema and its alternatives, and those that every call needs."""
    own = fields_of(schema.get("properties"))
    needed = texts(schema.get("required"))
    found: dict[str, list[Schema]] = {}
    for part, always in _alternatives(schema):
        for name, member in fields_of(part.get("properties")).items():
            found.setdefault(name, []).append(fields_of(member))
        needed += texts(part.get("required")) if always else ()
    if schema.get("additionalProperties") is False:  # which forbids what only the alternatives name
        found.clear()
    members = {**{name: _either(variants) for name, variants in found.items()}, **own}
    return members, [name for name in dict.fromkeys(needed) if name in members]


def _alternatives(root: Schema) -> Iterator[tuple[Schema, bool]]:
    """Yield all parts that say something of the value itself, each once, and whether every call has to fit it."""
    ahead, known = [(root, True)], {id(root)}
    while ahead:
        part, always = ahead.pop(0)
        if part is not root:
            yield part, always
        inner = [(one, always and word == "allOf") for word in _UNIONS for one in objects(part.get(word))]
        inner += [(branch, False) for branch in objects([part.get(word) for word in _BRANCHES])]
        inner += [(target, always) for target in objects([part_at(root, text_of(part.get("$ref")))])]
        ahead += [(one, needed) for one, needed in inner if id(one) not in known]
        known |= {id(one) for one, _ in inner}


def _either(variants: Iterable[Schema]) -> Schema:
    """Return a schema that fits what one of the variants fits."""
    distinct = list({_encoder.encode(variant): variant for variant in variants}.values())
    first = distinct[0]
    if len(distinct) == 1:
        return first
    if not all("const" in variant or "enum" in variant for variant in distinct):
        return {"anyOf": distinct}
    shared = {word: content for word, content in first.items() if all(one.get(word) == content for one in distinct[1:])}
    values = [value for one in distinct for value in (items_of(one.get("enum")) or [one.get("const")])]
    return {**shared, "enum": list({_encoder.encode(value): value for value in values}.values())}


def _told(schema: Schema, members: Schema) -> str:
    """Return in words what the members do not show of the alternatives."""
    rest = _rest({word: schema[word] for word in _REFUSED if word in schema}, members, always=True)
    if not rest:
        return ""
    told = _TOLD + msgspec.json.encode(rest).decode()
    return told if len(told) <= _MAX_TOLD_CHARS else told[: _MAX_TOLD_CHARS - 1] + "…"


def _rest(part: Schema, members: Schema, *, always: bool) -> Schema:
    """Return a part without what the members show already; of one that every call has to fit, that is more."""
    rest: Schema = {}
    for word, content in part.items():
        match word:
            case "allOf" | "anyOf" | "oneOf":
                inner = [_rest(one, members, always=always and word == "allOf") for one in objects(content)]
                taken: object = [one for one in inner if one] if word == "allOf" else inner
            case "if" | "then" | "else":
                taken = _rest(fields_of(content), members, always=False)
            case "properties":
                parts = fields_of(content)
                shown = {name for name in parts if members.get(name) == parts[name]}
                named: Schema = {name: {} if name in shown else parts[name] for name in parts}
                taken = {name: named[name] for name in named if name not in shown} if always else named
            case "type" | "required" if content == "object" or always:
                continue
            case "title":
                continue
            case _:
                taken = content
        if taken or word not in ("allOf", "properties"):
            rest[word] = taken
    return rest


def _without_lost_references(value: object) -> object:
    """Return the value without references to what is no longer at the root."""
    if isinstance(value, list):
        return [_without_lost_references(member) for member in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    members = cast("dict[str, Any]", value)
    return {
        word: _without_lost_references(content)
        for word, content in members.items()
        if not (word == "$ref" and isinstance(content, str) and unquote(content).split("/")[1:2] in _LOST)
    }
