"""Breaks: the server with one of its promises taken out, in a copy of the sources."""

import shutil
from pathlib import Path

import msgspec

SOURCES = Path(__file__).resolve().parents[2] / "src"


class Change(msgspec.Struct, frozen=True):
    """A piece of a file, which must stand there exactly once, and what comes in its place."""

    file: str
    old: str
    new: str


class Break(msgspec.Struct, frozen=True):
    """What is broken, by which changes; the tests that must notice it, and as what."""

    name: str
    noticed: str
    test: str
    seconds: int
    changes: tuple[Change, ...]


ALONE = "test_chaos.py::test_one_node_on_sqlite_keeps_every_promise"
SHARED = "test_chaos.py::test_three_nodes_on_postgresql_keep_every_promise"
BOUNDARIES = "test_boundaries.py"

FENCE = Break(
    "an owner that lost its lease still writes",
    "writes refused by the store",
    "test_boundaries.py::test_struck_at_its_boundaries_a_turn_on_postgresql_stays_whole",
    1,
    (
        Change("store/sql/append.py", "if not lease.held():", "if not lease.held() and not batches:"),
        Change("store/sql/append.py", "coalesce(node, '') = ? AND", "coalesce(node, ?) IS NOT NULL AND"),
        Change("store/sql/append.py", "if row is not None and row[2] == batch.epoch:", "if row is not None:"),
    ),
)
COMMIT_ORDER = Break(
    "events are shown before their commit",
    "events shown that are not in the log",
    ALONE,
    20,
    (
        Change(
            "turns/turn_log.py",
            "        self.recent.publish(LogEntry(entry.seq, entry.name, entry.data) for entry in batch.entries)\n",
            "",
        ),
        Change(
            "turns/turn_log.py",
            "        end = self.end if waiting and waiting[-1] is self.end else None\n",
            "        end = self.end if waiting and waiting[-1] is self.end else None\n"
            "        self.recent.publish(LogEntry(entry.seq, entry.name, entry.data) for entry in entries)\n",
        ),
        Change(
            "turns/journal.py",
            "sealed[log.turn.id] = (log, batch)",
            "sealed[log.turn.id] = (log, batch); self.wake(log.turn.id)",
        ),
    ),
)
WAKE_ORDER = Break(
    "a reader is enlisted after its look at the log",
    "readers left behind",
    ALONE,
    12,
    (
        Change(
            "turns/journal.py",
            "reader = self._reader(turn_id)  # before the look at the log: else an append in between is missed",
            "reader = asyncio.get_running_loop().create_future()",
        ),
        Change(
            "turns/journal.py",
            "                        await reader\n",
            "                        await asyncio.sleep(0.02)  # as long as a look at a busy database takes\n"
            "                        reader = self._reader(turn_id)\n"
            "                        await reader\n",
        ),
    ),
)
LOST_ANSWER = Break(
    "a commit whose answer was lost is made again without a look",
    "writes refused by the store",
    SHARED,
    12,
    (Change("store/sql/append.py", "    if retry:\n", "    if retry and not batches:\n"),),
)
CLAIM = Break(
    "a tool is called before its claim is committed",
    "unsafe tools started twice",
    BOUNDARIES,
    1,
    (
        Change(
            "engine/tool_calls.py",
            "            await self._emit.committed()\n            started = True\n",
            "            started = True\n",
        ),
        Change(
            "turns/journal.py",
            "            await self._wanted.wait()\n",
            "            await self._wanted.wait()\n"
            "            await asyncio.sleep(0.02)  # as long as the flush before takes on a busy database\n",
        ),
    ),
)
DECISION = Break(
    "a turn that waits is not taken up for a decision",
    "decided turns that did not go on in time",
    ALONE,
    8,
    (Change("store/sql/turns.py", "state <> 'requested' AND NOT applied", "state = 'expired' AND NOT applied"),),
)

CONTINUED = Break(
    "a continued answer takes over what goes back with steps that it leaves out",
    "turns that ended as they should not",
    ALONE,
    20,
    (Change("store/sql/start.py", "FROM step WHERE step.turn = ? AND (", "FROM step WHERE step.turn = ? OR ("),),
)


def broken_copy(folder: Path, what: Break) -> Path:
    """Copy the sources and break them; return the folder to import them from."""
    copy = folder / "src"
    shutil.copytree(SOURCES, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for change in what.changes:
        path = copy / "luxx" / change.file
        text = path.read_text()
        assert text.count(change.old) == 1, f"{change.file} no longer has what is to be broken: {change.old}"
        path.write_text(text.replace(change.old, change.new))
    return copy
