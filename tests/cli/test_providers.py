"""luxx providers and luxx models with presets, keys and fallbacks, against a real server."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import AtTerminal
from tests.cli.process import invoke as luxx

NOWHERE = "http://127.0.0.1:9/v1"
SERVED = [
    {"id": "nomic-embed-text"},  # which cannot chat
    {"id": "small", "max_model_len": 131072, "supports_tools": True, "supports_image_input": True},
    {"id": "plain"},
]


@pytest.fixture
def data_dir(served: Path) -> Path:
    return served


@pytest.fixture
def host() -> Iterator[str]:
    """An endpoint that lists models and answers nothing else."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"data": SERVED}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def found(data_dir: Path, name: str) -> dict[str, Any]:
    listed = json.loads(luxx(data_dir, "providers", "list", "--json").output)
    return next(provider for provider in listed if provider["name"] == name)


def test_presets_are_listed_with_where_to_get_a_key(data_dir: Path) -> None:
    lines = luxx(data_dir, "providers", "presets").output.splitlines()
    assert any("anthropic" in line and "needed" in line and "https://" in line for line in lines)
    presets = json.loads(luxx(data_dir, "providers", "presets", "--json").output)
    assert {"openai", "anthropic", "gemini", "ollama", "custom"} <= {preset["id"] for preset in presets}


def test_a_preset_and_a_key_are_enough(data_dir: Path) -> None:
    arguments = ["providers", "add", "anthropic", "--key", "sk-1", "-m", "big", "--no-test"]
    assert luxx(data_dir, *arguments).output.splitlines() == ["Anthropic is stored.", "Its default model is big."]
    made = found(data_dir, "Anthropic")
    assert (made["preset"], made["format"], made["has_key"]) == ("anthropic", "anthropic", True)
    assert made["base_url"] == "https://api.anthropic.com"


