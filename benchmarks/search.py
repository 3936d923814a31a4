"""Search: how long it takes among many messages, and what the index costs a turn: python -m benchmarks.search [MESSAGES] [--postgres].

The texts are made of 8,000 made-up words with the frequencies of a language, every fifth of them of Chinese characters, about 1 kB each.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path

import msgspec

from luxx.core.archive import ArchivedAnswer, ArchivedConversation, ArchivedMessage
from luxx.core.ids import step_id
from luxx.core.steps import Text
from luxx.store.interface import Store
from luxx.store.postgres.store import open_postgres
from luxx.store.secrets import SecretBox
from luxx.store.sqlite.store import open_sqlite
from tests.postgres_server import PostgresServer
from tests.store.engines import HELD, KEY
from tests.store.talk import Talk

PER_CONVERSATION = 100
TURNS = 200
WHEN = "2026-01-01T00:00:00.000000Z"


class Words:
    """Makes texts; the same ones each time."""

    def __init__(self) -> None:
        self._random = random.Random(1)
        letters = "etaoinshrdlucmfwypvbgkqjxz"
        weights = range(len(letters), 0, -1)
        choose = self._random.choices
        self.words = ["".join(choose(letters, weights, k=self._random.randint(2, 10))) for _ in range(8_000)]
        self.signs = [chr(0x4E00 + n) for n in range(2_500)]
        self._ranks = [1 / (n + 3) for n in range(8_000)]

    def text(self, number: int) -> str:
        """Return a text of about 1 kB."""
        if number % 5 == 0:
            return "".join(self._random.choices(self.signs, self._ranks[:2_500], k=self._random.randint(20, 600)))
        return " ".join(self._random.choices(self.words, self._ranks, k=self._random.randint(5, 330)))


def conversation(words: Words, number: int) -> ArchivedConversation:
    """Return a conversation to take in."""
    messages: list[ArchivedMessage] = []
    for place in range(PER_CONVERSATION):
        said = words.text(number * PER_CONVERSATION + place)
        parent = messages[-1].id if messages else None
        answer = None
        if place % 2:
            step = Text(id=step_id(0), index=0, state="complete", content=said)
            answer = ArchivedAnswer(steps=(msgspec.Raw(msgspec.json.encode(step)),))
        role = "assistant" if place % 2 else "user"
        text = "" if place % 2 else said
        messages.append(
            ArchivedMessage(id=f"m{place}", parent_id=parent, role=role, created_at=WHEN, text=text, answer=answer)
        )
    return ArchivedConversation(
        id=str(number), title=f"Talk {number}", created_at=WHEN, updated_at=WHEN, messages=tuple(messages)
    )


async def fill(store: Store, words: Words, count: int) -> None:
    """Take in so many messages, and index them."""
    begun = time.perf_counter()
    for number in range(count // PER_CONVERSATION):
        await store.archive.take_in(store.owner, "luxx", conversation(words, number))
        await store.archive.index()
    taken = time.perf_counter()
    print(f"  taken in: {count} messages in {taken - begun:.1f} s, {(taken - begun) / count * 1e6:.0f} us each")
    while await store.archive.index():
        pass
    print(f"  indexed after that: {time.perf_counter() - taken:.1f} s")


async def search(store: Store, words: Words) -> None:
    """Search for the frequent and the rare."""
    queries = {
        "a frequent word": words.words[2],
        "a rare word": max(words.words[6_000:], key=len),
        "two words": f"{words.words[300]} {words.words[500]}",
        "three Chinese characters": "".join(words.signs[5:8]),
        "two Chinese characters (no index)": "".join(words.signs[500:502]),
        "nothing that is there": "zzzyqx",
    }
    for name, query in queries.items():
        spent: list[float] = []
        found = 0
        for _ in range(5):
            begun = time.perf_counter()
            found = len((await store.archive.search(store.owner, query, 50, None)).items)
            spent.append(time.perf_counter() - begun)
        listed = time.perf_counter()
        await store.conversations.list(store.owner, 50, None, query)
        listed = time.perf_counter() - listed
        print(
            f"  {name}: {statistics.median(spent) * 1e3:.1f} ms ({found} of a page of 50); list {listed * 1e3:.1f} ms"
        )


async def turns(store: Store, words: Words) -> None:
    """Make turns one after the other, as a lone person would."""
    talk = await Talk.begin(store)
    spent: list[float] = []
    for number in range(TURNS):
        question, answer = words.text(number), words.text(number + 1)
        begun = time.perf_counter()
        await talk.answered(question, answer)
        spent.append(time.perf_counter() - begun)
    print(f"  a turn, from its start to its end: median {statistics.median(spent) * 1e3:.2f} ms")


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("luxx.db*"))


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("messages", nargs="?", type=int, default=100_000)
    parser.add_argument("--postgres", action="store_true")
    wanted = parser.parse_args()
    server = PostgresServer() if wanted.postgres else None
    with tempfile.TemporaryDirectory() as folder:
        box = SecretBox([KEY])
        store: Store
        if server:
            store = await open_postgres(server.database(), box, times=HELD)
        else:
            store = await open_sqlite(Path(folder), box)
        words = Words()
        try:
            await turns(store, words)
            await fill(store, words, wanted.messages)
            await search(store, words)
            await turns(store, words)
        finally:
            await store.close()
        size = await asyncio.to_thread(_size, Path(folder))
        print(f"  {size / 1e6:.0f} MB")
    if server:
        server.close()


if __name__ == "__main__":
    asyncio.run(main())
