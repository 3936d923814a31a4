"""luxx doctor: what is wrong is found, and said with what to do."""

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from luxx.cli import checks
from luxx.settings import Settings
from tests.cli.process import invoke

CPU_WITHOUT_AVX2 = "flags : fpu sse sse2 fma f16c bmi2\n"


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that a server, that of a command, has used and left."""
    folder = tmp_path_factory.mktemp("doctor") / "data"
    address = ["-b", "http://127.0.0.1:9/v1", "--no-test", "--key-stdin"]
    assert invoke(folder, "providers", "add", "Keyed", *address, text="sk-1").exit_code == 0
    assert invoke(folder, "providers", "add", "Scripted", "--format", "scripted").exit_code == 0
    return folder


@pytest.fixture
def data_dir(used: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(used, tmp_path / "data")


def test_a_data_directory_in_use_is_sound(used: Path) -> None:
    done = invoke(used, "doctor")
    assert "✓ database: is sound" in done.stdout
    assert "✓ secret key:" in done.stdout
    assert "✓ provider Scripted:" in done.stdout
    assert "✗ provider Keyed:" in done.stdout
    assert (done.exit_code, done.stderr) == (1, "")


def test_looking_makes_nothing(tmp_path: Path) -> None:
    done = invoke(tmp_path / "data", "doctor")
    assert "is made at the first start" in done.stdout
    assert not (tmp_path / "data").exists()


def test_a_running_server_is_named(served: Path) -> None:
    server = json.loads((served / "server.json").read_text())
    assert f"✓ server: runs at {server['url']} (process {server['pid']})" in invoke(served, "doctor").stdout


def test_a_damaged_database_is_broken(data_dir: Path) -> None:
    path = data_dir / "luxx.db"
    content = bytearray(path.read_bytes())
    content[4096:12288] = b"\xff" * 8192
    path.write_bytes(content)
    finding = checks.database(data_dir)
    assert finding.state == "broken"
    assert finding.remedy


def test_a_file_that_is_no_database_is_broken_and_the_exit_code_says_so(data_dir: Path) -> None:
    (data_dir / "luxx.db").write_bytes(b"not a database, " * 1000)
    done = invoke(data_dir, "doctor")
    assert done.exit_code == 1
    assert "✗ database:" in done.stdout
    assert "put a backup in place of" in done.stdout
    assert "! secret key: cannot be told to be the right one" in done.stdout
    assert "give the old key again" not in done.stdout
    assert "Traceback" not in done.stderr


def test_another_secret_key_is_broken(data_dir: Path) -> None:
    other = Settings(data_dir=data_dir, secret_key="B" * 42 + "A=")  # pyright: ignore[reportArgumentType] - coerced
    finding = checks.secret_key(other)
    assert (finding.state, bool(finding.remedy)) == ("broken", True)
    assert checks.secret_key(Settings(data_dir=data_dir)).state == "ok"


def test_another_secret_key_is_broken_where_only_a_tool_server_has_secrets(data_dir: Path) -> None:
    with contextlib.closing(sqlite3.connect(data_dir / "luxx.db")) as database, database:
        database.execute("UPDATE provider SET api_key = NULL")
        database.execute(
            "INSERT INTO tool_server (id, owner_id, name, kind, target, secrets, trusted, enabled, created_at)"
            " SELECT 's', id, 's', 'openapi', x'7b7d', x'00', false, true, '2026' FROM person LIMIT 1"
        )
    other = Settings(data_dir=data_dir, secret_key="B" * 42 + "A=")  # pyright: ignore[reportArgumentType] - coerced
    assert checks.secret_key(other).state == "broken"
    assert checks.secret_key(Settings(data_dir=data_dir)).state == "ok"
    with contextlib.closing(sqlite3.connect(data_dir / "luxx.db")) as database, database:
        database.execute("DELETE FROM tool_server")
    assert checks.secret_key(other).state == "ok"


def test_what_is_no_key_is_broken(data_dir: Path) -> None:
    (data_dir / "secret.key").write_text("rubbish")
    assert checks.secret_key(Settings(data_dir=data_dir)).state == "broken"


def test_an_open_data_directory_is_a_warning(data_dir: Path) -> None:
    data_dir.chmod(0o755)
    finding = checks.data_directory(data_dir)
    assert (finding.state, finding.remedy) == ("warning", f"chmod 700 {data_dir}")


def test_a_file_in_place_of_the_data_directory_is_broken(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    assert checks.data_directory(tmp_path / "data").state == "broken"


@pytest.mark.parametrize(("needed", "state"), [(True, "broken"), (False, "warning")])
def test_what_only_the_embedded_model_needs_is_broken_only_if_it_is_needed(
    tmp_path: Path, needed: bool, state: str
) -> None:
    assert checks.processor(CPU_WITHOUT_AVX2, needed=needed).state == state
    assert checks.engine("no_such_package", needed=needed).state == state


def test_a_damaged_model_is_broken(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "SmolLM2-135M-Instruct.Q4_1.gguf").write_bytes(b"x")
    finding = checks.embedded_model(tmp_path, needed=False)
    assert (finding.state, "luxx model pull" in finding.remedy) == ("broken", True)
