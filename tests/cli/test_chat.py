"""luxx chat in pipes, with a real server: what is written where, and how it ends."""

import json
import signal
from pathlib import Path

import pytest

from tests.cli.process import call, finish, invoke, latest, read_until, run, say, script, started

SLOW = script([say("Tick. ", repeat=2000, delay_ms=20)])


@pytest.fixture
def data_dir(served: Path) -> Path:
    return served


def test_only_the_answer_is_written_to_a_pipe(data_dir: Path) -> None:
    done = run(data_dir, "chat", script([{"type": "thinking", "text": "Hm."}, say("Hello, "), say("world.")]))
    assert (done.returncode, done.stdout, done.stderr) == (0, "Hello, world.\n", "")


def test_text_around_a_tool_is_all_written(data_dir: Path) -> None:
    rounds = script([say("I add.\n"), call("calculator", expression="2+2")], [say("Four.")])
    assert invoke(data_dir, "chat", rounds).stdout == "I add.\nFour.\n"


def test_text_that_is_piped_in_is_the_question(data_dir: Path) -> None:
    assert invoke(data_dir, "chat", text=script([say("ok")])).stdout == "ok\n"


def test_text_that_is_piped_in_joins_the_question(data_dir: Path) -> None:
    invoke(data_dir, "chat", "Summarise:", text="line 1\nline 2\n")
    assert latest(data_dir)["messages"][0]["text"] == "Summarise:\n\nline 1\nline 2"


def test_nothing_to_ask_is_an_error(data_dir: Path) -> None:
    done = invoke(data_dir, "chat")
    assert done.exit_code == 1
    assert "nothing to ask" in done.stderr


def test_a_failed_answer_ends_with_code_1_and_keeps_what_was_made(data_dir: Path) -> None:
    done = run(
        data_dir, "chat", script([say("Half"), {"type": "fail", "code": "provider_rejected", "message": "Broken."}])
    )
    assert (done.returncode, done.stdout) == (1, "Half\n")
    assert done.stderr == "luxx: Broken. (provider_rejected)\n"


def test_json_gives_the_events(data_dir: Path) -> None:
    done = invoke(data_dir, "chat", "--json", script([say("Hi")]))
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert (events[0]["event"], events[-1]["event"]) == ("turn", "done")


def test_ctrl_c_stops_the_turn_and_keeps_what_was_made(data_dir: Path) -> None:
    with started(data_dir, "chat", "--json", SLOW) as process:
        read_until(process, "step_delta")
        process.send_signal(signal.SIGINT)
        rest, _ = finish(process)
        assert process.returncode == 130
    assert json.loads(rest.splitlines()[-1])["event"] == "cancelled"
    message = latest(data_dir)["messages"][-1]
    assert message["status"] == "cancelled"
    assert message["text"].startswith("Tick. ")


def test_a_turn_goes_on_when_its_reader_is_killed_and_can_be_attached_to(data_dir: Path) -> None:
    with started(data_dir, "chat", "--json", script([say("Tick. ", repeat=40, delay_ms=20), say("Done.")])) as process:
        turn = json.loads(read_until(process, '"turn"'))["data"]["turn_id"]
        read_until(process, "step_delta")
        process.send_signal(signal.SIGKILL)
    attached = invoke(data_dir, "chat", "--attach", turn)
    assert (attached.exit_code, attached.stdout) == (0, "Tick. " * 40 + "Done.\n")
    again = invoke(data_dir, "chat", "--attach", turn)
    assert again.stdout == attached.stdout


def test_a_conversation_goes_on(data_dir: Path) -> None:
    invoke(data_dir, "chat", script([say("first")]))
    assert invoke(data_dir, "chat", "--conversation", "last", script([say("second")])).stdout == "second\n"
    messages = latest(data_dir)["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant"] * 2
    assert messages[3]["text"] == "second"


def test_an_answer_in_progress_is_in_the_way_unless_one_queues(data_dir: Path) -> None:
    with started(data_dir, "chat", "--json", SLOW) as process:
        turn = json.loads(read_until(process, '"turn"'))["data"]["turn_id"]
        refused = invoke(data_dir, "chat", "-c", "last", "me too")
        assert refused.exit_code == 1
        assert f"luxx chat --attach {turn}" in refused.stderr
        assert "--queue" in refused.stderr
        process.send_signal(signal.SIGINT)
        finish(process)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["-c", "nothing", "hi"], "luxx: "),
        (["-c", "../x", "hi"], "is not an id"),
        (["--attach", "0" * 32], "luxx: "),
        (["-p", "nobody", "hi"], "There is no provider 'nobody'; there are: "),
        (["--url", "http://127.0.0.1:9", "hi"], "No server answers at http://127.0.0.1:9"),
        (["--url", "localhost:8420", "hi"], "not an address"),
        (["--temperature", "99", "hi"], "luxx: "),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(data_dir: Path, arguments: list[str], complaint: str) -> None:
    done = invoke(data_dir, "chat", *arguments)
    assert (done.exit_code, done.stdout) == (1, "")
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_goes_away_is_no_failure_of_the_turn(data_dir: Path) -> None:
    with started(data_dir, "chat", "--json", script([say("Tick. ", repeat=30, delay_ms=20), say("Done.")])) as process:
        turn = json.loads(read_until(process, '"turn"'))["data"]["turn_id"]
        assert process.stdout
        process.stdout.close()
        process.wait(timeout=30)
        assert process.stderr
        assert "Traceback" not in process.stderr.read()
    assert invoke(data_dir, "chat", "--attach", turn).stdout.endswith("Done.\n")


def test_system_prompt_and_model_are_kept_with_the_conversation(data_dir: Path) -> None:
    invoke(data_dir, "chat", "-s", "Be brief.", "-m", "m1", "--no-tools", script([say("ok")]))
    conversation = latest(data_dir)["conversation"]
    assert (conversation["system_prompt"], conversation["model"], conversation["tools_enabled"]) == (
        "Be brief.",
        "m1",
        False,
    )
