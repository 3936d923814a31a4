"""Shapes: looking into JSON of which nothing is certain."""

import datetime
from collections.abc import Mapping, Sequence
from typing import cast

import msgspec

from luxx.core.text import storable

Json = Mapping[str, object]

_EMPTY: Json = {}
_EARLIEST = datetime.datetime(1980, 1, 1, tzinfo=datetime.UTC)
_LATEST = datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC)
_MILLISECONDS_FROM = 1e11
"""Numbers beyond it are milliseconds: as seconds it would be the year 5138."""


def an_object(value: object) -> Json:
    """Return an object; an empty one for anything else."""
    return cast(Json, value) if isinstance(value, dict) else _EMPTY


def a_list(value: object) -> Sequence[object]:
    """Return a list; an empty one for anything else."""
    return cast("Sequence[object]", value) if isinstance(value, list) else ()


def objects(value: object) -> list[Json]:
    """Return the objects in a list."""
    return [cast(Json, one) for one in a_list(value) if isinstance(one, dict)]


def text(value: object) -> str:
    """Return a text that can be stored; an empty one for anything else."""
    return storable(value) if isinstance(value, str) else ""


def name(value: object, most: int = 200) -> str:
    """Return a short text on one line."""
    return " ".join(text(value).split())[:most]


def number(value: object) -> float | None:
    """Return a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if abs(found) < 1e18 else None


def time(value: object) -> str | None:
    """Return a point in time as the store writes it: of seconds or milliseconds since 1970, or of RFC 3339; None for nonsense."""
    try:
        found = _moment(value)
    except (ValueError, OverflowError, OSError):
        return None
    if found is None or not _EARLIEST <= found <= _LATEST:
        return None
    return found.astimezone(datetime.UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _moment(value: object) -> datetime.datetime | None:
    seconds = number(value)
    if seconds is not None:
        scale = 1000 if seconds > _MILLISECONDS_FROM else 1
        return datetime.datetime.fromtimestamp(seconds / scale, datetime.UTC)
    if not isinstance(value, str) or len(value) > 40:
        return None
    found = datetime.datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def as_json(value: object) -> str:
    """Return a value as JSON text that can be stored."""
    return storable(msgspec.json.encode(value).decode("utf-8", "replace"))
