"""Moving: everything that an embedded store holds goes into an empty PostgreSQL database, in one transaction."""

import sqlite3
from collections.abc import Sequence

import psycopg
from psycopg import sql

from luxx.core.errors import ConfigurationError
from luxx.store.migrations import ONE_AT_A_TIME
from luxx.store.postgres.address import Address, parsed
from luxx.store.postgres.connection import PostgresConnection
from luxx.store.postgres.schema import prepare
from luxx.store.records import Moved

TABLES = (
    "meta",
    "person",
    "provider",
    "tool_server",
    "conversation",
    "blob",
    "file",
    "message",
    "message_file",
    "turn",
    "approval",
    "request",
    "model_call",
    "step",
    "event",
    "share",
    "imported",
)
"""All but the rows of processes and of SQLite's search, each after those that it refers to."""

_PATIENCE = 3.0
_LONG = 24 * 3600.0
_LEFT_OUT = {"turn": "node"}
"""Columns that say who works on it: in the new place, nobody does yet."""

_NUL = "\x00"


def move(source: sqlite3.Connection, url: str) -> Moved:
    """Copy all tables; turns in progress are free to be claimed. The source is left as it is.

    PostgreSQL's texts cannot hold U+0000, which becomes U+FFFD. Raises ConfigurationError for a database that cannot be used or that
    holds anything already; then nothing has been copied.
    """
    address = parsed(url, _PATIENCE)
    try:
        connection = PostgresConnection(address)
        try:
            prepare(connection, address)
        finally:
            connection.close()
        with address.connect(_LONG) as raw, raw.transaction():
            return _move(source, raw, address)
    except psycopg.Error as error:
        reason = str(error).strip().replace("\n", " ")
        raise ConfigurationError(f"Nothing was copied: the database {address} failed. {reason}") from error


def _move(source: sqlite3.Connection, raw: psycopg.Connection, address: Address) -> Moved:
    raw.execute("SELECT pg_advisory_xact_lock(%s)", (ONE_AT_A_TIME,))
    for table in TABLES:
        if raw.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(table))).fetchone():
            raise ConfigurationError(
                f"Nothing was copied: the database {address} is in use already. Take an empty one."
            )
    rows, replaced = 0, 0
    for table in TABLES:
        copied, changed = _copy(source, raw, table)
        rows += copied
        replaced += changed
    raw.execute("SELECT setval(pg_get_serial_sequence('turn', 'number'), (SELECT max(number) FROM turn))")
    return Moved(rows, replaced)


def _copy(source: sqlite3.Connection, raw: psycopg.Connection, table: str) -> tuple[int, int]:
    """Copy a table; return how many rows it has, and in how many of them a text was changed."""
    columns = [name for _, name, *_ in source.execute(f"PRAGMA table_info({table})") if name != _LEFT_OUT.get(table)]
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    rows = replaced = 0
    with raw.cursor().copy(into) as copy:
        for row in source.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY rowid"):
            fit = _fit(row)
            replaced += fit is not row
            rows += 1
            copy.write_row(fit)
    arrived = raw.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    if arrived != (rows,):
        raise ConfigurationError(f"Nothing was copied: of {rows} rows of {table}, {arrived} arrived.")
    return rows, replaced


def _fit(row: Sequence[object]) -> Sequence[object]:
    """Return the row as PostgreSQL takes it; the same one if nothing has to be changed."""
    if not any(isinstance(value, str) and _NUL in value for value in row):
        return row
    return [value.replace(_NUL, "\ufffd") if isinstance(value, str) else value for value in row]
