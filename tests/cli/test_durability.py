"""What becomes of a chat when the server dies, and when there is none."""

import fcntl
import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.cli.process import call, finish, invoke, latest, read_until, run, say, script, serving, started
from tests.ports import free_port

ANSWER = script(
    [say("Before. "), call("wait_unsafe", seconds=60)], [say("Tick. ", repeat=60, delay_ms=10), say("Done.")]
)
"""Its tool ends in time only when its server dies, after which it is not run again."""
WHOLE = "Before. " + "Tick. " * 60 + "Done.\n"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def wait_for_turns(data_dir: Path, wanted: int) -> None:
    """Wait until so many answers are in progress."""
    until = time.monotonic() + 30
    while True:
        listed = json.loads(invoke(data_dir, "conversations", "list", "--json").stdout)
        if sum(bool(conversation["turns"]) for conversation in listed) >= wanted:
            return
        assert time.monotonic() < until, listed


def test_the_output_is_whole_when_the_server_is_killed_in_mid_answer(data_dir: Path) -> None:
    port = free_port()
    with serving(data_dir, port=port) as (first, _):
        invoke(data_dir, "providers", "default", "Scripted")
        with started(data_dir, "chat", ANSWER) as plain, started(data_dir, "chat", "--json", ANSWER) as events:
            seen = [json.loads(read_until(events, '"step_delta"'))]
            wait_for_turns(data_dir, 2)
            first.kill()
            first.wait()
            with serving(data_dir, port=port):
                out, _ = finish(plain)
                rest, _ = finish(events)
                last = latest(data_dir)
    seen += [json.loads(line) for line in rest.splitlines()]
    assert (plain.returncode, out) == (0, WHOLE)
    assert [event["seq"] for event in seen] == list(range(seen[0]["seq"], seen[-1]["seq"] + 1))
    assert "recovered" in [event["event"] for event in seen]
    assert last["messages"][-1]["text"] + "\n" == WHOLE


def test_a_server_that_is_stopped_hands_the_turn_to_the_next(data_dir: Path) -> None:
    long = script([say("Tick. ", repeat=60, delay_ms=20), say("Done.")])
    port = free_port()
    with serving(data_dir, port=port, LUXX_DRAIN_TIMEOUT="0") as (first, _):
        invoke(data_dir, "providers", "default", "Scripted")
        with started(data_dir, "chat", "--json", long) as events:
            read_until(events, '"step_delta"')
            first.send_signal(signal.SIGTERM)
            assert first.wait(30) == 0
            with serving(data_dir, port=port):
                rest, _ = finish(events)
    assert json.loads(rest.splitlines()[-1])["event"] == "done"
    assert events.returncode == 0


def test_a_chat_works_where_no_server_runs(data_dir: Path) -> None:
    invoke(data_dir, "providers", "add", "Mine", "--format", "scripted", "--default")
    done = run(data_dir, "chat", script([say("I add. "), call("calculator", expression="2+2")], [say("Four.")]))
    assert (done.returncode, done.stdout, done.stderr) == (0, "I add. Four.\n", "")
    assert not (data_dir / "server.json").exists()


def test_a_turn_of_a_killed_chat_goes_on_at_the_next_one(data_dir: Path) -> None:
    invoke(data_dir, "providers", "add", "Mine", "--format", "scripted", "--default")
    with started(data_dir, "chat", "--json", script([say("Tick. ", repeat=40, delay_ms=20), say("Done.")])) as process:
        turn = json.loads(read_until(process, '"turn"'))["data"]["turn_id"]
        read_until(process, '"step_delta"')
    done = run(data_dir, "chat", "--attach", turn)
    assert (done.returncode, done.stdout) == (0, "Tick. " * 40 + "Done.\n")


def test_two_chats_on_a_fresh_machine_share_one_server(data_dir: Path) -> None:
    invoke(data_dir, "providers", "add", "Mine", "--format", "scripted", "--default")
    slow = script([say("Tick. ", repeat=50, delay_ms=20)])
    with started(data_dir, "chat", slow) as one, started(data_dir, "chat", slow) as other:
        outputs = [finish(process) for process in (one, other)]
    assert outputs == [("Tick. " * 50 + "\n", "")] * 2


def test_who_holds_the_directory_without_having_said_who_it_is_is_waited_for(data_dir: Path) -> None:
    data_dir.mkdir()
    looked_up = data_dir / "server.json"
    os.mkfifo(looked_up)  # so that it is seen when the command looks for a server
    with (data_dir / "lock").open("w") as held, started(data_dir, "conversations", "list") as command:
        fcntl.flock(held, fcntl.LOCK_EX)
        for looking in (True, False, True):  # the second time, it has found the directory held
            until = time.monotonic() + 60
            while is_read(looked_up) is not looking:
                assert time.monotonic() < until, command.poll()
        end = os.open(looked_up, os.O_RDWR)
        looked_up.unlink()
        held.close()
        os.close(end)
        out, err = finish(command)
    assert (command.returncode, out.split(), err) == (0, ["ID", "LAST", "ACTIVITY", "TITLE"], "")


def is_read(pipe: Path) -> bool:
    """Whether somebody reads a pipe, who then finds its end."""
    try:
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True
