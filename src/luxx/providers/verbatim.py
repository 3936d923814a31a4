"""Verbatim: the parts of an answer that go back as they came, handed over as soon as they are complete."""

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from luxx.core.deltas import Delta, VerbatimDelta
from luxx.core.text import storable_within

_LARGEST = 32 * 1024 * 1024
"""Of all parts of an answer; requests of more are taken nowhere."""

Part = TypeVar("Part")
Returned = TypeVar("Returned", bound=msgspec.Struct)


class Verbatim(Generic[Part]):
    """Hands over the parts of one answer, each once. `wrapped` is what a format keeps of some parts that follow each other.

    Plain parts, which can as well be written anew from the answer's text and calls, wait for one that is not: without it, or after the
    last one, they are never handed over.
    """

    def __init__(self, wrapped: Callable[[list[Part]], msgspec.Struct], largest: int = _LARGEST) -> None:
        self._wrapped = wrapped
        self._room = largest
        self._plain: list[Part] = []

    def add(self, part: Part, *, plain: bool) -> list[Delta]:
        """Take a complete part and return what it brings."""
        self._plain.append(part)
        if plain:
            return []
        parts, self._plain = self._plain, []
        return self.hand_over(self._wrapped(parts))

    def forget_plain(self) -> None:
        """The plain parts that wait are not of the answer any more."""
        self._plain.clear()

    def hand_over(self, what: msgspec.Struct) -> list[Delta]:
        """Return something with its own wrapping; nothing if the answer has more than can be sent back."""
        raw = _encoded(what)
        self._room -= len(raw) or self._room
        return [VerbatimDelta(raw)] if self._room > 0 else []


def read_parts(raw: bytes, kind: type[Returned]) -> list[Returned]:
    """Return the parts of AnswerPrompt.raw; none if one of them cannot be read."""
    try:
        return [msgspec.json.decode(line, type=kind) for line in raw.split(b"\n") if line]
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return []


def rest_of(text: str, said: str) -> str | None:
    """Return what a text has beyond what was `said` at its beginning, whatever the white space; None if it begins otherwise."""
    if text.startswith(said):
        return text[len(said) :]
    wanted = "".join(said.split())
    if not "".join(text.split()).startswith(wanted):
        return None
    place = 0
    for character in wanted:
        place = text.index(character, place) + 1
    return text[place:]


def _encoded(what: msgspec.Struct) -> bytes:
    try:
        try:
            return msgspec.json.encode(what)
        except UnicodeEncodeError:
            return msgspec.json.encode(storable_within(msgspec.to_builtins(what)))
    except (RecursionError, OverflowError):
        return b""
