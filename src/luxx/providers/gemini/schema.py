"""Schema: a tool's JSON schema in the subset of OpenAPI that the older field for parameters takes."""

import json
from collections.abc import Mapping
from typing import Any

from luxx.core.json_schema import Schema, part_at
from luxx.providers.values import as_object, fields_of, items_of, objects, texts

# The oldest of those endpoints know no more than these.
_KEPT = ("description", "minItems", "maxItems")
_FORMATS = {
    "string": ("date-time", "enum"),
    "number": ("float", "double"),
    "integer": ("int32", "int64"),
}
_DEEPEST = 12
_MOST_NODES = 2000


def subset(schema: Mapping[str, Any]) -> Schema:
    """Return the schema with references resolved and without what the subset does not know.

    What is lost of its meaning is said in the description where that is short. A part that refers to itself ends in any object.
    """
    return _Subset(schema).of(schema, 0)


class _Subset:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._nodes = 0

    def of(self, schema: Mapping[str, Any], depth: int) -> Schema:
        self._nodes += 1
        if depth > _DEEPEST or self._nodes > _MOST_NODES:
            return {"type": "OBJECT"}
        schema = _merged(self._resolved(schema, 0))
        options = self._options(schema)
        nullable = _allows_null(schema)
        if len(options) == 1:
            schema = _merged({**schema, **self._resolved(options[0], 0)})
        if len(options) > 1:
            found: Schema = {"anyOf": [self.of(_described(option, schema), depth + 1) for option in options]}
            return found  # nothing else may stand beside it
        made: Schema = {key: schema[key] for key in _KEPT if schema.get(key) is not None}
        if nullable:
            made["nullable"] = True
        return self._typed(made, schema, depth)

    def _typed(self, made: Schema, schema: Mapping[str, Any], depth: int) -> Schema:
        kind = _kind(schema)
        made["type"] = kind.upper()
        if schema.get("format") in _FORMATS.get(kind, ()):
            made["format"] = schema["format"]
        values = _values(schema)
        if kind == "string" and values and all(isinstance(value, str) and value for value in values):
            made["enum"] = values
        elif values:
            made["description"] = _with(made.get("description"), "One of: " + ", ".join(map(_json, values)))
        if kind == "array":
            made["items"] = self.of(_items(schema), depth + 1)
        if kind == "object":
            made |= self._properties(schema, depth)
        return made

    def _properties(self, schema: Mapping[str, Any], depth: int) -> Schema:
        properties = fields_of(schema.get("properties"))
        if not properties:
            return {}
        required = [name for name in texts(schema.get("required")) if name in properties]
        made: Schema = {"properties": {name: self.of(fields_of(s), depth + 1) for name, s in properties.items()}}
        return {**made, "required": required} if required else made

    def _options(self, schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Return the schemas of which one must fit; a type list is such a choice as well."""
        options = [*objects(schema.get("anyOf")), *objects(schema.get("oneOf"))]
        kinds = items_of(schema.get("type"))
        if not options and len([kind for kind in kinds if kind != "null"]) > 1:
            rest = {key: value for key, value in schema.items() if key != "type"}
            options = [{**rest, "type": kind} for kind in kinds]
        return [option for option in options if option.get("type") != "null"]

    def _resolved(self, schema: Mapping[str, Any], followed: int) -> Mapping[str, Any]:
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return schema
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        target = as_object(part_at(self._root, reference))
        if target is None or followed > _DEEPEST:
            return {"type": "object", **beside}
        return {**self._resolved(target, followed + 1), **beside}


def _merged(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a schema with the parts of its ``allOf`` in it."""
    merged: Schema = {key: value for key, value in schema.items() if key != "allOf"}
    for part in objects(schema.get("allOf")):
        properties = {**fields_of(merged.get("properties")), **fields_of(part.get("properties"))}
        required = [*texts(merged.get("required")), *texts(part.get("required"))]
        merged = {**part, **merged}
        merged |= {"properties": properties} if properties else {}
        merged |= {"required": list(dict.fromkeys(required))} if required else {}
    return merged


def _kind(schema: Mapping[str, Any]) -> str:
    kinds = [kind for kind in items_of(schema.get("type")) if kind != "null"]
    kind = schema.get("type") if isinstance(schema.get("type"), str) else next(iter(kinds), None)
    if kind in ("string", "number", "integer", "boolean", "array", "object"):
        return str(kind)
    if "properties" in schema:
        return "object"
    if "items" in schema or "prefixItems" in schema:
        return "array"
    values = _values(schema)
    for name, known in (("boolean", bool), ("integer", int), ("number", (int, float))):
        if values and all(isinstance(value, known) for value in values):
            return name
    return "string"


def _values(schema: Mapping[str, Any]) -> list[Any]:
    values = [schema["const"]] if "const" in schema else items_of(schema.get("enum"))
    return [value for value in values if value is not None]


def _items(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    items = schema.get("items")
    options = objects(items) or objects(schema.get("prefixItems"))
    return as_object(items) or (options[0] if options else {})


def _allows_null(schema: Mapping[str, Any]) -> bool:
    options = [*objects(schema.get("anyOf")), *objects(schema.get("oneOf"))]
    kinds = items_of(schema.get("type"))
    return schema.get("nullable") is True or "null" in kinds or any(option.get("type") == "null" for option in options)


def _described(option: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"description": schema["description"], **option} if schema.get("description") else option


def _with(description: object, more: str) -> str:
    return f"{description} {more}" if isinstance(description, str) and description else more


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
