"""Tally: what an import could not take as it is, counted by kind, with some of it in words."""

from collections import Counter

import msgspec

MOST_PROBLEMS = 50


class Problem(msgspec.Struct, frozen=True):
    """Why a conversation was not taken; `title` is its own or its place in the file."""

    title: str
    reason: str


class Tally:
    """Owns the counts of one import. `left_out` counts what is not there any more, `mended` what had to be made up or changed."""

    def __init__(self) -> None:
        self.left_out: Counter[str] = Counter()
        self.mended: Counter[str] = Counter()
        self.problems: list[Problem] = []
        self.refused = 0

    def refuse(self, title: str, reason: str) -> None:
        """Note a conversation that is not taken at all."""
        self.refused += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(title[:100], reason[:300]))

    def omit(self, kind: str, count: int = 1) -> None:
        """Note that something is left out."""
        if count:
            self.left_out[kind] += count

    def mend(self, kind: str, count: int = 1) -> None:
        """Note that something was made up or changed."""
        if count:
            self.mended[kind] += count
