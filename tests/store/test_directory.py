"""The data directory: which file system it is on."""

import fcntl
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from luxx.core.errors import ConfigurationError
from luxx.store.directory import DataDirectory, file_system, make_private

MOUNTED = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:26 / {root}/net rw,relatime shared:9 - cifs //server/share rw
31 30 8:2 / {root}/net/disk rw - xfs /dev/sdb1 rw
32 22 0:27 / {root}/my\\040files rw shared:2 master:3 - fuse.sshfs me@host: rw
33 22 0:28 / {root}/twice rw - nfs server:/a rw
34 33 8:3 / {root}/twice rw - btrfs /dev/sdc1 rw
nonsense
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    path = tmp_path / "mountinfo"
    path.write_text(MOUNTED.format(root=tmp_path))
    return path


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("local", "ext4"),
        ("network", "ext4"),
        ("net", "cifs"),
        ("net/below/far", "cifs"),
        ("net/disk/data", "xfs"),
        ("my files/data", "fuse.sshfs"),
        ("twice/data", "btrfs"),
    ],
)
def test_the_innermost_mount_counts(tmp_path: Path, mounts: Path, place: str, kind: str) -> None:
    assert file_system(tmp_path / place, mounts) == kind


def test_a_link_is_followed(tmp_path: Path, mounts: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "net")
    assert file_system(tmp_path / "link" / "data", mounts) == "cifs"


@pytest.mark.parametrize("place", ["net/data", "my files/data"])
def test_network_file_systems_are_refused(tmp_path: Path, mounts: Path, place: str) -> None:
    with pytest.raises(ConfigurationError, match="network file system"):
        DataDirectory(tmp_path / place, mounts)


def test_where_the_system_does_not_tell_nothing_is_refused(tmp_path: Path) -> None:
    assert file_system(tmp_path, tmp_path / "absent") == ""
    DataDirectory(tmp_path / "data", tmp_path / "absent").close()


def test_a_file_in_the_place_of_the_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(ConfigurationError, match="cannot be made: File exists"):
        make_private(tmp_path / "data")


def test_who_only_looks_whether_it_is_held_does_not_keep_another_from_taking_it(tmp_path: Path) -> None:
    def opened() -> int:
        return sum(
            os.path.realpath(f"/proc/self/fd/{fd}") == str(tmp_path / "lock") for fd in os.listdir("/proc/self/fd")
        )

    with ThreadPoolExecutor() as threads:
        with (tmp_path / "lock").open("w") as looking:
            fcntl.flock(looking, fcntl.LOCK_SH)
            taking = threads.submit(DataDirectory, tmp_path)
            while opened() < 2 and not taking.done():
                pass
        taking.result(10).close()
