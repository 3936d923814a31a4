"""What is added in the settings is tried at once: providers, MCP servers and web services say what works, or what to do."""

import json
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.local_server import local_server
from tests.page.test_settings import TIME_SERVER, document, press, row, settings

MODELS = ("one", "two", "text-embedding-3-small")
RIGHT = "right"


class Provider(BaseHTTPRequestHandler):
    """A provider with one key; its address decides how many chat models it lists."""

    def do_GET(self) -> None:
        models = [name for name in MODELS if name != "two" or self.path.startswith("/many/")]
        self._reply(json.dumps({"data": [{"id": name} for name in models]}), "application/json")

    def do_POST(self) -> None:
        chunk = json.dumps({"choices": [{"index": 0, "delta": {"content": "ready"}}]})
        self._reply(f"data: {chunk}\n\ndata: [DONE]\n\n", "text/event-stream")

    def _reply(self, body: str, media_type: str) -> None:
        allowed = self.headers["Authorization"] == f"Bearer {RIGHT}"
        data = body.encode() if allowed else b"{}"
        self.send_response(200 if allowed else 401)
        self.send_header("Content-Type", media_type if allowed else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def host() -> Iterator[str]:
    """The host and port of a provider."""
    with local_server(Provider) as found:
        yield found


@pytest.fixture
def left_as_it_was(server: PageServer) -> Iterator[None]:
    """Nothing that a test adds stays."""
    before = {kind: {item["id"] for item in server.call("GET", f"/api/{kind}")["items"]} for kind in _KINDS}
    yield
    for kind, known in before.items():
        for item in server.call("GET", f"/api/{kind}")["items"]:
            if item["id"] not in known:
                server.call("DELETE", f"/api/{kind}/{item['id']}")
    server.use_scripted()


_KINDS = ("providers", "mcp-servers", "openapi-servers")
pytestmark = pytest.mark.usefixtures("left_as_it_was")


def fill_provider(page: Page, address: str, key: str) -> Locator:
    dialog = settings(page)
    press(dialog, "Add a provider")
    dialog.get_by_role("button", name="Custom provider").click()
    dialog.get_by_label("Name").fill("Mine")
    dialog.get_by_label("Base URL").fill(address)
    dialog.get_by_label("API key").fill(key)
    return dialog


def test_an_added_provider_says_that_its_key_is_wrong_and_works_when_it_is_mended(owned: Page, host: str) -> None:
    dialog = fill_provider(owned, f"{host}/v1", "wrong")
    expect(dialog.get_by_label("Base URL")).to_have_value(f"http://{host}/v1")
    press(dialog, "Add")
    mine = row(dialog, "Mine")
    expect(mine.get_by_role("status")).to_contain_text("401")
    expect(mine.get_by_role("status")).to_contain_text("It stays in the list. Check its key and its address")
    assert_accessible(owned)
    expect(mine.get_by_label("API key")).to_be_visible()
    mine.get_by_label("API key").fill(RIGHT)
    mine.get_by_label("Default model").fill("one")
    press(mine, "Save")
    expect(mine.get_by_role("status")).to_have_text("It answers and serves 1 model; one works.")


def test_an_added_provider_that_works_says_how_many_models_it_has(owned: Page, host: str) -> None:
    dialog = fill_provider(owned, f"http://{host}/v1", RIGHT)
    dialog.get_by_label("API key").press("Enter")
    mine = row(dialog, "Mine")
    expect(mine.get_by_role("status")).to_have_text("It answers and serves 1 model; one works.")
    expect(mine.get_by_role("button", name="Edit")).to_be_focused()


def test_an_added_provider_of_which_no_model_stands_out_is_opened_for_one(owned: Page, host: str) -> None:
    dialog = fill_provider(owned, f"{host}/many", RIGHT)
    press(dialog, "Add")
    mine = row(dialog, "Mine")
    expect(mine.get_by_role("status")).to_contain_text("serves 2 models")
    expect(mine.get_by_role("status")).to_contain_text("No default model is chosen")
    expect(mine.get_by_label("Default model")).to_be_visible()


def test_what_is_not_added_after_all_gives_the_focus_back(owned: Page) -> None:
    dialog = settings(owned)
    press(dialog, "Add a provider")
    press(dialog, "Cancel")
    expect(dialog.get_by_role("button", name="Add a provider")).to_be_focused()
    dialog.get_by_role("tab", name="Tools").click()
    press(dialog, "Add a web service")
    press(dialog, "Cancel")
    expect(dialog.get_by_role("button", name="Add a web service")).to_be_focused()


def test_an_added_mcp_server_that_does_not_start_says_why_and_is_tested_again_when_it_is_mended(owned: Page) -> None:
    dialog = settings(owned, "Tools")
    press(dialog, "Add an MCP server")
    dialog.get_by_label("Name", exact=True).fill("clock")
    dialog.get_by_label("Command line").fill(f"'{sys.executable}' -c 'print(1)'")
    press(dialog, "Add")
    clock = row(dialog, "clock")
    expect(clock.get_by_role("status")).to_contain_text("The server cannot be used", timeout=20_000)
    expect(clock.get_by_role("status")).to_contain_text("Check its command line under Edit")
    assert_accessible(owned)
    press(clock, "Edit")
    clock.get_by_label("Command line").fill(TIME_SERVER)
    press(clock, "Save")
    expect(clock.get_by_role("status")).to_contain_text("offers 2 tools", timeout=20_000)
    expect(clock).to_contain_text("running · 2 tools")


def test_a_server_that_was_there_before_is_not_tested_by_being_shown(owned: Page, server: PageServer) -> None:
    server.call("POST", "/api/mcp-servers", {"name": "clock", "command": "no-such-program", "enabled": False})
    tested: list[str] = []
    owned.on("request", lambda request: tested.append(request.url) if request.url.endswith("/test") else None)
    dialog = settings(owned, "Tools")
    expect(row(dialog, "clock")).to_contain_text("switched off")
    dialog.get_by_role("tab", name="Providers").click()
    expect(row(dialog, "Scripted")).to_be_visible()
    assert tested == []


def test_an_added_web_service_says_how_many_operations_it_offers(owned: Page) -> None:
    dialog = settings(owned, "Tools")
    for name, paths, told in (
        ("shop", ("/things", "/others"), "2 operations can be called. 1 cannot be called."),
        ("bare", (), "No operation of its document can be called. 1 cannot be called."),
    ):
        press(dialog, "Add a web service")
        dialog.get_by_label("Name", exact=True).fill(name)
        dialog.get_by_label("As text").check()
        dialog.get_by_label("Document").fill(document(*paths))
        press(dialog, "Add")
        expect(row(dialog, name).get_by_role("status")).to_contain_text(told)


def test_rules_for_all_chats_are_set_in_the_settings_and_told_from_those_of_a_chat(
    owned: Page, server: PageServer
) -> None:
    dialog = settings(owned, "Tools")
    rules = dialog.get_by_role("group", name="In all your chats")
    press(rules, "Add a rule")
    expect(rules.get_by_label("Tool", exact=True)).to_be_focused()
    owned.keyboard.type("no good")
    press(dialog, "Save")
    expect(dialog.get_by_text("A rule needs the name of a tool")).to_be_visible()
    rules.get_by_label("Tool", exact=True).fill("files_*")
    rules.get_by_label("What to do").select_option("Deny")
    assert_accessible(owned)
    press(dialog, "Save")
    expect(dialog.get_by_text("Saved.")).to_be_visible()
    expect(dialog.get_by_role("button", name="Save")).to_have_count(0)
    assert server.call("GET", "/api/rules")["items"] == [{"tool": "files_*", "action": "deny"}]
    owned.keyboard.press("Escape")
    owned.get_by_role("button", name="Chat settings").click()
    chat = owned.get_by_role("dialog", name="Chat settings")
    expect(chat.get_by_role("group", name="Only in this chat").get_by_label("Tool", exact=True)).to_have_count(0)
    chat.get_by_label("System prompt").fill("Not saved yet.")
    press(chat, "Rules for all your chats …")
    dialog = owned.get_by_role("dialog", name="Settings", exact=True)
    expect(dialog.get_by_role("tab", name="Tools")).to_have_attribute("aria-selected", "true")
    rules = dialog.get_by_role("group", name="In all your chats")
    expect(rules.get_by_label("Tool", exact=True)).to_have_value("files_*")
    assert_accessible(owned)
    owned.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(chat.get_by_role("button", name="Rules for all your chats …")).to_be_focused()
    expect(chat.get_by_label("System prompt")).to_have_value("Not saved yet.")
