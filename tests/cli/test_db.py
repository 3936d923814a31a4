"""luxx db: an installation is copied to PostgreSQL, and backed up; what is refused, and how that is said."""

import json
import sqlite3
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.process import invoke, latest, say, script, serving
from tests.postgres_server import PostgresServer


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data directory that a server holds, with a conversation in it."""
    folder = tmp_path_factory.mktemp("db") / "data"
    with serving(folder):
        assert invoke(folder, "providers", "default", "Scripted").exit_code == 0
        assert invoke(folder, "chat", script([say("Kept.")])).stdout == "Kept.\n"
        yield folder


@pytest.fixture
def stopped(running: Path, tmp_path: Path) -> Path:
    """A data directory with the same in it, that nobody holds."""
    folder = tmp_path / "data"
    folder.mkdir()
    assert invoke(running, "db", "backup", str(folder / "luxx.db")).exit_code == 0
    (folder / "secret.key").write_bytes((running / "secret.key").read_bytes())
    return folder


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[str]:
    """A database without tables."""
    url = postgres.empty_database()
    yield url
    postgres.drop(url)


def test_an_installation_is_copied_and_used_in_the_new_place(stopped: Path, empty: str) -> None:
    before = latest(stopped)["messages"]
    done = invoke(stopped, "db", "copy", LUXX_DATABASE_URL=empty)
    assert done.exit_code == 0, done.output
    assert f"rows were copied; {stopped} is as it was." in done.stdout
    key = stopped / "secret.key"
    assert f"LUXX_SECRET_KEY_FILE={key}" in done.stdout
    there = {"LUXX_DATABASE_URL": empty, "LUXX_SECRET_KEY_FILE": str(key)}
    shown = json.loads(invoke(stopped, "conversations", "show", "last", "--json", **there).stdout)
    assert shown["messages"] == before
    assert invoke(stopped, "chat", "-c", "last", script([say("Still here.")]), **there).stdout == "Still here.\n"
    assert latest(stopped)["messages"] == before


def test_a_database_that_holds_something_is_refused(stopped: Path, empty: str) -> None:
    assert invoke(stopped, "db", "copy", LUXX_DATABASE_URL=empty).exit_code == 0
    again = invoke(stopped, "db", "copy", LUXX_DATABASE_URL=empty)
    assert again.exit_code == 1
    assert "is in use already. Take an empty one." in again.stderr


def test_copying_while_a_server_runs_is_refused(running: Path, empty: str) -> None:
    done = invoke(running, "db", "copy", LUXX_DATABASE_URL=empty)
    assert done.exit_code == 1
    assert "is in use by another Luxx" in done.stderr
    assert "Stop that one first" in done.stderr


def test_copying_needs_an_address(stopped: Path) -> None:
    done = invoke(stopped, "db", "copy")
    assert done.exit_code == 1
    assert "Set LUXX_DATABASE_URL" in done.stderr


def test_copying_nothing_is_refused(tmp_path: Path, empty: str) -> None:
    done = invoke(tmp_path / "data", "db", "copy", LUXX_DATABASE_URL=empty)
    assert done.exit_code == 1
    assert "There is nothing to copy" in done.stderr


def test_a_database_that_cannot_be_reached_is_named_without_its_password(stopped: Path) -> None:
    done = invoke(stopped, "db", "copy", LUXX_DATABASE_URL="postgresql://luxx:hidden@127.0.0.1:9/luxx")
    assert done.exit_code == 1
    assert "luxx at 127.0.0.1:9" in done.stderr
    assert "hidden" not in done.output


def test_the_package_for_postgresql_is_asked_for_where_it_is_missing(
    stopped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("luxx.store.postgres.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for command in (["db", "copy"], ["doctor"]):
        done = invoke(stopped, *command, LUXX_DATABASE_URL="postgresql://luxx@127.0.0.1:9/luxx")
        assert done.exit_code == 1
        assert 'pip install "luxx[postgres]"' in done.output


def test_a_backup_of_a_running_server_is_whole_and_private(running: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    done = invoke(running, "db", "backup", str(target))
    assert (done.exit_code, done.stdout.startswith(f"{target}: ")) == (0, True)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with sqlite3.connect(target) as copy:
        assert copy.execute("SELECT count(*) FROM message").fetchone() == (2,)
    copy.close()


def test_a_backup_never_writes_over_a_file(running: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    target.write_text("mine")
    done = invoke(running, "db", "backup", str(target))
    assert done.exit_code == 1
    assert "is there already" in done.stderr
    assert target.read_text() == "mine"


def test_a_backup_of_postgresql_is_pg_dumps(running: Path, tmp_path: Path) -> None:
    done = invoke(running, "db", "backup", str(tmp_path / "x"), LUXX_DATABASE_URL="postgresql://luxx@127.0.0.1:9/luxx")
    assert done.exit_code == 1
    assert "pg_dump" in done.stderr
    assert not (tmp_path / "x").exists()


def test_a_backup_of_nothing_is_refused(tmp_path: Path) -> None:
    done = invoke(tmp_path / "data", "db", "backup", str(tmp_path / "x"))
    assert done.exit_code == 1
    assert "There is no database" in done.stderr
