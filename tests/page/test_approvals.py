"""Approvals and questions in the page: decided in place, by whoever looks, after reloads and restarts."""

import json
import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.page.conftest import PageServer
from tests.page.talk import answer, call, conversation_id, script, send, text

ASKS = script([call("wait_unsafe", seconds=0, label="one")], [text("Done.")])


@pytest.fixture(autouse=True)
def rules(server: PageServer) -> None:
    server.call("PUT", "/api/rules", {"items": [{"tool": "wait_unsafe", "action": "ask"}]})


def card(page: Page) -> Locator:
    return page.get_by_role("region", name="asks").first


def button(page: Page, name: str) -> Locator:
    return card(page).get_by_role("button", name=name, exact=True)


def test_an_allowed_call_runs(chat: Page) -> None:
    send(chat, ASKS)
    expect(card(chat)).to_contain_text("one")
    here = chat.get_by_role("navigation").get_by_role("listitem").filter(has=chat.locator("[aria-current=page]"))
    expect(here.get_by_text("Waits for you")).to_be_attached()
    button(chat, "Allow").click()
    expect(answer(chat)).to_contain_text("Done.")
    expect(answer(chat)).to_contain_text("You allowed it.")
    expect(card(chat)).to_have_count(0)
    expect(here).to_have_count(1)
    expect(here.get_by_text("Waits for you")).to_have_count(0)


def test_it_is_decided_by_keys_alone_and_the_focus_stays_at_the_call(chat: Page) -> None:
    send(chat, ASKS)
    expect(card(chat)).to_be_visible()
    expect(chat.locator("[aria-live=polite]")).to_contain_text("wait_unsafe asks for your permission")
    expect(chat.get_by_role("textbox", name="Message", exact=True)).to_be_focused()
    chat.keyboard.press("Alt+w")
    expect(button(chat, "Allow")).to_be_focused()
    chat.keyboard.press("Enter")
    expect(answer(chat)).to_contain_text("Done.")
    expect(chat.locator(":focus")).to_contain_text("wait_unsafe")


def test_a_denied_call_does_not_run(chat: Page, server: PageServer) -> None:
    send(chat, ASKS)
    button(chat, "Deny").click()
    expect(answer(chat)).to_contain_text("You denied it.")
    expect(answer(chat)).to_contain_text("not run")
    expect(answer(chat)).to_contain_text("Done.")
    expect(answer(chat)).not_to_contain_text("failed")
    expect(answer(chat)).not_to_contain_text("Denied: the person")
    steps = server.last_answer(conversation_id(chat))["steps"]
    assert next(step for step in steps if step["type"] == "tool_result")["state"] == "failed"


def test_arguments_can_be_edited_first_and_must_be_an_object(chat: Page, server: PageServer) -> None:
    send(chat, ASKS)
    button(chat, "Edit").click()
    button(chat, "Edit as JSON").click()
    field = card(chat).get_by_label("Arguments, as JSON")
    expect(field).to_be_focused()
    field.fill("[1, 2]")
    button(chat, "Allow with these").click()
    expect(card(chat)).to_contain_text("This is no JSON object.")
    field.fill(json.dumps({"seconds": 0, "label": "two"}))
    button(chat, "Allow with these").click()
    expect(answer(chat)).to_contain_text("Done.")
    expect(answer(chat)).to_contain_text("You allowed it with other arguments.")
    result = next(s for s in server.last_answer(conversation_id(chat))["steps"] if s["type"] == "tool_result")
    assert result["content"].endswith("Waited 0 s (two).")
    for _ in range(2):
        line = answer(chat).locator(".call .line")
        expect(line).to_contain_text("Waited 0 s (two).")
        expect(line.locator(".outcome")).to_have_text(re.compile("^Waited"))
        line.click()
        expect(answer(chat)).to_contain_text("As the model wrote them")
        expect(answer(chat)).not_to_contain_text("The person changed")
        chat.reload()
        expect(answer(chat)).to_contain_text("You allowed it with other arguments.")


def test_escape_leaves_the_editing_and_not_the_answer(chat: Page) -> None:
    send(chat, ASKS)
    button(chat, "Edit").click()
    chat.keyboard.press("Escape")
    expect(button(chat, "Edit")).to_be_focused()
    button(chat, "Allow").click()
    expect(answer(chat)).to_contain_text("Done.")


def test_always_spares_the_question_in_this_chat(chat: Page, server: PageServer) -> None:
    send(chat, ASKS)
    button(chat, "Always in this chat").click()
    expect(answer(chat)).to_contain_text("Done.")
    send(chat, script([call("wait_unsafe", seconds=0)], [text("Again.")]))
    expect(answer(chat)).to_contain_text("Again.")
    rules = server.call("GET", f"/api/conversations/{conversation_id(chat)}")["rules"]
    assert rules == [{"tool": "wait_unsafe", "action": "allow"}]


def test_what_waits_is_there_after_a_reload_and_a_restart(chat: Page, server: PageServer) -> None:
    send(chat, ASKS)
    expect(button(chat, "Allow")).to_be_visible()
    chat.reload()
    expect(button(chat, "Allow")).to_be_visible()
    server.kill()
    server.start()
    chat.reload()
    button(chat, "Allow").click()
    expect(answer(chat)).to_contain_text("Done.", timeout=30_000)


