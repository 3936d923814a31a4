"""Backup: a consistent copy of a database, also while a server works on it."""

import contextlib
import os
import sqlite3
from pathlib import Path

from luxx.core.errors import ConfigurationError, StorageError
from luxx.store.sqlite.connection import BUSY_TIMEOUT


def back_up(path: Path, target: Path) -> int:
    """Copy a database as it is at one moment into a new file, readable by its owner only; return its size in bytes.

    Raises ConfigurationError if there is no database, or something is in the target's place; StorageError if copying fails,
    which leaves no file behind.
    """
    if not path.exists():
        raise ConfigurationError(f"There is no database at {path}.")
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError as error:
        raise ConfigurationError(f"{target} is there already; choose another name.") from error
    except OSError as error:
        raise ConfigurationError(f"{target} cannot be made: {error.strerror or error}.") from error
    try:
        _copy(path, target)
    except sqlite3.Error as error:
        target.unlink()
        raise StorageError(f"The database {path} could not be copied: {error}.") from error
    return target.stat().st_size


def _copy(path: Path, target: Path) -> None:
    source = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT)
    with contextlib.closing(source), contextlib.closing(sqlite3.connect(target)) as copy:
        source.backup(copy)  # in one step, which reads one snapshot of the write-ahead log
        copy.execute("PRAGMA journal_mode = DELETE").fetchall()  # all in one file
        (found,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(found)
