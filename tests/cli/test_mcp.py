"""luxx mcp: servers are added, tried, switched and removed, against a real Luxx server and real MCP servers."""

import json
import sys
from pathlib import Path

import pytest

from tests.cli.process import invoke as luxx
from tests.cli.process import serving

CLOCK = ("--", sys.executable, "-m", "mcp_server_time")
SECRET = "very-secret-0123456789"


@pytest.fixture
def data_dir(served: Path) -> Path:
    return served


def servers(data_dir: Path) -> dict[str, dict[str, object]]:
    return {server["name"]: server for server in json.loads(luxx(data_dir, "mcp", "list", "--json").output)}


def test_a_program_is_added_tried_listed_and_removed(data_dir: Path) -> None:
    added = luxx(data_dir, "mcp", "add", "clock", "--trust", *CLOCK)
    assert added.exit_code == 0, added.output
    assert "clock is stored." in added.output
    assert "✓ clock: mcp-time" in added.output
    assert "offers 2 tools" in added.output
    listed = luxx(data_dir, "mcp", "list").output.splitlines()
    assert listed[0].split() == ["NAME", "STATE", "TOOLS", "TRUSTED", "WHERE"]
    assert next(line for line in listed if line.startswith("clock")).split()[:4] == ["clock", "running", "2", "yes"]
    assert luxx(data_dir, "mcp", "test", "clock").exit_code == 0
    assert luxx(data_dir, "mcp", "remove", "clock", "--yes").output == "clock is removed.\n"
    assert "clock" not in servers(data_dir)


def test_a_server_that_does_not_start_says_why(data_dir: Path) -> None:
    program = "import sys; sys.exit('no such database')"
    added = luxx(data_dir, "mcp", "add", "broken", "--", sys.executable, "-c", program)
    assert added.exit_code == 1
    assert "✗ broken" in added.output
    tried = luxx(data_dir, "mcp", "test", "broken")
    assert tried.exit_code == 1
    assert "no such database" in tried.output
    luxx(data_dir, "mcp", "remove", "broken", "--yes")


def test_a_server_is_switched_off_and_on_and_trusted_and_not(data_dir: Path) -> None:
    luxx(data_dir, "mcp", "add", "switch", "--no-test", *CLOCK)
    assert luxx(data_dir, "mcp", "disable", "switch").output == "switch is disabled.\n"
    assert servers(data_dir)["switch"]["enabled"] is False
    assert luxx(data_dir, "mcp", "enable", "switch").output == "switch is enabled.\n"
    assert luxx(data_dir, "mcp", "trust", "switch").output == "switch is trusted.\n"
    assert servers(data_dir)["switch"]["trusted"] is True
    assert luxx(data_dir, "mcp", "trust", "switch", "--no").output == "switch is no longer trusted.\n"
    assert (servers(data_dir)["switch"]["enabled"], servers(data_dir)["switch"]["trusted"]) == (True, False)
    luxx(data_dir, "mcp", "remove", "switch", "--yes")


def test_secrets_come_from_the_environment_or_standard_input_and_are_not_shown(data_dir: Path) -> None:
    add = ("mcp", "add", "--no-test")
    first = luxx(data_dir, *add, "program", "--env", "TOKEN", "--env", "MODE=fast", *CLOCK, TOKEN=SECRET)
    second = luxx(
        data_dir, *add, "address", "--url", "https://mcp.example/mcp", "--header", "X-Key", text=SECRET + "\n"
    )
    assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
    found = servers(data_dir)
    assert (found["program"]["has_secrets"], found["address"]["has_secrets"]) == (True, True)
    assert SECRET not in first.output + second.output + json.dumps(found)
    for name in ("program", "address"):
        luxx(data_dir, "mcp", "remove", name, "--yes")


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "x"),
        ("add", "x", "--url", "https://a.example", *CLOCK),
        ("add", "x", "--env", "NOT_SET_ANYWHERE", *CLOCK),
        ("add", "x", "--url", "https://a.example", "--header", "X-Key"),
        ("add", "x", "--url", "nowhere"),
        ("test", "nobody"),
        ("disable", "nobody"),
    ],
)
def test_what_cannot_be_done_is_said(data_dir: Path, arguments: tuple[str, ...]) -> None:
    done = luxx(data_dir, "mcp", *arguments)
    assert done.exit_code == 1
    assert done.stderr.strip()


def test_a_server_is_tried_without_a_luxx_server_that_runs(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert "✓ clock" in luxx(folder, "mcp", "add", "clock", *CLOCK).output
    with serving(folder):
        assert servers(folder)["clock"]["status"]["tools"] == 2  # pyright: ignore[reportIndexIssue]
