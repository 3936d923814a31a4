"""Load side: the mock model and the clients, on the core that the server under test does not have.

Two of a kind: programs of this package in Python, and a harness of two Go programs, `mockllm` and `chatload`, which takes less
of its core. Its sources are no part of the project: they are built where they are found.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from benchmarks.machine import free_port, on_cores
from benchmarks.process import REPOSITORY, ProgramFailed, running
from benchmarks.shots import Seen, Shot

BUILD_S = 300
SHOT_S = 120
USUAL_HARNESS = REPOSITORY.parent / "shared" / "bench"


class LoadSide(Protocol):
    """Knows the commands that make the load."""

    name: str

    def mock_command(self, port: int) -> list[str]:
        """Return the command that serves the model."""
        ...

    def fire_command(self, shot: Shot, folder: Path) -> list[str]:
        """Return the command that plays a shot, which it gets on standard input."""
        ...


class PythonLoad:
    """The load side in Python."""

    name = "python"

    def mock_command(self, port: int) -> list[str]:
        """Return the command that serves the model."""
        return [sys.executable, "-m", "benchmarks.mock", str(port)]

    def fire_command(self, shot: Shot, folder: Path) -> list[str]:
        """Return the command that plays a shot, which it gets on standard input."""
        return [sys.executable, "-m", "benchmarks.load"]


class GoLoad:
    """The load side in Go: the programs in `bin`."""

    name = "go"

    def __init__(self, bin_folder: Path) -> None:
        self._bin = bin_folder

    def mock_command(self, port: int) -> list[str]:
        """Return the command that serves the model."""
        return [str(self._bin / "mockllm"), "-addr", f"127.0.0.1:{port}"]

    def fire_command(self, shot: Shot, folder: Path) -> list[str]:
        """Return the command that plays a shot; what is too long for a command goes to files in `folder`."""
        (folder / "body.json").write_text(shot.body)
        (folder / "ids").write_text("\n".join(shot.ids))
        options = {
            "url": f"http://127.0.0.1:{shot.port}",
            "target": "sse",
            "path": shot.path,
            "body": f"@{folder / 'body.json'}",
            "ids": folder / "ids",
            "until": shot.until,
            "mock": shot.directive,
            "c": shot.streams,
            "total": shot.turns,
            "ramp": f"{shot.ramp_s}s",
            "timeout": f"{shot.timeout_s}s",
            "reuse": "true",
        }
        return [str(self._bin / "chatload"), *(f"-{name}={value}" for name, value in options.items())]


def find_harness(named: Path | None) -> Path | None:
    """Return the folder of the Go harness: the one named, else the usual one; None if it is not there, or Go is not."""
    folder = (named or USUAL_HARNESS).resolve()
    return folder if (folder / "go" / "go.mod").exists() and shutil.which("go") else None


def build_harness(folder: Path, cache: Path) -> GoLoad:
    """Build the harness in place into `cache`. Raises ProgramFailed."""
    bin_folder = cache / "bin"
    bin_folder.mkdir(parents=True, exist_ok=True)
    built = subprocess.run(
        ["go", "build", "-o", f"{bin_folder}/", "./..."],
        cwd=folder / "go",
        capture_output=True,
        text=True,
        timeout=BUILD_S,
        check=False,
    )
    if built.returncode:
        raise ProgramFailed(f"go build failed: {built.stderr}")
    return GoLoad(bin_folder)


@contextmanager
def mock(side: LoadSide, core: int, folder: Path) -> Iterator[int]:
    """Run the model; gives its port."""
    port = free_port()
    with running(side.mock_command(port), core, folder, port):
        yield port


def fire(side: LoadSide, shot: Shot, core: int, folder: Path) -> Seen:
    """Play a shot to its end. Raises ProgramFailed."""
    with on_cores(core):
        played = subprocess.run(
            side.fire_command(shot, folder),
            input=msgspec.json.encode(shot),
            capture_output=True,
            timeout=SHOT_S,
            cwd=REPOSITORY,
            check=False,
        )
    if played.returncode:
        raise ProgramFailed(f"the load failed: {played.stderr.decode(errors='replace')[-2000:]}")
    return msgspec.json.decode(played.stdout, type=Seen)
