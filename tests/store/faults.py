"""A database that fails or waits when it is told to, below a real store."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from threading import Event


class Faults:
    """Given to a store as its `connect`; the faults are those of the writing connection.

    `before_commit` and `after_commit` run around each COMMIT, in the writer's thread.
    """

    def __init__(self, busy_timeout: float = 5) -> None:
        self.commits = 0
        self.before_commit: Callable[[], None] | None = None
        self.after_commit: Callable[[], None] | None = None
        self.writing: sqlite3.Connection | None = None
        self._busy_timeout = busy_timeout

    def connect(self, path: Path) -> sqlite3.Connection:
        """Open a database; the first connection is the one that writes."""
        faults = self

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, *parameters: object) -> sqlite3.Cursor:
                if sql == "COMMIT" and self is faults.writing:
                    return faults.commit(super().execute)
                return super().execute(sql, *parameters)  # pyright: ignore[reportArgumentType]

        connection = sqlite3.connect(
            path, timeout=self._busy_timeout, isolation_level=None, check_same_thread=False, factory=Connection
        )
        self.writing = self.writing or connection
        return connection

    def commit(self, execute: Callable[[str], sqlite3.Cursor]) -> sqlite3.Cursor:
        self.commits += 1
        if self.before_commit:
            self.before_commit()
        cursor = execute("COMMIT")
        if self.after_commit:
            self.after_commit()
        return cursor

    def hold_commit(self) -> tuple[Event, Event]:
        """Make the next commit wait; return what says that it waits, and what lets it go on."""
        waits, go = Event(), Event()

        def hold() -> None:
            self.before_commit = None
            waits.set()
            assert go.wait(30)

        self.before_commit = hold
        return waits, go


def fail(*_: object) -> None:
    """Fail as a broken disk does."""
    raise sqlite3.OperationalError("disk I/O error")
