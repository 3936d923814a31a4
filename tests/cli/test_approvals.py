"""What waits for a person, on the command line: asked in place, or decided by other commands."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.process import AtTerminal, call, invoke, latest, run, say, script, serving

ASKS = script([call("wait_unsafe", seconds=0, label="one")], [say("Done.")])
QUESTION = script([call("wait_asks", question="Who is there?\x1b[31m")], [say("Thanks.")])
WAITING = 3


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A server of this module, for it has rules."""
    folder = tmp_path_factory.mktemp("asking") / "data"
    with serving(folder):
        assert invoke(folder, "providers", "default", "Scripted").exit_code == 0
        assert invoke(folder, "rules", "set", "wait_unsafe", "ask").exit_code == 0
        yield folder


def result_of(data_dir: Path) -> dict[str, str]:
    return next(s for s in latest(data_dir)["messages"][-1]["steps"] if s["type"] == "tool_result")


def at_terminal(data_dir: Path, *arguments: str) -> AtTerminal:
    return AtTerminal(data_dir, "chat", *arguments, NO_COLOR="1", COLUMNS="200")


def waiting(data_dir: Path, question: str = ASKS) -> tuple[str, str]:
    """Start a turn that waits; return its id and the index of what it asks."""
    assert invoke(data_dir, "chat", question).exit_code == WAITING
    found = json.loads(invoke(data_dir, "approvals", "--json").stdout)[-1]
    return found["turn_id"], str(found["approval"]["index"])


def test_in_a_pipe_the_turn_is_left_waiting_and_the_command_to_decide_is_named(data_dir: Path) -> None:
    done = run(data_dir, "chat", ASKS)
    assert (done.returncode, done.stdout) == (WAITING, "")
    turn = json.loads(invoke(data_dir, "approvals", "--json").stdout)[-1]["turn_id"]
    assert 'the turn waits: wait_unsafe asks for permission, with {"seconds":0,"label":"one"}' in done.stderr
    assert f"luxx approve {turn} 0" in done.stderr
    assert invoke(data_dir, "approve", turn, "0").exit_code == 0
    attached = invoke(data_dir, "chat", "--attach", turn)
    assert (attached.exit_code, attached.stdout) == (0, "Done.\n")


@pytest.mark.parametrize(("option", "state"), [("--yes", "complete"), ("--no", "failed")])
def test_the_answer_can_be_given_in_advance(data_dir: Path, option: str, state: str) -> None:
    done = invoke(data_dir, "chat", option, ASKS)
    assert (done.exit_code, done.stdout) == (0, "Done.\n")
    assert result_of(data_dir)["state"] == state


def test_a_question_cannot_be_answered_in_advance_but_declined(data_dir: Path) -> None:
    assert invoke(data_dir, "chat", "--yes", QUESTION).exit_code == WAITING
    turn = json.loads(invoke(data_dir, "approvals", "--json").stdout)[-1]
    assert invoke(data_dir, "deny", turn["turn_id"], str(turn["approval"]["index"])).exit_code == 0
    assert invoke(data_dir, "chat", "--no", QUESTION).stdout == "Thanks.\n"


@pytest.mark.parametrize(
    ("keys", "content"), [("y\r", "Waited 0 s (one)."), ("n\r", "Denied"), ("?\r\rno\r", "Denied")]
)
def test_a_call_is_asked_about_in_place(data_dir: Path, keys: str, content: str) -> None:
    with at_terminal(data_dir, ASKS) as terminal:
        terminal.wait_for("[e]dit: ")
        assert '"label": "one"' in terminal.shown
        terminal.type(keys)
        assert terminal.exit_code() == 0
    assert "Done." in terminal.shown
    assert content in result_of(data_dir)["content"]


