"""From chat to chat by keys, in the order of the list."""

import re
from datetime import timedelta

from playwright.sync_api import Page, expect

from tests.page.conftest import PageServer
from tests.page.library import archived, keep_all, line
from tests.page.talk import answer, script, text

DOWN, UP = "Alt+i", "Alt+u"


def _keep(server: PageServer, count: int) -> list[str]:
    """Have so many chats and no others; each is an hour older than the one before it."""
    server.forget_conversations()
    made = [archived(f"Chat {n}", line("Who?", f"Number {n}."), age=timedelta(hours=n)) for n in range(count)]
    return keep_all(server, made)


def _expect_at(page: Page, title: str) -> None:
    expect(page.get_by_role("navigation").locator("[aria-current=page]")).to_have_text(title)
    expect(page).to_have_title(re.compile(f"^{title} "))


def test_the_keys_lead_along_the_list_as_it_stands_and_no_further(chat: Page, server: PageServer) -> None:
    ids = _keep(server, 4)
    server.call("PATCH", f"/api/conversations/{ids[2]}", {"pinned": True})
    chat.reload()
    expect(chat.get_by_role("heading", name="Pinned")).to_be_visible()
    message = chat.get_by_role("textbox", name="Message", exact=True)
    message.fill("Half a thought")
    message.press(UP)  # A new chat is in no list: nothing is above it, and the first one below.
    expect(message).to_have_value("Half a thought")
    for title in ("Chat 2", "Chat 0", "Chat 1", "Chat 3"):
        chat.keyboard.press(DOWN)
        _expect_at(chat, title)
        expect(message).to_be_focused()
        expect(chat.locator("[aria-live=polite]").filter(has_text=title)).to_have_count(1)
    chat.keyboard.press(DOWN)
    chat.keyboard.press(UP)
    _expect_at(chat, "Chat 1")
    expect(message).to_have_value("")
    expect(answer(chat)).to_contain_text("Number 1.")
    chat.go_back()
    _expect_at(chat, "Chat 3")


def test_the_keys_lead_to_what_is_not_in_sight_and_not_read_yet(chat: Page, server: PageServer) -> None:
    ids = _keep(server, 45)  # 40 are read at first.
    chat.set_viewport_size({"width": 1280, "height": 480})
    chat.goto(f"{server.url}/c/{ids[36]}")
    shown = chat.get_by_role("navigation").locator("[aria-current=page]")
    expect(chat.get_by_role("navigation").get_by_role("link", name="Chat 0", exact=True)).to_be_visible()
    for n in range(37, 45):
        chat.keyboard.press(DOWN)
        expect(shown).to_have_text(f"Chat {n}")
        expect(shown).to_be_in_viewport(ratio=1)
    chat.goto(f"{server.url}/c/{ids[1]}")
    expect(shown).to_have_text("Chat 1")
    chat.keyboard.press(UP)
    expect(chat.get_by_role("heading", name="Today")).to_be_in_viewport(ratio=1)
    expect(shown).to_have_text("Chat 0")


def test_the_keys_go_by_the_list_that_waits_for_the_pointer(chat: Page, server: PageServer) -> None:
    ids = _keep(server, 3)
    chat.goto(f"{server.url}/c/{ids[1]}")
    links = chat.get_by_role("navigation").get_by_role("listitem").get_by_role("link")
    expect(links).to_have_text(["Chat 0", "Chat 1", "Chat 2"])
    links.first.hover()
    message = chat.get_by_role("textbox", name="Message", exact=True)
    message.fill(script([text("A new word.")]))
    message.press("Enter")
    expect(answer(chat)).to_contain_text("A new word.")
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    expect(links).to_have_text(["Chat 0", "Chat 1", "Chat 2"])
    chat.keyboard.press(DOWN)
    _expect_at(chat, "Chat 2")
    chat.keyboard.press(UP)
    _expect_at(chat, "Chat 1")
    message.hover()
    expect(links).to_have_text(["Chat 1", "Chat 0", "Chat 2"])
    chat.keyboard.press(DOWN)
    _expect_at(chat, "Chat 0")


def test_the_keys_work_where_the_list_is_hidden(chat: Page, server: PageServer) -> None:
    ids = _keep(server, 2)
    chat.goto(f"{server.url}/c/{ids[0]}")
    expect(answer(chat)).to_contain_text("Number 0.")
    expect(chat.get_by_role("navigation").get_by_role("link", name="Chat 1")).to_be_visible()
    chat.get_by_role("button", name="Hide conversations").click()
    chat.keyboard.press(DOWN)
    expect(answer(chat)).to_contain_text("Number 1.")
    chat.keyboard.press(UP)
    expect(answer(chat)).to_contain_text("Number 0.")


def test_a_list_that_was_hidden_under_the_pointer_holds_nothing_any_more(chat: Page, server: PageServer) -> None:
    ids = _keep(server, 2)
    chat.goto(f"{server.url}/c/{ids[1]}")
    links = chat.get_by_role("navigation").get_by_role("listitem").get_by_role("link")
    expect(links).to_have_text(["Chat 0", "Chat 1"])
    links.first.hover()
    chat.keyboard.press("Alt+b")
    expect(links).to_have_count(0)
    message = chat.get_by_role("textbox", name="Message", exact=True)
    message.hover()
    chat.keyboard.press("Alt+b")
    expect(links).to_have_text(["Chat 0", "Chat 1"])
    message.fill(script([text("A new word.")]))
    message.press("Enter")
    expect(answer(chat)).to_contain_text("A new word.")
    expect(links).to_have_text(["Chat 1", "Chat 0"])


def test_no_row_moves_away_from_who_renames_it(chat: Page, server: PageServer) -> None:
    ids = _keep(server, 3)
    rows = chat.get_by_role("navigation").get_by_role("link", name=re.compile("^Chat "))
    chat.reload()
    expect(rows).to_have_text(["Chat 0", "Chat 1", "Chat 2"])
    rows.nth(1).press("F2")
    title = chat.get_by_role("textbox", name="Title")
    title.fill("Half a na")
    for n in (2, 1):
        with chat.expect_response(re.compile(f"/api/conversations/{ids[n]}$")):
            server.call("POST", f"/api/conversations/{ids[n]}/messages", {"text": script([text("Well.")])})
    chat.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(title).to_have_value("Half a na")
    title.press_sequentially("me")
    title.press("Enter")
    expect(chat.get_by_role("link", name="Half a name")).to_be_focused()
    chat.get_by_role("textbox", name="Message", exact=True).focus()
    expect(rows).to_have_text(["Chat 2", "Chat 0"])
