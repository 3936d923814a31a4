"""Turns as they are: messages that wait, restarts, failures and what to do about them, what tools gave, what an answer took."""

import json
import re

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.talk import (
    SLOW,
    answer,
    call,
    conversation_id,
    go_on_with_it,
    hold,
    saved_text,
    script,
    send,
    shown_text,
    text,
)


def waiting(page: Page) -> Locator:
    """The messages that wait, as they are shown."""
    return page.get_by_role("list", name="Messages that wait for their turn").get_by_role("listitem")


def begin(page: Page) -> None:
    """Have an answer that is written until it is stopped."""
    send(page, script([{**text(SLOW, delay_ms=200), "repeat": 100}]))
    expect(answer(page)).to_contain_text("word5 ")


def test_a_message_that_is_sent_while_an_answer_is_written_waits_for_its_turn(
    chat: Page, server: PageServer, browser: Browser
) -> None:
    send(chat, script([text(SLOW), hold()], [text("The first.")]))
    expect(answer(chat)).to_contain_text("word5 ")
    send(chat, script([text("The second.")]))
    send(chat, script([text("The third.")]))
    expect(waiting(chat)).to_contain_text(["The second.", "The third."])
    expect(chat.get_by_role("textbox", name="Message", exact=True)).to_have_value("")
    assert_accessible(chat)
    other = browser.new_context()
    tab = other.new_page()
    tab.goto(chat.url)
    expect(waiting(tab)).to_have_count(2)
    go_on_with_it(chat)
    for page in (chat, tab):
        expect(page.get_by_role("article", name="Answer")).to_have_count(3, timeout=30_000)
        expect(page.locator(".answer-text").last).to_have_text("The third.", timeout=30_000)
        expect(page.get_by_role("article", name="Answer").nth(1)).to_contain_text("The second.")
        expect(waiting(page)).to_have_count(0)
    other.close()


def test_what_waits_is_there_after_a_reload_and_can_be_told_at_once(chat: Page, server: PageServer) -> None:
    begin(chat)
    send(chat, script([text("At once.")]))
    expect(chat.get_by_role("button", name="Send now")).to_be_enabled()
    chat.reload()
    expect(chat.get_by_role("button", name="Send now")).to_be_enabled()
    chat.get_by_role("button", name="Send now").click()
    expect(chat.locator(".answer-text").last).to_have_text("At once.")
    first = chat.get_by_role("article", name="Answer").first
    expect(first).to_contain_text("Stopped")
    expect(first).to_contain_text("word5 ")
    expect(waiting(chat)).to_have_count(0)
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    statuses = [
        m["status"]
        for m in server.call("GET", f"/api/conversations/{conversation_id(chat)}/messages")["items"]
        if m["role"] == "assistant"
    ]
    assert statuses == ["cancelled", "done"]


def test_what_is_still_being_sent_stays_in_the_line_when_the_one_before_it_is_taken_back(chat: Page) -> None:
    begin(chat)
    send(chat, "taken back")
    expect(chat.get_by_role("button", name="Take it back")).to_be_enabled()
    slow: list[Route] = []
    chat.route("**/messages", lambda route: slow.append(route))
    send(chat, "still on its way")
    expect(waiting(chat)).to_have_count(2)
    chat.get_by_role("button", name="Take it back").first.click()
    expect(chat.get_by_role("textbox", name="Message", exact=True)).to_have_value("taken back")
    for route in slow:
        route.continue_()
    expect(waiting(chat)).to_have_count(1)
    expect(chat.get_by_role("button", name="Take it back")).to_be_enabled()
    expect(waiting(chat)).to_contain_text(["still on its way"])
    chat.get_by_role("button", name="Stop", exact=True).click()
    expect(answer(chat)).to_have_attribute("aria-busy", "false")


