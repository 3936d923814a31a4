"""Kept: what was read of a table that seldom changes, for an engine whose database no other process writes to."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from luxx.store.sql.connection import Connection
from luxx.store.sql.readers import Readers

T = TypeVar("T")


class Kept(Generic[T]):
    """Reads once under each key, and again after `forget`, which is called after each commit that may have changed the table.

    Where other nodes write to the database too (`shared`), nothing is kept. What comes of the reads must not be changeable.
    """

    def __init__(self, readers: Readers, *, shared: bool) -> None:
        self._readers = readers
        self._shared = shared
        self._values: dict[Hashable, T] = {}
        self._changes = 0

    async def read(self, key: Hashable, job: Callable[[Connection], T]) -> T:
        """Return what the job reads, or has read under this key before. Raises what the job raises, which is never kept."""
        if key in self._values:
            return self._values[key]
        changes = self._changes
        value = await self._readers.read(job)
        if not self._shared and changes == self._changes:  # else it may be of before the change
            self._values[key] = value
        return value

    def forget(self) -> None:
        """Read anew from now on."""
        self._changes += 1
        self._values.clear()
