"""Arguments: a call's arguments put together from pieces that each name their place by a JSON path (RFC 9535)."""

import json
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import cast

from luxx.core.text import storable_within
from luxx.providers.gemini.values import get, text_at
from luxx.providers.values import fields_of

_STEP = re.compile(r"""\.([^.\[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]""")
_ESCAPE = re.compile(r"\\(.)")
_DEEPEST = 64
_LONGEST_LIST = 100_000

_Place = str | int


class Arguments:
    """The arguments of one call. Pieces for a place that holds a text already go on with that text."""

    def __init__(self) -> None:
        self._values: dict[str, object] = {}
        self._path: list[_Place] = []
        self._texts: list[str] = []

    def start(self, values: Mapping[str, object]) -> None:
        """Take values that come whole."""
        self._settle()
        self._values.update(values)

    def add(self, pieces: Iterable[Mapping[str, object]]) -> None:
        """Take pieces; those without a place or a value are passed over."""
        for piece in pieces:
            path = _path(text_at(piece, "jsonPath"))
            found, value = _value(piece)
            if path and found:
                self._put(path, value)

    def values(self) -> dict[str, object]:
        """Return the arguments so far."""
        self._settle()
        return self._values

    def _put(self, path: list[_Place], value: object) -> None:
        if path != self._path:
            self._settle()
        if isinstance(value, str):
            self._path = path
            self._texts.append(value)
        else:
            self._settle()
            _put(self._values, path, value)

    def _settle(self) -> None:
        """Put the text that comes in pieces where it belongs; a long one is joined once."""
        if self._texts:
            _put(self._values, self._path, "".join(self._texts))
        self._path, self._texts = [], []


def arguments_text(value: object) -> str:
    """Return arguments as JSON text; some gateways send them as a text already."""
    if isinstance(value, str) and value.strip():
        return cast("str", storable_within(value))
    try:
        return json.dumps(storable_within(value or {}), ensure_ascii=False, allow_nan=False)
    except (RecursionError, ValueError):
        return "{}"


def _path(text: str) -> list[_Place]:
    text = text.removeprefix("$")
    if not text.startswith((".", "[")):
        text = f".{text}"
    places: list[_Place] = []
    at = 0
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None or len(places) == _DEEPEST:
            return []
        at = step.end()
        name, number, single, double = step.groups()
        if number is not None:
            if len(number) > 6 or int(number) >= _LONGEST_LIST:
                return []
            places.append(int(number))
        else:
            places.append(name if name is not None else _ESCAPE.sub(r"\1", single if double is None else double))
    return places


def _value(piece: Mapping[str, object]) -> tuple[bool, object]:
    for name in ("stringValue", "numberValue", "boolValue"):
        value = get(piece, name)
        if value is not None:
            return True, _whole(value)
    return "nullValue" in piece or "null_value" in piece, None


def _whole(value: object) -> object:
    """Return a number without its fraction if that is nothing: on this wire every number is a double."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def _put(values: dict[str, object], path: list[_Place], value: object) -> None:
    within: dict[str, object] | list[object] = values
    for place, following in pairwise(path):
        within = _inner(within, place, list if isinstance(following, int) else dict)
    last = path[-1]
    before = _at(within, last)
    _set(within, last, before + value if isinstance(before, str) and isinstance(value, str) else value)


def _inner(
    within: dict[str, object] | list[object], place: _Place, wanted: type[list[object] | dict[str, object]]
) -> dict[str, object] | list[object]:
    """Return the list or object at a place; it is made if it is not there."""
    inner = _at(within, place)
    if not isinstance(inner, wanted):
        inner = wanted()
        _set(within, place, inner)
    return cast("dict[str, object] | list[object]", inner)


def _at(within: dict[str, object] | list[object], place: _Place) -> object:
    if isinstance(place, int):
        return within[place] if isinstance(within, list) and place < len(within) else None
    return fields_of(within).get(place)


def _set(within: dict[str, object] | list[object], place: _Place, value: object) -> None:
    if isinstance(within, dict):
        within[str(place)] = value
    elif isinstance(place, int):
        within.extend([None] * (place + 1 - len(within)))
        within[place] = value
