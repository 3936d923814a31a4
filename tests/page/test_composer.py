"""Where messages are written: drafts that are never lost, Enter, the choice of a model, prompts of MCP servers; and what tools gave."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Locator, Page, Route, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.talk import SLOW, answer, call, conversation_id, list_models, script, send, text, use_tools

SHOP = str(Path(__file__).with_name("shop_server.py"))
NOTES = FilePayload(name="notes.md", mimeType="text/markdown", buffer=b"# Notes\n")


def box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message", exact=True)


@pytest.fixture(scope="module")
def shop(server: PageServer) -> Iterator[str]:
    """A server with prompts, by its name."""
    made = server.call("POST", "/api/mcp-servers", {"name": "shop", "command": sys.executable, "args": [SHOP]})
    assert server.call("POST", f"/api/mcp-servers/{made['id']}/test")["ok"]
    yield "shop"
    server.call("DELETE", f"/api/mcp-servers/{made['id']}")


def test_text_and_files_of_each_chat_stay_while_others_are_looked_at_and_an_answer_is_written(chat: Page) -> None:
    send(chat, script([text(SLOW, delay_ms=20)]))
    first = conversation_id(chat)
    box(chat).fill("a thought for later")
    chat.locator("input[type=file]").set_input_files(NOTES)
    expect(chat.get_by_role("button", name="Remove notes.md")).to_be_visible()
    expect(chat.get_by_text("8 bytes")).to_be_visible()
    expect(chat.get_by_role("progressbar")).to_have_count(0)
    chat.keyboard.press("Alt+n")
    expect(box(chat)).to_have_value("")
    expect(chat.get_by_role("button", name="Remove notes.md")).to_have_count(0)
    box(chat).fill("something else")
    chat.locator(f"a[href$='{first}']").click()
    expect(box(chat)).to_have_value("a thought for later")
    chat.reload()
    expect(box(chat)).to_have_value("a thought for later")
    expect(chat.get_by_role("button", name="Remove notes.md")).to_be_visible()
    chat.keyboard.press("Alt+n")
    expect(box(chat)).to_have_value("something else")


def test_a_message_that_waits_for_the_server_takes_no_other_draft_with_it(chat: Page, server: PageServer) -> None:
    other = server.call("POST", "/api/conversations", {"title": "the other"})["id"]
    held: list[Route] = []
    send(chat, script([text("Hello.")]))
    expect(answer(chat)).to_contain_text("Hello.")
    here = conversation_id(chat)
    chat.evaluate("([key, text]) => localStorage.setItem(key, text)", [f"luxx:draft:{other}", "kept"])
    chat.route("**/messages", lambda route: held.append(route) if route.request.method == "POST" else route.continue_())
    with chat.expect_request("**/messages"):
        send(chat, "will fail")
    chat.locator(f"a[href$='{other}']").click()
    expect(box(chat)).to_have_value("kept")
    chat.route("**/messages", lambda route: route.abort() if route.request.method == "POST" else route.fallback())
    held[0].abort()
    expect(chat.get_by_text("Not sent.")).to_be_visible()
    expect(box(chat)).to_have_value("kept")
    chat.locator(f"a[href$='{here}']").click()
    expect(box(chat)).to_have_value("will fail")


def request_id(route: Route) -> str:
    return json.loads(route.request.post_data or "{}")["client_request_id"]


def lose_replies(page: Page, times: int) -> list[str]:
    """Let messages reach the server and its replies be lost, so many times. Return the ids of all requests, as they are made."""
    ids: list[str] = []

    def lose(route: Route) -> None:
        if route.request.method != "POST":
            route.fallback()
            return
        ids.append(request_id(route))
        if len(ids) > times:
            route.fallback()
            return
        route.fetch(max_retries=3)
        route.abort()

    page.route("**/messages", lose)
    return ids


def yours(page: Page) -> Locator:
    return page.get_by_role("article", name="You")


def test_a_message_whose_reply_was_lost_is_asked_for_again_in_silence(chat: Page, server: PageServer) -> None:
    ids = lose_replies(chat, 1)
    send(chat, script([text("Hello.")]))
    expect(answer(chat)).to_contain_text("Hello.")
    expect(yours(chat)).to_have_count(1)
    expect(chat.get_by_text("Not sent.")).to_have_count(0)
    expect(box(chat)).to_have_value("")
    assert len(ids) == 2
    assert len(set(ids)) == 1
    chat.reload()
    expect(answer(chat)).to_contain_text("Hello.")
    expect(box(chat)).to_have_value("")
    assert len(server.call("GET", f"/api/conversations/{conversation_id(chat)}/messages")["items"]) == 2


def test_a_message_that_turns_up_although_no_reply_came_is_no_draft(chat: Page, server: PageServer) -> None:
    send(chat, script([text("First.")]))
    expect(answer(chat)).to_contain_text("First.")
    ids = lose_replies(chat, 2)
    send(chat, script([text("Hello.")]))
    expect(answer(chat)).to_contain_text("Hello.")
    expect(box(chat)).to_have_value("")
    expect(chat.get_by_text("Not sent.")).to_have_count(0)
    chat.reload()
    expect(answer(chat)).to_contain_text("Hello.")
    expect(box(chat)).to_have_value("")
    send(chat, script([text("Hello.")]))
    expect(yours(chat)).to_have_count(3)
    expect(answer(chat)).to_contain_text("Hello.")
    assert len(set(ids)) == 2


def test_a_draft_that_was_tried_keeps_the_id_of_its_request_over_a_reload(chat: Page, server: PageServer) -> None:
    send(chat, script([text("First.")]))
    expect(answer(chat)).to_contain_text("First.")
    here = conversation_id(chat)
    ids: list[str] = []

    def refuse(route: Route) -> None:
        if route.request.method == "POST":
            ids.append(request_id(route))
            route.abort()
        else:
            route.fallback()

    chat.route("**/messages", refuse)
    message = script([text("Hello.")])
    send(chat, message)
    expect(chat.get_by_text("Not sent.")).to_be_visible()
    chat.unroute("**/messages", refuse)
    chat.reload()
    expect(answer(chat)).to_contain_text("First.")
    expect(box(chat)).to_have_value(message)
    again = lose_replies(chat, 0)
    box(chat).press("Enter")
    expect(answer(chat)).to_contain_text("Hello.")
    assert {*ids, *again} == {ids[0]}
    send(chat, message)
    expect(yours(chat)).to_have_count(3)
    expect(answer(chat)).to_contain_text("Hello.")
    assert again[0] != again[1]
    assert len(server.call("GET", f"/api/conversations/{here}/messages")["items"]) == 6


def test_messages_that_are_written_while_one_is_on_its_way_follow_it_in_order(chat: Page) -> None:
    held: list[Route] = []
    first, second, third = (script([text(f"Reply {n}.")]) for n in ("one", "two", "three"))

    def hold(route: Route) -> None:
        if route.request.method == "POST" and not held:
            held.append(route)
        else:
            route.fallback()

    chat.route("**/messages", hold)
    send(chat, first)
    expect(yours(chat)).to_have_count(1)
    send(chat, second)
    expect(box(chat)).to_have_value("")
    expect(chat.get_by_title("waits", exact=True)).to_have_text(second)
    assert_accessible(chat)
    send(chat, third)
    box(chat).fill("not yet")
    held[0].continue_()
    expect(yours(chat)).to_have_count(3)
    for place, reply in enumerate(("one", "two", "three")):
        expect(chat.get_by_role("article", name="Answer").nth(place)).to_contain_text(f"Reply {reply}.")
    expect(box(chat)).to_have_value("not yet")
    chat.reload()
    expect(yours(chat)).to_have_count(3)
    expect(box(chat)).to_have_value("not yet")


def test_messages_that_follow_one_that_is_not_sent_come_back_with_it(chat: Page) -> None:
    held: list[Route] = []
    chat.route("**/messages", lambda route: held.append(route) if route.request.method == "POST" else route.fallback())
    send(chat, "one")
    expect(yours(chat)).to_have_count(1)
    send(chat, "two")
    box(chat).fill("three")
    chat.route("**/messages", lambda route: route.abort() if route.request.method == "POST" else route.fallback())
    held[0].abort()
    expect(chat.get_by_text("Not sent.")).to_be_visible()
    expect(box(chat)).to_have_value("one\n\ntwo\n\nthree")
    expect(yours(chat)).to_have_count(0)
    chat.reload()
    expect(box(chat)).to_have_value("one\n\ntwo\n\nthree")


def test_a_draft_of_another_tab_is_not_taken_by_sending(chat: Page, server: PageServer) -> None:
    send(chat, script([text("Hello.")]))
    expect(answer(chat)).to_contain_text("Hello.")
    conversation_id(chat)
    tab = chat.context.new_page()
    tab.goto(chat.url)
    box(tab).fill("mine")
    box(chat).fill(script([text("Again.")]))
    box(chat).press("Enter")
    expect(answer(chat)).to_contain_text("Again.")
    expect(answer(tab)).to_contain_text("Again.")
    expect(box(tab)).to_have_value("mine")
    tab.reload()
    expect(box(tab)).to_have_value("mine")


def test_drafts_of_two_tabs_on_one_chat_do_not_take_each_others_place(chat: Page) -> None:
    send(chat, script([text("Hello.")]))
    expect(answer(chat)).to_contain_text("Hello.")
    tab = chat.context.new_page()
    tab.goto(chat.url)
    box(chat).fill("of the one")
    box(tab).fill("of the other")
    for page, draft in ((chat, "of the one"), (tab, "of the other")):
        page.reload()
        expect(box(page)).to_have_value(draft)
    tab.close()
    third = chat.context.new_page()
    third.goto(chat.url)
    expect(box(third)).to_have_value("of the other")


def test_the_first_message_is_seen_while_the_server_is_slow_to_make_its_chat(chat: Page) -> None:
    held: list[Route] = []
    chat.route("**/api/conversations", lambda route: held.append(route))
    send(chat, script([text("Hello.")]))
    expect(chat.get_by_title("waits", exact=True)).to_contain_text("Hello.")
    assert_accessible(chat)
    held[0].continue_()
    expect(answer(chat)).to_contain_text("Hello.")
    expect(chat.get_by_title("waits", exact=True)).to_have_count(0)


def test_what_fails_beside_a_message_does_not_offer_to_send_it(chat: Page) -> None:
    send(chat, script([text("Hello.")]))
    expect(answer(chat)).to_contain_text("Hello.")
    refusal = {"status": 503, "code": "storage", "detail": "The disk is full."}
    chat.route(
        "**/api/conversations/*",
        lambda route: route.fulfill(status=503, json=refusal) if route.request.method == "PATCH" else route.fallback(),
    )
    box(chat).fill("not yet")
    use_tools(chat)
    expect(chat.get_by_text("The disk is full.")).to_be_visible()
    expect(chat.get_by_role("button", name="Retry")).to_have_count(0)


def test_enter_does_not_send_while_a_word_is_composed(chat: Page) -> None:
    box(chat).fill("ni")
    box(chat).dispatch_event("compositionstart")
    box(chat).press("Enter")
    box(chat).dispatch_event("compositionend")
    box(chat).dispatch_event("keydown", {"key": "Enter", "keyCode": 229})
    expect(chat.get_by_role("article", name="You")).to_have_count(0)
    box(chat).fill(script([text("Hello.")]))
    box(chat).press("Shift+Enter")
    expect(chat.get_by_role("article", name="You")).to_have_count(0)
    box(chat).press("Enter")
    expect(answer(chat)).to_contain_text("Hello.")


def test_enter_breaks_the_line_on_a_touch_keyboard(server: PageServer, browser: Browser) -> None:
    phone = browser.new_context(has_touch=True, is_mobile=True, viewport={"width": 360, "height": 740})
    page = phone.new_page()
    page.goto(server.url)
    box(page).fill("one")
    box(page).press("Enter")
    box(page).press_sequentially("two")
    expect(box(page)).to_have_value("one\ntwo")
    expect(page.get_by_role("article", name="You")).to_have_count(0)
    phone.close()


MODELS = [
    {"id": "north-large", "context_window": 200_000, "abilities": ["tools", "images"]},
    *({"id": f"north-{n}"} for n in range(8)),
]


def test_a_model_is_found_by_keys_among_those_of_its_provider_and_stands_first_the_next_time(
    chat: Page, server: PageServer
) -> None:
    scripted = server.scripted()
    list_models(chat, scripted, MODELS)
    button = chat.get_by_title("Choose a model")
    button.click()
    menu = chat.get_by_role("dialog", name="Choose a model")
    group = menu.get_by_role("group", name=scripted["name"])
    expect(group.get_by_role("option", name="north-large")).to_contain_text("200K context · tools · images")
    expect(menu.get_by_role("group", name="Used last")).to_have_count(0)
    assert_accessible(chat)
    chat.keyboard.type("north large")
    chat.keyboard.press("Enter")
    expect(menu).to_have_count(0)
    expect(button).to_contain_text("north-large")
    expect(button).to_be_focused()
    chat.keyboard.press("Enter")
    last = menu.get_by_role("group", name="Used last").get_by_role("option")
    expect(last).to_have_count(1)
    expect(last).to_have_attribute("aria-selected", "true")
    chat.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    expect(button).to_be_focused()


def test_a_prompt_of_a_server_is_filled_in_and_put_into_the_message(chat: Page, shop: str) -> None:
    box(chat).press_sequentially("/")
    dialog = chat.get_by_role("dialog", name="Insert a prompt")
    dialog.get_by_role("button", name="Write a review").click(timeout=20_000)
    dialog.get_by_label("product").fill("a lamp")
    assert_accessible(chat)
    dialog.get_by_role("button", name="Insert").click()
    expect(box(chat)).to_have_value("Write a friendly review of a lamp.")
    expect(box(chat)).to_be_focused()
    chat.get_by_role("button", name="Insert a prompt").click()
    dialog.get_by_role("button", name="greet").click()
    expect(box(chat)).to_have_value("Write a friendly review of a lamp.\n\nSay hello to the shop.")
    chat.reload()
    expect(box(chat)).to_have_value("Write a friendly review of a lamp.\n\nSay hello to the shop.")


def test_results_are_tables_folded_data_and_texts_that_begin(chat: Page, server: PageServer, shop: str) -> None:
    server.call("PUT", "/api/rules", {"items": [{"tool": "shop*", "action": "allow"}]})
    names = [t["name"] for t in server.call("GET", "/api/tools")["items"] if t["source"] == shop]
    stock, order, terms = (next(name for name in names if name.endswith(end)) for end in ("stock", "order", "terms"))
    # Three together would be folded where they are over before they are seen.
    send(chat, script([call(stock), call(order)], [call(terms)], [text("Done.")]))
    expect(answer(chat)).to_contain_text("Done.", timeout=20_000)
    for line in answer(chat).locator(".call .line").all():
        line.click()
    table = answer(chat).get_by_role("table")
    expect(table.get_by_role("row")).to_have_count(31)
    expect(table.get_by_role("cell", name="item 30", exact=True)).to_be_visible()
    expect(answer(chat).get_by_text("warm")).to_have_count(1)
    expect(answer(chat).get_by_text("Clause 40.")).to_be_visible()
    expect(answer(chat).get_by_text("Clause 300.")).to_have_count(0)
    assert_accessible(chat)
    for show in answer(chat).get_by_role("button", name="Show all").all()[::-1]:
        show.click()
    expect(table.get_by_role("row")).to_have_count(41)
    expect(answer(chat).get_by_text("Clause 300.")).to_have_count(1)
