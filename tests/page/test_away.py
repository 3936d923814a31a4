"""What is pressed while the server is away, and what the page says of it when the server is there again."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.talk import answer, call, script, send, text, use_tools

AWAY = "The server cannot be reached."
LATER = "Will stop when the server is back."
ENDLESS = "".join(f"word{n} " for n in range(2000))
ASKS = script([call("wait_unsafe", seconds=0)], [text("Done.")])
BACK = 30_000  # in ms: a server starts meanwhile
NOTES = FilePayload(name="notes.md", mimeType="text/markdown", buffer=b"# Notes\n")


@pytest.fixture
def page(chat: Page, server: PageServer) -> Iterator[Page]:
    """The page, whose server is up again in the end."""
    yield chat
    if not server.is_up:
        server.start()


def endless(page: Page) -> None:
    send(page, script([text(ENDLESS, delay_ms=30)]))
    expect(answer(page)).to_contain_text("word5 ")


def restart(page: Page, server: PageServer) -> None:
    """Start the server again, and do not wait until the page would ask by itself."""
    server.start()
    page.evaluate("dispatchEvent(new Event('online'))")


def stop(page: Page) -> None:
    page.get_by_role("button", name="Stop", exact=True).click()


def fresh_tab(page: Page) -> Page:
    """A tab whose clock can be stopped, which is not left to others."""
    assert page.context.browser
    tab = page.context.browser.new_context(service_workers="block").new_page()
    tab.clock.install()
    tab.goto(page.url)
    return tab


def find_nobody(route: Route) -> None:
    """Answer as what stands in between does while the server is away."""
    route.fulfill(status=502, content_type="text/html", body="<h1>Bad Gateway</h1>")


def hear_again(page: Page) -> None:
    """Let the streams be opened anew."""
    page.unroute_all()
    page.evaluate("dispatchEvent(new Event('online'))")


def field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message", exact=True)


def test_a_stop_that_the_server_could_not_hear_is_told_to_it_when_it_is_back(page: Page, server: PageServer) -> None:
    endless(page)
    send(page, script([text("Of the next one.")]))
    expect(page.get_by_role("button", name="Send now")).to_be_enabled()
    server.kill()
    expect(page.locator(".status")).to_have_text("Connection lost; reconnecting … The answer is not lost.")
    dot = page.get_by_role("article", name="Answer").first.locator(".working .dot")
    expect(dot).to_have_css("animation-name", "none")
    stop(page)
    expect(page.get_by_role("log").get_by_text(LATER)).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text=AWAY)).to_have_count(0)
    expect(page.locator(".status")).to_have_text("")
    expect(page.get_by_text("The answer goes on")).to_have_count(0)
    assert_accessible(page)
    server.start()
    first = page.get_by_role("article", name="Answer").first
    expect(first).to_contain_text("Stopped", timeout=BACK)
    expect(page.locator(".status")).to_have_text("")
    expect(answer(page)).to_contain_text("Not answered")


@pytest.mark.parametrize("looked_at", ["its chat", "a new chat"])
def test_a_stop_that_the_server_could_not_hear_outlives_a_reload(
    page: Page, server: PageServer, looked_at: str
) -> None:
    endless(page)
    here = page.url
    server.kill()
    expect(page.get_by_text("Connection lost")).to_be_visible()
    stop(page)
    expect(page.get_by_role("log").get_by_text(LATER)).to_be_visible()
    page.goto("about:blank")
    server.start()
    with page.expect_response("**/api/turns/*/cancel"):
        page.goto(here if looked_at == "its chat" else server.url)
    page.goto(here)
    expect(answer(page)).to_contain_text("Stopped", timeout=BACK)
    page.wait_for_function("() => sessionStorage.getItem('luxx:stops') === null")


def test_a_reason_that_is_over_is_not_told_any_more(page: Page, server: PageServer) -> None:
    send(page, script([text("Ready.")]))
    expect(answer(page)).to_have_attribute("aria-busy", "false")
    server.kill()
    send(page, script([text("Sent after all.")]))
    told = page.locator(".composer").get_by_role("status")
    expect(told).to_contain_text("Offline. Your message is kept and can be sent when the server is back.")
    assert_accessible(page)
    restart(page, server)
    expect(told).to_contain_text("Not sent. Your message is kept.", timeout=BACK)
    told.get_by_role("button", name="Retry now").click()
    expect(answer(page)).to_contain_text("Sent after all.")
    expect(told).to_have_text("")
    page.get_by_role("button", name="Tools", exact=True).click()
    expect(page.get_by_role("switch", name="Use calculator")).to_be_visible()
    page.keyboard.press("Escape")
    server.kill()
    use_tools(page)
    expect(page.get_by_role("dialog", name="Tools").get_by_role("alert")).to_contain_text(AWAY)
    expect(page.get_by_role("switch", name="Use tools")).to_be_checked()
    restart(page, server)
    expect(page.get_by_role("alert").filter(has_text=AWAY)).to_have_count(0, timeout=BACK)
    expect(told).to_have_text("")


def test_that_the_server_is_away_is_told_once_and_moves_nothing(page: Page, server: PageServer) -> None:
    send(page, script([text("Ready.")]))
    expect(answer(page)).to_have_attribute("aria-busy", "false")
    tools = page.get_by_role("button", name="Tools", exact=True)
    before = tools.bounding_box()
    server.kill()
    page.get_by_role("textbox", name="Message", exact=True).fill("Not yet.")
    page.keyboard.press("Enter")
    composer = page.locator(".composer")
    expect(composer.get_by_role("button", name="Retry now")).to_be_visible()
    expect(composer.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_text(AWAY)).to_have_count(0)
    expect(page.get_by_title("Offline:")).to_be_visible()
    after = tools.bounding_box()
    assert before
    assert after
    assert (before["x"], before["width"]) == (after["x"], after["width"])
    restart(page, server)


def test_the_first_request_that_is_answered_brings_all_connections_back(page: Page, server: PageServer) -> None:
    tab = fresh_tab(page)
    endless(tab)
    tab.clock.pause_at(tab.evaluate("Date.now() / 1000 + 15"))  # That time must not be over before the clock stands.
    server.kill()
    while not tab.get_by_title("Offline:").count():
        tab.clock.run_for(500)
    tab.clock.run_for(1_000)
    expect(tab.locator(".status")).to_contain_text("Connection lost")
    server.start()
    # No time goes by: only what is pressed can bring the next attempt.
    with tab.expect_response("**/api/events"), tab.expect_response("**/api/turns/*/events"):
        use_tools(tab)
    expect(tab.locator(".status")).to_have_text("")
    stop(tab)
    expect(answer(tab)).to_contain_text("Stopped")
    tab.context.close()


def test_a_message_at_the_edge_covers_nothing_that_is_pressed_and_leaves_with_its_reason(
    page: Page, server: PageServer
) -> None:
    server.call("PUT", "/api/rules", {"items": [{"tool": "wait_unsafe", "action": "ask"}]})
    send(page, ASKS)
    allow = page.get_by_role("button", name="Allow", exact=True)
    expect(allow).to_be_visible()
    field(page).fill("next")
    server.kill()
    allow.click()
    toast = page.locator(".toast")
    expect(toast).to_have_text(AWAY)
    for width in (801, 1280):
        page.set_viewport_size({"width": width, "height": 860})
        for name in ("Stop", "Send", "Share and export", "Allow", "New chat"):
            for found in page.get_by_role("button", name=name, exact=True).all():
                found.click(trial=True)
    allow.click()
    expect(toast).to_have_count(1)
    restart(page, server)
    expect(toast).to_have_count(0, timeout=BACK)
    allow.click()
    expect(answer(page)).to_contain_text("Done.")


def test_what_a_gateway_says_that_finds_nobody_leaves_with_its_reason(page: Page, server: PageServer) -> None:
    server.call("PUT", "/api/rules", {"items": [{"tool": "wait_unsafe", "action": "ask"}]})
    send(page, ASKS)
    allow = page.get_by_role("button", name="Allow", exact=True)
    expect(allow).to_be_visible()
    page.route("**/api/**", find_nobody)
    allow.click()
    toast = page.locator(".toast")
    expect(toast).to_have_text(AWAY)
    hear_again(page)
    expect(toast).to_have_count(0)
    allow.click()
    expect(answer(page)).to_contain_text("Done.")


def test_a_server_that_restarts_is_told_for_a_while(page: Page, server: PageServer) -> None:
    restarts = {"status": 503, "code": "draining", "detail": "Not now."}
    tab = fresh_tab(page)
    send(tab, script([text("Ready.")]))
    expect(answer(tab)).to_have_attribute("aria-busy", "false")
    tab.route("**/regenerate", lambda route: route.fulfill(status=503, json=restarts))
    answer(tab).get_by_role("button", name="Regenerate").click()
    expect(tab.locator(".toast")).to_have_text("The server is restarting. Try it again in a moment.")
    tab.clock.run_for(8_000)
    expect(tab.locator(".toast")).to_have_count(0)
    tab.context.close()


def test_a_dialog_does_not_say_of_a_server_that_is_back_that_it_is_away(page: Page) -> None:
    send(page, script([text("Ready.")]))
    expect(answer(page)).to_have_attribute("aria-busy", "false")
    page.get_by_role("button", name="Chat settings").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("System prompt").fill("Be brief.")
    page.route("**/api/**", find_nobody)
    dialog.get_by_role("button", name="Save").click()
    alert = dialog.get_by_role("alert")
    expect(alert).to_have_text(AWAY)
    hear_again(page)
    expect(alert).to_have_count(0)
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)


def test_settings_that_could_not_be_read_are_read_when_the_server_is_back(page: Page) -> None:
    page.route("**/api/**", find_nobody)
    page.get_by_role("button", name="Settings", exact=True).click()
    page.get_by_role("tab", name="Tools").click()
    alert = page.get_by_role("dialog").get_by_role("alert")
    expect(alert).to_have_text(AWAY)
    hear_again(page)
    expect(alert).to_have_count(0)
    expect(page.get_by_role("dialog").get_by_text("calculator").first).to_be_attached()


def test_a_file_that_could_not_be_uploaded_says_what_is_true_when_the_server_is_back(
    page: Page, server: PageServer
) -> None:
    files = page.locator("input[type=file]")
    attached = page.get_by_role("list", name="Attached files")
    files.set_input_files([NOTES])
    expect(attached).to_contain_text("8 bytes")
    server.kill()
    files.set_input_files([{**NOTES, "name": "more.md"}])
    expect(attached).to_contain_text("The upload broke off.")
    restart(page, server)
    expect(page.locator(".status")).to_have_text("", timeout=BACK)
    expect(page.get_by_text(AWAY)).to_have_count(0)
    page.get_by_role("button", name="Upload more.md again").click()
    expect(attached.get_by_text("8 bytes")).to_have_count(2)
