"""The suite notices what it is there for: with the fence, the commit order, the wake order or another promise broken, it fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.breaks import (
    CLAIM,
    COMMIT_ORDER,
    CONTINUED,
    DECISION,
    FENCE,
    LOST_ANSWER,
    WAKE_ORDER,
    Break,
    broken_copy,
)
from tests.chaos.verdict import MUST_NOT_HAPPEN

BREAKS = (FENCE, COMMIT_ORDER, WAKE_ORDER, LOST_ANSWER, CLAIM, DECISION, CONTINUED)
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 280


@pytest.mark.parametrize("what", BREAKS, ids=lambda what: what.name)
def test_what_is_to_be_broken_is_still_there(what: Break, tmp_path: Path) -> None:
    broken_copy(tmp_path, what)


@pytest.mark.breaks
@pytest.mark.timeout(PATIENCE + 20)
@pytest.mark.parametrize("what", BREAKS, ids=lambda what: what.name)
def test_a_server_broken_on_purpose_makes_the_suite_fail(what: Break, tmp_path: Path, chaos_report: list[str]) -> None:
    copy = broken_copy(tmp_path, what)
    arguments = [f"tests/chaos/{what.test}", "--chaos-seconds", str(what.seconds), f"--basetemp={tmp_path / 'run'}"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(copy)}  # noqa: TID251 - the child's, not ours
    ran = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    noticed = sorted({line.strip() for line in ran.stdout.splitlines() if _is_count(line)})
    chaos_report += [f"broken on purpose: {what.name}", *(f"  {line}" for line in noticed)]
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED, ran.stdout
    assert any(line.endswith(f" {what.noticed}") for line in noticed), ran.stdout


def _is_count(line: str) -> bool:
    """Whether a line of the report counts something that must not happen."""
    number, _, kind = line.strip().partition(" ")
    return line.startswith("  ") and number.isdecimal() and int(number) > 0 and kind in MUST_NOT_HAPPEN
