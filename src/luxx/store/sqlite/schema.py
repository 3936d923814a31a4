"""The tables of a SQLite file: made at once when it is new, brought up to date when it is older than this version."""

import sqlite3
import subprocess
import sys
from pathlib import Path

from luxx.core.errors import ConfigurationError
from luxx.store.migrations import SQLITE_SNAPSHOT, head

OLDEST_SQLITE = (3, 38, 0)
"""The first one that has JSON functions in every build."""


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make sure that the tables are those of this version; only for a process that holds the data directory.

    Raises ConfigurationError if a newer version made them, or if they cannot be brought up to date.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise ConfigurationError(f"Python's SQLite is {sqlite3.sqlite_version}; Luxx needs {oldest} or newer.")
    if connection.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone() is None:
        raise ConfigurationError(
            "Python's SQLite was built without FTS5, its full-text search; Luxx needs one that has it."
        )
    found, wanted = revision(connection), head()
    if found is None:
        connection.executescript(f"BEGIN IMMEDIATE;\n{SQLITE_SNAPSHOT.read_text(encoding='utf-8')}COMMIT;")
    elif found > wanted:
        raise ConfigurationError(
            f"The database {path} was made by a newer Luxx (revision {found}; this version knows {wanted})."
            " Install that version, or go back to a backup."
        )
    elif found < wanted:
        _migrate(path)


def revision(connection: sqlite3.Connection) -> str | None:
    """Return the revision of the tables, None for an empty database."""
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    if not tables:
        return None
    if ("alembic_version",) not in tables:
        raise ConfigurationError("The database file holds tables that Luxx did not make.")
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return "0000" if row is None else row[0]


def _migrate(path: Path) -> None:
    """Run the scripts in a process of their own: see luxx.store.migrations."""
    address = f"sqlite:///{path.resolve()}"
    done = subprocess.run(
        [sys.executable, "-m", "luxx.store.migrations", address], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        reason = done.stderr.strip().rpartition("\n")[2]
        raise ConfigurationError(f"The database {path} could not be brought up to date; it is as it was. {reason}")
