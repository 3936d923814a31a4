"""Snippets: the part of a text where something was found, with its places marked."""

import re
from collections.abc import Sequence

from luxx.store.sql.plain_words import is_code, plain_words

BEFORE = 60
"""Characters shown before the first place."""
LENGTH = 200
MOST_MARKS = 20
_SIGNS = 8
"""So many times what is shown is looked at of markdown, whose signs are not."""

_LINES = re.compile(r"[\s\x00-\x1f]")

Snippet = tuple[str, tuple[tuple[int, int], ...]]


def snippet(text: str, pieces: Sequence[str]) -> Snippet:
    """Return a part of the text on one line, and where the pieces stand in it, counted in UTF-16 units.

    A place where only folding finds a piece (``ss`` for ``ß``) is not marked.
    """
    return _part(text, _pattern(pieces), more_before=False, more_after=False)


def markdown_snippet(text: str, pieces: Sequence[str]) -> Snippet:
    """Do the same with the words of markdown; with its source, if the pieces stand in nothing but its signs."""
    pattern = _pattern(pieces)
    first = pattern.search(text)
    at = first.start() if first else 0
    start, end = _line_start(text, at), at + _SIGNS * LENGTH
    words = plain_words(text[start:end], in_code=is_code(text[:start]))
    if first and not pattern.search(words):
        return snippet(text, pieces)
    return _part(words, pattern, more_before=start > 0, more_after=end < len(text))


def _pattern(pieces: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(piece) for piece in sorted(pieces, key=len, reverse=True)), re.IGNORECASE)


def _part(text: str, pattern: re.Pattern[str], *, more_before: bool, more_after: bool) -> Snippet:
    first = pattern.search(text)
    start = _word_start(text, max(0, first.start() - BEFORE)) if first else 0
    end = min(len(text), max(start + LENGTH, first.end() if first else 0))
    end = min(end, start + 4 * LENGTH)
    before, after = "…" if start > 0 or more_before else "", "…" if end < len(text) or more_after else ""
    shown = before + _LINES.sub(" ", text[start:end]) + after
    shift = len(before) - start
    marks: list[tuple[int, int]] = []
    for found in pattern.finditer(text, start, end):
        if len(marks) == MOST_MARKS:
            break
        marks.append((_units(shown[: found.start() + shift]), _units(shown[: found.end() + shift])))
    return shown, tuple(marks)


def _line_start(text: str, at: int) -> int:
    """Return a place well before, where a line begins, or at least a word."""
    far = max(0, at - _SIGNS * BEFORE)
    line = text.rfind("\n", max(0, far - _SIGNS * BEFORE), far)
    return _word_start(text, far) if line < 0 else line + 1


def _word_start(text: str, at: int) -> int:
    """Return a place a little further where a word begins, if there is one."""
    if at == 0:
        return 0
    space = text.find(" ", at, at + BEFORE // 3)
    return at if space < 0 else space + 1


def _units(text: str) -> int:
    return len(text) + sum(letter > "\uffff" for letter in text)
