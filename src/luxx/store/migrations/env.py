"""What Alembic runs: connect to the database that it was given and run the scripts."""

import importlib

from alembic import context
from sqlalchemy import Connection, Engine, NullPool, create_engine, event

from luxx.store.migrations import ONE_AT_A_TIME


def _transactional(connection: Connection) -> None:
    """Make SQLite's driver leave transactions to us: by itself it commits before each CREATE TABLE."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.isolation_level = None
    event.listen(connection, "begin", _begin)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _engine(url: str) -> Engine:
    if url.startswith("sqlite:"):
        return create_engine(url, poolclass=NullPool)
    psycopg = importlib.import_module("psycopg")  # optional: with SQLite it need not be there
    return create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)


def _run(url: str) -> None:
    engine = _engine(url)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            _transactional(connection)
        context.configure(connection=connection)
        with context.begin_transaction():
            if engine.dialect.name == "postgresql":  # other nodes may be starting too
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ONE_AT_A_TIME})")
            context.run_migrations()


_run(context.config.get_main_option("sqlalchemy.url") or "")
