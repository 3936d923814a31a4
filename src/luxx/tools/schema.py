"""Schema: a function's type hints as the JSON schema of its arguments."""

import functools
import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import msgspec

from luxx.tools.errors import ToolDefinitionError

Schema = dict[str, Any]
_REF = "#/$defs/"


class Parameter(msgspec.Struct, frozen=True):
    """An argument that the model gives: its type hint, and its JSON schema with all references resolved.

    `definitions` has the schemas of types that contain themselves; they alone are referred to.
    """

    name: str
    hint: Any
    required: bool
    schema: Schema
    definitions: Schema


def unwrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what a partial calls, or the function itself."""
    return cast("functools.partial[Any]", function).func if isinstance(function, functools.partial) else function


def plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function behind a partial or an object that can be called: it has the hints, the text and the kind."""
    target = unwrapped(function)
    return target if inspect.isroutine(target) else type(target).__call__


def hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the type hints of a function, a method, a partial or an object that can be called.

    Raises ToolDefinitionError if a hint names a type that cannot be found.
    """
    try:
        return typing.get_type_hints(plain(function), include_extras=True)
    except (NameError, TypeError, SyntaxError, AttributeError) as error:
        raise ToolDefinitionError(f"the type hints cannot be resolved: {error}") from error


def parameters_of(
    function: Callable[..., Any], descriptions: Mapping[str, str], leave_out: str | None = None
) -> tuple[Parameter, ...]:
    """Return the arguments that a model gives to a function, in the function's order.

    `leave_out` names an argument that is not the model's; those that a partial has bound are not either. Raises
    ToolDefinitionError for what JSON cannot give: positional-only and variadic arguments, hints missing or unsupported.
    """
    bound: set[str] = set(getattr(function, "keywords", ()))
    hints = hints_of(function)
    return tuple(
        _parameter(parameter, hints, descriptions)
        for name, parameter in inspect.signature(function).parameters.items()
        if name != leave_out and name not in bound
    )


def object_schema(parameters: tuple[Parameter, ...]) -> Schema:
    """Return the JSON schema of the object that holds the arguments; nothing else may stand in it."""
    schema: Schema = {
        "type": "object",
        "properties": {parameter.name: parameter.schema for parameter in parameters},
        "required": [parameter.name for parameter in parameters if parameter.required],
        "additionalProperties": False,
    }
    definitions = {name: part for parameter in parameters for name, part in parameter.definitions.items()}
    return {**schema, "$defs": definitions} if definitions else schema


def describe(schema: Schema) -> str:
    """Return a schema's type in a few words, such as ``array of integer`` or ``one of "a", "b"``."""
    if values := schema.get("enum"):
        return "one of " + ", ".join(msgspec.json.encode(value).decode() for value in values)
    if options := schema.get("anyOf"):
        return " or ".join(dict.fromkeys(describe(option) for option in options))
    match schema.get("type"):
        case "array" if schema.get("items"):
            return f"array of {describe(schema['items'])}"
        case "string" if "format" in schema:
            return f"string ({schema['format']})"
        case str() as name:
            return name
        case _:
            return "object" if "$ref" in schema else "any value"


def _parameter(parameter: inspect.Parameter, hints: Mapping[str, Any], descriptions: Mapping[str, str]) -> Parameter:
    name = parameter.name
    if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
        raise ToolDefinitionError(f"argument {name}: a model can only give arguments by name")
    if name not in hints:
        raise ToolDefinitionError(f"argument {name} has no type hint")
    schema, definitions = _schema_of(name, hints[name])
    if description := _description(hints[name]) or descriptions.get(name):
        schema["description"] = description
    required = parameter.default is parameter.empty
    if not required and (default := _as_json(parameter.default)) is not None:
        schema["default"] = default
    return Parameter(name, hints[name], required, schema, definitions)


def _schema_of(name: str, hint: object) -> tuple[Schema, Schema]:
    try:
        (schema,), definitions = msgspec.json.schema_components([hint], ref_template=_REF + "{name}")
        msgspec.json.Decoder(hint)
    except (TypeError, ValueError) as error:
        raise ToolDefinitionError(f"argument {name}: the type hint {hint!r} is not supported: {error}") from error
    endless = {part for part in definitions if part in _reachable(part, definitions)}
    inlined = cast("Schema", _inline(schema, definitions, endless))
    kept = {part: _inline(definitions[part], definitions, endless) for part in definitions if part in endless}
    return inlined, kept


def _description(hint: object) -> str | None:
    """Return what an Annotated hint says in words: a string, or the description of a msgspec.Meta."""
    for note in getattr(hint, "__metadata__", ()):
        match note:
            case str() as text:
                return text
            case msgspec.Meta(description=str() as text):
                return text
            case _:
                pass
    return None


def _as_json(value: object) -> object:
    """Return a default as JSON has it, or None where JSON has no such value."""
    try:
        return msgspec.json.decode(msgspec.json.encode(value))
    except (TypeError, ValueError, msgspec.MsgspecError, RecursionError):
        return None


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        members = cast("Schema", schema)
        if isinstance(target := members.get("$ref"), str):
            yield target.removeprefix(_REF)
        for member in members.values():
            yield from _references(member)
    elif isinstance(schema, list):
        for member in cast("list[object]", schema):
            yield from _references(member)


def _reachable(start: str, definitions: Schema) -> set[str]:
    found: set[str] = set()
    ahead = [start]
    while ahead:
        new = set(_references(definitions[ahead.pop()])) - found
        found |= new
        ahead += new
    return found


def _inline(schema: object, definitions: Schema, endless: set[str]) -> object:
    """Put definitions in the place of references: several providers refuse ``$ref``."""
    match schema:
        case dict():
            members = cast("Schema", schema)
            if isinstance(target := members.get("$ref"), str) and (name := target.removeprefix(_REF)) not in endless:
                beside = {key: member for key, member in members.items() if key != "$ref"}
                return {**cast("Schema", _inline(definitions[name], definitions, endless)), **beside}
            return _typed(
                {
                    key: _inline(member, definitions, endless)
                    for key, member in members.items()
                    if not _is_discriminator(key, member)
                }
            )
        case list():
            return [_inline(member, definitions, endless) for member in cast("list[object]", schema)]
        case _:
            return schema


def _typed(schema: Schema) -> Schema:
    """Name the type of a list of values: several providers refuse an ``enum`` without one."""
    values = schema.get("enum")
    if "type" in schema or not isinstance(values, list):
        return schema
    match {type(value) for value in cast("list[object]", values)}:
        case kinds if kinds == {str}:
            return {"type": "string", **schema}
        case kinds if kinds == {int}:
            return {"type": "integer", **schema}
        case _:
            return schema


def _is_discriminator(key: str, member: object) -> bool:
    """Whether it is OpenAPI's note on a union; it points to references, and JSON schema does not know it."""
    return key == "discriminator" and isinstance(member, dict) and "mapping" in member
