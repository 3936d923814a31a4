"""The data directory: private to its owner, on a local disk, and held by one process at a time."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from luxx.core.errors import ConfigurationError, DirectoryInUse

MOUNTS = Path("/proc/self/mountinfo")
"""Linux's list of what is mounted where (proc_pid_mountinfo(5)); on other systems nothing is checked."""

_NETWORK_TYPES = frozenset(
    {
        "9p",
        "afs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "gfs2",
        "glusterfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "smb3",
        "smbfs",
    }
)
_NETWORK_FUSE = (
    "fuse.sshfs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.davfs",
    "fuse.glusterfs",
    "fuse.ceph",
    "fuse.gcsfuse",
    "fuse.smbnetfs",
)


class DataDirectory:
    """Holds the directory until it is closed."""

    def __init__(self, path: Path, mounts: Path = MOUNTS) -> None:
        """Make the directory if need be and take it.

        Raises DirectoryInUse if another process holds it, and ConfigurationError if it cannot be made or lies on a network
        file system.
        """
        self.path = path
        try:
            make_private(path)
            _refuse_network(path, mounts)
            self._lock = _lock(path)
        except OSError as error:
            raise ConfigurationError(f"The data directory {path} cannot be used: {error.strerror or error}.") from error

    def close(self) -> None:
        """Let the directory go."""
        os.close(self._lock)


def make_private(path: Path) -> None:
    """Make a directory that only its owner may enter; one that is there already stays as it is. Raises ConfigurationError."""
    if path.is_dir():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"The data directory {path} cannot be made: {error.strerror or error}.") from error


def _lock(path: Path) -> int:
    """Return the open lock file; the lock goes with the process, however it ends."""
    lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    while not _flock(lock, fcntl.LOCK_EX):
        if _flock(lock, fcntl.LOCK_SH):  # who shares it only looks whether it is held, and lets go at once
            fcntl.flock(lock, fcntl.LOCK_UN)
            continue
        holder = os.pread(lock, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(lock)
        raise DirectoryInUse(
            f"The data directory {path} is in use by another Luxx (process {holder})."
            " Stop that one first, or give this one a data directory of its own."
        )
    os.truncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock


def _flock(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _refuse_network(path: Path, mounts: Path) -> None:
    kind = file_system(path, mounts)
    if kind in _NETWORK_TYPES or kind.startswith(_NETWORK_FUSE):
        raise ConfigurationError(
            f"The data directory {path} is on a network file system ({kind}), where SQLite's locks cannot be trusted."
            " Choose a directory on a local disk."
        )


def file_system(path: Path, mounts: Path = MOUNTS) -> str:
    """Return the type of the file system that a path lies on, or nothing where the system does not tell."""
    place = path.resolve()
    best, kind = -1, ""
    for mount_point, mounted_kind in _mounted(mounts):
        depth = len(mount_point.parts)
        if depth >= best and place.is_relative_to(mount_point):  # of two on one place, the later hides the earlier
            best, kind = depth, mounted_kind
    return kind


def _mounted(mounts: Path) -> Iterator[tuple[Path, str]]:
    text = ""
    with contextlib.suppress(OSError):
        text = mounts.read_text(encoding="utf-8", errors="surrogateescape")
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(" "), after.split(" ")
        if len(fields) > 4 and kinds[0]:
            yield Path(_unescaped(fields[4])), kinds[0]


def _unescaped(field: str) -> str:
    r"""Undo the kernel's \040 and the like for blanks, tabs, line ends and backslashes."""
    for escape, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(escape, character)
    return field
