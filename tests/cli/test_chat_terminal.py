"""luxx chat at a terminal: keys, Ctrl-C, and the talk."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.process import AtTerminal, call, invoke, latest, say, script
from tests.cli.terminal import seen

SLOW = script([say("Tick. ", repeat=2000, delay_ms=20)])
PROMPT = "> "


@pytest.fixture
def data_dir(served: Path) -> Path:
    return served


@pytest.fixture
def talk(data_dir: Path) -> Iterator[AtTerminal]:
    """A talk that has just begun."""
    with AtTerminal(data_dir, "chat", NO_COLOR="1", COLUMNS="1000") as terminal:
        terminal.wait_for(PROMPT)
        yield terminal


def ask(terminal: AtTerminal, line: str, answer: str) -> None:
    """Type a line, and wait for a line with the answer and for the next prompt."""
    terminal.shown = ""
    terminal.type(f"{line}\r")
    terminal.wait_for("\n")
    terminal.shown = terminal.shown.partition("\n")[2]
    terminal.wait_for(answer)
    terminal.shown = terminal.shown.partition(answer)[2]
    terminal.wait_for(PROMPT)


def end_latest(data_dir: Path) -> None:
    """Delete the latest conversation: a turn that is left in it would make it the latest again when it ends."""
    assert invoke(data_dir, "conversations", "delete", "last", "--yes").exit_code == 0


def test_the_embedded_model_is_introduced_once(data_dir: Path) -> None:
    added = invoke(data_dir, "providers", "add", "Tiny", "--format", "local", "-m", "nothing", "--no-test")
    assert added.exit_code == 0, added.output
    with AtTerminal(data_dir, "chat", "-p", "Tiny", NO_COLOR="1", COLUMNS="1000") as terminal:
        terminal.wait_for(PROMPT)
        terminal.type("Hello\r")
        terminal.wait_for("A tiny demonstration model on this machine answers.")
        terminal.press("\x03", f"\n{PROMPT}")
        terminal.shown = ""
        terminal.type("Again\r")
        terminal.wait_for("the model")
        assert "demonstration" not in terminal.shown
    end_latest(data_dir)
    invoke(data_dir, "providers", "remove", "Tiny", "--yes")


def test_a_terminal_shows_thinking_tools_and_text(data_dir: Path) -> None:
    rounds = script(
        [{"type": "thinking", "text": "Add."}, call("calculator", expression="40+2")],
        [say("It is \x1b[31mred\x1b[0m.")],
    )
    with AtTerminal(data_dir, "chat", rounds) as terminal:
        assert terminal.exit_code() == 0
    assert "\x1b[2mAdd.\x1b[0m" in terminal.shown
    assert '→ calculator {"expression":"40+2"}' in terminal.shown
    assert re.search(r"✓ calculator [\d.]+ m?s  42", terminal.shown)
    assert "It is ␛[31mred␛[0m." in terminal.shown


def test_a_model_that_is_silent_in_the_middle_of_a_line_is_waited_for_below_it(data_dir: Path) -> None:
    rounds = script([say("It is wa"), {"type": "pause", "ms": 4000}, say("rm today.")])
    with AtTerminal(data_dir, "chat", rounds, NO_COLOR="1") as terminal:
        terminal.wait_for("… the model")
        assert terminal.exit_code() == 0
    assert [line for line in seen(terminal.shown, width=100, height=40) if line] == ["It is warm today."]


def test_no_color_is_respected(data_dir: Path) -> None:
    with AtTerminal(data_dir, "chat", script([{"type": "thinking", "text": "Add."}]), NO_COLOR="1") as terminal:
        assert terminal.exit_code() == 0
    assert not re.search(r"\x1b\[\d*m", terminal.shown)


def test_ctrl_c_stops_the_turn(data_dir: Path) -> None:
    with AtTerminal(data_dir, "chat", SLOW) as terminal:
        terminal.wait_for("Tick. Tick.")
        terminal.type("\x03")
        assert terminal.exit_code() == 130
    assert "stopped" in terminal.shown
    assert "Traceback" not in terminal.shown
    assert latest(data_dir)["messages"][-1]["status"] == "cancelled"


def test_a_second_ctrl_c_quits_at_once(data_dir: Path) -> None:
    stubborn = script([call("wait_unsafe", seconds=30)])
    with AtTerminal(data_dir, "chat", stubborn) as terminal:
        terminal.wait_for("→ wait_unsafe")
        terminal.type("\x03\x03\x03")
        assert terminal.exit_code() == 130
    assert "Traceback" not in terminal.shown
    end_latest(data_dir)


def test_a_talk_is_one_conversation(data_dir: Path, talk: AtTerminal) -> None:
    ask(talk, script([say("One.")]), "One.")
    ask(talk, script([say("Two.")]), "Two.")
    talk.type("/quit\r")
    assert talk.exit_code() == 0
    assert [message["text"] for message in latest(data_dir)["messages"]][1::2] == ["One.", "Two."]


def test_new_begins_another_conversation(data_dir: Path, talk: AtTerminal) -> None:
    ask(talk, script([say("One.")]), "One.")
    ask(talk, "/new", "new conversation")
    ask(talk, script([say("Two.")]), "Two.")
    talk.type("\x04")
    assert talk.exit_code() == 0
    assert [message["text"] for message in latest(data_dir)["messages"]][1::2] == ["Two."]


def test_ctrl_c_stops_an_answer_and_the_talk_goes_on(data_dir: Path, talk: AtTerminal) -> None:
    talk.type(f"{SLOW}\r")
    talk.wait_for("Tick. Tick.")
    talk.type("\x03")
    talk.wait_for("stopped; /continue goes on")
    ask(talk, script([say("After.")]), "After.")
    talk.type("\x04")
    assert talk.exit_code() == 0


def test_ctrl_c_at_the_prompt_drops_the_line(talk: AtTerminal) -> None:
    talk.shown = ""
    talk.type("never sent")
    talk.wait_for("never sent")
    talk.press("\x03", f"\n{PROMPT}")
    ask(talk, script([say("Still here.")]), "Still here.")
    talk.type("\x04")
    assert talk.exit_code() == 0


def test_retry_makes_a_sibling(data_dir: Path, talk: AtTerminal) -> None:
    ask(talk, script([say("Answer.")]), "Answer.")
    ask(talk, "/retry", "Answer.")
    talk.type("\x04")
    talk.exit_code()
    siblings = latest(data_dir)["messages"][-1]["siblings"]
    assert isinstance(siblings, list)
    assert len(siblings) == 2


def test_an_error_does_not_end_the_talk(talk: AtTerminal) -> None:
    ask(talk, "/retry", "There is no answer in this conversation yet.")
    ask(talk, "/provider nobody", "There is no provider 'nobody'")
    ask(talk, "/dance", "There is no command /dance")
    ask(talk, "/open", "Say which")
    ask(talk, script([{"type": "fail", "code": "provider_auth", "message": "No key."}]), "No key. (provider_auth)")
    ask(talk, script([say("Fine.")]), "Fine.")


def test_commands_tell_and_choose(talk: AtTerminal) -> None:
    ask(talk, "/help", "/quit")
    ask(talk, "/model m2", "model: m2")
    ask(talk, "/system Be brief.", "system prompt set")
    ask(talk, "/provider Scripted", "provider: Scripted")
    ask(talk, "/tools off", "tools: off")
    ask(talk, script([say("Chosen.")]), "Chosen.")
    ask(talk, "/history", "Chosen.")
    ask(talk, "/list", "script")


def test_a_line_may_go_on_in_the_next(data_dir: Path, talk: AtTerminal) -> None:
    talk.type("first\\\r")
    talk.wait_for("… ")
    ask(talk, "second", "I am no language model")
    talk.type("\x04")
    talk.exit_code()
    assert latest(data_dir)["messages"][0]["text"] == "first\nsecond"


def test_the_history_is_kept_for_the_owner_alone(data_dir: Path, talk: AtTerminal) -> None:
    ask(talk, "/help", "/quit")
    talk.type("\x04")
    talk.exit_code()
    history = data_dir / "chat-history"
    assert "/help" in history.read_text()
    assert history.stat().st_mode & 0o077 == 0


def test_opening_a_conversation_shows_its_turn_in_progress(data_dir: Path, talk: AtTerminal) -> None:
    with AtTerminal(data_dir, "chat", script([say("Tick. ", repeat=50, delay_ms=20), say("Done.")])) as other:
        other.wait_for("Tick. ")
        ask(talk, "/open last", "Done.")
        other.wait_for("Done.")