def test_a_preset_may_have_another_name_and_address(data_dir: Path, host: str) -> None:
    done = luxx(data_dir, "providers", "add", "vllm", "--name", "Rack", "-b", host, "--no-test")
    assert done.output.splitlines()[1:] == ["Rack is stored.", "Its default model is small."]
    assert (found(data_dir, "Rack")["base_url"], found(data_dir, "Rack")["has_key"]) == (host, False)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["openai"], "https://platform.openai.com"),
        (["openai", "--no-key"], "api_key"),
        (["openai", "--key", " "], "The key is empty"),
        (["Mine"], "luxx providers presets"),
        (["azure", "--key", "k"], "openai.azure.com"),
        (["custom"], "base_url"),
        (["ollama", "--fallback", "Nobody"], "no provider 'Nobody'"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_stored(data_dir: Path, arguments: list[str], told: str) -> None:
    before = luxx(data_dir, "providers", "list").output
    done = luxx(data_dir, "providers", "add", *arguments)
    assert done.exit_code == 1
    assert told in done.output
    assert luxx(data_dir, "providers", "list").output == before


def test_a_key_is_asked_for_at_a_terminal_without_being_shown(data_dir: Path) -> None:
    with AtTerminal(data_dir, "providers", "add", "groq", "-m", "m", "--no-test", COLUMNS="200") as terminal:
        terminal.wait_for("API key (from https://console.groq.com/keys): ")
        terminal.type("gsk-hidden\r")
        terminal.wait_for("Groq is stored.")
        assert "gsk-hidden" not in terminal.shown
    assert found(data_dir, "Groq")["has_key"] is True


def test_a_fallback_is_named_and_taken_back(data_dir: Path) -> None:
    added = luxx(
        data_dir, "providers", "add", "First", "-b", NOWHERE, "--no-key", "--no-test", "--fallback", "Scripted"
    )
    assert added.exit_code == 0
    scripted = found(data_dir, "Scripted")["id"]
    assert found(data_dir, "First")["fallback_id"] == scripted
    assert "First has no fallback" in luxx(data_dir, "providers", "fallback", "First").output
    assert found(data_dir, "First")["fallback_id"] is None
    assert "Scripted answers when First fails" in luxx(data_dir, "providers", "fallback", "First", "Scripted").output
    assert luxx(data_dir, "providers", "fallback", "Scripted", "First").exit_code == 1


def test_a_fallback_without_a_model_is_told_of_and_gets_one(data_dir: Path) -> None:
    for name in ("Lead", "Bare"):
        luxx(data_dir, "providers", "add", name, "-b", NOWHERE, "--no-key", "--no-test")
    before = found(data_dir, "Bare")["is_default"]
    assert "luxx providers model Bare MODEL" in luxx(data_dir, "providers", "fallback", "Lead", "Bare").output
    assert luxx(data_dir, "providers", "model", "Bare", "m1").exit_code == 0
    assert (found(data_dir, "Bare")["default_model"], found(data_dir, "Bare")["is_default"]) == ("m1", before)
    assert "no default model" not in luxx(data_dir, "providers", "fallback", "Lead", "Bare").output


def test_models_are_shown_with_what_they_can_take_and_do(data_dir: Path, host: str) -> None:
    luxx(data_dir, "providers", "add", "custom", "--name", "Shelf", "-b", host, "--no-key", "-m", "plain", "--no-test")
    lines = luxx(data_dir, "models", "Shelf").output.splitlines()
    assert [line.split() for line in lines] == [
        ["PROVIDER", "MODEL", "CONTEXT", "ANSWER", "CAN", "PRICE"],
        ["Shelf", "small", "131k", "tools,", "images"],
        ["*", "Shelf", "plain"],
    ]
    (served,) = json.loads(luxx(data_dir, "models", "Shelf", "--json").output)
    assert [model["id"] for model in served["models"]] == ["small", "plain"]


def test_the_models_of_all_providers_are_shown_and_those_that_fail_named(data_dir: Path) -> None:
    luxx(data_dir, "providers", "add", "Dark", "-b", NOWHERE, "--no-key", "--no-test")
    done = luxx(data_dir, "models")
    assert done.exit_code == 0
    assert "scripted" in done.output
    assert "Dark: Cannot reach 127.0.0.1:9" in done.output
    assert luxx(data_dir, "models", "Dark").exit_code == 1


@pytest.mark.parametrize("arguments", [("vllm", "--name", "Shut"), ("Shut",)])
def test_a_key_that_nobody_could_be_asked_for_is_told_of(data_dir: Path, host: str, arguments: tuple[str, ...]) -> None:
    for option, told in (((), True), (("--no-key",), False)):
        done = luxx(data_dir, "providers", "add", *arguments, *option, "-b", host, "-m", "small", "--no-test")
        assert (done.exit_code, "It has no key: nobody could be asked" in done.output) == (0, told)
        assert luxx(data_dir, "providers", "remove", "Shut").exit_code == 0


def test_who_leaves_the_key_empty_at_a_terminal_needs_no_telling(data_dir: Path, host: str) -> None:
    arguments = ("providers", "add", "Mine", "-b", host, "-m", "small", "--no-test")
    with AtTerminal(data_dir, *arguments, COLUMNS="200") as terminal:
        terminal.wait_for("API key (empty for none): ")
        terminal.type("\r")
        terminal.wait_for("Mine is stored.")
        assert terminal.exit_code() == 0
    assert "nobody could be asked" not in terminal.shown
    assert luxx(data_dir, "providers", "remove", "Mine").exit_code == 0


def test_a_presets_name_at_another_address_is_only_a_name(data_dir: Path, host: str) -> None:
    added = luxx(data_dir, "providers", "add", "openai", "--base-url", host, "--model", "small", "--no-test")
    assert added.exit_code == 0, added.output
    assert "It has no key" in added.output
    there = found(data_dir, "openai")
    assert (there["format"], there["base_url"], there["preset"], there["has_key"]) == ("openai", host, None, False)
    assert luxx(data_dir, "providers", "remove", "openai").exit_code == 0


def test_prices_are_entered_shown_and_forgotten(data_dir: Path, host: str) -> None:
    luxx(data_dir, "providers", "add", "custom", "--name", "Priced", "-b", host, "--no-key", "-m", "small", "--no-test")
    assert "No price is entered" in luxx(data_dir, "providers", "price", "Priced").output
    assert luxx(data_dir, "providers", "price", "Priced", "small", "--input", "3").exit_code == 1
    assert "Name the model" in luxx(data_dir, "providers", "price", "Priced", "--input", "3", "--output", "9").output
    assert luxx(data_dir, "providers", "price", "Priced", "small", "--input", "-3", "--output", "1").exit_code == 1
    done = luxx(data_dir, "providers", "price", "Priced", "small", "--input", "3", "--output", "15", "--cached", "0.3")
    assert done.output.splitlines()[1].split() == ["small", "3", "15", "0.3"]
    assert found(data_dir, "Priced")["prices"] == {"small": {"input": 3, "output": 15, "cached_input": 0.3}}
    assert luxx(data_dir, "models", "Priced").output.splitlines()[1].split()[-3:] == ["$3", "/", "$15"]
    assert "No price is entered" in luxx(data_dir, "providers", "price", "Priced", "small", "--remove").output
