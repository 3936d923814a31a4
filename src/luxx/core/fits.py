"""Fits: whether a value fits the schema that somebody else declared for it, in bounded time whatever the two are.

A validator that does all of JSON schema can be made to run for ever by a hostile schema (patterns, references that multiply); this
one knows the keywords that servers use, passes over the others, and gives up after so many steps.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, cast

from luxx.core.json_schema import Schema, part_at

_STEPS = 20_000
_DEPTH = 64
_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "integer": (int,),
    "number": (int, float),
}


class _GivenUp(Exception):
    """The check takes too long."""


def misfit(value: object, schema: Schema, where: str = "the result") -> str | None:
    """Return what does not fit, in words, or None: all fits, or it cannot be told in bounded time. `where` is what the value is."""
    try:
        return next(_Check(schema).problems(value, schema, where, 0), None)
    except (_GivenUp, TypeError, ValueError, OverflowError, RecursionError):
        return None


def unfit_arguments(values: Schema, schema: Schema) -> str | None:
    """Return what does not fit of a call's arguments. A null for one that may be left out, and may not be null, is taken out."""
    problem = misfit(values, schema, "arguments")
    if problem is None:
        return None
    needed = _list(schema.get("required"))
    given = {name: value for name, value in values.items() if value is not None or name in needed}
    if len(given) == len(values) or (problem := misfit(given, schema, "arguments")):
        return problem
    for name in values.keys() - given.keys():
        del values[name]
    return None


class _Check:
    def __init__(self, root: Schema) -> None:
        self._root = root
        self._steps = itertools.count()

    def problems(self, value: object, schema: object, where: str, depth: int) -> Iterator[str]:
        """Yield what is wrong with the value."""
        if next(self._steps) > _STEPS or depth > _DEPTH:
            raise _GivenUp
        if schema is False:
            yield f"{where} must not be there"
        if not isinstance(schema, dict):
            return
        members = cast("Schema", schema)
        if isinstance(target := members.get("$ref"), str):
            yield from self.problems(value, part_at(self._root, target), where, depth + 1)
        yield from _own_problems(value, members, where)
        yield from self._combined(value, members, where, depth)
        if isinstance(value, dict):
            yield from self._in_object(cast("Schema", value), members, where, depth)
        if isinstance(value, list):
            yield from self._in_array(cast("list[object]", value), members, where, depth)

    def _combined(self, value: object, schema: Schema, where: str, depth: int) -> Iterator[str]:
        for part in _list(schema.get("allOf")):
            yield from self.problems(value, part, where, depth + 1)
        for keyword in ("anyOf", "oneOf"):
            options = _list(schema.get(keyword))
            if options and all(next(self.problems(value, option, where, depth + 1), None) for option in options):
                yield f"{where} is none of what is allowed"

    def _in_object(self, value: Schema, schema: Schema, where: str, depth: int) -> Iterator[str]:
        properties = _dict(schema.get("properties"))
        for name in _list(schema.get("required")):
            if name not in value:
                yield f"{where}.{name} is missing"
        rest = True if schema.get("patternProperties") else schema.get("additionalProperties", True)
        for name, member in value.items():
            yield from self.problems(member, properties.get(name, rest), f"{where}.{name}"[:200], depth + 1)

    def _in_array(self, value: list[object], schema: Schema, where: str, depth: int) -> Iterator[str]:
        firsts = _list(schema.get("prefixItems"))
        for number, member in enumerate(value):
            part = firsts[number] if number < len(firsts) else schema.get("items", True)
            yield from self.problems(member, part, f"{where}[{number}]"[:200], depth + 1)


def _own_problems(value: object, schema: Schema, where: str) -> Iterator[str]:
    kind = schema.get("type")
    kinds = [kind] if isinstance(kind, str) else _list(kind)
    if kinds and not any(_is(value, name) for name in kinds):
        yield f"{where} is not of the type {' or '.join(map(str, kinds))}"
    if isinstance(schema.get("enum"), list) and not any(_same(value, option) for option in schema["enum"]):
        yield f"{where} is none of the values that are allowed"
    if "const" in schema and not _same(value, schema["const"]):
        yield f"{where} is not the value that is allowed"
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if is_number and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{where} is out of range"
    if isinstance(value, str) and not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        yield f"{where} has a wrong length"
    if isinstance(value, list):
        size = len(cast("list[object]", value))
        if not schema.get("minItems", 0) <= size <= schema.get("maxItems", size):
            yield f"{where} has a wrong number of items"


def _is(value: object, name: object) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(name, str) and isinstance(value, _TYPES.get(name, (object,)))


def _same(value: object, option: object) -> bool:
    return isinstance(value, bool) == isinstance(option, bool) and value == option


def _list(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _dict(value: object) -> Schema:
    return cast("Schema", value) if isinstance(value, dict) else {}
