"""Values: JSON as providers really send it, looked at with care."""

import json
import math
import re
from collections.abc import Mapping
from functools import cache

import msgspec

from luxx.providers.values import fields_of, objects, text_of, texts

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


def object_at(fields: Mapping[str, object], name: str) -> dict[str, object]:
    """Return a member that is an object, or an empty one."""
    return fields_of(get(fields, name))


def objects_at(fields: Mapping[str, object], name: str) -> list[dict[str, object]]:
    """Return the objects in a member that is a list."""
    return objects(get(fields, name))


def text_at(fields: Mapping[str, object], name: str) -> str:
    """Return a member that is a text, or an empty one."""
    return text_of(get(fields, name))


def texts_at(fields: Mapping[str, object], name: str) -> list[str]:
    """Return the texts in a member that is a list."""
    return texts(get(fields, name))


@cache
def _snake(name: str) -> str:
    return _CAPITAL.sub(r"_\1", name).lower()


def _nothing(_: str) -> None:
    return None


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None
