"""The stores that the conformance tests run against, each with a way to die."""

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import psycopg

from luxx.store.interface import Store
from luxx.store.postgres.lease import LeaseTimes
from luxx.store.postgres.store import open_postgres
from luxx.store.secrets import SecretBox
from luxx.store.sqlite.store import open_sqlite
from tests.eventually import eventually
from tests.postgres_server import PostgresServer

KEY = "zR8mVb3Zr0uJ3k9yq6Vq0nB1x2y3Z4a5b6c7d8e9f0g="


class Engine(Protocol):
    """Opens stores over one database."""

    async def open(self) -> Store:
        """Open the store as a new process would."""
        ...

    async def die_and_open(self) -> Store:
        """Open what is left when the process dies at this moment."""
        ...

    async def close(self) -> None:
        """Close all that was opened."""
        ...


class Sqlite:
    """Stores in data directories below a folder; death is a copy of the files as they are."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._deaths = 0
        self._stores: list[Store] = []

    @property
    def data_dir(self) -> Path:
        """The data directory of the store that was opened last."""
        return self._folder / f"data-{self._deaths}"

    async def open(self) -> Store:
        store = await open_sqlite(self.data_dir, SecretBox([KEY]))
        self._stores.append(store)
        return store

    async def die_and_open(self) -> Store:
        before = self.data_dir
        self._deaths += 1
        shutil.copytree(before, self.data_dir, ignore=shutil.ignore_patterns("*-shm"))
        return await self.open()

    async def close(self) -> None:
        for store in self._stores:
            await store.close()


class Postgres:
    """Stores over a database of a server; death is a lease that has run out and is renewed no more."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._url = server.database()
        self._stores: list[Store] = []

    async def open(self) -> Store:
        store = await open_postgres(self._url, SecretBox([KEY]), times=HELD)
        self._stores.append(store)
        return store

    async def die_and_open(self) -> Store:
        with psycopg.connect(self._url) as connection:
            dead = [node for (node,) in connection.execute("UPDATE node SET expires = '2000-01-01' RETURNING id")]
        undertaker = await open_postgres(self._url, SecretBox([KEY]), times=BRIEF)
        await eventually(lambda: self._buried(undertaker, dead))
        await undertaker.close()
        return await self.open()

    async def _buried(self, undertaker: Store, dead: list[str]) -> bool:
        """Reap, and tell whether these are gone; an undertaker that was held up may have buried itself with them."""
        if not await undertaker.nodes.reap():
            return False
        with psycopg.connect(self._url) as connection:
            return connection.execute("SELECT FROM node WHERE id = ANY(%s)", (dead,)).fetchone() is None

    async def close(self) -> None:
        for store in self._stores:
            await store.close()
        self._server.give_back(self._url)


async def reaped(store: Store) -> int:
    """Wait until a store may reap and finds somebody; return how many that were."""
    return await eventually(store.nodes.reap)


HELD = LeaseTimes(ttl=1000, heartbeat=300, self_stop=600)
"""A lease that is renewed no more within a test."""

BRIEF = LeaseTimes(ttl=0.15, heartbeat=0.04, self_stop=0.1)

ENGINES: dict[str, Callable[[Path, PostgresServer], Engine]] = {
    "sqlite": lambda folder, _: Sqlite(folder),
    "postgres": lambda _, server: Postgres(server),
}

Reopen = Callable[[], Awaitable[Store]]
