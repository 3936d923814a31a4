"""Wire: the small rules of the Messages API for ids, names and values."""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec

from luxx.core.prompts import ToolSpec

Block = dict[str, Any]
"""A content block; its fields are those of the wire, and whoever uses one looks at what it is."""

_BAD_ID = re.compile(r"[^a-zA-Z0-9_-]")
_LONGEST_ID = 128
_LONGEST_NAME = 128
_MOST_TOKENS = 2**53


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
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def decode_object(data: bytes) -> dict[str, Any] | None:
    """Return a JSON object, odd ones included (half a surrogate pair, NaN, broken UTF-8); None for anything else."""
    try:
        value: object = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        value = _lenient(data)
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def objects(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list; nothing for any other value."""
    items = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("dict[str, Any]", item) for item in items if isinstance(item, dict)]


def fields_of(value: object) -> Mapping[str, Any]:
    """Return an object, an empty one for any other value."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def text_of(value: object) -> str:
    """Return a string, an empty one for any other value."""
    return value if isinstance(value, str) else ""


def tokens_of(value: object) -> int | None:
    """Return a number of tokens from 0 to 2**53, None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0 or value == math.inf:
        return None
    return int(min(value, _MOST_TOKENS))


def _lenient(data: bytes) -> object:
    try:
        return json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
