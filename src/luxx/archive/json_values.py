"""JSON values of a file: found one by one without reading it as a whole, and decoded however deep or odd they are."""

import json
import re
from collections.abc import Iterator
from mmap import mmap
from typing import NamedTuple, cast

import msgspec

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)
_LEXEME = re.compile(r'\s*+(?:("(?:[^"\\]++|\\.)*+")|([\[\]{}:,])|([^\s\[\]{}:,"]+))', re.DOTALL)
_OPENING = frozenset(b"{[")
_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*+")


class Damaged(ValueError):
    """This is no JSON; the text says what is wrong."""


class Span(NamedTuple):
    """Where a value stands."""

    start: int
    end: int


def values(data: mmap | bytes) -> Iterator[Span]:
    """Yield where the objects are: the members of one list, or what stands one after the other (JSON lines, a single one).

    Raises Damaged where the file ends in the middle of one.
    """
    begin = _START.match(data)
    at = begin.end() if begin else 0
    in_list = data[at : at + 1] == b"["
    depth, start = 0, -1
    base = 1 if in_list else 0
    for token in _TOKEN.finditer(data, at):
        first = data[token.start()]
        if first == 0x22:
            continue
        if first in _OPENING:
            if depth == base:
                start = token.start()
            depth += 1
            continue
        depth -= 1
        if depth == base and start >= 0:
            yield Span(start, token.end())
            start = -1
        if depth < 0 or (in_list and depth == 0):
            return
    if depth > 0:
        raise Damaged("It ends in the middle: it may not have been downloaded as a whole.")


def decoded(raw: bytes) -> object:
    """Return a value. Half surrogate pairs are let through, and there is no limit to its depth. Raises Damaged."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        return json.loads(raw)
    except RecursionError:
        return _deep(raw)
    except ValueError as error:
        raise Damaged(f"It is no JSON: {error}") from error


def _deep(raw: bytes) -> object:
    """Return a value that nests deeper than the interpreter's stack."""
    try:
        source = raw.decode()
    except UnicodeDecodeError as error:
        raise Damaged(f"It is not in UTF-8: {error}") from error
    root: list[object] = []
    open_ones: list[list[object] | dict[str, object]] = [root]
    keys: list[str | None] = [None]
    for string, mark, word in (found.groups() for found in _LEXEME.finditer(source)):
        here = open_ones[-1]
        if mark in ("]", "}"):
            if len(open_ones) == 1 or isinstance(here, dict) != (mark == "}"):
                raise Damaged("Its brackets do not match.")
            open_ones.pop()
            keys.pop()
        elif mark in (":", ","):
            continue
        elif string is not None and isinstance(here, dict) and keys[-1] is None:
            keys[-1] = str(_scalar(string))
        else:
            value = (
                cast("list[object] | dict[str, object]", [] if mark == "[" else {}) if mark else _scalar(string or word)
            )
            _put(here, keys, value)
            if isinstance(value, list | dict):
                open_ones.append(cast("list[object] | dict[str, object]", value))
                keys.append(None)
    if len(open_ones) != 1 or len(root) != 1:
        raise Damaged("Its brackets do not match.")
    return root[0]


def _put(here: list[object] | dict[str, object], keys: list[str | None], value: object) -> None:
    if isinstance(here, list):
        here.append(value)
        return
    key = keys[-1]
    if key is None:
        raise Damaged("A value has no name.")
    here[key] = value
    keys[-1] = None


def _scalar(source: str) -> object:
    try:
        return json.loads(source)
    except ValueError as error:
        raise Damaged(f"It is no JSON: {error}") from error
