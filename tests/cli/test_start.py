"""What starting the command line costs: a command loads what it needs and no more."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("luxx.cli", {"aiohttp", "pydantic", "structlog", "fastapi", "sqlalchemy", "uvicorn", "asyncio", "rich"}),
        ("luxx.cli.chat", {"fastapi", "sqlalchemy", "uvicorn", "structlog", "alembic", "rich"}),
        ("luxx.cli.providers", {"fastapi", "sqlalchemy", "uvicorn", "structlog", "alembic", "rich"}),
    ],
)
def test_a_command_does_not_load_what_it_does_not_need(module: str, heavy: set[str]) -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", f"import {module}, sys; print(*sys.modules)"],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    assert not heavy & set(loaded.stdout.split())
