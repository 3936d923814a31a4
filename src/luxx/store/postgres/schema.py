"""The tables of a PostgreSQL database: made, and brought up to date, by whichever node finds them old; the others wait."""

import subprocess
import sys

from luxx.core.errors import ConfigurationError
from luxx.store.migrations import head
from luxx.store.postgres.address import Address
from luxx.store.postgres.connection import PostgresConnection

OLDEST = 15
"""The oldest major version of PostgreSQL that is still kept."""


def prepare(connection: PostgresConnection, address: Address) -> None:
    """Make sure that the tables are those of this version.

    Raises ConfigurationError if the server is too old, the database not in UTF-8, or its tables those of a newer version.
    """
    connection.begin_reading()
    try:
        found, wanted = usable(connection, address), head()
    finally:
        connection.rollback()
    if found is not None and found > wanted:
        raise ConfigurationError(
            f"The database {address} was made by a newer Luxx (revision {found}; this version knows {wanted})."
            " Install that version, or go back to a backup."
        )
    if found != wanted:
        _migrate(address)


def usable(connection: PostgresConnection, address: Address) -> str | None:
    """Return the revision of the tables. Raises ConfigurationError for a database that cannot be used."""
    if connection.version < OLDEST * 10_000:
        raise ConfigurationError(f"The server of {address} is too old: Luxx needs PostgreSQL {OLDEST} or newer.")
    (encoding,) = connection.execute("SELECT current_setting('server_encoding')").fetchone()
    if encoding != "UTF8":
        raise ConfigurationError(f"The database {address} is in {encoding}: make one with ENCODING 'UTF8'.")
    return revision(connection)


def revision(connection: PostgresConnection) -> str | None:
    """Return the revision of the tables, None if there are none."""
    (there,) = connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone()
    if not there:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else row[0]


def _migrate(address: Address) -> None:
    """Run the scripts in a process of their own: see luxx.store.migrations. The address may hold a password: no argument."""
    done = subprocess.run(
        [sys.executable, "-m", "luxx.store.migrations", "-"],
        input=address.url,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        reason = done.stderr.strip().rpartition("\n")[2]
        raise ConfigurationError(f"The database {address} could not be brought up to date; it is as it was. {reason}")
