"""The stores that the conformance tests run against, each with a way to die."""

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from luxx.store.interface import Store
from luxx.store.secrets import SecretBox
from luxx.store.sqlite.store import open_sqlite

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


ENGINES: dict[str, Callable[[Path], Engine]] = {"sqlite": Sqlite}

Reopen = Callable[[], Awaitable[Store]]
