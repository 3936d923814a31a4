"""Connections: how a SQLite file is opened, for writing and for reading."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

Connect = Callable[[Path], sqlite3.Connection]
"""Opens a database file; a test may give one that fails when it is told to."""

BUSY_TIMEOUT = 5.0
"""Seconds to wait for a lock that another program (a backup, a person's sqlite3) holds on the file."""

CACHE_KIB = 16 * 1024


def connect(path: Path) -> sqlite3.Connection:
    """Open a database file, creating it if need be; transactions are begun by hand, and any thread may use it in turn."""
    return sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)


def open_writing(path: Path, connect: Connect) -> sqlite3.Connection:
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
    return connection


def open_reading(path: Path, connect: Connect) -> sqlite3.Connection:
    """Open for reading only."""
    connection = connect(path)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.create_function("casefold", 1, _casefold, deterministic=True)
    return connection


def _casefold(text: str) -> str:
    return text.casefold()
