"""Integrity: what can be told about a database file from outside, without taking it over or changing it."""

import contextlib
import sqlite3
from pathlib import Path

from luxx.core.errors import StorageError
from luxx.store.secrets import SecretBox
from luxx.store.sqlite.connection import BUSY_TIMEOUT

_MOST_PROBLEMS = 10
_FINGERPRINT_IN_USE = """
    SELECT coalesce((SELECT value FROM meta WHERE name = 'secret_key_fingerprint'), '')
    WHERE EXISTS (SELECT 1 FROM provider WHERE api_key IS NOT NULL)
    OR EXISTS (SELECT 1 FROM tool_server WHERE secrets IS NOT NULL)
"""


def problems(path: Path) -> tuple[str, ...]:
    """Return what is damaged in a database; it reads all of it. Raises StorageError if the file cannot be read."""
    rows = _query(path, f"PRAGMA quick_check({_MOST_PROBLEMS})")
    return tuple(text for (text,) in rows if text != "ok")


def key_fits(path: Path, secrets: SecretBox) -> bool:
    """Whether the keys and secrets in a database were encrypted with one of these secret keys; so they are if there are none.

    Raises StorageError.
    """
    rows = _query(path, _FINGERPRINT_IN_USE)
    return not rows or rows[0][0] in secrets.fingerprints


def _query(path: Path, statement: str) -> list[tuple[str]]:
    try:
        with contextlib.closing(
            sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT)
        ) as connection:
            return connection.execute(statement).fetchall()
    except sqlite3.Error as error:
        raise StorageError(f"The database {path} cannot be read: {error}.") from error
