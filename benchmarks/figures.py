"""Figures: what was measured, under the measure's name, the target and the figure's own name."""

import statistics
from typing import Literal

import msgspec

TargetName = Literal["direct", "nginx", "raw", "luxx", "plain"]
COLUMNS: tuple[TargetName, ...] = ("nginx", "raw", "luxx")
FAILURES = frozenset({"failed", "gaps", "lost_or_doubled", "messages_differ", "tools_run_again", "unfinished"})
"""Figures that must be 0; of several rounds the worst counts."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure: its values, one for each round. The name ends with the unit."""

    measure: str
    target: TargetName
    name: str
    values: tuple[float, ...]

    @property
    def value(self) -> float:
        """The median of the rounds; for a count of failures, the highest."""
        return max(self.values) if self.name in FAILURES else statistics.median(self.values)


class Figures:
    """Collects figures; the measures add to it, the report reads it."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, TargetName, str], list[float]] = {}

    def add(self, measure: str, target: TargetName, **values: float) -> None:
        """Add values of one round."""
        for name, value in values.items():
            self._values.setdefault((measure, target, name), []).append(value)

    def all(self) -> list[Figure]:
        """Return all figures."""
        return [
            Figure(measure=measure, target=target, name=name, values=tuple(values))
            for (measure, target, name), values in self._values.items()
        ]

    def get(self, measure: str, target: TargetName, name: str) -> float | None:
        """Return a figure's value, or None if it was not measured."""
        values = self._values.get((measure, target, name))
        return Figure(measure=measure, target=target, name=name, values=tuple(values)).value if values else None

    def failures(self) -> list[Figure]:
        """Return the figures that should be 0 and are not."""
        return [figure for figure in self.all() if figure.name in FAILURES and figure.value]
