"""Files that go with a message: from the command line, and in the talk."""

from pathlib import Path
from typing import Any

import pytest

from luxx.cli.attachments import described, paths_in
from luxx.core.errors import InvalidRequest
from luxx.core.files import FileRef
from tests.cli.process import AtTerminal, invoke, latest, run, say, script

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
ANSWER = script([say("I see.")])


@pytest.fixture
def data_dir(served: Path) -> Path:
    return served


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a few files."""
    (tmp_path / "a photo.jpg").write_bytes(PNG)
    (tmp_path / "notes.md").write_text("# Notes")
    (tmp_path / "empty").touch()
    return tmp_path


def sent(data_dir: Path) -> dict[str, Any]:
    """Return the last message that a person sent."""
    return next(one for one in reversed(latest(data_dir)["messages"]) if one["role"] == "user")


def test_files_go_with_the_message_and_are_known_by_their_content(data_dir: Path, folder: Path) -> None:
    done = run(data_dir, "chat", ANSWER, "--file", str(folder / "a photo.jpg"), "-f", str(folder / "notes.md"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "I see.\n", "")
    kinds = [(file["name"], file["media_type"], file["size"]) for file in sent(data_dir)["attachments"]]
    assert kinds == [("a photo.jpg", "image/png", len(PNG)), ("notes.md", "text/markdown", 7)]
    shown = invoke(data_dir, "conversations", "show", "last").stdout
    assert "[file a photo.jpg, " in shown


def test_a_file_may_go_alone(data_dir: Path, folder: Path) -> None:
    done = invoke(data_dir, "chat", "--file", str(folder / "empty"))
    assert done.exit_code == 0, done.stderr
    message = sent(data_dir)
    assert (message["text"], message["attachments"][0]["size"]) == ("", 0)
    assert latest(data_dir)["conversation"]["title"] == "empty"


@pytest.mark.parametrize(("name", "words"), [("absent.txt", "No such file"), (".", "cannot be read|not a file")])
def test_what_cannot_be_read_is_said_and_nothing_is_sent(data_dir: Path, folder: Path, name: str, words: str) -> None:
    before = latest(data_dir) if invoke(data_dir, "chat", ANSWER).exit_code == 0 else None
    done = invoke(data_dir, "chat", ANSWER, "--file", str(folder / "notes.md"), "--file", str(folder / name))
    assert done.exit_code == 1
    assert any(word in done.stderr for word in (*words.split("|"), "directory")), done.stderr
    assert latest(data_dir) == before


def test_a_device_is_no_file(data_dir: Path) -> None:
    done = invoke(data_dir, "chat", ANSWER, "--file", "/dev/zero")
    assert (done.exit_code, "is not a file" in done.stderr) == (1, True)


def test_a_file_that_is_too_large_for_the_server_is_refused_with_the_number(data_dir: Path, folder: Path) -> None:
    with (folder / "large").open("wb") as file:
        file.truncate(20_000_001)
    done = invoke(data_dir, "chat", ANSWER, "--file", str(folder / "large"))
    assert done.exit_code == 1
    assert "20,000,000 bytes" in done.stderr


def test_too_many_files_are_refused_before_one_is_sent(data_dir: Path, folder: Path) -> None:
    before = latest(data_dir) if invoke(data_dir, "chat", ANSWER).exit_code == 0 else None
    done = invoke(data_dir, "chat", ANSWER, *(["-f", str(folder / "notes.md")] * 11))
    assert (done.exit_code, "A message may have at most 10 files." in done.stderr) == (1, True)
    assert "attached" not in done.stderr
    assert latest(data_dir) == before


@pytest.mark.parametrize("length", [400_001, 3_000_000])
def test_a_message_that_is_too_long_leaves_no_conversation(data_dir: Path, length: int) -> None:
    before = latest(data_dir) if invoke(data_dir, "chat", ANSWER).exit_code == 0 else None
    done = invoke(data_dir, "chat", text="x" * length)
    assert (done.exit_code, f"at most 400,000 characters; this one has {length:,}" in done.stderr) == (1, True)
    assert latest(data_dir) == before


def test_a_file_does_not_go_with_a_turn_that_is_shown(data_dir: Path, folder: Path) -> None:
    done = invoke(data_dir, "chat", "--attach", "t", "--file", str(folder / "notes.md"))
    assert (done.exit_code, "use one of them" in done.stderr) == (1, True)


def test_in_a_talk_files_are_attached_to_the_next_message_only(data_dir: Path, folder: Path) -> None:
    with AtTerminal(data_dir, "chat", NO_COLOR="1", COLUMNS="1000") as terminal:
        terminal.wait_for("> ")
        terminal.type(f"/attach {folder}/absent\r")
        terminal.wait_for("cannot be read")
        terminal.type(f"/attach {folder}/a photo.jpg\r")
        terminal.wait_for("attached a photo.jpg (image/png, 72 bytes)")
        terminal.type(f"/attach '{folder}/notes.md' {folder}/empty\r")
        terminal.wait_for("attached empty (text/plain, 0 bytes)")
        terminal.type(f"{ANSWER}\r")
        terminal.wait_for("I see.\r\n")
        assert [file["name"] for file in sent(data_dir)["attachments"]] == ["a photo.jpg", "notes.md", "empty"]
        terminal.type("/history\r")
        terminal.wait_for("[notes.md (text/markdown, 7 bytes)]")
        terminal.type(f"{script([say('Twice.')])}\r")
        terminal.wait_for("Twice.\r\n")
        assert sent(data_dir)["attachments"] == []


def test_what_was_attached_can_be_taken_back(data_dir: Path, folder: Path) -> None:
    with AtTerminal(data_dir, "chat", NO_COLOR="1", COLUMNS="1000") as terminal:
        terminal.wait_for("> ")
        terminal.type(f"/attach {folder}/notes.md\r")
        terminal.wait_for("attached notes.md")
        terminal.type("/attach\r")
        terminal.wait_for("taken back: notes.md")
        terminal.type(f"{ANSWER}\r")
        terminal.wait_for("I see.\r\n")
    assert sent(data_dir)["attachments"] == []


def test_paths_are_told_apart_as_a_shell_does(folder: Path) -> None:
    assert paths_in(f"{folder}/a photo.jpg") == [f"{folder}/a photo.jpg"]
    assert paths_in("'a b' c\\ d \"e\"") == ["a b", "c d", "e"]
    with pytest.raises(InvalidRequest):
        paths_in("'open")


def test_a_file_of_no_known_kind_is_said_to_be_only_told_of() -> None:
    file = FileRef(id="f", name="a.zip", media_type="application/octet-stream", size=1_234_567)
    assert described(file) == "a.zip (application/octet-stream, 1.23 MB): models are only told of it"
