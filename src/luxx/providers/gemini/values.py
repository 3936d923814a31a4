"""Values: JSON as providers really send it, looked at with care."""

import json
import math
import re
from collections.abc import Mapping
from functools import cache
from typing import cast

import msgspec

_CAPITAL = re.compile(r"([A-Z])")


def decode(data: bytes) -> object:
    """Return what JSON bytes hold; broken UTF-8, half surrogate pairs, NaN and infinite numbers are mended. Raises ValueError."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return json.loads(data.decode("utf-8", "replace"), parse_constant=_nothing, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def get(fields: Mapping[str, object], name: str) -> object:
    """Return a member by its name, which some gateways write in snake case."""
    value = fields.get(name)
    return fields.get(_snake(name)) if value is None else value


def as_object(value: object) -> dict[str, object] | None:
    """Return a value that is an object."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else None


def object_at(fields: Mapping[str, object], name: str) -> dict[str, object]:
    """Return a member that is an object, or an empty one."""
    return as_object(get(fields, name)) or {}


def objects_at(fields: Mapping[str, object], name: str) -> list[dict[str, object]]:
    """Return the objects in a member that is a list."""
    return objects(get(fields, name))


def objects(value: object) -> list[dict[str, object]]:
    """Return the objects of a list; nothing for any other value."""
    items = cast("list[object]", value) if isinstance(value, list) else []
    return [found for item in items if (found := as_object(item)) is not None]


def text_at(fields: Mapping[str, object], name: str) -> str:
    """Return a member that is a text, or an empty one."""
    value = get(fields, name)
    return value if isinstance(value, str) else ""


def texts_at(fields: Mapping[str, object], name: str) -> list[str]:
    """Return the texts in a member that is a list."""
    value = get(fields, name)
    items = cast("list[object]", value) if isinstance(value, list) else []
    return [item for item in items if isinstance(item, str)]


@cache
def _snake(name: str) -> str:
    return _CAPITAL.sub(r"_\1", name).lower()


def _nothing(_: str) -> None:
    return None


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None
