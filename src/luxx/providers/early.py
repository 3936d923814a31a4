"""Early: what providers tell of an answer's usage before its end, which counts if the answer breaks off."""

from luxx.core.deltas import Delta, UsageDelta
from luxx.core.usage import Usage


class Early:
    """Tells of the usage of one answer whenever it has changed."""

    def __init__(self) -> None:
        self._told: Usage | None = None

    def news(self, usage: Usage | None) -> list[Delta]:
        """Return what is to be told of the usage so far."""
        if usage is None or usage == self._told:
            return []
        self._told = usage
        return [UsageDelta(usage)]
