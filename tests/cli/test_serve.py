"""luxx serve: how it starts, what it refuses, how it stops."""

import contextlib
import json
import signal
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest

from tests.cli.process import finish, invoke, read_until, run, serving, started


class Running(NamedTuple):
    """A server that the tests of this module share: none may stop it."""

    data_dir: Path
    address: str
    pid: int


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("serve") / "data"
    with serving(folder, "--host", "localhost") as (process, address):
        yield Running(folder, address, process.pid)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def hang_up(listening: socket.socket) -> None:
    """Take connections and end them without a word, until the socket is shut."""
    with contextlib.suppress(OSError):
        while True:
            listening.accept()[0].close()


def test_it_prints_where_it_is_and_the_secret_only_in_the_owners_link(data_dir: Path) -> None:
    with started(data_dir, "serve", "--port", "0") as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(6)]
        process.send_signal(signal.SIGINT)
        out, err = finish(process)
    token = (data_dir / "owner-token").read_text()
    assert [line for line in lines if token in line] == [line for line in lines if "/open?token=" in line]
    assert token not in out + err
    assert any(str(data_dir) in line for line in lines)
    assert process.returncode == 0


def test_its_address_is_in_the_server_file_while_it_runs(data_dir: Path) -> None:
    with serving(data_dir) as (process, address):
        path = data_dir / "server.json"
        assert json.loads(path.read_text()) == {"url": address, "pid": process.pid, "temporary": False, "shared": False}
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        process.terminate()
        assert process.wait(30) == 0
        assert not path.exists()


async def test_it_is_ready_when_it_says_where_it_is(running: Running) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{running.address}/api/ready") as response:
        assert response.status == 200


def test_logs_are_json_where_nobody_watches(data_dir: Path) -> None:
    with serving(data_dir, "--log-level", "debug") as (process, _):
        process.terminate()
        _, err = finish(process)
    assert all(json.loads(line)["event"] for line in err.splitlines())


def test_a_second_one_on_a_data_directory_is_refused(running: Running) -> None:
    done = invoke(running.data_dir, "serve", "--port", "0")
    assert done.exit_code == 1
    assert f"Luxx runs already at {running.address} (process {running.pid})" in done.stderr


def test_a_port_in_use_is_named_with_who_uses_it(running: Running, tmp_path: Path) -> None:
    port = running.address.rpartition(":")[2]
    done = run(tmp_path / "other", "serve", "--port", port)
    assert done.returncode == 1
    assert f"127.0.0.1:{port} is in use by another Luxx" in done.stderr
    assert "--port N" in done.stderr
    assert not (tmp_path / "other").exists()


def test_a_port_of_another_program_is_named_too(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        threading.Thread(target=hang_up, args=(other,), daemon=True).start()
        done = run(data_dir, "serve", "--port", str(other.getsockname()[1]))
        other.shutdown(socket.SHUT_RDWR)
    assert done.returncode == 1
    assert "in use by another program" in done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_an_address_that_others_can_reach_is_refused_with_the_reason(data_dir: Path, host: str) -> None:
    done = invoke(data_dir, "serve", "--host", host)
    assert done.exit_code == 1
    assert "no accounts yet" in done.stderr
    assert not data_dir.exists()


@pytest.mark.parametrize("host", ["127.0.0.2", "127.1", "0:0:0:0:0:0:0:1"])
def test_an_address_under_which_nobody_would_be_answered_is_refused(data_dir: Path, host: str) -> None:
    done = invoke(data_dir, "serve", "--host", host)
    assert done.exit_code == 1
    assert "take 127.0.0.1, ::1 or localhost" in done.stderr
    assert not data_dir.exists()


def test_the_name_of_this_machine_is_answered_to(running: Running) -> None:
    url = running.address.replace("127.0.0.1", "localhost")
    assert invoke(running.data_dir, "conversations", "list", "--url", url).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "variables", "complaint"),
    [
        (["--port", "99999"], {}, "LUXX_PORT"),
        (["--host", "no.such.host.invalid"], {}, "is not an address of this machine"),
        ([], {"LUXX_HEARTBEAT": "-1"}, "LUXX_HEARTBEAT"),
    ],
)
def test_wrong_settings_are_said_in_a_line(
    data_dir: Path, arguments: list[str], variables: dict[str, str], complaint: str
) -> None:
    done = invoke(data_dir, "serve", *arguments, **variables)
    assert done.exit_code == 1
    assert complaint in done.stderr


def test_a_secret_key_that_is_none_is_said_in_a_line(data_dir: Path) -> None:
    done = run(data_dir, "serve", "--port", "0", LUXX_SECRET_KEY="short")
    assert done.returncode == 1
    assert "Fernet" in done.stderr
    assert "Traceback" not in done.stderr


def test_options_win_over_variables(data_dir: Path, tmp_path: Path) -> None:
    with started(tmp_path / "wrong", "serve", "--port", "0", "--data-dir", str(data_dir)) as process:
        read_until(process, "  address  ")
        assert (data_dir / "luxx.db").exists()
        assert not (tmp_path / "wrong").exists()


def test_ctrl_c_twice_stops_at_once(data_dir: Path) -> None:
    with serving(data_dir) as (process, _):
        invoke(data_dir, "providers", "default", "Scripted")
        slow = json.dumps({"script": {"rounds": [[{"type": "text", "text": "x", "repeat": 9000, "delay_ms": 20}]]}})
        with started(data_dir, "chat", "--json", slow) as chat:
            read_until(chat, '"step_delta"')
            process.send_signal(signal.SIGINT)
            read_until(process, "stopping")
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
