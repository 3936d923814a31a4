"""The settings in the page: providers, servers that bring tools, and all the tools."""

import json
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.local_server import local_server

TIME_SERVER = f"'{sys.executable}' -m mcp_server_time"


def document(*paths: str) -> str:
    """Return an OpenAPI document that can be read at some paths, and has an operation that cannot be called."""
    upload = {"content": {"multipart/form-data": {"schema": {"type": "object"}}}, "required": True}
    operations = {path: {"get": {"summary": f"Read {path}."}} for path in paths}
    return json.dumps(
        {
            "openapi": "3.1.0",
            "info": {"title": "The <b>shop</b>", "version": "1"},
            "servers": [{"url": "https://shop.example/v1"}],
            "paths": {**operations, "/up": {"post": {"operationId": "up", "requestBody": upload}}},
        }
    )


class OneModel(BaseHTTPRequestHandler):
    """A provider that lists one model, and whose answers all fail."""

    def do_GET(self) -> None:
        body = json.dumps({"data": [{"id": "the-only-one"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    """Where a provider with one model is."""
    with local_server(OneModel) as host:
        yield f"http://{host}/v1"


def settings(page: Page, tab: str = "Providers") -> Locator:
    page.get_by_role("button", name="Settings", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("tab", name=tab).click()
    return dialog


def row(dialog: Locator, name: str) -> Locator:
    return dialog.locator("li.row").filter(has=dialog.page.get_by_text(name, exact=True))


def press(place: Locator, name: str) -> None:
    place.get_by_role("button", name=name, exact=True).click()


def add_custom(dialog: Locator, name: str, address: str) -> None:
    press(dialog, "Add a provider")
    dialog.get_by_role("button", name="Custom provider").click()
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Base URL").fill(address)
    dialog.get_by_label("API key").fill("secret")
    press(dialog, "Add")


def test_a_known_provider_is_found_by_its_name_and_says_where_keys_are(chat: Page) -> None:
    dialog = settings(chat)
    press(dialog, "Add a provider")
    expect(dialog.get_by_role("button", name="Anthropic")).to_be_visible()
    assert_accessible(chat)
    expect(dialog.get_by_role("searchbox")).to_be_focused()
    chat.keyboard.type("anthr")
    chat.keyboard.press("Enter")
    expect(dialog.get_by_role("heading", name="Anthropic")).to_be_visible()
    expect(dialog.get_by_label("API key")).to_be_focused()
    expect(dialog.get_by_role("link", name="Get a key at")).to_have_attribute("rel", "noopener noreferrer")
    expect(dialog.get_by_label("Base URL")).to_be_hidden()
    chat.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(chat.get_by_role("button", name="Settings", exact=True)).to_be_focused()


def test_without_the_owners_secret_the_page_says_what_is_missing(chat: Page, address: str) -> None:
    dialog = settings(chat)
    add_custom(dialog, "Mine", address)
    expect(dialog.get_by_role("alert")).to_contain_text("Only the owner may change this.")


def test_a_provider_that_cannot_answer_says_that_it_has_no_model_and_is_not_the_default(owned: Page) -> None:
    dialog = settings(owned)
    add_custom(dialog, "Bare", "http://127.0.0.1:9/v1")
    bare = row(dialog, "Bare")
    expect(bare).to_contain_text("no model chosen")
    press(bare, "Cancel")
    expect(bare.get_by_role("button", name="Make default")).to_be_visible()
    press(bare, "Remove")
    press(bare, "Really remove?")
    expect(bare).to_have_count(0)


def test_a_provider_is_added_tried_changed_and_removed(owned: Page, server: PageServer, address: str) -> None:
    dialog = settings(owned)
    add_custom(dialog, "Mine", address)
    mine = row(dialog, "Mine")
    expect(mine.get_by_role("status")).to_contain_text("the-only-one: The provider refused the API key (401)")
    press(mine, "Edit")
    expect(mine.get_by_text("1 to choose from")).to_be_visible()
    expect(mine.locator("datalist option")).to_have_attribute("value", "the-only-one")
    mine.get_by_label("Base URL").fill("http://127.0.0.1:9/v1")
    expect(mine).to_contain_text("The stored key belongs to the old address and will be deleted.")
    mine.get_by_label("If it fails").select_option("then Scripted")
    assert_accessible(owned)
    press(mine, "Save")
    expect(mine).to_contain_text("no key")
    expect(mine.get_by_role("button", name="Edit")).to_be_focused()
    press(mine, "Make default")
    expect(mine.get_by_text("Default", exact=True)).to_be_visible()
    saved = next(item for item in server.call("GET", "/api/providers")["items"] if item["name"] == "Mine")
    assert (saved["base_url"], saved["has_key"], saved["is_default"]) == ("http://127.0.0.1:9/v1", False, True)
    assert saved["fallback_id"]
    press(mine, "Remove")
    press(mine, "Really remove?")
    expect(mine).to_have_count(0)
    server.use_scripted()


def test_a_failure_is_told_until_something_else_is_asked_for(owned: Page) -> None:
    def fail(route: Route) -> None:
        if route.request.method == "DELETE":
            route.fulfill(status=409, json={"status": 409, "code": "conflict", "detail": "It is in use."})
        else:
            route.fallback()

    owned.route("**/api/providers/*", fail)
    scripted = row(settings(owned), "Scripted")
    told = scripted.get_by_role("status")
    press(scripted, "Remove")
    press(scripted, "Really remove?")
    expect(told).to_contain_text("It is in use.")
    press(scripted, "Test")
    expect(told).to_contain_text("The scripted model plays scripts")


def test_an_mcp_server_is_added_used_and_removed(owned: Page, server: PageServer) -> None:
    dialog = settings(owned, "Tools")
    press(dialog, "Add an MCP server")
    dialog.get_by_label("Name", exact=True).fill("clock")
    command = dialog.get_by_label("Command line")
    command.fill("'open")
    press(dialog, "Add")
    expect(dialog.get_by_role("alert")).to_have_text("A quote is left open.")
    command.fill(TIME_SERVER)
    press(dialog, "Add a variable")
    owned.keyboard.type("TOKEN")
    owned.keyboard.press("Tab")
    owned.keyboard.type("not to be seen")
    expect(dialog.get_by_label("Trust what it says")).not_to_be_checked()
    assert_accessible(owned)
    press(dialog, "Add")
    clock = row(dialog, "clock")
    expect(clock).to_contain_text("2 tools", timeout=20_000)
    press(clock, "Test")
    expect(clock.get_by_role("status")).to_be_visible(timeout=20_000)
    clock.get_by_role("button", name="Details").click()
    expect(clock.get_by_role("list", name="Tools of clock")).to_contain_text("clock__get_current_time")
    expect(clock.get_by_role("region", name="Its log")).to_be_visible()
    press(clock, "Edit")
    expect(clock.get_by_text("Stored: TOKEN.")).to_be_visible()
    clock.get_by_label("Trust what it says").check()
    press(clock, "Save")
    expect(clock.get_by_text("trusted", exact=True)).to_be_visible()
    clock.get_by_role("switch", name="Use clock").click()
    expect(clock).to_contain_text("switched off")
    saved = next(item for item in server.call("GET", "/api/mcp-servers")["items"] if item["name"] == "clock")
    assert (saved["command"], saved["args"]) == (sys.executable, ["-m", "mcp_server_time"])
    assert (saved["trusted"], saved["enabled"], saved["has_secrets"]) == (True, False, True)
    press(clock, "Remove")
    press(clock, "Really remove?")
    expect(clock).to_have_count(0)


@pytest.mark.parametrize(
    ("address", "links"), [("https://login.example/go?a=1", 1), ("javascript:alert(document.domain)", 0)]
)
def test_a_log_in_is_a_link_to_the_web_only(chat: Page, address: str, links: int) -> None:
    name = "<img src=x onerror=alert(1)>"
    status = {"state": "failed", "error": name, "login_url": address, "tools": None, "left_out": 0, "log": []}
    server = {"id": "x", "name": name, "kind": "http", "url": "https://o.example/mcp", "args": [], "secrets": []}
    server |= {"trusted": False, "enabled": True, "has_secrets": False, "status": status}

    def answer(route: Route) -> None:
        route.fulfill(json={"items": [server]})

    chat.route("**/api/mcp-servers", answer)
    dialog = settings(chat, "Tools")
    expect(dialog.locator("li.row strong")).to_have_text(name)
    expect(dialog.get_by_role("link", name="Log in at login.example")).to_have_count(links)
    assert dialog.locator("a[href^='javascript' i], img").count() == 0


def test_a_web_service_is_added_by_its_document_and_read_again(owned: Page) -> None:
    dialog = settings(owned, "Tools")
    press(dialog, "Add a web service")
    dialog.get_by_label("Name", exact=True).fill("shop")
    dialog.get_by_label("As text").check()
    dialog.get_by_label("Document").fill("no document")
    press(dialog, "Add")
    expect(dialog.get_by_role("alert")).to_contain_text("document")
    file = FilePayload(name="shop.json", mimeType="application/json", buffer=document("/things").encode())
    dialog.locator("input[type=file]").set_input_files([file])
    expect(dialog.get_by_label("Document")).to_have_value(document("/things"))
    dialog.get_by_label("Trust what it says").check()
    assert_accessible(owned)
    press(dialog, "Add")
    shop = row(dialog, "shop")
    shop.get_by_role("button", name="Details").click()
    operations = shop.get_by_role("list", name="Tools of shop")
    expect(operations).to_contain_text("GET /things")
    expect(operations).to_contain_text("reads only")
    expect(operations.get_by_role("combobox").first).to_have_value("allow")
    shop.get_by_text("1 cannot be called", exact=True).click()
    expect(shop).to_contain_text("multipart/form-data")
    press(shop, "Read a new document")
    shop.get_by_label("Document").fill(document("/things", "/others"))
    press(shop, "Read the document again")
    expect(shop.get_by_role("status")).to_have_text("1 added, 0 removed, 0 changed.")
    expect(operations).to_contain_text("GET /others")
    press(shop, "Remove")
    press(shop, "Really remove?")
    expect(shop).to_have_count(0)


def test_all_tools_are_listed_with_what_they_do_and_searched(chat: Page) -> None:
    dialog = settings(chat, "Tools")
    listed = dialog.get_by_role("list", name="Built in").get_by_role("listitem")
    expect(listed.filter(has_text="calculator")).to_contain_text("reads only")
    expect(dialog.get_by_label("Calls of calculator")).to_have_value("allow")
    dialog.get_by_role("searchbox").fill("unsafe nothing of this")
    expect(dialog.get_by_text("Nothing found.")).to_be_visible()
    dialog.get_by_role("searchbox").fill("built exactly whole")
    expect(listed).to_have_count(1)
    dialog.get_by_role("tab", name="Tools").focus()
    chat.keyboard.press("ArrowLeft")
    expect(dialog.get_by_role("tab", name="Providers")).to_be_focused()
    expect(dialog.get_by_role("button", name="Add a provider")).to_be_visible()


def test_the_settings_fit_a_narrow_screen(chat: Page) -> None:
    chat.set_viewport_size({"width": 360, "height": 700})
    chat.emulate_media(color_scheme="dark", reduced_motion="reduce")
    chat.get_by_role("button", name="Show conversations").click()
    dialog = settings(chat, "Tools")
    press(dialog, "Add an MCP server")
    press(dialog, "Add a variable")
    assert_accessible(chat)
    assert dialog.locator(".body").evaluate("body => body.scrollWidth <= body.clientWidth")
