"""What all tests share: the browser they drive, their order, and CI's rule that nothing is left out."""

import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from tests.chromium import find_chromium, launch_arguments
from tests.postgres_server import PostgresServer


@pytest.fixture(autouse=True)
def _logs_as_at_start() -> Iterator[None]:
    """What a command that ran in this process did to the logs is undone."""
    level, handlers = logging.root.level, list(logging.root.handlers)
    yield
    structlog.reset_defaults()
    logging.root.setLevel(level)
    logging.root.handlers[:] = handlers


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """pytest-playwright's launch options, with the machine's own browser where there is one."""
    found = find_chromium()
    options = {**browser_type_launch_args, "args": launch_arguments()}
    return {**options, "executable_path": str(found)} if found else options


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for the whole run, which starts when it is first needed."""
    server = PostgresServer()
    yield server
    server.close()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: playwright's loop runs from its first use to the end, and no async test can start beside it."""
    items.sort(key=lambda item: "playwright" in getattr(item, "fixturenames", ()))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI nothing is left out: a skipped test fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line("\nTests were skipped, which CI counts as a failure.", red=True)
