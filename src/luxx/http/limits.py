"""Limits: how many event streams may be open at once."""

from collections.abc import Generator
from contextlib import contextmanager

from luxx.core.errors import LimitReached


class StreamLimit:
    """Counts the open event streams; owns the number."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open = 0

    @property
    def open(self) -> int:
        """How many streams are open now."""
        return self._open

    def require_room(self) -> None:
        """Raise LimitReached if no more may be opened; ask before a request has done anything."""
        if self._open >= self._most:
            raise LimitReached(
                "too_many_streams", f"{self._most} event streams are open: close some, or try again later."
            )

    @contextmanager
    def one_more(self) -> Generator[None]:
        """Count one stream while it is open."""
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1
