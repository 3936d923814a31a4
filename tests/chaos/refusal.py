"""Refusal: a database that takes everything but one word, so that of many turns that are written together one cannot be."""

import sqlite3
from pathlib import Path

import psycopg

REFUSED = "~refused~"
_COLUMNS = (("event", "data"), ("step", "body"))


def refuse_on_postgres(url: str) -> None:
    """Let no row of a log or a step hold the word."""
    with psycopg.connect(url, autocommit=True) as connection:
        for table, column in _COLUMNS:
            check = f"ALTER TABLE {table} ADD CHECK (position('{REFUSED}'::bytea IN {column}) = 0)"
            connection.execute(check.encode())


def refuse_on_sqlite(database: Path) -> None:
    """Let no row of a log or a step hold the word."""
    connection = sqlite3.connect(database, timeout=10)
    for table, column in _COLUMNS:
        connection.execute(
            f"CREATE TRIGGER refuse_{table} BEFORE INSERT ON {table} WHEN instr(NEW.{column}, CAST('{REFUSED}' AS BLOB))"
            " BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
    connection.close()
