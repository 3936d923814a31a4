"""luxx export, import and conversations export, against a real server."""

import json
from pathlib import Path

import pytest

from tests.archive.exports import CHATGPT, CLAUDE
from tests.cli.process import invoke as luxx


@pytest.fixture
def data_dir(served: Path) -> Path:
    return served


def test_what_was_imported_is_exported_and_known_again(data_dir: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "conversations.json", tmp_path / "all.jsonl"
    source.write_text(json.dumps([{**CHATGPT, "conversation_id": "cli-1"}, {"mapping": {}}]))
    done = luxx(data_dir, "import", str(source))
    assert done.exit_code == 1
    assert "1 of 2 conversations imported, with 5 messages." in done.output
    assert "Left out: 1 x hidden message, 1 x image" in done.output
    assert "Refused: No. 2: It has no messages." in done.output
    source.write_text(json.dumps([{**CHATGPT, "conversation_id": "cli-1"}]))
    again = luxx(data_dir, "import", str(source), "--json")
    assert (again.exit_code, json.loads(again.output)["skipped"]) == (0, 1)
    assert luxx(data_dir, "export", "-o", str(target)).exit_code == 0
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    assert "A talk" in [line["title"] for line in lines]
    taken = luxx(data_dir, "import", str(target))
    assert f"{len(lines)} were here already." in taken.output
    assert "is there already" in luxx(data_dir, "export", "-o", str(target)).output


def test_a_conversation_is_written_as_markdown_or_json(data_dir: Path, tmp_path: Path) -> None:
    source = tmp_path / "claude.json"
    source.write_text(json.dumps([{**CLAUDE, "uuid": "cli-2"}]))
    report = json.loads(luxx(data_dir, "import", str(source), "--json").output)
    (conversation_id,) = report["conversation_ids"]
    shown = luxx(data_dir, "conversations", "export", conversation_id).output
    assert shown.startswith("# Of bees\n\n## You\n\nLook this up\n")
    whole = json.loads(luxx(data_dir, "conversations", "export", conversation_id, "--format", "json").output)
    assert (whole["format"], len(whole["messages"])) == ("luxx.conversation", 2)
    assert luxx(data_dir, "conversations", "export", "nothing").exit_code == 1


def test_a_file_that_cannot_be_read_or_holds_nothing_is_told(data_dir: Path, tmp_path: Path) -> None:
    missing = luxx(data_dir, "import", str(tmp_path / "none.json"))
    assert (missing.exit_code, "cannot be read" in missing.output) == (1, True)
    (tmp_path / "other.json").write_text('{"a": 1}')
    other = luxx(data_dir, "import", str(tmp_path / "other.json"))
    assert (other.exit_code, "no conversations in it" in other.output) == (1, True)
