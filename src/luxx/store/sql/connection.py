"""Connection: what the shared statements need of an engine."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import msgspec

Value = str | int | float | bytes | None
Values = Sequence[Value]


class Result(Protocol):
    """The rows of a statement that has run."""

    @property
    def rowcount(self) -> int:
        """How many rows the statement changed."""
        ...

    def fetchone(self) -> Any:  # noqa: ANN401 - the columns are known to who wrote the statement
        """Return the next row, or None."""
        ...

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""
        ...

    def __iter__(self) -> Iterator[Any]: ...


class Lease(Protocol):
    """The answer to whether a node still holds its lease."""

    def held(self) -> bool:
        """Tell, once a statement has run after the question."""
        ...


class Rows(msgspec.Struct, frozen=True):
    """Many rows to insert at once: the table, its columns with their PostgreSQL types, and what to do about those that are there."""

    table: str
    columns: tuple[tuple[str, str], ...]
    conflict: str = ""

    def insert(self, values: str) -> str:
        """Return the statement, with where the values come from."""
        names = ", ".join(name for name, _ in self.columns)
        return f"INSERT INTO {self.table} ({names}) {values} {self.conflict}"


class Connection(Protocol):
    """A database in the hands of one thread. Statements are in the words of luxx.store.sql.dialect."""

    @property
    def failures(self) -> type[Exception]:
        """What all errors of the engine are."""
        ...

    @property
    def culpable(self) -> tuple[type[Exception], ...]:
        """The errors that the data of a statement can cause; all others are the database's."""
        ...

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction has begun and not ended."""
        ...

    def execute(self, statement: str, values: Values = ()) -> Result:
        """Run a statement."""
        ...

    def execute_each(self, statement: str, rows: Sequence[Values]) -> int:
        """Run a statement for each of a few rows; return how many rows it changed."""
        ...

    def send(self, statement: str, values: Values = ()) -> None:
        """Run a statement that returns nothing; it may wait until the next one, whose call then raises its error too."""
        ...

    def insert(self, rows: Rows, values: Iterable[Values]) -> int:
        """Insert many rows; return how many were inserted or changed."""
        ...

    def lease(self, node: str) -> Lease:
        """Ask whether a node holds its lease; if it does, nobody can take it away before the transaction ends."""
        ...

    def begin(self) -> None:
        """Begin a transaction that writes. It sees what others have committed before each statement."""
        ...

    def begin_reading(self) -> None:
        """Begin a transaction that reads; it sees one moment."""
        ...

    def commit(self) -> None:
        """Commit. If it raises, the outcome is unknown."""
        ...

    def rollback(self) -> None:
        """Undo the transaction; raises nothing, and does nothing where none has begun."""
        ...

    def savepoint(self, name: str) -> None:
        """Mark a place to go back to."""
        ...

    def release(self, name: str) -> None:
        """Forget the place, keep what was done since."""
        ...

    def undo(self, name: str) -> None:
        """Go back to the place and forget it."""
        ...

    def translated(self, error: Exception) -> Exception:
        """Return the error to raise to a caller for one that came up in its job; Luxx's own errors stay as they are."""
        ...

    def may_repeat(self, error: Exception) -> bool:
        """Whether a transaction failed only because another node's came first, so that it may go well if run again."""
        ...

    def close(self) -> None:
        """Close it."""
        ...
