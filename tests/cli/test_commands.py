"""The admin commands, against a real server."""

import json
from pathlib import Path

import pytest

from luxx import __version__
from luxx.cli.main import COMMANDS
from tests.cli.process import invoke as luxx
from tests.cli.process import say, script, serving

SECRET = "sk-very-secret-0123456789"


@pytest.fixture
def data_dir(served: Path) -> Path:
    return served


def providers(data_dir: Path) -> dict[str, dict[str, object]]:
    listed = luxx(data_dir, "providers", "list", "--json")
    return {provider["name"]: provider for provider in json.loads(listed.output)}


def test_help_lists_the_commands_in_order(tmp_path: Path) -> None:
    shown = luxx(tmp_path, "--help").output
    positions = [shown.index(f"  {name} ") for name in COMMANDS]
    assert positions == sorted(positions)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(tmp_path: Path, name: str) -> None:
    done = luxx(tmp_path, name, "--help")
    assert done.exit_code == 0
    assert f"Usage: root {name}" in done.output


def test_the_version_is_told(tmp_path: Path) -> None:
    assert luxx(tmp_path, "--version").output == luxx(tmp_path, "version").output == f"luxx {__version__}\n"


def test_a_mistyped_command_is_guessed(tmp_path: Path) -> None:
    done = luxx(tmp_path, "servee")
    assert done.exit_code == 2
    assert "Did you mean 'serve'?" in done.output


def test_wrong_settings_are_named_with_their_variable(tmp_path: Path) -> None:
    done = luxx(tmp_path, "providers", "list", LUXX_PORT="many")
    assert done.exit_code == 1
    assert "LUXX_PORT" in done.output
    assert "Traceback" not in done.output


def test_a_key_comes_from_standard_input_and_is_never_shown(data_dir: Path) -> None:
    added = luxx(
        data_dir,
        "providers",
        "add",
        "Piped",
        "-b",
        "http://127.0.0.1:9/v1",
        "-m",
        "m",
        "--key-stdin",
        text=f"{SECRET}\n",
    )
    assert added.exit_code == 1  # nothing answers there
    listed = luxx(data_dir, "providers", "list").output
    assert providers(data_dir)["Piped"]["has_key"] is True
    assert SECRET not in added.output + listed + luxx(data_dir, "providers", "list", "--json").output


def test_a_key_comes_from_the_variable_that_is_named(data_dir: Path) -> None:
    arguments = ["providers", "add", "Named", "-b", "http://127.0.0.1:9/v1", "--no-test", "--key-env", "MY_KEY"]
    missing = luxx(data_dir, *arguments)
    assert missing.exit_code == 1
    assert "MY_KEY is not set" in missing.output
    assert luxx(data_dir, *arguments, MY_KEY=SECRET).exit_code == 0
    assert providers(data_dir)["Named"]["has_key"] is True


def test_a_provider_without_a_key_can_be_added(data_dir: Path) -> None:
    added = luxx(data_dir, "providers", "add", "Open", "-b", "http://127.0.0.1:9/v1", "--no-key", "--no-test")
    assert "no default model: luxx providers default Open --model MODEL" in added.output
    assert providers(data_dir)["Open"]["has_key"] is False


def test_the_only_model_of_a_provider_becomes_its_default(data_dir: Path) -> None:
    assert luxx(data_dir, "providers", "add", "Second", "--format", "scripted").exit_code == 0
    assert providers(data_dir)["Second"]["default_model"] == "scripted"


@pytest.mark.parametrize("running", [True, False])
def test_the_first_real_provider_takes_the_embedded_models_place(tmp_path: Path, running: bool) -> None:
    folder = tmp_path / "data"
    with serving(folder) as (server, _):
        if not running:
            server.terminate()
            server.wait(30)
        for name, told in (("Mine", "Mine is stored and is the default."), ("Next", "Next is stored.")):
            address = ("-b", "http://127.0.0.1:9/v1", "-m", "m")
            added = luxx(folder, "providers", "add", name, *address, "--no-key", "--no-test")
            assert added.output.splitlines()[0] == told
        assert [name for name, found in providers(folder).items() if found["is_default"]] == ["Mine"]


