"""Values: what stands in JSON that others write, whatever it is."""

import math
from typing import Any, cast

MOST_TOKENS = 2**53
"""More than any model reads or writes, and the largest whole number that every reader of JSON knows exactly."""


def as_object(value: object) -> dict[str, Any] | None:
    """Return a value that is an object, None for any other."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def fields_of(value: object) -> dict[str, Any]:
    """Return a value that is an object, an empty one for any other."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def items_of(value: object) -> list[Any]:
    """Return a value that is a list, an empty one for any other."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def objects(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list; nothing for any other value."""
    return [item for item in items_of(value) if isinstance(item, dict)]


def texts(value: object) -> list[str]:
    """Return the texts of a list; nothing for any other value."""
    return [item for item in items_of(value) if isinstance(item, str)]


def text_of(value: object) -> str:
    """Return a value that is a text, an empty one for any other."""
    return value if isinstance(value, str) else ""


def tokens_of(value: object) -> int | None:
    """Return a number of tokens from 0 to `MOST_TOKENS`, None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0 or value == math.inf:
        return None
    return int(min(value, MOST_TOKENS))
