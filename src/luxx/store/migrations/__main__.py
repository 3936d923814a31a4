"""Bring a database to the newest revision: ``python -m luxx.store.migrations sqlite:////path/to/luxx.db``.

An address of PostgreSQL may hold a password, so it comes on the standard input: ``python -m luxx.store.migrations -``.

With ``--snapshot`` instead of an address: write what the scripts make of an empty SQLite database to the snapshot that new
databases begin with. Run it after adding a script.
"""

import sqlite3
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from luxx.store.migrations import FOLDER, SQLITE_SNAPSHOT

_MADE_BY_SCRIPTS = """
    SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name NOT IN (
        SELECT name FROM pragma_table_list WHERE type = 'shadow')
    ORDER BY rowid
"""
"""All but the tables that a table of FTS5 brings along."""


def upgrade(url: str) -> None:
    """Run the scripts that the database has not had; all of them in one transaction."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    command.upgrade(config, "head")


def snapshot() -> str:
    """Return the SQL that makes in one go what all scripts make of an empty SQLite database."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        upgrade(f"sqlite:///{path}")
        connection = sqlite3.connect(path)
        try:
            rows = connection.execute(_MADE_BY_SCRIPTS).fetchall()
            revisions = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        finally:
            connection.close()
    statements = [sql for (sql,) in rows]
    statements += [f"INSERT INTO alembic_version (version_num) VALUES ('{revision}')" for (revision,) in revisions]
    lines = (line.rstrip() for line in ";\n".join(statements).splitlines())
    return "\n".join(lines) + ";\n"


if __name__ == "__main__":
    if sys.argv[1] == "--snapshot":
        SQLITE_SNAPSHOT.write_text(snapshot(), encoding="utf-8")
    else:
        try:
            upgrade(sys.stdin.read().strip() if sys.argv[1] == "-" else sys.argv[1])
        except DBAPIError as error:
            sys.exit(str(error.orig))
        except CommandError as error:
            sys.exit(str(error))
