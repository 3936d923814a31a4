"""The states of the settings dialog: each brings the page into itself and leaves it there."""

from playwright.sync_api import FilePayload, Page, expect

from tests.page.conftest import PageServer

_FITTED = "() => document.querySelector('.page')?.matches('.narrow') === matchMedia('(max-width: 50rem)').matches"


def open_side(page: Page) -> None:
    """Show the conversations, if they are a drawer that is closed; the page is there, and has seen how wide its window is."""
    page.wait_for_function(_FITTED)
    if page.get_by_role("navigation").count() == 0:
        page.get_by_role("button", name="Show conversations").click()


def _settings(page: Page, tab: str) -> None:
    open_side(page)
    page.get_by_role("button", name="Settings", exact=True).click()
    page.get_by_role("dialog").get_by_role("tab", name=tab).click()


def general(page: Page, server: PageServer) -> None:
    """Settings of the page."""
    _settings(page, "General")


def tools_menu(page: Page, server: PageServer) -> None:
    """What models may use in the chat."""
    page.get_by_role("button", name="Tools", exact=True).click()
    expect(page.get_by_role("switch", name="Use calculator")).to_be_visible()


def providers(page: Page, server: PageServer) -> None:
    """Providers, one of them being changed, with a price being entered."""
    _settings(page, "Providers")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Edit").first.click()
    dialog.get_by_text("Prices", exact=True).click()
    dialog.get_by_role("button", name="Add a price").click()


def known_providers(page: Page, server: PageServer) -> None:
    """The list of providers that can be added."""
    _settings(page, "Providers")
    page.get_by_role("dialog").get_by_role("button", name="Add a provider").click()
    expect(page.get_by_role("dialog").get_by_role("searchbox")).to_be_focused()


def own_provider(page: Page, server: PageServer) -> None:
    """The form of a provider that is not known."""
    known_providers(page, server)
    page.get_by_role("dialog").get_by_role("button", name="Custom provider").click()


def tools(page: Page, server: PageServer) -> None:
    """Tools of servers and services, with what is wrong with them, and the list of all."""
    log = ["A line of its log."]
    status = {"state": "failed", "error": "It does not start.", "login_url": "https://login.example/", "tools": None}
    one = {"id": "x", "name": "clock", "kind": "http", "url": "https://o.example/mcp", "args": [], "secrets": []}
    one |= {"trusted": False, "enabled": True, "has_secrets": False, "status": {**status, "left_out": 0, "log": log}}
    page.route("**/api/mcp-servers", lambda route: route.fulfill(json={"items": [one]}))
    _settings(page, "Tools")
    page.get_by_role("dialog").get_by_role("button", name="Details").first.click()


def tool_server(page: Page, server: PageServer) -> None:
    """The form of an MCP server."""
    _settings(page, "Tools")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Add an MCP server").click()
    dialog.get_by_role("button", name="Add a variable").click()


def web_service(page: Page, server: PageServer) -> None:
    """The form of a web service."""
    _settings(page, "Tools")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Add a web service").click()
    dialog.get_by_label("As text").check()


def imported(page: Page, server: PageServer) -> None:
    """What came of an import."""
    report = {"found": 3, "imported": 2, "messages": 7, "skipped": 1, "refused": 1, "conversation_ids": ["a", "b"]}
    report |= {"left_out": {"images": 2}, "mended": {"dates": 1}, "problems": [{"title": "Boats", "reason": "Empty."}]}
    page.route("**/api/imports", lambda route: route.fulfill(status=201, json=report))
    _settings(page, "Data")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a file").click()
    chooser.value.set_files([FilePayload(name="a.json", mimeType="application/json", buffer=b"{}")])
    expect(page.get_by_text("Boats")).to_be_visible()
