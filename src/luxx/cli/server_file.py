"""The server file: how commands find the server that holds a data directory."""

import os
import sys
from pathlib import Path

import msgspec

try:
    import fcntl
except ImportError:  # Windows has none, and no server either
    fcntl = None

_NAME = "server.json"
_TOKEN = "owner-token"
_LOCK = "lock"


class RunningServer(msgspec.Struct, frozen=True):
    """A server's address and the process that it is.

    A `temporary` one belongs to a command and ends with it; a `shared` one works on a database and does not hold the directory.
    """

    url: str
    pid: int
    temporary: bool = False
    shared: bool = False


def write(data_dir: Path, url: str, *, temporary: bool = False, shared: bool = False) -> None:
    """Say that this process serves at an address; for the owner's eyes only."""
    target = data_dir / _NAME
    part = target.with_suffix(f".{os.getpid()}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.encode(RunningServer(url, os.getpid(), temporary, shared)))
    part.replace(target)


def remove(data_dir: Path) -> None:
    """Take back what this process wrote; another server's file stays."""
    if (found := _read(data_dir)) and found.pid == os.getpid():
        (data_dir / _NAME).unlink(missing_ok=True)


def find(data_dir: Path) -> RunningServer | None:
    """Return the server of a data directory, or None if there is none or its process no longer holds the directory.

    One on a shared database holds nothing: its process is there, but may be another that was given its number since.
    """
    found = _read(data_dir)
    if found is None:
        return None
    return found if (_alive(found.pid) if found.shared else holder(data_dir) == found.pid) else None


def holder(data_dir: Path) -> int | None:
    """Return the process that holds a data directory, by what its lock file says; None if it is gone.

    What the lock file says does not suffice: of one that was killed, the number may be another process's by now.
    """
    try:
        with (data_dir / _LOCK).open(encoding="ascii") as lock:
            pid = int(lock.read(32))
            return pid if _locked(lock.fileno()) and _alive(pid) else None
    except (OSError, ValueError):
        return None


def owner_token(data_dir: Path) -> str | None:
    """Return the owner's secret, if this data directory has one that this person may read."""
    try:
        return (data_dir / _TOKEN).read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


def _read(data_dir: Path) -> RunningServer | None:
    try:
        return msgspec.json.decode((data_dir / _NAME).read_bytes(), type=RunningServer)
    except (OSError, msgspec.DecodeError):
        return None


def _locked(file: int) -> bool:
    """Whether another has locked a file; see luxx.store.directory for how that one bears the look."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _alive(pid: int) -> bool:
    if pid <= 0:
        return False
    if sys.platform == "win32":  # where signal 0 is not harmless
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Whether a process has ended but its parent has not taken note of it (proc_pid_stat(5))."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return False
    return state[:1] == ["Z"]
