"""The command line in processes of its own: with pipes, at a terminal, and as a server."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from typer.testing import CliRunner, Result

from luxx.cli.main import app

PATIENCE_S = 40
_MISSED_AFTER_S = 4
"""Seconds without an effect of a key that is then pressed again; too soon, it would be pressed twice."""
LUXX = (sys.executable, "-m", "luxx")


def environment(data_dir: Path, **more: str) -> Mapping[str, str]:
    """Return what a command gets: a data directory of its own, and a terminal of a known kind."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}  # noqa: TID251
    home = {"HOME": str(data_dir.parent), "TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    return {**kept, **home, "LUXX_DATA_DIR": str(data_dir), **more}


def run(data_dir: Path, *arguments: str, text: str | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with `text` piped in."""
    return subprocess.run(
        [*LUXX, *arguments],
        input=text or "",
        capture_output=True,
        encoding="utf-8",
        env=environment(data_dir, **more),
        cwd=data_dir.parent,
        timeout=PATIENCE_S,
        check=False,
    )


def invoke(data_dir: Path, *arguments: str, text: str | None = None, **variables: str) -> Result:
    """Run a command within this process, which is quicker; both outputs are no terminals."""
    return CliRunner().invoke(app, arguments, input=text, env={"LUXX_DATA_DIR": str(data_dir), **variables})


@contextmanager
def started(data_dir: Path, *arguments: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    """Start a command with pipes; it is killed on the way out if it still runs."""
    with subprocess.Popen(
        [*LUXX, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment(data_dir, **more),
        cwd=data_dir.parent,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def serving(data_dir: Path, *arguments: str, port: int = 0, **more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `luxx serve`, on any port if none is given; gives the process and its address."""
    with started(data_dir, "serve", "--port", str(port), "--demo", *arguments, **more) as process:
        yield process, read_until(process, "  address  ").split()[-1]


def latest(data_dir: Path) -> dict[str, Any]:
    """Return the conversation with the newest activity, and its messages."""
    return json.loads(invoke(data_dir, "conversations", "show", "last", "--json").stdout)


def read_until(process: subprocess.Popen[str], word: str) -> str:
    """Return the first line of standard output with a word in it."""
    assert process.stdout
    for line in process.stdout:
        if word in line:
            return line.strip()
    assert process.stderr
    raise AssertionError(f"{word!r} never came: {process.stderr.read()}")


def finish(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Wait for the end; return what is left of both outputs, which are short."""
    assert process.stdout
    assert process.stderr
    rest = process.stdout.read(), process.stderr.read()
    process.wait(PATIENCE_S)
    return rest


def script(*rounds: Sequence[Mapping[str, object]]) -> str:
    """Return the message that makes the scripted model play these rounds."""
    return json.dumps({"script": {"rounds": rounds}})


def say(text: str, **more: object) -> Mapping[str, object]:
    """Return the action that says something."""
    return {"type": "text", "text": text, **more}


def call(name: str, **arguments: object) -> Mapping[str, object]:
    """Return the action that calls a tool."""
    return {"type": "call", "name": name, "arguments": arguments}


class AtTerminal:
    """A command at a terminal of its own: what it shows is read, keys are typed."""

    def __init__(self, data_dir: Path, *arguments: str, **more: str) -> None:
        self.shown = ""
        self._arguments = arguments
        self._environment = environment(data_dir, **more)
        self._cwd = data_dir.parent
        self._pid = 0
        self._master = -1
        self._code: int | None = None

    def __enter__(self) -> Self:
        self._pid, self._master = pty.fork()
        if self._pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # who runs the tests in the background lets them ignore it
            os.chdir(self._cwd)
            os.execve(sys.executable, [*LUXX, *self._arguments], dict(self._environment))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._code is None:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self._master)

    def kill(self) -> None:
        """End it without a warning."""
        os.kill(self._pid, signal.SIGKILL)

    def wait_for(self, text: str) -> None:
        """Read until a text is shown."""
        until = time.monotonic() + PATIENCE_S
        while text not in self.shown:
            assert self._read(until), f"{text!r} never came:\n{self.shown}"

    def type(self, keys: str) -> None:
        """Type; \\x03 is Ctrl-C, \\x04 Ctrl-D, \\r the return key."""
        os.write(self._master, keys.encode())

    def press(self, key: str, until_shown: str) -> None:
        """Press a key until something is shown, as a person does: a Ctrl-C in the moment of another key may be missed."""
        for _ in range(PATIENCE_S // _MISSED_AFTER_S):
            self.type(key)
            soon = time.monotonic() + _MISSED_AFTER_S
            while until_shown not in self.shown and self._read(soon):
                pass
            if until_shown in self.shown:
                return
        raise AssertionError(f"{until_shown!r} never came:\n{self.shown}")

    def exit_code(self) -> int:
        """Wait for the end of the command."""
        until = time.monotonic() + PATIENCE_S
        while self._read(until):
            pass
        while self._code is None:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
            assert time.monotonic() < until, f"it does not end:\n{self.shown}"
        return self._code

    def _read(self, until: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0, until - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux's way to say that the other end is closed
            return False
        self.shown += data.decode("utf-8", "replace")
        return bool(data)
