"""Wire: the small rules of the Messages API for ids, names and values."""

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from luxx.core.prompts import ToolSpec
from luxx.providers.values import as_object

Block = dict[str, Any]
"""A content block; its fields are those of the wire, and whoever uses one looks at what it is."""

_BAD_ID = re.compile(r"[^a-zA-Z0-9_-]")
_LONGEST_ID = 128
_LONGEST_NAME = 128


def fit_id(id: str) -> str:
    """Return a call's id, or one made from it where it has characters that the API refuses; the same for the same id."""
    if id and len(id) <= _LONGEST_ID and not _BAD_ID.search(id):
        return id
    return f"call_{hashlib.sha256(id.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def fit_name(name: str) -> str:
    """Return a tool's name in the characters that the API takes."""
    return _BAD_ID.sub("_", name)[:_LONGEST_NAME] or "tool"


def wire_names(tools: Iterable[ToolSpec]) -> dict[str, str]:
    """Return the names under which tools are offered, each once; nearly always their own."""
    taken: set[str] = set()
    names: dict[str, str] = {}
    for tool in tools:
        name, count = fit_name(tool.name), 1
        while name in taken:
            count += 1
            name = f"{fit_name(tool.name)[: _LONGEST_NAME - 8]}_{count}"
        taken.add(name)
        names[tool.name] = name
    return names


def object_of(text: str) -> dict[str, Any] | None:
    """Return the JSON object that a text is, None if it is none; no text at all is an empty one."""
    if not text.strip():
        return {}
    try:
        value: object = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        value = _lenient(text.encode("utf-8", "surrogatepass"))
    return as_object(value)


def decode_object(data: bytes) -> dict[str, Any] | None:
    """Return a JSON object, odd ones included (half a surrogate pair, NaN, broken UTF-8); None for anything else."""
    try:
        value: object = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        value = _lenient(data)
    return as_object(value)


def _lenient(data: bytes) -> object:
    try:
        return json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
