"""Process: a program that is started on a core and surely ended."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.machine import on_cores

REPOSITORY = Path(__file__).resolve().parent.parent
READY_S = 30.0
STOP_S = 15.0
_LOOK_EVERY_S = 0.005
_LAST_WORDS = 2_000


class ProgramFailed(Exception):
    """A program of the benchmark did not do what it was started for."""


class Process:
    """A running program; its owner calls `stop` or `kill`. What it says goes to a file."""

    def __init__(
        self,
        command: Sequence[str],
        cores: int | Sequence[int],
        folder: Path,
        *,
        cwd: Path = REPOSITORY,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._log = folder / f"{Path(command[0]).name}-{time.monotonic_ns()}.log"
        with on_cores(cores), self._log.open("wb") as log:
            self._popen = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=cwd, env=env
            )
        self.pid = self._popen.pid

    def wait_for_port(self, port: int) -> None:
        """Wait until it listens. Raises ProgramFailed."""
        deadline = time.monotonic() + READY_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                self.require_alive(deadline)
            time.sleep(_LOOK_EVERY_S)

    def require_alive(self, deadline: float) -> None:
        """Raise ProgramFailed with its last words if it has ended, or the deadline (monotonic clock) has passed."""
        if self._popen.poll() is not None:
            raise ProgramFailed(f"it ended with {self._popen.returncode}:\n{self.last_words()}")
        if time.monotonic() > deadline:
            raise ProgramFailed(f"it was not ready in time:\n{self.last_words()}")

    def last_words(self) -> str:
        """Return the end of what it said."""
        return self._log.read_text(errors="replace")[-_LAST_WORDS:]

    def stop(self) -> None:
        """Ask it to end, and see that it does."""
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGTERM)
            try:
                self._popen.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End it at once, without a chance to tidy up."""
        self._popen.kill()
        self._popen.wait()


@contextmanager
def running(command: Sequence[str], core: int, folder: Path, port: int) -> Iterator[Process]:
    """Run a program that listens on a port."""
    process = Process(command, core, folder)
    try:
        process.wait_for_port(port)
        yield process
    finally:
        process.stop()
