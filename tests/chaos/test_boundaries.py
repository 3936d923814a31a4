"""Whatever strikes at whichever boundary of a turn, between any two of its events: it goes on, whole."""

import asyncio
import contextlib
import itertools
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import aiohttp
import pytest

from luxx.core.events import LogEntry
from tests.chaos.boundaries import Case, Moment, Strike, Sweep, every_moment, moments_of_a_wait, one_of_each
from tests.chaos.cluster import Cluster, cluster
from tests.chaos.run import count_lines, judge, takeover_lines
from tests.postgres_server import PostgresServer

BESIDE = 3
"""SQLite nodes, each on a database of its own, that share the work."""
MOST_MISSED = 0.2
"""The share of moments that need not come up: entries that shared a commit, or were one."""
PATIENCE = 900


@pytest.mark.timeout(PATIENCE)
async def test_struck_at_its_boundaries_a_turn_on_sqlite_stays_whole(
    tmp_path: Path, chaos_seed: int, chaos_long: bool, chaos_report: list[str]
) -> None:
    def cases(log: Sequence[LogEntry], wait: Sequence[LogEntry]) -> list[Case]:
        waits = [Case("kill", moment, waits=True) for moment in moments_of_a_wait(wait)]
        if not chaos_long:
            return [*waits[::3], *(Case("kill", moment) for moment in one_of_each(log)[::4])]
        stops = [Case("stop", case.moment, waits=True) for case in waits]
        others = [Case(strike, moment) for strike in ("kill", "stop") for moment in every_moment(log)]
        return [*waits, *stops, *others]

    async with contextlib.AsyncExitStack() as stack:
        dice = random.Random(chaos_seed)
        alone = [await stack.enter_async_context(cluster(tmp_path / f"{number}", dice)) for number in range(BESIDE)]
        await _sweep(alone, cases, dice, chaos_report)


@pytest.mark.timeout(PATIENCE)
async def test_struck_at_its_boundaries_a_turn_on_postgresql_stays_whole(
    tmp_path: Path, postgres: PostgresServer, chaos_seed: int, chaos_long: bool, chaos_report: list[str]
) -> None:
    def cases(log: Sequence[LogEntry], wait: Sequence[LogEntry]) -> list[Case]:
        if not chaos_long:
            frozen = [Case("freeze", Moment("claimed", tool="wait_unsafe")), Case("freeze", Moment("appended", seq=4))]
            waits = [Case("kill", moment, waits=True) for moment in moments_of_a_wait(wait)[1::3]]
            return [*frozen, *waits, *(Case("kill", moment) for moment in one_of_each(log)[2::5])]
        struck: tuple[Strike, ...] = ("kill", "stop", "freeze", "cancel")
        waits = [Case(strike, moment, waits=True) for strike in struck for moment in moments_of_a_wait(wait)]
        others = [it for it in every_moment(log) if it.point != "committed"]
        by_others = [Case(strike, moment) for strike in struck[1:] for moment in others]
        return [*waits, *(Case("kill", moment) for moment in every_moment(log)), *by_others]

    dice = random.Random(chaos_seed)
    async with cluster(tmp_path, dice, postgres, count=BESIDE + chaos_long) as at:
        await _sweep([at], cases, dice, chaos_report)


async def _sweep(
    clusters: Sequence[Cluster],
    choose: Callable[[Sequence[LogEntry], Sequence[LogEntry]], list[Case]],
    dice: random.Random,
    report: list[str],
) -> None:
    """Meet the cases that are chosen for the logs of two undisturbed turns, the second of which waits for a person, shared between
    the clusters, and judge.
    """
    async with aiohttp.ClientSession() as session:
        sweeps = [Sweep(at, session, dice) for at in clusters]
        log = await sweeps[0].undisturbed()
        cases = choose(log, await sweeps[0].undisturbed(waits=True))
        async with asyncio.TaskGroup() as group:
            for number, sweep in enumerate(sweeps):
                group.create_task(sweep.run(cases[number :: len(sweeps)]))
        wrong = [one for at, sweep in zip(clusters, sweeps, strict=True) for one in await judge(at, sweep.asked)]
    met = sum((sweep.met for sweep in sweeps), Counter[str]())
    missed = [case for sweep in sweeps for case in sweep.missed]
    takeovers: dict[str, list[float]] = {}
    for strike, seconds in itertools.chain.from_iterable(sweep.takeovers for sweep in sweeps):
        takeovers.setdefault(strike, []).append(seconds)
    struck = ", ".join(f"{strike} at {times}" for strike, times in met.items())
    report += [
        f"boundaries of a turn of {len(log)} events, {len(clusters)} x {len(clusters[0].nodes)} nodes: {struck}",
        f"  {len(missed)} did not come up: {', '.join(missed[:20])}",
        *takeover_lines(takeovers),
        *count_lines(wrong),
    ]
    assert not wrong, report
    assert len(missed) <= MOST_MISSED * len(cases), report
