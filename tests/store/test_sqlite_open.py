"""Opening the embedded store: one process, private files, the right tables, the right secret key."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from luxx.core.errors import ConfigurationError
from luxx.store.migrations import head
from luxx.store.records import NewProvider
from luxx.store.secrets import SecretBox
from luxx.store.sqlite.store import DATABASE, SqliteStore, open_sqlite
from tests.store.engines import KEY

SECRETS = SecretBox([KEY])


async def opened_and_closed(data_dir: Path, secrets: SecretBox = SECRETS) -> str:
    store = await open_sqlite(data_dir, secrets)
    await store.close()
    return store.owner


def run_sql(data_dir: Path, *statements: str) -> None:
    data_dir.mkdir(exist_ok=True)
    connection = sqlite3.connect(data_dir / DATABASE)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def schema(data_dir: Path) -> list[tuple[str, str]]:
    connection = sqlite3.connect(data_dir / DATABASE)
    rows = connection.execute("SELECT type, name FROM sqlite_master ORDER BY name").fetchall()
    connection.close()
    return rows


async def test_only_the_owner_of_the_files_may_read_them(tmp_path: Path) -> None:
    data_dir = tmp_path / "some" / "where"
    store = await open_sqlite(data_dir, SECRETS)
    await store.ping()
    assert data_dir.stat().st_mode & 0o777 == 0o700
    for file in data_dir.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file.name
    await store.close()


async def test_a_directory_is_held_by_one_process(tmp_path: Path) -> None:
    store = await open_sqlite(tmp_path, SECRETS)
    with pytest.raises(ConfigurationError, match=f"process {os.getpid()}"):
        await open_sqlite(tmp_path, SECRETS)
    await store.ping()
    await store.close()
    await opened_and_closed(tmp_path)


async def test_the_person_stays_and_the_node_is_new(tmp_path: Path) -> None:
    first = await open_sqlite(tmp_path, SECRETS)
    await first.close()
    second = await open_sqlite(tmp_path, SECRETS)
    await second.close()
    assert first.owner == second.owner
    assert first.node != second.node
    named = await open_sqlite(tmp_path, SECRETS, "node-7")
    await named.close()
    assert named.node == "node-7"


async def test_what_cannot_be_a_data_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigurationError):
        await open_sqlite(tmp_path / "file", SECRETS)
    with pytest.raises(ConfigurationError):
        await open_sqlite(tmp_path / "file" / "below", SECRETS)


async def test_a_network_file_system_is_refused(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"36 35 98:0 / {tmp_path} rw,noatime master:1 - nfs4 server:/export rw\n")
    with pytest.raises(ConfigurationError, match="nfs4"):
        await open_sqlite(tmp_path / "data", SECRETS, mounts=mounts)
    await opened_and_closed(tmp_path / "data")


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"This is a diary, not a database." * 100)
    with pytest.raises(ConfigurationError):
        await open_sqlite(tmp_path, SECRETS)


async def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    run_sql(tmp_path, "CREATE TABLE recipe (id INTEGER)")
    with pytest.raises(ConfigurationError, match="did not make"):
        await open_sqlite(tmp_path, SECRETS)
    assert schema(tmp_path) == [("table", "recipe")]


async def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    await opened_and_closed(tmp_path)
    run_sql(tmp_path, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigurationError, match="newer"):
        await open_sqlite(tmp_path, SECRETS)
    run_sql(tmp_path, f"UPDATE alembic_version SET version_num = '{head()}'")
    await opened_and_closed(tmp_path)


async def test_an_older_database_is_brought_up_to_date(tmp_path: Path) -> None:
    run_sql(tmp_path / "old", "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    await opened_and_closed(tmp_path / "old")
    await opened_and_closed(tmp_path / "new")
    assert schema(tmp_path / "old") == schema(tmp_path / "new")


async def test_a_migration_that_fails_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    run_sql(
        tmp_path,
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
        "CREATE TABLE event (something TEXT)",
    )
    before = schema(tmp_path)
    with pytest.raises(ConfigurationError, match="already exists"):
        await open_sqlite(tmp_path, SECRETS)
    assert schema(tmp_path) == before


def test_the_server_does_not_carry_the_migrations() -> None:
    program = "import sys, luxx.store.sqlite.store; sys.exit(bool({'alembic', 'sqlalchemy'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


# --- the secret key


async def with_a_key(data_dir: Path, secrets: SecretBox) -> str:
    """Store a provider with a key and return its id."""
    store = await open_sqlite(data_dir, secrets)
    provider = await store.providers.create(store.owner, NewProvider(name="Acme", format="openai", api_key="sk-1"))
    await store.close()
    return provider.id


def stored_key(data_dir: Path) -> bytes:
    connection = sqlite3.connect(data_dir / DATABASE)
    (token,) = connection.execute("SELECT api_key FROM provider").fetchone()
    connection.close()
    return token


async def test_a_key_is_not_in_the_file(tmp_path: Path) -> None:
    await with_a_key(tmp_path, SECRETS)
    assert b"sk-1" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


async def test_a_database_of_another_secret_key_is_refused(tmp_path: Path) -> None:
    await with_a_key(tmp_path, SECRETS)
    with pytest.raises(ConfigurationError, match="secret key"):
        await open_sqlite(tmp_path, SecretBox([Fernet.generate_key().decode()]))
    await opened_and_closed(tmp_path)


async def test_a_newer_secret_key_takes_over(tmp_path: Path) -> None:
    provider_id = await with_a_key(tmp_path, SECRETS)
    new = Fernet.generate_key().decode()
    store = await open_sqlite(tmp_path, SecretBox([new, KEY]))
    assert (await store.providers.credentials(store.owner, provider_id))[1] == "sk-1"
    await store.close()
    assert SecretBox([new]).decrypt(stored_key(tmp_path)) == "sk-1"
    await opened_and_closed(tmp_path, SecretBox([new]))
    with pytest.raises(ConfigurationError):
        await open_sqlite(tmp_path, SECRETS)


async def test_without_stored_keys_any_secret_key_will_do(tmp_path: Path) -> None:
    await opened_and_closed(tmp_path)
    store: SqliteStore = await open_sqlite(tmp_path, SecretBox([Fernet.generate_key().decode()]))
    await store.close()
