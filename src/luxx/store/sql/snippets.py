"""Snippets: the part of a text where something was found, with its places marked."""

import re
from collections.abc import Sequence

BEFORE = 60
"""Characters shown before the first place."""
LENGTH = 200
MOST_MARKS = 20

_LINES = re.compile(r"[\s\x00-\x1f]")


def snippet(text: str, pieces: Sequence[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return a part of the text on one line, and where the pieces stand in it, counted in UTF-16 units.

    A place where only folding finds a piece (``ss`` for ``ß``) is not marked.
    """
    pattern = re.compile("|".join(re.escape(piece) for piece in sorted(pieces, key=len, reverse=True)), re.IGNORECASE)
    first = pattern.search(text)
    start = _word_start(text, max(0, first.start() - BEFORE)) if first else 0
    end = min(len(text), max(start + LENGTH, first.end() if first else 0))
    end = min(end, start + 4 * LENGTH)
    before, after = "…" if start > 0 else "", "…" if end < len(text) else ""
    shown = before + _LINES.sub(" ", text[start:end]) + after
    shift = len(before) - start
    marks: list[tuple[int, int]] = []
    for found in pattern.finditer(text, start, end):
        if len(marks) == MOST_MARKS:
            break
        marks.append((_units(shown[: found.start() + shift]), _units(shown[: found.end() + shift])))
    return shown, tuple(marks)


def _word_start(text: str, at: int) -> int:
    """Return a place a little further where a word begins, if there is one."""
    if at == 0:
        return 0
    space = text.find(" ", at, at + BEFORE // 3)
    return at if space < 0 else space + 1


def _units(text: str) -> int:
    return len(text) + sum(letter > "\uffff" for letter in text)
