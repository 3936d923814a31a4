"""How commands find the server of a data directory."""

import os
import stat
from pathlib import Path

import pytest

from luxx.cli import server_file
from luxx.cli.server_file import RunningServer
from tests.cli.passing import held

GONE = 2**22 + 1
"""A process id above the highest that Linux gives."""


def test_a_server_is_found_by_what_it_wrote(tmp_path: Path) -> None:
    server_file.write(tmp_path, "http://127.0.0.1:1")
    with held(tmp_path, os.getpid()):
        assert server_file.find(tmp_path) == RunningServer("http://127.0.0.1:1", os.getpid())


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    server_file.write(tmp_path, "http://127.0.0.1:1")
    (found,) = tmp_path.iterdir()
    assert stat.S_IMODE(found.stat().st_mode) == 0o600


def test_a_server_that_stopped_is_not_found(tmp_path: Path) -> None:
    server_file.write(tmp_path, "http://127.0.0.1:1")
    server_file.remove(tmp_path)
    with held(tmp_path, os.getpid()):
        assert server_file.find(tmp_path) is None


def test_a_server_that_was_killed_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "server.json").write_text(f'{{"url": "http://127.0.0.1:1", "pid": {GONE}}}')
    with held(tmp_path, GONE):  # by one that has not said yet who it is
        assert server_file.find(tmp_path) is None
        assert server_file.holder(tmp_path) is None


def test_a_process_that_has_the_number_of_one_that_was_killed_is_not_its_server(tmp_path: Path) -> None:
    server_file.write(tmp_path, "http://127.0.0.1:1")
    with held(tmp_path, os.getpid()):
        pass
    assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
    assert server_file.find(tmp_path) is None
    assert server_file.holder(tmp_path) is None


def test_a_process_that_does_not_hold_the_directory_is_not_its_server(tmp_path: Path) -> None:
    server_file.write(tmp_path, "http://127.0.0.1:1")
    with held(tmp_path, os.getppid()):
        assert server_file.find(tmp_path) is None


def test_the_file_of_another_process_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "server.json"
    path.write_text(f'{{"url": "http://127.0.0.1:1", "pid": {os.getppid()}}}')
    server_file.remove(tmp_path)
    assert path.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"url": 1, "pid": "x"}', b"\xff"])
def test_a_broken_file_is_no_server(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "server.json").write_bytes(content)
    with held(tmp_path, os.getpid()):
        assert server_file.find(tmp_path) is None


@pytest.mark.parametrize("content", ["", "-1", "0", "x", "9" * 40])
def test_a_lock_that_names_no_process_holds_nothing(tmp_path: Path, content: str) -> None:
    with held(tmp_path, os.getpid()):
        (tmp_path / "lock").write_text(content)
        assert server_file.holder(tmp_path) is None
