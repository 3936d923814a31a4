"""Migrations: numbered Alembic scripts that make the tables, for every engine; they are only added to.

A script's number is its revision, and the highest one is what this version of Luxx works with. Alembic and SQLAlchemy
cost a second and 45 MB to import, so nothing of the server imports them: `python -m luxx.store.migrations URL` runs them in a
process of its own. A new SQLite database does not need them: it begins with a snapshot of what they make.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
"""Where `env.py` and the scripts are, as Alembic wants it."""

ONE_AT_A_TIME = 5497558
"""The number of the lock that a node holds while it opens a PostgreSQL database."""

SQLITE_SNAPSHOT = FOLDER / "sqlite.sql"
"""What all scripts make of an empty SQLite database, as SQL."""


def head() -> str:
    """Return the revision that this version of Luxx works with, such as ``0001``."""
    return max(script.name[:4] for script in (FOLDER / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))
