"""Several stores on one PostgreSQL database, as nodes have them, and a look behind them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg
from msgspec.structs import replace

from luxx.store.news import News
from luxx.store.postgres.lease import LeaseTimes
from luxx.store.postgres.store import PostgresStore, open_postgres
from luxx.store.secrets import SecretBox
from tests.postgres_server import PostgresServer
from tests.store.engines import HELD, KEY

QUICK = LeaseTimes(ttl=2.0, heartbeat=0.1, self_stop=1.0)
WATCHFUL = replace(HELD, heartbeat=0.1)
"""A lease whose loss is soon seen, and that is not lost where a machine is slow."""


class Cluster:
    """Opens stores on a database of their own."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self.url = server.database()
        self._stores: list[PostgresStore] = []

    async def open(self, times: LeaseTimes = HELD, *, url: str | None = None, patience: float = 3.0) -> PostgresStore:
        store = await open_postgres(url or self.url, SecretBox([KEY]), times=replace(times, patience=patience))
        self._stores.append(store)
        return store

    def through(self, port: int) -> str:
        """Return the database's address through another port."""
        return self.url.replace(f":{self.server.port}/", f":{port}/")

    def run(self, *statements: str) -> None:
        """Run statements behind the stores' backs."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def ask(self, query: str) -> Any:  # noqa: ANN401 - whatever the query returns
        """Return the first value that a query gives, now or as soon as the server answers."""
        while True:
            try:
                with psycopg.connect(self.url, autocommit=True, connect_timeout=2) as connection:
                    row = connection.execute(query.encode()).fetchone()
                    return row[0] if row else None
            except psycopg.OperationalError:
                continue

    def expire(self, store: PostgresStore) -> None:
        """Let a node's lease run out now."""
        self.run(f"UPDATE node SET expires = clock_timestamp() - interval '1 second' WHERE id = '{store.node}'")

    async def close(self) -> None:
        for store in self._stores:
            await store.close()
        self.server.drop(self.url)


async def hears(news: AsyncIterator[News], kind: type[News]) -> News:
    """Wait for news of a kind."""
    async with asyncio.timeout(20):
        async for heard in news:
            if isinstance(heard, kind):
                return heard
    raise AssertionError("nothing more is heard")
