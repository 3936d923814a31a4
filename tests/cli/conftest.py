"""What the tests of the command line share: a server that none of them stops."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.process import invoke, serving


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data directory of a server whose default is the scripted model; no test stops it, or changes that for good."""
    folder = tmp_path_factory.mktemp("served") / "data"
    with serving(folder):
        assert invoke(folder, "providers", "default", "Scripted").exit_code == 0
        yield folder
