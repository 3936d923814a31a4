"""A server for the browser: `luxx serve` with the built page, the scripted model and the demo tools."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, expect, sync_playwright

from tests.chromium import find_chromium, launch_arguments
from tests.ports import free_port

expect.set_options(timeout=15_000)  # in ms: other tests share the machine
START_PATIENCE = 50.0
# What the browser itself says of requests that fail, and of the tests' own setup.
EXPECTED = ("Failed to load resource", "Service Worker registration blocked by Playwright")


class Watched:
    """The tab, and what was wrong in it: script errors, warnings on the console, requests to elsewhere, dialogs of the browser."""

    def __init__(self, page: Page, home: str) -> None:
        self.page = page
        self._home = home
        self._complaints: list[str] = []
        page.on("pageerror", lambda error: self._complaints.append(str(error)))
        page.context.on("console", self._said)
        page.on("request", self._asked)
        page.on("dialog", self._opened)

    def take_complaints(self) -> list[str]:
        """Return what was wrong since the last time."""
        found, self._complaints = self._complaints, []
        return found

    def clean_up(self) -> None:
        """Leave nothing of a test to the next one: no other tab, route, cookie, draft or emulation."""
        context = self.page.context
        for other in context.pages:
            if other != self.page:
                other.close()
        context.unroute_all(behavior="ignoreErrors")
        self.page.unroute_all(behavior="ignoreErrors")
        context.set_offline(offline=False)
        context.clear_cookies()
        self.page.emulate_media(color_scheme="null", reduced_motion="null", forced_colors="null", contrast="null")
        self.page.set_viewport_size({"width": 1280, "height": 720})
        # Where nothing of ours runs that could still write into them.
        self.page.goto(f"{self._home}/api/ready")
        self.page.evaluate("localStorage.clear(), sessionStorage.clear()")

    def _asked(self, asked: Request) -> None:
        if not asked.url.startswith((self._home, "data:", "blob:", "about:")):
            self._complaints.append(f"{asked.url} was asked for")

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"warning", "error"} and not message.text.startswith(EXPECTED):
            self._complaints.append(f"{message.type}: {message.text}")

    def _opened(self, dialog: Dialog) -> None:
        if dialog.type == "beforeunload":
            dialog.accept()
            return
        self._complaints.append(dialog.message)
        dialog.dismiss()


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

    @property
    def is_up(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def freeze(self) -> None:
        """Let it say nothing more, with its connections open, as a machine does that fell asleep."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask the API. A body that the server does not read would have it reset the connection that it closes after its answer."""
        data = None if method in ("GET", "DELETE") and body is None else json.dumps(body or {}).encode()
        request = urllib.request.Request(f"{self.url}{path}", method=method, data=data)
        request.add_header("Content-Type", "application/json")
        request.add_header("Authorization", f"Bearer {self.owner_secret()}")
        with urllib.request.urlopen(request) as response:
            return json.loads(response.read() or "{}")

    def owner_secret(self) -> str:
        """Return what lets a person change settings."""
        return (self.data_dir / "owner-token").read_text().strip()

    def last_answer(self, conversation_id: str) -> dict[str, Any]:
        """Return the last message of a conversation as it is saved."""
        return self.call("GET", f"/api/conversations/{conversation_id}/messages")["items"][-1]

    def forget_conversations(self) -> None:
        """Delete all conversations, for who looks at the whole list."""
        while items := self.call("GET", "/api/conversations?limit=200")["items"]:
            for item in items:
                self.call("DELETE", f"/api/conversations/{item['id']}")

    def use_scripted(self) -> None:
        """Make the scripted model the default."""
        self.call("PATCH", f"/api/providers/{self.scripted()['id']}", {"is_default": True})

    def scripted(self) -> dict[str, Any]:
        """Return the provider of the scripted model."""
        return next(p for p in self.call("GET", "/api/providers")["items"] if p["format"] == "scripted")

    def _ready(self) -> bool:
        try:
            return urllib.request.urlopen(f"{self.url}/api/ready").status == 200
        except OSError:
            return False


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A browser for all tests of the page; it ends with them, since no async test can start beside playwright's loop."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=launch_arguments())
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    """One server for all tests: each has a conversation of its own."""
    server = PageServer(tmp_path_factory.mktemp("page") / "data")
    try:
        server.start()
        server.use_scripted()
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="package")
def watched(server: PageServer, browser: Browser) -> Iterator[Watched]:
    """One tab for all tests, since a new one with cold caches takes longer than most of them."""
    context = browser.new_context(service_workers="block")
    yield Watched(context.new_page(), server.url)
    context.close()


@pytest.fixture(autouse=True)
def no_rules(server: PageServer) -> None:
    """No rules of an earlier test, whichever that was: processes that share the tests run them in any order."""
    server.call("PUT", "/api/rules", {"items": []})


@pytest.fixture
def chat(server: PageServer, watched: Watched) -> Iterator[Page]:
    """The page as a person finds it at first, on a new chat; nothing in it may complain, ask a foreign host, or run what a model wrote."""
    page = watched.page
    page.goto(server.url)
    yield page
    watched.clean_up()
    assert watched.take_complaints() == []


@pytest.fixture
def owned(chat: Page, server: PageServer) -> Page:
    """The same, opened by the owner's link, so that it may change settings."""
    chat.goto(f"{server.url}/open?token={server.owner_secret()}")
    return chat
