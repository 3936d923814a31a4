"""Migrations: the scripts, and the snapshot that new databases begin with."""

import sqlite3
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from luxx.store.migrations import FOLDER, SQLITE_SNAPSHOT, head
from luxx.store.migrations.__main__ import snapshot, upgrade


def test_the_snapshot_is_what_the_scripts_make() -> None:
    """If this fails, a script was added or changed: python -m luxx.store.migrations --snapshot."""
    assert SQLITE_SNAPSHOT.read_text(encoding="utf-8") == snapshot()


def test_the_scripts_are_one_line_of_numbers() -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    revisions = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert revisions == [f"{number:04}" for number in range(len(revisions), 0, -1)]
    assert head() == revisions[0]


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a 100% odd name.db"
    for _ in range(2):
        upgrade(f"sqlite:///{path}")
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(head(),)]
    connection.close()