def test_arguments_are_edited_from_what_they_were_until_they_are_an_object(data_dir: Path) -> None:
    with at_terminal(data_dir, ASKS) as terminal:
        terminal.wait_for("[e]dit: ")
        terminal.type("e\r")
        terminal.wait_for('JSON: {"seconds":0,"label":"one"}')
        terminal.type("...\r")
        terminal.wait_for("must be a JSON object")
        terminal.shown = terminal.shown.partition("must be a JSON object")[2]
        terminal.wait_for('"one"}...')
        terminal.type('\x15{"seconds": 0, "label": "two"}\r')
        assert terminal.exit_code() == 0
    assert "Waited 0 s (two)." in result_of(data_dir)["content"]


def test_arguments_that_the_tool_would_refuse_are_said_and_asked_for_again(data_dir: Path) -> None:
    with at_terminal(data_dir, ASKS) as terminal:
        terminal.wait_for("[e]dit: ")
        terminal.type("e\r")
        terminal.wait_for('JSON: {"seconds":0,"label":"one"}')
        terminal.type('\x15{"seconds": "x", "lable": "two"}\r')
        terminal.wait_for("`seconds`: expected `float`")
        terminal.wait_for("did you mean `label`?")
        terminal.shown = terminal.shown.partition("did you mean")[2]
        terminal.wait_for("[e]dit: ")
        terminal.type("y\r")
        assert terminal.exit_code() == 0
    assert "Waited 0 s (one)." in result_of(data_dir)["content"]


def test_always_spares_the_question_in_the_conversation(data_dir: Path) -> None:
    with at_terminal(data_dir, ASKS) as terminal:
        terminal.wait_for("[e]dit: ")
        terminal.type("a\r")
        assert terminal.exit_code() == 0
    assert invoke(data_dir, "chat", "-c", "last", ASKS).stdout == "Done.\n"
    assert invoke(data_dir, "rules", "list", "-c", "last").stdout.split() == ["TOOL", "ACTION", "wait_unsafe", "allow"]


def test_ctrl_c_at_the_question_stops_the_turn(data_dir: Path) -> None:
    with at_terminal(data_dir, ASKS) as terminal:
        terminal.wait_for("[e]dit: ")
        terminal.press("\x03", "[e]dit: \r\n")
        assert terminal.exit_code() == 130
    assert latest(data_dir)["messages"][-1]["status"] == "cancelled"
    assert "Traceback" not in terminal.shown


def test_ctrl_d_leaves_it_waiting_and_attaching_asks_again(data_dir: Path) -> None:
    with at_terminal(data_dir, ASKS) as terminal:
        terminal.wait_for("[e]dit: ")
        terminal.type("\x04")
        assert terminal.exit_code() == WAITING
    turn = json.loads(invoke(data_dir, "approvals", "--json").stdout)[-1]["turn_id"]
    with at_terminal(data_dir, "--attach", turn) as terminal:
        terminal.wait_for("[e]dit: ")
        terminal.type("y\r")
        assert terminal.exit_code() == 0
    assert terminal.shown.count("[e]dit: ") == 1


def test_a_question_is_asked_field_by_field(data_dir: Path) -> None:
    with at_terminal(data_dir, QUESTION) as terminal:
        for prompt, line in (
            ("Answer it? [y]es, [n]o: ", "y"),
            ("Your name: ", ""),
            ("at least 1", "Ada"),
            ("E-mail (optional): ", ""),
            ("age (optional): ", "old"),
            ("no whole number", "200"),
            ("at most 150", "36"),
            ("size [m] (optional): ", "3"),
            ("Ask me again (optional): ", "n"),
        ):
            terminal.wait_for(prompt)
            terminal.type(f"{line}\r")
        assert terminal.exit_code() == 0
    assert "Who is there?␛[31m" in terminal.shown
    said, _, given = result_of(data_dir)["content"].partition(": ")
    assert said == "The person chose accept"
    assert json.loads(given) == {"name": "Ada", "age": 36, "size": "l", "again": False}


