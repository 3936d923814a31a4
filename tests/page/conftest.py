"""A server for the browser: `luxx serve` with the built page, the scripted model and the demo tools."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.server import free_port

START_PATIENCE = 30.0


class PageServer:
    """A server in a process of its own; what tests ask of it beside the page."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and return when it is ready."""
        settings = {"LUXX_DATA_DIR": str(self.data_dir), "LUXX_DEMO": "true"}
        environment = {**os.environ, **settings}  # noqa: TID251 - the child's, not ours
        with (self.data_dir.parent / "server.log").open("ab") as log:
            command = [sys.executable, "-m", "luxx", "serve", "--port", str(self.port)]
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        deadline = time.monotonic() + START_PATIENCE
        while not self._ready():
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.05)

    def kill(self) -> None:
        """End it without a warning."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask the API."""
        request = urllib.request.Request(f"{self.url}{path}", method=method, data=json.dumps(body or {}).encode())
        request.add_header("Content-Type", "application/json")
        request.add_header("Authorization", f"Bearer {(self.data_dir / 'owner-token').read_text().strip()}")
        with urllib.request.urlopen(request) as response:
            return json.loads(response.read())

    def last_answer(self, conversation_id: str) -> dict[str, Any]:
        """Return the last message of a conversation as it is saved."""
        return self.call("GET", f"/api/conversations/{conversation_id}/messages")["items"][-1]

    def use_scripted(self) -> None:
        """Make the scripted model the default."""
        scripted = next(p for p in self.call("GET", "/api/providers")["items"] if p["format"] == "scripted")
        self.call("PATCH", f"/api/providers/{scripted['id']}", {"is_default": True})

    def _ready(self) -> bool:
        try:
            return urllib.request.urlopen(f"{self.url}/api/ready").status == 200
        except OSError:
            return False


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    """A server for the tests of a module."""
    server = PageServer(tmp_path_factory.mktemp("page") / "data")
    server.start()
    server.use_scripted()
    yield server
    server.kill()


@pytest.fixture
def chat(server: PageServer, page: Page) -> Iterator[Page]:
    """The page, opened on a new chat; it must not complain in the console, nor ask a foreign host for anything."""
    complaints: list[str] = []
    foreign: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: foreign.append(asked.url) if not asked.url.startswith(server.url) else None)
    page.goto(server.url)
    yield page
    assert complaints == []
    assert [url for url in foreign if not url.startswith(("data:", "blob:"))] == []