def test_a_message_is_taken_back_from_the_line_and_those_behind_it_move_up(chat: Page) -> None:
    begin(chat)
    send(chat, "taken back")
    send(chat, "and one more")
    expect(chat.get_by_role("button", name="Take it back")).to_have_count(2)
    chat.get_by_role("button", name="Take it back").first.click()
    expect(chat.get_by_role("textbox", name="Message", exact=True)).to_have_value("taken back")
    expect(chat.get_by_role("button", name="Take it back")).to_have_count(1)
    expect(waiting(chat)).to_contain_text(["and one more"])
    chat.get_by_role("button", name="Take it back").click()
    expect(chat.get_by_role("textbox", name="Message", exact=True)).to_have_value("and one more\n\ntaken back")
    chat.get_by_role("button", name="Stop", exact=True).click()
    expect(answer(chat)).to_contain_text("Stopped")
    expect(chat.get_by_role("article", name="You")).to_have_count(1)


def test_what_waits_has_an_outline_where_colours_are_forced(chat: Page) -> None:
    begin(chat)
    send(chat, "outlined")
    chat.emulate_media(forced_colors="active")
    expect(waiting(chat)).to_have_css("border-block-start-style", "solid")


def test_stopping_loses_nothing_that_waits(chat: Page) -> None:
    begin(chat)
    send(chat, script([text("After all.")]))
    expect(chat.get_by_role("button", name="Send now")).to_be_enabled()
    chat.keyboard.press("Escape")
    expect(answer(chat)).to_contain_text("Not answered")
    expect(chat.get_by_role("article", name="Answer").first).to_contain_text("Stopped")
    expect(chat.get_by_role("article", name="You").last).to_contain_text("After all.")
    expect(answer(chat).get_by_role("button", name="Retry")).to_have_count(0)
    answer(chat).get_by_role("button", name="Answer now").click()
    expect(chat.locator(".answer-text").last).to_have_text("After all.")


def test_two_tabs_send_at_the_same_time_and_both_are_answered(chat: Page, server: PageServer, browser: Browser) -> None:
    send(chat, script([text("Ready.")]))
    expect(answer(chat)).to_contain_text("Ready.")
    conversation_id(chat)
    other = browser.new_context()
    tab = other.new_page()
    tab.goto(chat.url)
    expect(answer(tab)).to_contain_text("Ready.")
    for page, words in ((chat, "From one."), (tab, "From two.")):
        page.get_by_role("textbox", name="Message", exact=True).fill(script([text(words)]))
    for page in (chat, tab):
        page.get_by_role("textbox", name="Message", exact=True).press("Enter")
    for page in (chat, tab):
        expect(page.get_by_role("article", name="Answer")).to_have_count(3)
        expect(page.locator(".answer-text").filter(has_text="From")).to_have_count(2)
    other.close()


def test_a_restart_is_told_where_it_happened_and_is_there_after_a_reload(chat: Page, server: PageServer) -> None:
    send(chat, script([call("calculator", expression="6*7")], [text(SLOW, delay_ms=60)]))
    expect(answer(chat)).to_contain_text("word20 ")
    server.kill()
    server.start()
    mark = answer(chat).get_by_text("The server was restarted; what was being written here is written anew")
    expect(mark).to_be_visible(timeout=20_000)
    chat.reload()
    expect(mark).to_be_visible()
    expect(answer(chat)).to_have_attribute("aria-busy", "false", timeout=30_000)
    assert shown_text(chat) == saved_text(server, chat) == SLOW.strip()
    chat.reload()
    expect(mark).to_be_visible()


def test_a_restart_that_takes_nothing_away_does_not_say_so(chat: Page, server: PageServer) -> None:
    send(chat, script([call("wait_unsafe", seconds=60)], [text("And on. "), text(SLOW, delay_ms=60)]))
    expect(answer(chat).get_by_role("button", name="Stop wait_unsafe")).to_be_visible()
    server.kill()
    server.start()
    mark = answer(chat).get_by_text("The server was restarted; the answer goes on from here")
    expect(mark).to_be_visible(timeout=20_000)
    expect(answer(chat)).to_contain_text("And on. ")
    chat.get_by_role("button", name="Stop", exact=True).click()
    expect(answer(chat)).to_contain_text("Stopped")
    chat.reload()
    expect(mark).to_be_visible()


