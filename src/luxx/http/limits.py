"""Limits: how many event streams may be open at once."""

from collections.abc import Callable

from luxx.core.errors import LimitReached


class StreamLimit:
    """Counts the event streams that are open or about to be opened; owns the number."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0

    @property
    def taken(self) -> int:
        """How many places are taken now."""
        return self._taken

    def reserve(self) -> "Place":
        """Take a place for a stream; ask before a request has done anything. Raises LimitReached."""
        if self._taken >= self._most:
            raise LimitReached(
                "too_many_streams", f"{self._most} event streams are open: close some, or try again later."
            )
        self._taken += 1
        return Place(self._free)

    def _free(self) -> None:
        self._taken -= 1


class Place:
    """A place for one event stream. Whoever holds it releases it, at the latest when the stream ends."""

    def __init__(self, free: Callable[[], None]) -> None:
        self._free = free
        self._held = True

    def release(self) -> None:
        """Give the place back; once, however often this is called."""
        if self._held:
            self._held = False
            self._free()
