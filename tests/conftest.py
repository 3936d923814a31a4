"""What all tests share: a database server, logs as they were, what is printed at the end, and CI's rule that nothing is left out."""

import logging
import os
from collections.abc import Iterator

import hypothesis
import pytest
import structlog

from tests.e2e.server import PATIENCE
from tests.postgres_server import PostgresServer
from tests.providers import cassettes

TOLD = "told"
WITH_SERVERS = ("cli", "e2e")
IN_BROWSER = "page"

hypothesis.settings.register_profile("luxx", deadline=None)  # a slow machine is no error: each test has its timeout
hypothesis.settings.load_profile("luxx")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give those who start servers their time, and those in the browser a second attempt, which is told at the end.

    A browser shares the machine with the servers, and where its time goes is not in a test's hands. Nothing else has a second attempt:
    what fails once of turns, storage or the command line is a defect.
    """
    for item in items:
        if item.path.parent.name == IN_BROWSER:
            item.add_marker(pytest.mark.flaky(reruns=1))
        if item.path.parent.name in WITH_SERVERS and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(PATIENCE))


@pytest.fixture(autouse=True)
def _logs_as_at_start() -> Iterator[None]:
    """What a command that ran in this process did to the logs is undone."""
    level, handlers = logging.root.level, list(logging.root.handlers)
    yield
    structlog.reset_defaults()
    logging.root.setLevel(level)
    logging.root.handlers[:] = handlers


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for all tests of this process, which starts when it is first needed."""
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture
def told(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Lines that are printed at the end, whichever process ran the test."""
    lines: list[str] = []
    yield lines
    request.node.user_properties += [(TOLD, line) for line in lines]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was told, and what was left out."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    for report in (report for report in reports if getattr(report, "when", "") == "teardown"):
        for name, line in report.user_properties:
            if name == TOLD:
                terminalreporter.write_line(line)
    if not cassettes.available():
        terminalreporter.write_line(f"No recordings in {cassettes.FOLDER}: the tests with them were left out.")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI nothing is left out: a skipped test fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line("\nTests were skipped, which CI counts as a failure.", red=True)
