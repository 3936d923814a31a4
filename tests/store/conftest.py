"""Stores to test, one of each engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from luxx.store.interface import Store
from tests.postgres_server import PostgresServer
from tests.store.engines import ENGINES, Engine
from tests.store.talk import Talk


@pytest.fixture(params=ENGINES)
async def engine(request: pytest.FixtureRequest, tmp_path: Path, postgres: PostgresServer) -> AsyncIterator[Engine]:
    """An engine over an empty database."""
    engine = ENGINES[request.param](tmp_path, postgres)
    yield engine
    await engine.close()


@pytest.fixture
async def store(engine: Engine) -> Store:
    """An open store."""
    return await engine.open()


@pytest.fixture
async def talk(store: Store) -> Talk:
    """A conversation to start turns in."""
    return await Talk.begin(store)
