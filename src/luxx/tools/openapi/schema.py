"""Schema: a schema of an OpenAPI document as the JSON schema that a model is given: references written out, and bounded."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, cast

from luxx.tools.openapi.document import BadDocument, Document, Node, nodes_in, text_at

Schema = dict[str, Any]

_MAX_NODES = 500
_MAX_DEPTH = 12
_MAX_TEXT_CHARS = 1_000
_MAX_CHARS = 50_000
"""Of all names and texts in the schemas of one operation: references can make much of little."""

_MAX_VALUES = 200
_KEPT = (
    "format",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "const",
    "default",
)
_SCALARS = (str, int, float, bool)
_TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})


class SchemaWriter:
    """Writes the schemas of one operation. What goes on for ever, or too deep, or too far, is left open."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._nodes = 0
        self._chars = 0

    def written(self, schema: object, within: tuple[int, ...] = ()) -> Schema:
        """Return a schema as JSON schema has it (2020-12). Raises BadDocument for a reference that leads nowhere."""
        node = self._document.node(schema)
        self._nodes += 1
        if self._is_full or len(within) > _MAX_DEPTH or id(node) in within:
            return {}
        within = (*within, id(node))
        made: Schema = {name: node[name] for name in _KEPT if _is_plain(node.get(name)) and node.get(name) is not None}
        if kind := _type(node):
            made["type"] = kind
        if about := text_at(node, "description") or text_at(node, "title"):
            made["description"] = about[:_MAX_TEXT_CHARS]
        if isinstance(values := node.get("enum"), list):
            made["enum"] = [value for value in islice(cast("list[object]", values), _MAX_VALUES) if _is_plain(value)]
        self._chars += sum(len(str(value)) for value in (*made.values(), *made.get("enum", ())))
        self._bounds(node, made)
        self._members(node, made, within)
        self._unions(node, made, within)
        return made

    def text(self, node: Node, name: str) -> str:
        """Return a text that goes with a schema, cut; empty if there is none, or no room for it."""
        text = "" if self._is_full else text_at(node, name)[:_MAX_TEXT_CHARS]
        self._chars += len(text)
        return text

    @property
    def _is_full(self) -> bool:
        return self._nodes > _MAX_NODES or self._chars > _MAX_CHARS

    def _members(self, node: Node, made: Schema, within: tuple[int, ...]) -> None:
        if isinstance(properties := node.get("properties"), Mapping):
            made["type"] = made.get("type", "object")
            made["properties"] = dict(self._properties(cast("Node", properties), within))
            required = cast("list[object]", node.get("required")) if isinstance(node.get("required"), list) else []
            required = islice(required, _MAX_NODES)
            if names := [name for name in required if isinstance(name, str) and name in made["properties"]]:
                made["required"] = names
        more = node.get("additionalProperties")
        if isinstance(more, bool):
            made["additionalProperties"] = more
        elif isinstance(more, Mapping):
            made["additionalProperties"] = self.written(cast("Node", more), within)
        if "items" in node:
            made["items"] = self.written(node["items"], within)

    def _properties(self, properties: Node, within: tuple[int, ...]) -> Iterator[tuple[str, Schema]]:
        for name, member in properties.items():
            self._chars += len(str(name))
            if self._is_full:
                return
            if not self._document.node(member).get("readOnly"):
                yield str(name), self.written(member, within)

    def _unions(self, node: Node, made: Schema, within: tuple[int, ...]) -> None:
        for word in ("allOf", "anyOf", "oneOf"):
            if not self._is_full and (parts := nodes_in(node.get(word), _MAX_NODES)):
                written = [self.written(part, within) for part in parts]
                if word == "allOf" and all(set(part) <= _MERGED for part in written):
                    _merge(made, written)
                else:
                    made["anyOf" if word == "oneOf" else word] = written
        if node.get("nullable") is True and isinstance(made.get("type"), str):
            made["type"] = [made["type"], "null"]
            if "enum" in made:
                made["enum"] = [*made["enum"], None]

    def _bounds(self, node: Node, made: Schema) -> None:
        """Write the exclusive bounds: true beside a bound in OpenAPI 3.0, a number of their own since 3.1."""
        for word, beside in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
            value = node.get(word)
            if value is True and beside in made:
                made[word] = made.pop(beside)
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                made[word] = value


_MERGED = frozenset({"type", "properties", "required", "description", "additionalProperties"})


def _merge(made: Schema, parts: list[Schema]) -> None:
    for part in parts:
        made.setdefault("type", part.get("type", "object"))
        made.setdefault("properties", {}).update(part.get("properties", {}))
        if required := [*made.get("required", []), *part.get("required", [])]:
            made["required"] = list(dict.fromkeys(required))
        if "description" in part:
            made.setdefault("description", part["description"])


def _type(node: Node) -> str | list[str] | None:
    kind = node.get("type")
    if isinstance(kind, list):
        kinds = [name for name in cast("list[object]", kind) if isinstance(name, str) and name in _TYPES]
        return kinds[0] if len(kinds) == 1 else kinds or None
    return kind if isinstance(kind, str) and kind in _TYPES else None


def _is_plain(value: object) -> bool:
    return value is None or (
        isinstance(value, _SCALARS) and (not isinstance(value, str) or len(value) <= _MAX_TEXT_CHARS)
    )


__all__ = ["BadDocument", "Schema", "SchemaWriter"]