@pytest.mark.parametrize(("button", "verdict"), [("Allow", "You allowed it."), ("Deny", "You denied it.")])
def test_what_was_decided_is_told_after_a_reload(chat: Page, server: PageServer, button: str, verdict: str) -> None:
    server.call("PUT", "/api/rules", {"items": [{"tool": "calculator", "action": "ask"}]})
    send(chat, script([call("calculator", expression="6*7")], [text("Well.")]))
    chat.get_by_role("button", name=button, exact=True).click()
    expect(answer(chat)).to_contain_text("Well.")
    chat.reload()
    expect(answer(chat)).to_contain_text("Well.")
    expect(answer(chat).get_by_text(verdict)).to_be_visible()


def test_an_answer_tells_what_it_took_by_keys_too(chat: Page) -> None:
    used = {"input_tokens": 1200, "output_tokens": 34, "cached_tokens": 1000, "reasoning_tokens": 12}
    send(chat, script([text("Hello."), {"type": "usage", **used}]))
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    line = answer(chat).get_by_title("Details of this answer")
    expect(line).to_contain_text("scripted · 1,234 tokens")
    line.focus()
    chat.keyboard.press("Enter")
    details = chat.get_by_role("group", name="Details of this answer")
    expect(details).to_be_visible()
    for words in ("1,200 tokens", "1,000", "34 tokens", "12", "Scripted"):
        expect(details).to_contain_text(words, ignore_case=True)
    assert_accessible(chat)
    chat.keyboard.press("Escape")
    expect(details).to_be_hidden()
    expect(line).to_be_focused()
    chat.reload()
    expect(answer(chat).get_by_title("Details of this answer")).to_contain_text("1,234 tokens")


def test_a_wrong_key_leads_to_the_settings_of_its_provider(chat: Page) -> None:
    send(chat, script([{"type": "fail", "code": "provider_auth", "message": "Incorrect API key."}]))
    expect(answer(chat)).to_contain_text("Incorrect API key.")
    expect(answer(chat).get_by_role("button", name="Retry")).to_be_enabled()
    expect(answer(chat).get_by_role("button", name="Continue")).to_have_count(0)
    answer(chat).get_by_role("button", name="Change the key").click()
    dialog = chat.get_by_role("dialog", name="Settings")
    expect(dialog.get_by_role("tab", name="Providers")).to_have_attribute("aria-selected", "true")
    expect(dialog.locator("form")).to_be_visible()
    chat.keyboard.press("Escape")
    expect(answer(chat).get_by_role("button", name="Change the key")).to_be_focused()


