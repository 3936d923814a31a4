"""One run: a cluster, its load and its faults for so many seconds, then quiet, then the verdict."""

import asyncio
import contextlib
import random
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import aiohttp

from luxx.client import ClientError
from luxx.tools.demo import LedgerLine
from tests.chaos import verdict, waits
from tests.chaos.asked import Asked
from tests.chaos.cluster import TTL, Cluster, cluster
from tests.chaos.load import Load
from tests.chaos.memory import MOST_GROWTH, Memory
from tests.chaos.plan import OUTER_WIRES, WIRES, Fault, blows
from tests.postgres_server import PostgresServer

AT_ONCE = 8
CALM_TURNS = 6
SETTLE = 60.0
"""Seconds from the last fault in which every turn and every reader must come to its end."""
SHORT_PATIENCE, LONG_PATIENCE = 5.0, 20.0
"""Seconds that a call waits for a person, in a short run and in a long one."""
ENOUGH_MEMORY = 400
"""Megabytes that no node needs, however long it runs."""


class Outcome:
    """What a run gave: `wrong` must be empty, `report` is for people."""

    def __init__(self, wrong: list[verdict.Wrong], report: list[str]) -> None:
        self.wrong = wrong
        self.report = report


async def run_chaos(
    folder: Path,
    seed: int,
    seconds: float,
    faults: Sequence[Fault],
    *,
    postgres: PostgresServer | None = None,
    nodes: int = 1,
) -> Outcome:
    """Let it all happen, and judge."""
    dice = random.Random(seed)
    patience = max(SHORT_PATIENCE, min(LONG_PATIENCE, seconds / 4))
    async with (
        cluster(folder, dice, postgres, nodes, approval_timeout=patience) as at,
        aiohttp.ClientSession() as session,
    ):
        load, memory = Load(at, session, dice), Memory(at.nodes)
        left = await _let_happen(at, load, memory, seed, seconds, faults)
        wrong = [("readers left behind", left)] if left else []
        wrong += [("model calls that nobody stopped", f"{at.model.running}")] * bool(at.model.running)
        wrong += _of_memory(memory)
        wrong += await judge(at, load.asked)
        return Outcome(
            wrong, _report(at, load.asked, memory, wrong, f"--chaos-seed {seed} --chaos-seconds {seconds:g}")
        )


async def _let_happen(
    at: Cluster, load: Load, memory: Memory, seed: int, seconds: float, faults: Sequence[Fault]
) -> str:
    """Return who had not come to an end in time."""
    stopped = asyncio.Event()
    try:
        async with asyncio.timeout(seconds + SETTLE + 2 * TTL), asyncio.TaskGroup() as group:
            watching = group.create_task(memory.watch())
            loading = group.create_task(load.run(seconds, AT_ONCE))
            troubles = (faults, WIRES if at.wires.database else OUTER_WIRES)
            striking = [group.create_task(_strike(at, stopped, seed, trouble)) for trouble in troubles]
            await asyncio.sleep(seconds)
            stopped.set()
            await asyncio.wait(striking)
            load.people.be_calm()
            calm = [group.create_task(load.turn(disturbed=False)) for _ in range(CALM_TURNS)]
            await asyncio.wait([loading, *calm])
            watching.cancel()
    except TimeoutError:
        behind = [it.name for asked in load.asked for it in asked.readers if not (it.ended or it.gone)]
        unanswered = [f"turn {asked.number} was never started" for asked in load.asked if not asked.turn_id]
        return ", ".join(behind + unanswered) or "a request without an answer"
    return ""


async def _strike(at: Cluster, stopped: asyncio.Event, seed: int, faults: Sequence[Fault]) -> None:
    for blow in blows(f"{seed} {faults[0]}", faults, len(at.nodes), TTL):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), blow.after)
        if stopped.is_set():
            return
        await at.strike(blow)


def _of_memory(memory: Memory) -> list[verdict.Wrong]:
    grown = [str(life) for life in memory.long_lives if life.end - life.warm > MOST_GROWTH]
    grown += [f"{memory.largest} MB"] * (memory.largest > ENOUGH_MEMORY)
    return [("nodes whose memory grew", what) for what in grown]


