"""Failures: what the errors of Python's sqlite3 mean to a caller of the store."""

import sqlite3

from luxx.core.errors import InvalidRequest, StorageError


def translated(error: Exception) -> Exception:
    """Return the error to raise to a caller for one that came up in its job; Luxx's own errors stay as they are."""
    match error:
        case UnicodeEncodeError() | OverflowError():
            meaning = InvalidRequest("A text holds a lone surrogate, or a number is too large to be stored.")
        case sqlite3.Error():
            meaning = StorageError(f"The database failed: {error}")
        case _:
            return error
    meaning.__cause__ = error
    return meaning
