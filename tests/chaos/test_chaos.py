"""Whatever happens to servers, database and network at random moments: nothing is lost, doubled, invented or run twice."""

from pathlib import Path

import pytest

from tests.chaos.plan import ALONE, LONG_LIVED, SHARED
from tests.chaos.run import run_chaos
from tests.postgres_server import PostgresServer


async def test_one_node_on_sqlite_keeps_every_promise(
    tmp_path: Path, chaos_seed: int, chaos_seconds: float, chaos_report: list[str]
) -> None:
    outcome = await run_chaos(tmp_path, chaos_seed, chaos_seconds, ALONE)
    chaos_report += outcome.report
    assert not outcome.wrong, outcome.report


async def test_three_nodes_on_postgresql_keep_every_promise(
    tmp_path: Path, postgres: PostgresServer, chaos_seed: int, chaos_seconds: float, chaos_report: list[str]
) -> None:
    outcome = await run_chaos(tmp_path, chaos_seed, chaos_seconds, SHARED, postgres=postgres, nodes=3)
    chaos_report += outcome.report
    assert not outcome.wrong, outcome.report


@pytest.mark.long
async def test_one_node_on_sqlite_that_lives_long_does_not_grow(
    tmp_path: Path, chaos_seed: int, chaos_seconds: float, chaos_report: list[str]
) -> None:
    outcome = await run_chaos(tmp_path, chaos_seed, chaos_seconds, LONG_LIVED)
    chaos_report += outcome.report
    assert not outcome.wrong, outcome.report
