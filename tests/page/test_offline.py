"""The page while its server or the network is away: it opens, shows what was read before, goes on, and tells of a new version."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.library import keep, line
from tests.page.talk import SLOW, answer, conversation_id, saved_text, script, send, shown_text, text

AWAY = "The server cannot be reached."
NEW_VERSION = "A new version of this page is there."
OTHER_BUILD = '<!doctype html><div id="app"></div><script type="module" src="/assets/index-other.js"></script>'

READY = "() => navigator.serviceWorker.ready.then(() => true)"
CACHED = """async () => {
    const paths = [];
    for (const name of await caches.keys())
        for (const request of await (await caches.open(name)).keys()) paths.push(new URL(request.url).pathname);
    return paths;
}"""
KEPT = """async () => {
    if (!(await indexedDB.databases()).some(({ name }) => name === 'luxx')) return {};
    const done = (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
    const database = await done(indexedDB.open('luxx'));
    const read = (name) => database.transaction(name).objectStore(name);
    const rows = (await done(read('conversations').getAll())).map(({ json }) => JSON.parse(json));
    const list = await done(read('facts').get('list'));
    database.close();
    const ids = rows.map(({ conversation }) => conversation.id);
    const ended = rows.filter(({ page }) => page.items.at(-1)?.status === 'done').map(({ conversation }) => conversation.id);
    return { ids, ended, list };
}"""
HIDE = """hidden => {
    Object.defineProperty(document, 'visibilityState', { value: hidden ? 'hidden' : 'visible', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
}"""
WAKE = "() => { window.asleep = 3_600_000; document.dispatchEvent(new Event('resume')); }"
CLOCK = "() => { const now = Date.now; window.asleep = 0; Date.now = () => now() + window.asleep; }"


@pytest.fixture
def tab(browser: Browser, server: PageServer) -> Iterator[Page]:
    """A tab of a browser that knows nothing of this server yet."""
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(f"({CLOCK})()")
    page.goto(server.url)
    yield page
    context.close()
    if not server.is_up:
        server.start()


def until(page: Page, condition: str, arg: str | None = None) -> None:
    """Wait until an asynchronous condition holds, as long as the test may take."""
    loop = "while (!(await holds(arg))) await new Promise((done) => setTimeout(done, 50));"
    page.evaluate(f"async arg => {{ const holds = {condition}; {loop} }}", arg)


def kept(page: Page) -> None:
    """Wait until the browser has kept the page, the list and the conversation that is open, with its answer."""
    page.evaluate(READY)
    until(
        page,
        f"async id => {{ const k = await ({KEPT})(); return k.list?.includes(id) && k.ended.includes(id) }}",
        conversation_id(page),
    )


def talked(page: Page) -> str:
    send(page, script([text("Tea is **ready**.")]))
    expect(answer(page)).to_have_attribute("aria-busy", "false")
    made = conversation_id(page)
    kept(page)
    return made


def answering(page: Page) -> None:
    send(page, script([text(SLOW, delay_ms=40)]))
    expect(answer(page)).to_contain_text("word40 ")


def assert_whole(page: Page, server: PageServer) -> None:
    """Assert that the answer came to its end, as it was saved, with nothing about the connection in it or beside it."""
    expect(answer(page)).to_contain_text("word149", timeout=30_000)
    expect(answer(page)).to_have_attribute("aria-busy", "false")
    assert shown_text(page) == saved_text(server, page) == SLOW.strip()
    expect(page.locator(".status")).to_have_text("")


def test_the_page_can_be_installed(tab: Page) -> None:
    tab.evaluate(READY)
    client = tab.context.new_cdp_session(tab)
    manifest = client.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert manifest["url"].endswith("/manifest.webmanifest")
    errors = client.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [error["errorId"] for error in errors] == ["in-incognito"]
    icons = tab.evaluate("fetch('/manifest.webmanifest').then((answer) => answer.json()).then(({ icons }) => icons)")
    sides = [
        tab.evaluate(
            "src => { const i = new Image(); i.src = src; return i.decode().then(() => i.width) }", icon["src"]
        )
        for icon in icons
        if icon["type"] == "image/png"
    ]
    assert sides == [192, 512, 512]


def test_without_its_server_the_page_opens_with_what_was_read_and_goes_on_when_it_is_back(
    tab: Page, server: PageServer
) -> None:
    made = talked(tab)
    server.kill()
    tab.goto(server.url)
    expect(tab.locator(".status")).to_contain_text(AWAY)
    tab.locator(f"nav a[href='/c/{made}']").click()
    expect(answer(tab).locator("strong")).to_have_text("ready")
    assert_accessible(tab)
    tab.reload()
    expect(answer(tab).locator("strong")).to_have_text("ready")
    box = tab.get_by_role("textbox", name="Message", exact=True)
    box.fill(script([text("Written while away.")]))
    box.press("Enter")
    expect(tab.get_by_text("Offline. Your message is kept")).to_be_visible()
    server.start()
    expect(tab.locator(".status")).to_contain_text("Not sent.", timeout=30_000)
    box.press("Enter")
    expect(answer(tab)).to_contain_text("Written while away.")
    expect(tab.locator(".status")).to_have_text("")


def test_the_words_of_the_server_replace_what_was_kept(tab: Page, server: PageServer) -> None:
    made = talked(tab)
    tab.context.set_offline(True)
    tab.reload()
    expect(answer(tab)).to_contain_text("Tea is ready.")
    server.call("PATCH", f"/api/conversations/{made}", {"title": "Renamed meanwhile"})
    tab.context.set_offline(False)
    expect(tab.get_by_role("heading", name="Renamed meanwhile")).to_be_visible()
    server.call("DELETE", f"/api/conversations/{made}")
    expect(tab.get_by_text("does not exist")).to_be_visible()
    until(tab, f"async id => !(await ({KEPT})()).ids.includes(id)", made)


def test_nothing_but_the_pages_own_files_is_in_the_cache(tab: Page, server: PageServer) -> None:
    talked(tab)
    tab.goto(f"{server.url}/api/docs")
    tab.goto(f"{server.url}/share/none")
    tab.go_back()
    paths = tab.evaluate(CACHED)
    assert "/" in paths
    assert all(path == "/" or re.match(r"/assets/[^/]+\.(js|css|woff2)$", path) for path in paths)


def test_what_is_kept_is_forgotten_by_a_button(tab: Page, server: PageServer) -> None:
    talked(tab)
    tab.get_by_role("button", name="Settings", exact=True).click()
    tab.get_by_role("tab", name="Data").click()
    forget = tab.get_by_role("button", name="Forget them")
    expect(tab.get_by_text("1 conversation,")).to_be_visible()
    forget.click()
    expect(tab.get_by_text("Nothing is kept.")).to_be_visible()
    expect(forget).to_be_disabled()
    assert tab.evaluate(KEPT) == {"ids": [], "ended": [], "list": None}


def test_what_was_read_before_all_was_forgotten_does_not_come_back(tab: Page, server: PageServer) -> None:
    tab.clock.install()
    tab.reload()
    made = talked(tab)
    tab.get_by_role("button", name="Settings", exact=True).click()
    tab.get_by_role("tab", name="Data").click()
    expect(tab.get_by_text("1 conversation,")).to_be_visible()
    tab.clock.pause_at(
        tab.evaluate("Date.now() / 1000 + 10")
    )  # What is read is kept in a moment, which does not come yet.
    server.call("PATCH", f"/api/conversations/{made}", {"title": "Read before"})
    expect(tab).to_have_title(re.compile("Read before"))
    tab.get_by_role("button", name="Forget them").click()
    expect(tab.get_by_text("Nothing is kept.")).to_be_visible()
    tab.clock.run_for(10_000)
    assert tab.evaluate(KEPT) == {"ids": [], "ended": [], "list": None}


def test_what_was_asked_for_before_all_was_forgotten_does_not_come_back(tab: Page, server: PageServer) -> None:
    other = keep(server, "Read afterwards", line("One", "Two"))
    talked(tab)
    held: list[Route] = []
    tab.route(re.compile(r"/messages\?|/api/conversations\?"), lambda route: held.append(route))
    with tab.expect_request(re.compile(r"/api/conversations\?")), tab.expect_request(re.compile(r"/messages\?")):
        tab.reload()
    tab.get_by_role("button", name="Settings", exact=True).click()
    tab.get_by_role("tab", name="Data").click()
    tab.get_by_role("button", name="Forget them").click()
    expect(tab.get_by_text("Nothing is kept.")).to_be_visible()
    tab.keyboard.press("Escape")
    for route in held:
        route.continue_()
    expect(answer(tab)).to_contain_text("Tea is ready.")
    tab.unroute_all()
    tab.get_by_role("navigation").get_by_role("link", name="Read afterwards", exact=True).click()
    until(
        tab, f"async id => (await ({KEPT})()).ids.includes(id)", other
    )  # What was read before it would have been kept by now.
    assert tab.evaluate(KEPT) == {"ids": [other], "ended": [other], "list": None}


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [("**/api/health", 200, {"version": "1", "data": "of another"}), ("**/api/conversations?*", 401, {"code": "x"})],
)
def test_another_owner_finds_nothing(tab: Page, path: str, status: int, body: dict[str, str]) -> None:
    made = talked(tab)
    tab.route(path, lambda route: route.fulfill(status=status, json=body))
    tab.goto(tab.url.replace(f"/c/{made}", "/"))
    until(tab, f"async id => !(await ({KEPT})()).ids.includes(id)", made)


def test_offline_in_mid_answer(tab: Page, server: PageServer) -> None:
    answering(tab)
    tab.context.set_offline(True)
    tab.evaluate(WAKE)  # The emulation lets pass what is open already.
    expect(tab.get_by_text("You are offline.")).to_be_visible()
    tab.context.set_offline(False)
    assert_whole(tab, server)


def test_without_a_network_one_line_tells_of_a_stop(tab: Page) -> None:
    send(tab, script([text(SLOW * 10, delay_ms=40)]))
    expect(answer(tab)).to_contain_text("word20 ")
    tab.context.set_offline(True)
    tab.evaluate(WAKE)
    expect(tab.get_by_text("You are offline.")).to_be_visible()
    tab.get_by_role("button", name="Stop", exact=True).click()
    expect(answer(tab)).to_contain_text("Will stop when the server is back.")
    expect(tab.locator(".status")).to_have_text("")
    tab.context.set_offline(False)
    expect(answer(tab)).to_contain_text("Stopped")
    expect(tab.locator(".status")).to_have_text("")


def test_a_restart_with_a_new_build_in_mid_answer(tab: Page, server: PageServer) -> None:
    answering(tab)
    tab.get_by_role("textbox", name="Message", exact=True).fill("a draft")
    tab.evaluate("window.same = true")
    server.kill()
    expect(tab.get_by_text("Connection lost")).to_be_visible()
    tab.route(f"{server.url}/", lambda route: route.fulfill(body=OTHER_BUILD, content_type="text/html"))
    server.start()
    expect(tab.get_by_text(NEW_VERSION)).to_be_visible(timeout=30_000)
    expect(answer(tab)).to_contain_text("word149", timeout=30_000)
    expect(answer(tab)).to_have_attribute("aria-busy", "false")
    assert shown_text(tab) == saved_text(server, tab) == SLOW.strip()
    assert tab.evaluate("window.same")
    tab.unroute_all()
    tab.get_by_role("button", name="Reload").click()
    tab.wait_for_function("() => !window.same")
    expect(tab.get_by_text(NEW_VERSION)).to_have_count(0)
    expect(tab.get_by_role("textbox", name="Message", exact=True)).to_have_value("a draft")


def test_a_part_that_is_gone_with_its_build_leads_to_a_reload(chat: Page, server: PageServer) -> None:
    chat.get_by_role("textbox", name="Message", exact=True).fill("a draft")
    chat.route("**/assets/SetupDialog-*", lambda route: route.fulfill(status=404))
    chat.get_by_role("button", name="Settings", exact=True).click()
    expect(chat.get_by_text(NEW_VERSION)).to_have_count(0)
    chat.route(f"{server.url}/", lambda route: route.fulfill(body=OTHER_BUILD, content_type="text/html"))
    expect(chat.get_by_text(NEW_VERSION)).to_be_visible()
    chat.unroute_all()
    chat.get_by_role("button", name="Reload").click()
    expect(chat.get_by_role("textbox", name="Message", exact=True)).to_have_value("a draft")


def test_a_machine_that_slept_asks_again(tab: Page, server: PageServer) -> None:
    answering(tab)
    server.freeze()
    try:
        tab.evaluate(WAKE)
        expect(tab.get_by_text("Connection lost")).to_be_visible()
    finally:
        server.thaw()
    assert_whole(tab, server)


def test_a_tab_that_was_frozen_goes_on(tab: Page, server: PageServer) -> None:
    answering(tab)
    client = tab.context.new_cdp_session(tab)
    client.send("Page.setWebLifecycleState", {"state": "frozen"})
    made = conversation_id(tab)
    while server.last_answer(made)["status"] == "active":
        pass
    client.send("Page.setWebLifecycleState", {"state": "active"})
    assert_whole(tab, server)


def test_a_tab_that_was_hidden_for_long_has_all_when_it_is_looked_at(tab: Page, server: PageServer) -> None:
    tab.clock.install()
    tab.reload()
    answering(tab)
    tab.evaluate(HIDE, True)
    tab.clock.fast_forward(120_000)
    server.call("POST", "/api/conversations", {"title": "Made meanwhile", "client_request_id": "meanwhile"})
    tab.evaluate(HIDE, False)
    expect(tab.get_by_role("link", name="Made meanwhile")).to_be_visible()
    assert_whole(tab, server)


def test_back_and_forward_in_mid_answer(tab: Page, server: PageServer) -> None:
    answering(tab)
    tab.goto(f"{server.url}/api/docs")
    tab.go_back()
    assert_whole(tab, server)


def test_a_link_on_another_site_opens_the_page(tab: Page, server: PageServer) -> None:
    made = talked(tab)
    link = f"<a href='{server.url}/c/{made}'>There</a>"
    tab.route("http://elsewhere.example/", lambda route: route.fulfill(body=link, content_type="text/html"))
    tab.goto("http://elsewhere.example/")
    tab.get_by_text("There").click()
    expect(answer(tab)).to_contain_text("Tea is ready.")
