"""What Alembic runs: connect to the database that it was given and run the scripts."""

from alembic import context
from sqlalchemy import Connection, NullPool, create_engine, event


def _transactional(connection: Connection) -> None:
    """Make SQLite's driver leave transactions to us: by itself it commits before each CREATE TABLE."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.isolation_level = None
    event.listen(connection, "begin", _begin)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _run(url: str) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            _transactional(connection)
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()


_run(context.config.get_main_option("sqlalchemy.url") or "")