def test_a_server_that_restarts_under_the_page_takes_the_decision(chat: Page, server: PageServer) -> None:
    send(chat, ASKS)
    expect(button(chat, "Allow")).to_be_visible()
    server.kill()
    server.start()
    button(chat, "Allow").click()
    expect(answer(chat)).to_contain_text("Done.", timeout=30_000)


def test_two_tabs_ask_and_one_decides(chat: Page, server: PageServer, browser: Browser) -> None:
    send(chat, ASKS)
    expect(button(chat, "Allow")).to_be_visible()
    context = browser.new_context()
    other = context.new_page()
    other.goto(f"{server.url}/c/{conversation_id(chat)}")
    button(other, "Deny").click()
    expect(answer(chat)).to_contain_text("Done.")
    expect(card(chat)).to_have_count(0)
    context.close()


def test_one_tool_is_stopped_and_the_turn_goes_on(chat: Page) -> None:
    send(chat, script([call("wait", seconds=60), call("calculator", expression="6*7")], [text("Enough.")]))
    chat.get_by_role("button", name="Stop wait", exact=True).click()
    expect(answer(chat)).to_contain_text("Enough.")
    expect(answer(chat)).to_contain_text("stopped")


def test_a_question_is_a_form(chat: Page, server: PageServer) -> None:
    send(chat, script([call("wait_asks", question="Who is there?")], [text("Thanks.")]))
    expect(card(chat)).to_contain_text("Who is there?")
    button(chat, "Answer").click()
    expect(card(chat).get_by_label("Your name")).to_be_focused()
    card(chat).get_by_label("Your name").fill("Ada")
    card(chat).get_by_label("age").fill("36")
    card(chat).get_by_label("size").select_option("Large")
    button(chat, "Answer").click()
    expect(answer(chat)).to_contain_text("Thanks.")
    result = next(s for s in server.last_answer(conversation_id(chat))["steps"] if s["type"] == "tool_result")
    said, _, given = result["content"].partition(": ")
    assert said == "The person chose accept"
    assert json.loads(given) == {"name": "Ada", "age": 36, "size": "l", "again": False}


def test_an_answer_that_is_refused_is_told_in_the_form_and_stays_there(chat: Page) -> None:
    send(chat, script([call("wait_asks")], [text("Thanks.")]))
    unfit = {"code": "invalid_request", "errors": [{"field": "arguments", "message": "name is too short"}]}
    chat.route("**/approvals/*", lambda route: route.fulfill(status=422, json=unfit), times=1)
    name = card(chat).get_by_label("Your name")
    name.fill("A")
    button(chat, "Answer").click()
    expect(card(chat).get_by_role("alert")).to_have_text("The tool does not take this: name is too short")
    name.press_sequentially("da")
    expect(card(chat).get_by_role("alert")).to_have_count(0)
    button(chat, "Answer").click()
    expect(answer(chat)).to_contain_text("Thanks.")


def test_a_question_can_be_declined(chat: Page) -> None:
    send(chat, script([call("wait_asks")], [text("Well.")]))
    button(chat, "Decline").click()
    expect(answer(chat)).to_contain_text("Well.")
    expect(answer(chat)).to_contain_text("You declined.")


def test_a_page_to_open_shows_its_host_and_opens_on_a_click_only(chat: Page) -> None:
    chat.context.route("https://elsewhere.example/**", lambda route: route.fulfill(body="hello"))
    url = "https://user@elsewhere.example/sign-in?for=you"
    send(chat, script([call("wait_asks", url=url)], [text("Good.")]))
    link = card(chat).get_by_role("link", name="Open elsewhere.example")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    expect(card(chat).locator("strong")).to_have_text("elsewhere.example")
    assert len(chat.context.pages) == 1
    with chat.context.expect_page() as popup:
        link.click()
    assert popup.value.evaluate("window.opener") is None
    expect(answer(chat)).to_contain_text("Good.")
    expect(answer(chat)).to_contain_text("You opened the page.")


def test_an_address_that_is_none_of_the_web_cannot_be_opened(chat: Page) -> None:
    send(chat, script([call("wait_asks", url="javascript:alert(document.domain)")], [text("Good.")]))
    expect(card(chat)).to_contain_text("This address cannot be opened.")
    expect(card(chat).get_by_role("link")).to_have_count(0)
    button(chat, "Decline").click()
    expect(answer(chat)).to_contain_text("Good.")


def test_rules_and_thinking_are_set_in_the_chat_settings(chat: Page, server: PageServer) -> None:
    send(chat, script([text("Hi.")]))
    expect(answer(chat)).to_contain_text("Hi.")
    chat.get_by_role("button", name="Chat settings").click()
    dialog = chat.get_by_role("dialog")
    dialog.get_by_label("Thinking").select_option("High")
    here = dialog.get_by_role("group", name="In this chat")
    here.get_by_role("button", name="Add a rule").click()
    here.get_by_label("Tool", exact=True).fill("calc*")
    here.get_by_label("What to do").select_option("Deny")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    saved = server.call("GET", f"/api/conversations/{conversation_id(chat)}")
    assert (saved["thinking"], saved["rules"]) == ("high", [{"tool": "calc*", "action": "deny"}])
    send(chat, script([call("calculator", expression="1+1")], [text("No.")]))
    expect(answer(chat)).to_contain_text("not allowed")