def test_a_new_provider_that_does_not_answer_is_stored_and_leaves_the_default_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    added = luxx(folder, "providers", "add", "Dead", "-b", "http://127.0.0.1:9/v1", "--no-key")
    assert added.exit_code == 1
    assert added.output.startswith("Dead is stored.\n✗ Dead: Cannot reach 127.0.0.1:9")
    assert "luxx providers test Dead" in added.output
    assert not providers(folder)["Dead"]["is_default"]
    assert luxx(folder, "providers", "model", "Dead", "m").output == "The default model of Dead is m.\n"
    assert providers(folder)["Dead"]["is_default"]


def test_an_address_is_asked_for(data_dir: Path) -> None:
    done = luxx(data_dir, "providers", "add", "Nowhere")
    assert done.exit_code == 1
    assert "--base-url" in done.output


def test_a_name_that_is_taken_is_refused(data_dir: Path) -> None:
    done = luxx(data_dir, "providers", "add", "Scripted", "--format", "scripted")
    assert done.exit_code == 1
    assert done.output.startswith("luxx: ")


def test_a_test_that_fails_has_exit_code_1(data_dir: Path) -> None:
    luxx(data_dir, "providers", "add", "Dead", "-b", "http://127.0.0.1:9/v1", "-m", "m", "--no-key", "--no-test")
    assert luxx(data_dir, "providers", "test", "Dead").exit_code == 1
    assert luxx(data_dir, "providers", "test", "Scripted").exit_code == 0


def test_models_are_listed(data_dir: Path) -> None:
    assert luxx(data_dir, "providers", "models", "Scripted").output == "scripted\n"


def test_another_provider_becomes_the_default(data_dir: Path) -> None:
    luxx(data_dir, "providers", "add", "Other", "--format", "scripted", "--no-test")
    assert luxx(data_dir, "providers", "default", "Other", "--model", "m9").exit_code == 0
    other = providers(data_dir)["Other"]
    assert (other["is_default"], other["default_model"]) == (True, "m9")
    assert luxx(data_dir, "providers", "default", "Scripted").exit_code == 0


def test_a_provider_is_removed(data_dir: Path) -> None:
    luxx(data_dir, "providers", "add", "Gone", "--format", "scripted", "--no-test")
    assert luxx(data_dir, "providers", "remove", "Gone").exit_code == 0
    assert "Gone" not in providers(data_dir)
    assert luxx(data_dir, "providers", "remove", "Gone").exit_code == 1


def test_another_server_never_gets_the_secret_of_this_data_directory(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "owner-token").write_text("not yours")
    url = json.loads((data_dir / "server.json").read_text())["url"]
    refused = luxx(tmp_path, "providers", "remove", "Scripted", "--url", url)
    assert refused.exit_code == 1
    assert "secret" in refused.output
    assert "Scripted" in providers(data_dir)


def test_conversations_are_listed_shown_and_deleted(data_dir: Path) -> None:
    rounds = script([{"type": "thinking", "text": "Hm."}, say("A \x1b[1mbold\x1b[0m answer.")])
    assert luxx(data_dir, "chat", rounds).exit_code == 0
    (listed,) = json.loads(luxx(data_dir, "conversations", "list", "-n", "1", "--json").output)
    shown = luxx(data_dir, "conversations", "show", listed["id"]).output
    assert "scripted:\nHm.\nA \x1b[1mbold\x1b[0m answer.\n" in shown
    assert luxx(data_dir, "conversations", "delete", listed["id"]).exit_code == 0
    assert luxx(data_dir, "conversations", "show", listed["id"]).exit_code == 1


def test_conversations_are_found_by_a_word(data_dir: Path) -> None:
    luxx(data_dir, "chat", "a question about rhubarb")
    found = json.loads(luxx(data_dir, "conversations", "list", "-q", "rhubarb", "--json").output)
    assert [conversation["title"] for conversation in found] == ["a question about rhubarb"]
    assert "rhubarb" in luxx(data_dir, "conversations", "list").output


def test_all_messages_of_a_long_conversation_are_shown(data_dir: Path) -> None:
    for _ in range(3):
        luxx(data_dir, "chat", "-c", "last", script([say("again")]))
    shown = json.loads(luxx(data_dir, "conversations", "show", "last", "--json").output)
    assert len(shown["messages"]) >= 6
    assert len({message["id"] for message in shown["messages"]}) == len(shown["messages"])
