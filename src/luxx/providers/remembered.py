"""Remembered: what refusals taught of an endpoint, for as long as this process lives; then one refused request teaches it again."""

from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

MOST = 1000


class Remembered(Generic[Key, Value]):
    """What is known of models or conversations of one endpoint, `unknown` of all others; the oldest are forgotten."""

    def __init__(self, unknown: Value) -> None:
        self._unknown = unknown
        self._known: dict[Key, Value] = {}

    def get(self, key: Key) -> Value:
        """Return what is known."""
        return self._known.get(key, self._unknown)

    def keep(self, key: Key, value: Value) -> None:
        """Remember something, in the place of what was known."""
        self._known.pop(key, None)
        self._known[key] = value
        if len(self._known) > MOST:
            del self._known[next(iter(self._known))]
