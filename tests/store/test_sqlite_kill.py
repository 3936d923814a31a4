"""A process that is killed while it writes leaves everything that it said was committed, and nothing by halves."""

import asyncio
import sqlite3
import sys
from pathlib import Path

import pytest

from luxx.store.secrets import SecretBox
from luxx.store.sqlite.store import DATABASE, open_sqlite
from tests.store.engines import KEY


async def killed_after(lines: int, data_dir: Path) -> dict[str, int]:
    """Let a process write until it has said so much, kill it, and return the last seq that it told for each turn."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.store.writing_child", str(data_dir), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    told: dict[str, int] = {}
    async with asyncio.timeout(50):
        for number in range(100_000):
            line = await process.stdout.readline()
            if number == lines:
                process.kill()
            if not line.endswith(b"\n"):
                break
            turn_id, seq = line.split()
            told[turn_id.decode()] = int(seq)
        await process.wait()
    assert process.returncode == -9
    return told


@pytest.mark.parametrize("lines", [30, 700])
async def test_a_killed_process_loses_nothing(tmp_path: Path, lines: int) -> None:
    told = await killed_after(lines, tmp_path / "data")
    store = await open_sqlite(tmp_path / "data", SecretBox([KEY]))
    claimed = {turn.id: turn for turn in await store.turns.claim()}
    for turn_id, last in told.items():
        page = await store.turns.log(store.owner, turn_id, 0, 1000)
        seqs = [entry.seq for entry in page.entries]
        assert seqs == list(range(1, page.turn.seq + 1))
        assert page.turn.seq >= last
        assert (page.entries[-1].name == "done") == page.turn.ended == (turn_id not in claimed)
        message = await store.conversations.message(store.owner, page.turn.message_id)
        assert len(message.steps) == (min(page.turn.seq, 16) - 1) // 3
    assert all(turn.epoch == 2 and turn.takeovers == 1 for turn in claimed.values())
    await store.close()
    connection = sqlite3.connect(tmp_path / "data" / DATABASE)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
