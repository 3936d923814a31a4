"""The tests of this folder need the recordings; without them they are not collected, and a line says so."""

import pytest

from tests.providers import cassettes

collect_ignore_glob = [] if cassettes.available() else ["test_*.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not cassettes.available():
        terminalreporter.write_line(f"No recordings in {cassettes.FOLDER}: the tests with them were left out.")
