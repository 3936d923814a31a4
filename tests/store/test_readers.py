"""Readers: what is quick does not wait behind what is slow."""

import asyncio
import threading
from pathlib import Path

import pytest

from luxx.core.errors import StorageError
from luxx.store.sql.connection import Connection
from luxx.store.sql.readers import Readers
from luxx.store.sqlite.connection import connect, open_reading

PATIENCE = 10.0


def one(connection: Connection) -> int:
    """Read a number."""
    return connection.execute("SELECT 1").fetchone()[0]


async def test_reads_go_on_while_searches_take_their_time(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    readers = Readers([open_reading(path, connect)], open_reading(path, connect))
    go_on = threading.Event()

    def slow(connection: Connection) -> int:
        assert go_on.wait(PATIENCE)
        return one(connection) + 1

    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
        searches = [tasks.create_task(readers.search(slow)) for _ in range(3)]
        assert [await readers.read(one) for _ in range(3)] == [1, 1, 1]
        assert not any(search.done() for search in searches)
        go_on.set()
    assert [search.result() for search in searches] == [2, 2, 2]
    await readers.close()


async def test_readers_end_after_the_jobs_that_wait_and_take_no_more(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    readers = Readers([open_reading(path, connect)], open_reading(path, connect))
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(run(one)) for run in (readers.read, readers.search)]
        await asyncio.sleep(0)
        await readers.close()
    assert [job.result() for job in waiting] == [1, 1]
    for refused in (readers.read, readers.search):
        with pytest.raises(StorageError):
            await refused(one)