def test_a_limited_provider_is_asked_again_when_it_may_be(server: PageServer, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.clock.install()
    page.goto(server.url)
    limited = {"type": "fail", "code": "rate_limited", "message": "Slowly.", "retry_after": 600}
    send(page, script([text("Half an answer."), limited]))
    again, onward = (answer(page).get_by_role("button", name=name) for name in ("Retry", "Continue"))
    expect(again).to_have_text(re.compile(r"Retry in \d+\smin"))
    expect(again).to_be_disabled()
    expect(onward).to_be_disabled()
    assert_accessible(page)
    page.clock.fast_forward(300_000)
    expect(again).to_have_text(re.compile(r"Retry in [2-5]\smin"))
    told = page.get_by_text("You can retry now.")
    expect(told).to_have_count(0)
    page.clock.fast_forward(400_000)
    expect(again).to_have_text("Retry")
    expect(again).to_be_enabled()
    expect(onward).to_be_enabled()
    expect(told).to_have_count(1)
    expect(page.get_by_role("article", name="Answer")).to_have_count(1)
    context.close()


def test_a_limited_provider_is_left_alone_after_a_reload(chat: Page) -> None:
    send(chat, script([{"type": "fail", "code": "rate_limited", "message": "Slowly.", "retry_after": 600}]))
    again = answer(chat).get_by_role("button", name="Retry")
    expect(again).to_be_disabled()
    chat.reload()
    expect(again).to_have_text(re.compile(r"Retry in \d+\smin"))
    expect(again).to_be_disabled()


def test_another_model_need_not_wait_for_a_limited_one(chat: Page, server: PageServer) -> None:
    limited = {"type": "fail", "code": "rate_limited", "message": "Slowly.", "retry_after": 600}
    send(chat, script([text("Half an answer."), limited]))
    ways = [answer(chat).get_by_role("button", name=name) for name in ("Retry", "Continue")]
    for way in ways:
        expect(way).to_be_disabled()
    server.call("PATCH", f"/api/conversations/{conversation_id(chat)}", {"model": "another"})
    for way in ways:
        expect(way).to_be_enabled()


def test_a_failed_answer_has_one_way_to_try_again(chat: Page) -> None:
    send(chat, script([{"type": "fail", "code": "provider_rejected", "message": "No."}]))
    expect(answer(chat).get_by_role("button", name="Retry")).to_be_enabled()
    for name in ("Regenerate", "Copy"):
        expect(answer(chat).get_by_role("button", name=name)).to_have_count(0)
    send(chat, script([text("Fine.")]))
    expect(answer(chat)).to_contain_text("Fine.")
    failed = chat.get_by_role("article", name="Answer").first
    expect(failed.get_by_role("button", name="Retry")).to_have_count(0)
    expect(failed.get_by_role("button", name="Regenerate")).to_have_count(1)


def test_a_failure_is_told_once_and_is_a_line_when_it_is_no_longer_the_last(chat: Page) -> None:
    said = "The provider limits requests (429): Used 500 in 60 s. Try again in 40 s."
    send(chat, script([{"type": "fail", "code": "rate_limited", "message": said, "retry_after": 40}]))
    failed = chat.get_by_role("article", name="Answer").first
    expect(failed.get_by_text("The provider asks to slow down.")).to_be_visible()
    expect(failed.get_by_text("429 · Used 500 in 60\u00a0s.", exact=True)).to_be_visible()
    expect(failed).not_to_contain_text("Try again")
    send(chat, script([text("Fine.")]))
    expect(answer(chat)).to_contain_text("Fine.")
    expect(failed.get_by_text("429 ·")).to_be_hidden()
    failed.get_by_text("The provider asks to slow down.").click()
    expect(failed.get_by_text("429 ·")).to_be_visible()
    assert_accessible(chat)


def test_an_answer_that_was_stopped_says_so_in_the_row_of_its_buttons(chat: Page) -> None:
    begin(chat)
    chat.get_by_role("button", name="Stop", exact=True).click()
    places = [
        answer(chat).get_by_text("Stopped", exact=True),
        *(answer(chat).get_by_role("button", name=name) for name in ("Continue", "Retry", "Copy")),
        answer(chat).get_by_title("Details of this answer"),
    ]
    expect(places[-1]).to_be_visible()
    middles = [box["y"] + box["height"] / 2 for place in places if (box := place.bounding_box())]
    assert len(middles) == len(places)
    assert max(middles) - min(middles) < 3


def test_a_failure_in_mid_answer_tells_what_was_kept_and_offers_to_go_on(chat: Page) -> None:
    half = {"type": "fail", "code": "provider_unreachable", "message": "The line broke."}
    send(chat, script([text("Half an answer. "), half], [text("And the rest.")]))
    expect(answer(chat)).to_contain_text("What was made so far is kept.")
    expect(answer(chat)).to_contain_text("Half an answer.")
    expect(answer(chat).locator(".buttons button")).to_have_text(["Continue", "Retry", "Providers …"])
    for name in ("Retry", "Continue", "Providers …"):
        expect(answer(chat).get_by_role("button", name=name)).to_be_enabled()


def test_where_a_key_is_wrong_its_button_stands_before_those_that_go_on(chat: Page) -> None:
    send(chat, script([text("Half an answer."), {"type": "fail", "code": "provider_auth", "message": "Expired."}]))
    expect(answer(chat).locator(".buttons button")).to_have_text(["Change the key", "Continue", "Retry"])


def test_a_model_that_used_up_its_calls_can_go_on(chat: Page) -> None:
    rounds = {"rounds": [[call("calculator", expression="1+1")]], "loop": True}
    send(chat, json.dumps({"script": rounds}))
    expect(answer(chat)).to_contain_text("The model used up its tool calls.", timeout=15_000)
    expect(answer(chat)).to_contain_text("Continue gives it as many again.")
    expect(answer(chat).get_by_role("button", name="Continue")).to_be_enabled()


def test_a_thought_shows_its_last_words_while_it_comes_and_folds_to_a_line(chat: Page) -> None:
    thought = "I think of **numbers**. " * 30
    send(chat, script([{"type": "thinking", "text": thought, "chunk": 10, "delay_ms": 60}, text("Done.")]))
    step = answer(chat).locator(".thinking")
    expect(step).to_contain_text("Thinking")
    expect(step.locator(".words")).to_contain_text("I think of numbers. I think")
    expect(step).to_contain_text("Thought for", timeout=15_000)
    expect(step.locator(".words")).to_have_count(0)
    expect(step.get_by_role("button")).to_have_attribute("aria-expanded", "false")
    expect(answer(chat).get_by_role("button", name="Regenerate")).to_be_visible()
    told = step.inner_text()
    chat.reload()
    expect(step).to_have_text(told)


def test_a_fold_does_not_change_by_itself(chat: Page) -> None:
    thought = {"type": "thinking", "text": "Slow thoughts. " * 40, "chunk": 10, "delay_ms": 100}
    send(chat, script([thought, call("calculator", expression="6*7")], [text("Done.")]))
    answer(chat).get_by_role("button", name="Thinking").click()
    expect(answer(chat)).to_contain_text("Done.", timeout=15_000)
    expect(answer(chat).get_by_role("button", name="Thought")).to_have_attribute("aria-expanded", "true")
    expect(answer(chat).locator(".call .line")).to_have_attribute("aria-expanded", "false")


def test_an_older_word_of_the_server_takes_nothing_away_that_was_sent_since(chat: Page, server: PageServer) -> None:
    send(chat, script([text("First.")]))
    expect(answer(chat).get_by_role("button", name="Regenerate")).to_be_visible()
    parts = re.compile(r"/messages\?")
    held: list[Route] = []
    chat.route(parts, lambda route: held.append(route), times=1)
    with chat.expect_request(parts) as asked:
        server.call("PATCH", f"/api/conversations/{conversation_id(chat)}", {"title": "Named meanwhile"})
    older = chat.request.get(asked.value.url)
    send(chat, script([text(SLOW * 10, delay_ms=25)]))
    expect(answer(chat)).to_contain_text("word1 ")
    [route] = held
    with chat.expect_response(parts):
        route.fulfill(response=older)
    expect(answer(chat)).to_contain_text("word20 ")
    chat.get_by_role("button", name="Stop").click()
    expect(answer(chat)).to_have_attribute("aria-busy", "false")


def test_a_mark_is_taken_away_once_however_often_the_chat_is_told_of(chat: Page, server: PageServer) -> None:
    made: str = server.call("POST", "/api/conversations", {"title": "Elsewhere"})["id"]
    row = chat.get_by_role("navigation").get_by_role("listitem").filter(has_text="Elsewhere")
    server.call("POST", f"/api/conversations/{made}/messages", {"text": script([text("Hello.")])})
    expect(row.get_by_role("img", name="New answer")).to_be_visible()
    marks: list[Route] = []

    def hold_marks(route: Route) -> None:
        if route.request.method == "PATCH":
            marks.append(route)
        else:
            route.continue_()

    chat.route(f"**/api/conversations/{made}", hold_marks)
    row.get_by_role("link").click()
    expect(answer(chat)).to_contain_text("Hello.")
    server.call("PATCH", f"/api/conversations/{made}", {"title": "Elsewhere, told of again"})
    expect(row).to_contain_text("told of again")
    expect(row.get_by_role("img", name="New answer")).to_have_count(0)
    assert len(marks) == 1
    marks[0].continue_()