def test_a_page_is_named_by_its_host(data_dir: Path) -> None:
    url = "https://you@elsewhere.example/sign-in"
    with at_terminal(data_dir, script([call("wait_asks", url=url)], [say("Good.")])) as terminal:
        terminal.wait_for("a page at elsewhere.example:")
        terminal.wait_for(url)
        terminal.type("y\r")
        assert terminal.exit_code() == 0
    assert "accept" in result_of(data_dir)["content"]


def test_in_a_talk_it_can_wait(data_dir: Path) -> None:
    with at_terminal(data_dir) as terminal:
        terminal.wait_for("> ")
        terminal.type(f"{ASKS}\r")
        terminal.wait_for("[e]dit: ")
        terminal.type("\x04")
        terminal.wait_for("it waits for you")
        terminal.shown = ""
        terminal.type("/open last\r")
        terminal.wait_for("[e]dit: ")
        terminal.type("y\r")
        terminal.wait_for("Done.")
        terminal.type("/quit\r")
        assert terminal.exit_code() == 0


def test_what_waits_is_listed_and_decided_once(data_dir: Path) -> None:
    turn, index = waiting(data_dir)
    listed = invoke(data_dir, "approvals").stdout.splitlines()
    assert listed[0].split() == ["TURN", "INDEX", "UNTIL", "WHAT"]
    assert any(line.startswith(turn) and "wait_unsafe asks for permission" in line for line in listed)
    wrong = invoke(data_dir, "approve", turn, index, "--arguments", "[1]")
    assert (wrong.exit_code, "must be a JSON object" in wrong.stderr) == (1, True)
    unfit = invoke(data_dir, "approve", turn, index, "--arguments", '{"seconds": "x"}')
    assert (unfit.exit_code, "`seconds`: expected" in unfit.stderr) == (1, True)
    approved = invoke(data_dir, "approve", turn, index, "--always", "--arguments", '{"seconds": 0, "label": "x"}')
    assert approved.stdout.startswith("It is approved.")
    assert invoke(data_dir, "chat", "--attach", turn).stdout == "Done.\n"
    assert "label" in result_of(data_dir)["content"]
    again = invoke(data_dir, "deny", turn, index)
    assert again.exit_code == 1
    assert turn not in invoke(data_dir, "approvals").stdout


def test_a_question_is_answered_by_its_arguments(data_dir: Path) -> None:
    turn, index = waiting(data_dir, QUESTION)
    assert invoke(data_dir, "approve", turn, index, "--arguments", '{"name": "Ada"}').exit_code == 0
    assert invoke(data_dir, "chat", "--attach", turn).stdout == "Thanks.\n"
    assert '{"name":"Ada"}' in result_of(data_dir)["content"]


def test_rules_are_set_before_the_others_changed_in_place_and_removed(data_dir: Path) -> None:
    assert invoke(data_dir, "rules", "set", "web_*", "allow").exit_code == 0
    assert invoke(data_dir, "rules", "set", "pay", "deny").exit_code == 0
    changed = invoke(data_dir, "rules", "set", "web_*", "deny").stdout
    assert changed.split()[2:] == ["pay", "deny", "web_*", "deny", "wait_unsafe", "ask"]
    assert json.loads(invoke(data_dir, "rules", "list", "--json").stdout)[0] == {"tool": "pay", "action": "deny"}
    invoke(data_dir, "rules", "remove", "pay")
    assert invoke(data_dir, "rules", "remove", "web_*").stdout.split()[2:] == ["wait_unsafe", "ask"]
    assert invoke(data_dir, "rules", "remove", "web_*").exit_code == 1
    assert invoke(data_dir, "rules", "set", "x", "perhaps").exit_code == 2


def test_a_first_message_that_is_refused_leaves_no_conversation(data_dir: Path) -> None:
    invoke(data_dir, "chat", script([say("kept")]))
    before = latest(data_dir)["conversation"]["id"]
    refused = invoke(data_dir, "chat", "--max-tokens", "100", "--file", __file__, *(["--file", __file__] * 10), "hi")
    assert refused.exit_code == 1
    assert latest(data_dir)["conversation"]["id"] == before
