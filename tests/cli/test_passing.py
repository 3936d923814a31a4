"""Servers that begin and end while others look for one."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.cli.passing import held, is_held, losing, passing
from tests.cli.process import (
    LUXX,
    AtTerminal,
    environment,
    finish,
    invoke,
    latest,
    read_until,
    run,
    say,
    script,
    serving,
    started,
)
from tests.ports import free_port

PROMPT = "> "


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory in which the scripted model answers, and has answered once."""
    folder = tmp_path_factory.mktemp("passing") / "data"
    assert invoke(folder, "providers", "add", "Mine", "--format", "scripted", "--default").exit_code == 0
    assert run(folder, "chat", script([say("Before.")])).stdout == "Before.\n"
    return folder


@pytest.fixture
def answering(answered: Path, data_dir: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(answered, data_dir)


def until(true: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 40
    while not true():
        assert time.monotonic() < end, process.poll()


def pipe_that_is_read(pipe: Path, process: subprocess.Popen[str]) -> int:
    """Wait until a process reads a pipe, which then waits for what is written."""
    ends: list[int] = []

    def is_read() -> bool:
        with contextlib.suppress(OSError):
            ends.append(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        return bool(ends)

    until(is_read, process)
    return ends[0]


def test_a_command_finds_another_server_when_the_one_it_found_ends_before_it_asks(answering: Path) -> None:
    with passing(answering, ends_at="/api/health"):
        done = run(answering, "conversations", "list", "--json")
    assert (done.returncode, len(json.loads(done.stdout or "[]")), done.stderr) == (0, 1, "")


def test_what_is_asked_for_is_changed_once_when_the_server_found_ends(answering: Path) -> None:
    with passing(answering, ends_at="/api/health"):
        done = run(answering, "providers", "add", "Other", "--format", "scripted", "--no-test")
    assert done.returncode == 0, done.stderr
    listed = json.loads(invoke(answering, "providers", "list", "--json").stdout)
    assert [provider["name"] for provider in listed] == ["Embedded model", "Mine", "Other"]


def test_a_chat_does_not_take_a_server_that_takes_no_turns(answering: Path) -> None:
    with passing(answering, ends_at="/api/ready", takes_turns=False):
        done = run(answering, "chat", script([say("After.")]))
    assert (done.returncode, done.stdout, done.stderr) == (0, "After.\n", "")


def test_a_chat_goes_to_another_server_when_the_one_it_found_takes_no_more_turns(answering: Path) -> None:
    with passing(answering, ends_at="/api/ready", times=2):
        done = run(answering, "chat", script([say("After.")]))
    assert (done.returncode, done.stdout, done.stderr) == (0, "After.\n", "")


def test_a_message_that_arrived_is_answered_though_the_server_died_before_it_could_say_so(answering: Path) -> None:
    with AtTerminal(answering, "chat", NO_COLOR="1") as first:
        first.wait_for(PROMPT)
        with losing(answering, "/messages", first.kill):
            done = run(answering, "chat", "--temperature", "0.5", script([say("After.")]))
    assert (done.returncode, done.stdout, done.stderr) == (0, "After.\n", "")
    asked = [message["role"] for message in latest(answering)["messages"]]
    assert asked == ["user", "assistant"]


def test_a_conversation_is_opened_when_the_server_found_ends(answering: Path) -> None:
    with passing(answering, ends_at="/api/ready"):
        done = run(answering, "chat", "-c", "last", script([say("After.")]))
    assert (done.returncode, done.stdout, done.stderr) == (0, "After.\n", "")
    assert len(json.loads(invoke(answering, "conversations", "list", "--json").stdout)) == 1


def test_a_file_is_attached_when_the_server_found_ends(answering: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Notes.")
    with passing(answering, ends_at="/api/ready"):
        done = run(answering, "chat", "-f", str(tmp_path / "notes.txt"), script([say("After.")]))
    assert (done.returncode, done.stdout, done.stderr) == (0, "After.\n", "")
    assert [file["name"] for file in latest(answering)["messages"][0]["attachments"]] == ["notes.txt"]


def test_a_turn_is_shown_when_the_server_found_ends(answering: Path) -> None:
    with started(answering, "chat", "--json", script([say("Shown.")])) as chat:
        turn = json.loads(read_until(chat, '"turn"'))["data"]["turn_id"]
        finish(chat)
    with passing(answering, ends_at="/api/ready"):
        done = run(answering, "chat", "--attach", turn)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Shown.\n", "")


def test_a_talk_asks_again_for_an_answer_after_its_server_has_ended(answering: Path) -> None:
    def talk() -> AtTerminal:
        return AtTerminal(answering, "chat", "-c", "last", NO_COLOR="1", COLUMNS="1000")

    with talk() as first:
        first.wait_for(PROMPT)
        with talk() as second:
            second.wait_for(PROMPT)
            first.type("\x04")
            assert first.exit_code() == 0
            second.shown = ""
            second.type("/retry\r")
            second.wait_for("Before.")
            second.wait_for(PROMPT)
            second.type("\x04")
            assert second.exit_code() == 0


def test_a_server_waits_for_a_command_that_holds_its_directory(data_dir: Path) -> None:
    with contextlib.ExitStack() as holding:
        holding.enter_context(held(data_dir, os.getpid()))
        with started(data_dir, "serve", "--port", "0") as process:
            read_until(process, "waiting for a command that uses the data directory")
            holding.close()
            read_until(process, "  address  ")
            process.terminate()
            assert finish(process)[1] == ""
    assert process.returncode == 0


def test_a_server_starts_though_it_has_the_number_of_one_that_was_killed(data_dir: Path) -> None:
    data_dir.mkdir()
    left = (
        'echo $$ >"$0/lock"; echo "{\\"url\\": \\"http://127.0.0.1:1\\", \\"pid\\": $$}" >"$0/server.json"; exec "$@"'
    )
    with subprocess.Popen(
        ["sh", "-c", left, str(data_dir), *LUXX, "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment(data_dir),
        cwd=data_dir.parent,
    ) as process:
        try:
            read_until(process, "  address  ")
        finally:
            process.kill()


def test_of_two_servers_that_start_at_one_address_the_second_is_told_who_is_there(data_dir: Path) -> None:
    data_dir.mkdir()
    key = data_dir / "secret.key"
    os.mkfifo(key)  # so that it stays at its start
    port = str(free_port())
    with started(data_dir, "serve", "--port", port) as first:
        end = pipe_that_is_read(key, first)
        second = run(data_dir.parent / "other", "serve", "--port", port)
        os.write(end, Fernet.generate_key())
        os.close(end)
        read_until(first, "  address  ")
    assert second.returncode == 1
    assert f"127.0.0.1:{port} is in use by another program, or by a Luxx that is starting" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_server_takes_its_file_back_while_no_other_can_have_written_one(data_dir: Path) -> None:
    with serving(data_dir) as (process, _):
        there = data_dir / "server.json"
        there.unlink()
        os.mkfifo(there)  # so that it is seen when the server looks whether the file is its own
        process.send_signal(signal.SIGTERM)
        end = pipe_that_is_read(there, process)
        try:
            assert is_held(data_dir)
        finally:
            os.close(end)
        assert process.wait(30) == 0
