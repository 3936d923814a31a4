"""luxx openapi: services are added, shown, refreshed, switched and removed, against a real Luxx server and a real service."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import invoke as luxx

SECRET = "very-secret-0123456789"
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Weather"},
    "paths": {
        "/now": {"get": {"operationId": "now", "summary": "The weather now"}},
        "/photo": {"post": {"requestBody": {"required": True, "content": {"image/png": {}}}}},
    },
}


class Weather(ThreadingHTTPServer):
    """A service that gives its document, as it is now."""

    document = DOCUMENT

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Weather)
        data = json.dumps(self.server.document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def weather() -> Iterator[Weather]:
    with Weather(("127.0.0.1", 0), _Answer) as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield found
        found.shutdown()
        thread.join(10)


@pytest.fixture
def data_dir(served: Path) -> Path:
    return served


def services(data_dir: Path) -> dict[str, dict[str, object]]:
    return {service["name"]: service for service in json.loads(luxx(data_dir, "openapi", "list", "--json").output)}


def test_a_service_is_added_shown_refreshed_and_removed(data_dir: Path, weather: Weather) -> None:
    added = luxx(data_dir, "openapi", "add", "weather", f"{weather.url}/openapi.json")
    assert added.exit_code == 0, added.output
    assert added.output.splitlines() == [
        f"weather is stored: 1 operation at {weather.url}",
        "! POST /photo is left out: its body can only be sent as image/png",
    ]
    listed = luxx(data_dir, "openapi", "list").output.splitlines()
    assert [line.split() for line in listed] == [
        ["NAME", "STATE", "TRUSTED", "WHERE"],
        ["weather", "enabled", "no", weather.url],
    ]
    shown = luxx(data_dir, "openapi", "show", "weather").output
    assert shown.startswith(f"weather: Weather, 1 operation at {weather.url}\n")
    assert ["weather__now", "unsafe", "always", "GET", "/now"] in [line.split() for line in shown.splitlines()]
    assert "weather is as before" in luxx(data_dir, "openapi", "refresh", "weather").output
    weather.document = {**DOCUMENT, "paths": {"/then": {"get": {"operationId": "then"}}}}
    assert luxx(data_dir, "openapi", "refresh", "weather").output.splitlines() == [
        "weather has changed: 1 operation",
        "+ weather__then",
        "- weather__now",
    ]
    assert luxx(data_dir, "openapi", "remove", "weather", "--yes").output == "weather is removed.\n"
    assert "weather" not in services(data_dir)


def test_a_file_is_added_with_secrets_that_are_not_shown(data_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "weather.json"
    file.write_text(json.dumps(DOCUMENT), encoding="utf-8-sig")
    options = ("--base-url", "https://weather.example/v1", "--header", "X-Key", "--query", "token=other-secret")
    added = luxx(data_dir, "openapi", "add", "file", str(file), *options, text=SECRET + "\n")
    assert added.exit_code == 0, added.output
    shown = luxx(data_dir, "openapi", "show", "file").output
    assert "secrets: X-Key, query:token" in shown
    assert "document: brought as a text" in shown
    everything = added.output + shown + luxx(data_dir, "openapi", "show", "file", "--json").output
    assert SECRET not in everything
    assert "other-secret" not in everything
    assert luxx(data_dir, "openapi", "refresh", "file").exit_code == 1
    assert "is as before" in luxx(data_dir, "openapi", "refresh", "file", str(file)).output
    luxx(data_dir, "openapi", "remove", "file", "--yes")


def test_a_service_is_switched_off_and_on_and_trusted_and_not(data_dir: Path, weather: Weather) -> None:
    luxx(data_dir, "openapi", "add", "switch", f"{weather.url}/openapi.json", "--trust")
    assert services(data_dir)["switch"]["trusted"] is True
    assert "read" in luxx(data_dir, "openapi", "show", "switch").output
    assert luxx(data_dir, "openapi", "trust", "switch", "--no").output == "switch is no longer trusted.\n"
    assert luxx(data_dir, "openapi", "disable", "switch").output == "switch is disabled.\n"
    found = services(data_dir)["switch"]
    assert (found["enabled"], found["trusted"]) == (False, False)
    assert luxx(data_dir, "openapi", "enable", "switch").output == "switch is enabled.\n"
    assert services(data_dir)["switch"]["enabled"] is True
    luxx(data_dir, "openapi", "remove", "switch", "--yes")


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "x", "no-such-file.json"),
        ("add", "x", "http://127.0.0.1:9/openapi.json"),
        ("add", "x", "-"),
        ("add", "x", "-", "--header", "X-Key"),
        ("show", "nobody"),
        ("refresh", "nobody"),
        ("disable", "nobody"),
        ("remove", "nobody", "--yes"),
    ],
)
def test_what_cannot_be_done_is_said(data_dir: Path, arguments: tuple[str, ...]) -> None:
    done = luxx(data_dir, "openapi", *arguments)
    assert done.exit_code == 1
    assert done.stderr.strip()