async def judge(at: Cluster, asked: Sequence[Asked]) -> list[verdict.Wrong]:
    """Hold all that was shown against what the servers, the tools and their logs say now."""
    wrong: list[verdict.Wrong] = []
    ledger = at.ledger()
    for turn in asked:
        wrong += turn.wrong
        wrong += [one for shown in turn.readers for one in shown.wrong]
        if turn.deleted:
            wrong += verdict.of_deleted(turn) + waits.of_deleted(turn, ledger)
        elif turn.turn_id:
            wrong += await _judge_turn(at, turn, ledger)
    wrong += verdict.of_tools(asked, ledger)
    for node in at.nodes:
        wrong += verdict.of_server_log(node.log(), asked)
    wrong += waits.of_woken(asked, [node.log() for node in at.nodes])
    for client in at.clients:
        wrong += [(waits.LISTED, f"{it.turn_id}: call {it.approval.index}") for it in await client.approvals()]
    return wrong + [("stops that hung", f"{at.hung_stops}")] * bool(at.hung_stops)


async def _judge_turn(at: Cluster, asked: Asked, ledger: Sequence[LedgerLine]) -> list[verdict.Wrong]:
    client = at.clients[asked.number % len(at.clients)]
    log = []
    try:
        turn = await client.turn(asked.turn_id)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(20 if turn.ended else 1):
                async for entry in client.follow(asked.turn_id):
                    log.append(entry)
        messages = (await client.messages(asked.conversation_id, leaf=asked.message_id)).items
    except ClientError as error:
        return [("turns without an end", f"turn {asked.number} cannot be read: {error.message}")]
    gone = [
        ("answers that should not be", f"{it.name}: 404 for a turn that is there") for it in asked.readers if it.gone
    ]
    cut = asked.over_http and (asked.broke_off or at.model.broke_off(asked.text))
    wrong = gone + verdict.of_turn(asked, verdict.Kept(turn, tuple(log), messages, cut))
    return wrong + (waits.of_turn(asked, log, ledger) if asked.asking else [])


def _report(
    at: Cluster, asked: Sequence[Asked], memory: Memory, wrong: Sequence[verdict.Wrong], options: str
) -> list[str]:
    shown = [it for turn in asked for it in turn.readers]
    stall = max((it.longest_stall for turn in asked if not turn.asking for it in turn.readers), default=0)
    where = f"{len(at.nodes)} nodes on PostgreSQL" if len(at.nodes) > 1 else "one node on SQLite"
    lost = sum(wire.lost for wire in at.wires.database)
    lines = [
        f"chaos: {where}, {options}",
        f"  {len(asked)} turns, {len(shown)} readers, {sum(len(it.entries) for it in shown)} events shown",
        f"  {sum(turn.refused for turn in asked)} turns to be refused by the database, {at.model.counts()}",
        f"  {waits.counts(asked)}",
        *going_on_lines(asked),
        "  faults: " + ", ".join(f"{kind} {n}" for kind, n in sorted(at.counts.items())),
        f"  answers to a COMMIT that were lost: {lost}" if at.wires.database else "",
        f"  longest stall of a reader {stall:.1f} s, longest stop {at.longest_stop:.1f} s, largest node {memory.largest} MB,"
        f" starts repeated {sum(node.repeated_starts for node in at.nodes)}",
        *(f"  a long life: {life}" for life in memory.long_lives),
    ]
    return [*filter(None, lines), *takeover_lines(verdict.takeovers(asked, at.done)), *count_lines(wrong)]


def going_on_lines(asked: Sequence[Asked]) -> list[str]:
    """Say how long it took until readers saw what was decided."""
    times = waits.seconds_to_go_on(asked)
    if not times:
        return []
    found = f"median {statistics.median(times):.1f} s, longest {max(times):.1f} s"
    return [f"  decisions seen by readers: {len(times)}, {found} after they were acknowledged"]


def takeover_lines(found: Mapping[str, list[float]]) -> list[str]:
    """Say for each fault how long takeovers took."""
    return [
        f"  takeover after {kind}: {len(times)}, median {statistics.median(times):.1f} s, longest {max(times):.1f} s"
        for kind, times in sorted(found.items())
    ]


def count_lines(wrong: Sequence[verdict.Wrong]) -> list[str]:
    """Count everything that must not happen, and say where it did."""
    counts = Counter(kind for kind, _ in wrong)
    lines = [f"  {counts[kind]} {kind}" for kind in verdict.MUST_NOT_HAPPEN]
    return lines + [f"    {kind}: {what}" for kind, what in wrong[:40]]
