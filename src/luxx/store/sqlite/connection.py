"""SQLite's connections: how a file is opened, for writing and for reading, and how the shared statements run on it."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from luxx.core.errors import InvalidRequest, StorageError
from luxx.store.sql.connection import Result, Rows, Values
from luxx.store.sql.dialect import SQLITE

Connect = Callable[[Path], sqlite3.Connection]
"""Opens a database file; a test may give one that fails when it is told to."""

BUSY_TIMEOUT = 5.0
"""Seconds to wait for a lock that another program (a backup, a person's sqlite3) holds on the file."""

CACHE_KIB = 16 * 1024


class SqliteConnection:
    """See luxx.store.sql.connection.Connection; `raw` is Python's own connection, its cursors are the results."""

    failures = sqlite3.Error
    culpable = (
        sqlite3.IntegrityError,
        sqlite3.DataError,
        sqlite3.ProgrammingError,
        sqlite3.InterfaceError,
        ValueError,
        OverflowError,
    )

    def __init__(self, raw: sqlite3.Connection) -> None:
        self.raw = raw
        self._inserts: dict[Rows, str] = {}

    @property
    def in_transaction(self) -> bool:
        """See Connection. SQLite ends one by itself where the disk is full."""
        return self.raw.in_transaction

    def execute(self, statement: str, values: Values = ()) -> Result:
        """See Connection."""
        return self.raw.execute(SQLITE(statement), values)

    def execute_each(self, statement: str, rows: Sequence[Values]) -> int:
        """See Connection."""
        return self.raw.executemany(SQLITE(statement), rows).rowcount

    def send(self, statement: str, values: Values = ()) -> None:
        """See Connection; here there is nothing to wait for."""
        self.raw.execute(SQLITE(statement), values)

    def insert(self, rows: Rows, values: Iterable[Values]) -> int:
        """See Connection."""
        statement = self._inserts.get(rows)
        if statement is None:
            places = ", ".join("?" for _ in rows.columns)
            statement = self._inserts[rows] = rows.insert(f"VALUES ({places})")
        return self.raw.executemany(statement, values).rowcount

    def lease(self, node: str) -> "SqliteConnection":
        """See Connection: the process that holds the directory is the only node."""
        return self

    def held(self) -> bool:
        """See Lease."""
        return True

    def begin(self) -> None:
        """See Connection."""
        self.raw.execute("BEGIN IMMEDIATE")

    def begin_reading(self) -> None:
        """See Connection."""
        self.raw.execute("BEGIN")

    def commit(self) -> None:
        """See Connection."""
        self.raw.execute("COMMIT")

    def rollback(self) -> None:
        """See Connection."""
        if self.raw.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self.raw.execute("ROLLBACK")

    def savepoint(self, name: str) -> None:
        """See Connection."""
        self.raw.execute(f"SAVEPOINT {name}")

    def release(self, name: str) -> None:
        """See Connection."""
        self.raw.execute(f"RELEASE {name}")

    def undo(self, name: str) -> None:
        """See Connection."""
        self.raw.execute(f"ROLLBACK TO {name}")
        self.raw.execute(f"RELEASE {name}")

    def translated(self, error: Exception) -> Exception:
        """See Connection."""
        match error:
            case UnicodeEncodeError() | OverflowError():
                meaning = InvalidRequest("A text holds a lone surrogate, or a number is too large to be stored.")
            case sqlite3.Error():
                meaning = StorageError(f"The database failed: {error}")
            case _:
                return error
        meaning.__cause__ = error
        return meaning

    def may_repeat(self, error: Exception) -> bool:
        """See Connection: nobody else writes."""
        return False

    def close(self) -> None:
        """See Connection."""
        self.raw.close()


def connect(path: Path) -> sqlite3.Connection:
    """Open a database file, creating it if need be; transactions are begun by hand, and any thread may use it in turn."""
    return sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)


def open_writing(path: Path, connect: Connect) -> SqliteConnection:
    """Open for writing: every commit is on the disk when it returns, checkpoints are made elsewhere."""
    path.touch(mode=0o600)  # SQLite gives its other files the same mode
    connection = connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")  # macOS: else its disks may still hold a commit in their cache
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    return SqliteConnection(connection)


def open_reading(path: Path, connect: Connect) -> SqliteConnection:
    """Open for reading only."""
    connection = connect(path)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.create_function("casefold", 1, _casefold, deterministic=True)
    return SqliteConnection(connection)


def _casefold(text: str) -> str:
    return text.casefold()
