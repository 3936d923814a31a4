"""A process that writes in a store until it is killed, saying what was committed: ``python -m tests.store.writing_child DIR``."""

import asyncio
import sys
from pathlib import Path

from luxx.core import steps
from luxx.store.records import Turn
from luxx.store.secrets import SecretBox
from luxx.store.sqlite.store import open_sqlite
from tests.store.engines import KEY
from tests.store.talk import Talk, batch, delta, done, ended


async def _talk_on(talk: Talk) -> None:
    while True:
        turn = (await talk.say(parent=None)).turn
        _tell(turn, 1)
        for round_ in range(5):
            seq = 2 + round_ * 3
            step = steps.text(round_, 1)
            await talk.append(batch(turn, seq, step, delta("x", round_), ended(step, "x")))
            _tell(turn, seq + 2)
        await talk.append(batch(turn, 17, done(turn)))
        _tell(turn, 17)


def _tell(turn: Turn, seq: int) -> None:
    sys.stdout.write(f"{turn.id} {seq}\n")
    sys.stdout.flush()


async def _main() -> None:
    store = await open_sqlite(Path(sys.argv[1]), SecretBox([KEY]), wal_limit=200_000)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(8):
            tasks.create_task(_talk_on(await Talk.begin(store)))


if __name__ == "__main__":
    asyncio.run(_main())
