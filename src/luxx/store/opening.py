"""Opening: which engine a store runs on, and where the key to its secrets comes from."""

import contextlib
import sqlite3
from pathlib import Path

from luxx.core.errors import ConfigurationError
from luxx.store.directory import DataDirectory
from luxx.store.interface import Store
from luxx.store.records import FileLimits, Inspected, Moved
from luxx.store.secrets import SecretBox, given_secrets, open_secrets
from luxx.store.sqlite.connection import connect, open_writing
from luxx.store.sqlite.schema import prepare
from luxx.store.sqlite.store import DATABASE, open_sqlite

_NOT_INSTALLED = (
    'LUXX_DATABASE_URL is set, but the package for PostgreSQL is not installed: pip install "luxx[postgres]"'
)

LEASE_TTL = 8.0
"""Seconds after which the turns of a node that has died are others' to take."""

_LIMITS = FileLimits()


async def open_store(
    data_dir: Path,
    database_url: str | None = None,
    *,
    keys: str | None = None,
    key_file: Path | None = None,
    lease_ttl: float = LEASE_TTL,
    limits: FileLimits = _LIMITS,
) -> Store:
    """Open the embedded store in the data directory, or with a database's address the one of many nodes.

    `keys` are secret keys, newest first, separated by commas; `key_file` names a file with them. The embedded store makes a
    file of its own if neither is given; nodes that share a database must be given the same. Raises ConfigurationError.
    """
    if database_url is None:
        secrets = open_secrets(data_dir, keys) if key_file is None or keys else given_secrets(None, key_file)
        return await open_sqlite(data_dir, secrets, limits=limits)
    return await _open_postgres(database_url, given_secrets(keys, key_file), lease_ttl, limits)


def copy_to_postgres(data_dir: Path, database_url: str) -> Moved:
    """Copy what the embedded store in the data directory holds into an empty database; blocks.

    Raises ConfigurationError for a directory that a server uses or that holds no database, and for a database that cannot be
    used or is not empty; then nothing has been copied.
    """
    path = data_dir / DATABASE
    if not path.exists():
        raise ConfigurationError(f"There is nothing to copy in {data_dir}.")
    try:
        from luxx.store.postgres.moving import move  # noqa: PLC0415 - psycopg is optional
    except ImportError as error:
        raise ConfigurationError(_NOT_INSTALLED) from error
    directory = DataDirectory(data_dir)
    try:
        with contextlib.closing(open_writing(path, connect)) as source:
            prepare(source.raw, path)
            return move(source.raw, database_url)
    except sqlite3.Error as error:
        raise ConfigurationError(f"The database {path} cannot be read: {error}.") from error
    finally:
        directory.close()


def inspect_postgres(database_url: str) -> Inspected:
    """Look at a PostgreSQL database without changing anything; blocks.

    Raises ConfigurationError for one that cannot be reached or used.
    """
    try:
        from luxx.store.postgres.inspection import inspect  # noqa: PLC0415 - psycopg is optional
    except ImportError as error:
        raise ConfigurationError(_NOT_INSTALLED) from error
    return inspect(database_url)


async def _open_postgres(url: str, secrets: SecretBox, lease_ttl: float, limits: FileLimits) -> Store:
    try:
        from luxx.store.postgres.lease import lease_times  # noqa: PLC0415 - psycopg is optional
        from luxx.store.postgres.store import open_postgres  # noqa: PLC0415
    except ImportError as error:
        raise ConfigurationError(_NOT_INSTALLED) from error
    return await open_postgres(url, secrets, times=lease_times(lease_ttl), limits=limits)
