"""Tools: function declarations, and the names that functions may have."""

import hashlib
import re
from collections.abc import Iterable
from typing import Any

from luxx.core.prompts import ToolSpec
from luxx.providers.gemini.schema import subset
from luxx.providers.plain_root import plain_root

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")
_UNFIT = re.compile(r"[^A-Za-z0-9_.:-]")
_LONGEST_STEM = 50
_EMPTY = {"type", "properties", "required", "title", "description", "$schema"}


def wire_name(name: str) -> str:
    """Return the name under which a tool is told of: its own, or if that may not be one made of it."""
    if _NAME.fullmatch(name):
        return name
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"_{_UNFIT.sub('_', name)}"[:_LONGEST_STEM] + f"_{mark}"


def tool_names(tools: Iterable[ToolSpec]) -> dict[str, str]:
    """Return the tools' own names by their names on the wire."""
    return {wire_name(tool.name): tool.name for tool in tools}


def declarations(tools: Iterable[ToolSpec], *, older: bool) -> list[dict[str, Any]]:
    """Return the tools as the API wants them; `older` endpoints know a subset of JSON schema only, under another name."""
    return [_declaration(tool, older) for tool in tools]


def _declaration(tool: ToolSpec, older: bool) -> dict[str, Any]:
    declared: dict[str, Any] = {"name": wire_name(tool.name), "description": tool.description or tool.name}
    parameters = plain_root(tool.parameters)
    schema = {key: value for key, value in parameters.items() if (key, value) != ("additionalProperties", False)}
    # An object without properties is refused by some: no parameters at all mean the same.
    if schema.keys() <= _EMPTY and not schema.get("properties"):
        return declared
    if older:
        return {**declared, "parameters": subset(schema)}
    return {**declared, "parametersJsonSchema": {"type": "object", **parameters}}
