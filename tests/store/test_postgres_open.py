"""Opening a store on PostgreSQL: the right server, the right tables, the right secret key."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from cryptography.fernet import Fernet

from luxx.core.errors import ConfigurationError
from luxx.store.interface import Store
from luxx.store.migrations import head
from luxx.store.opening import open_store
from luxx.store.postgres.store import open_postgres
from luxx.store.records import NewProvider
from luxx.store.secrets import SecretBox
from luxx.store.sqlite.store import DATABASE
from tests.postgres_server import PostgresServer
from tests.store.engines import KEY
from tests.store.talk import Talk

SECRETS = SecretBox([KEY])
OTHER = Fernet.generate_key().decode()


@pytest.fixture
async def url(postgres: PostgresServer) -> AsyncIterator[str]:
    """A database with Luxx's tables."""
    url = postgres.database()
    yield url
    postgres.drop(url)


@pytest.fixture
async def empty(postgres: PostgresServer) -> AsyncIterator[str]:
    """A database without tables."""
    url = postgres.empty_database()
    yield url
    postgres.drop(url)


async def opened_and_closed(url: str, secrets: SecretBox = SECRETS) -> Store:
    store = await open_postgres(url, secrets)
    await store.close()
    return store


def run_sql(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


async def test_an_empty_database_gets_its_tables_though_two_nodes_start_at_once(empty: str) -> None:
    stores = await asyncio.gather(*(open_postgres(empty, SECRETS) for _ in range(2)))
    assert len({store.owner for store in stores}) == 1
    assert len({store.node for store in stores}) == 2
    await Talk.begin(stores[0])
    for store in stores:
        await store.ping()
        await store.close()


async def test_the_person_stays_and_a_node_leaves_nothing_behind(url: str) -> None:
    first, second = await opened_and_closed(url), await opened_and_closed(url)
    assert first.owner == second.owner
    assert first.node != second.node
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM node").fetchone() == (0,)


async def test_a_database_of_a_newer_version_is_refused(url: str) -> None:
    run_sql(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigurationError, match="newer"):
        await opened_and_closed(url)
    run_sql(url, f"UPDATE alembic_version SET version_num = '{head()}'")
    await opened_and_closed(url)


async def test_a_migration_that_fails_leaves_the_database_as_it_was(empty: str) -> None:
    run_sql(empty, "CREATE TABLE event (something TEXT)")
    with pytest.raises(ConfigurationError, match="already exists"):
        await opened_and_closed(empty)
    with psycopg.connect(empty) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert tables == [("event",)]


async def test_a_database_in_another_encoding_is_refused(postgres: PostgresServer) -> None:
    url = postgres.empty_database("TEMPLATE template0 ENCODING 'LATIN1'")
    with pytest.raises(ConfigurationError, match="LATIN1"):
        await opened_and_closed(url)
    postgres.drop(url)


def test_without_an_address_no_driver_is_loaded() -> None:
    program = (
        "import sys, luxx.app; sys.exit(bool({'psycopg', 'luxx.store.postgres', 'sqlalchemy'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


# --- the secret key


async def test_a_node_with_another_secret_key_is_refused_even_before_anything_is_encrypted(url: str) -> None:
    await opened_and_closed(url)
    with pytest.raises(ConfigurationError, match="LUXX_SECRET_KEY_FILE"):
        await opened_and_closed(url, SecretBox([OTHER]))


async def test_nodes_change_over_to_a_new_key_one_after_the_other(url: str) -> None:
    old = await open_postgres(url, SecretBox([KEY, OTHER]))
    made = await old.providers.create(old.owner, NewProvider(name="Acme", format="openai", api_key="sk-1"))
    new = await open_postgres(url, SecretBox([OTHER, KEY]))
    for store in (old, new):
        assert (await store.providers.credentials(store.owner, made.id))[1] == "sk-1"
        await store.close()
    await opened_and_closed(url, SecretBox([OTHER]))
    with pytest.raises(ConfigurationError):
        await opened_and_closed(url)


# --- the choice


async def test_the_address_chooses_the_engine(url: str, tmp_path: Path) -> None:
    store = await open_store(tmp_path / "here", keys=KEY)
    assert not store.nodes.shared
    await store.close()
    assert (tmp_path / "here" / DATABASE).exists()
    store = await open_store(tmp_path / "there", url, keys=KEY)
    assert store.nodes.shared
    await store.close()
    assert not (tmp_path / "there").exists()


async def test_nodes_take_their_key_from_a_file_that_is_named_and_never_make_one(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="same secret key"):
        await open_store(tmp_path, url)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        await open_store(tmp_path, url, key_file=tmp_path / "absent")
    (tmp_path / "key").write_text(f"{KEY}\n")
    for address in (url, None):
        store = await open_store(tmp_path / "data", address, key_file=tmp_path / "key")
        await store.close()
    assert not (tmp_path / "data" / "secret.key").exists()
    await opened_and_closed(url)
