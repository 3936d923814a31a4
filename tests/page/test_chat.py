"""The page as a person uses it, in a real browser, on a real server."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.page.conftest import PageServer
from tests.page.talk import SLOW, answer, at_rest, conversation_id, saved_text, script, send, shown_text, text


def test_a_message_is_answered_and_named_in_the_list(chat: Page) -> None:
    send(chat, script([text("Hello **there**.")]))
    expect(answer(chat).locator("strong")).to_have_text("there")
    expect(chat.get_by_role("textbox", name="Message", exact=True)).to_have_value("")
    expect(chat.get_by_role("navigation").get_by_role("link").first).to_be_visible()


def test_thinking_and_parallel_tools_are_steps_paired_with_their_results(chat: Page) -> None:
    calls = [{"type": "call", "name": "calculator", "arguments": {"expression": f"{n}*7"}} for n in (6, 3)]
    send(chat, script([{"type": "thinking", "text": "Let me compute."}, *calls], [text("Both are done.")]))
    expect(answer(chat)).to_contain_text("Both are done.")
    expect(answer(chat)).to_contain_text("Thought")
    expect(answer(chat).get_by_text("calculator", exact=True)).to_have_count(2)


def test_tools_are_offered_only_where_the_model_can_use_them(server: PageServer, chat: Page) -> None:
    tools = chat.get_by_role("button", name=re.compile("^Tools"))
    expect(tools).to_be_enabled()
    expect(tools).to_have_accessible_name("Tools")
    providers = {p["format"]: p for p in server.call("GET", "/api/providers")["items"]}
    server.call("PATCH", f"/api/providers/{providers['local']['id']}", {"is_default": True})
    chat.reload()
    expect(chat.get_by_role("button", name="Add a real model")).to_be_visible()
    expect(tools).to_have_count(0)
    server.use_scripted()


def test_a_new_chat_has_its_first_words_as_its_name_at_once(server: PageServer, chat: Page) -> None:
    chat.route("**/messages", lambda route: None)  # the message never arrives
    send(chat, "  The harbour\nin winter, " + "and so on " * 9)
    name = "The harbour in winter, and so on and so on and so on and so…"
    expect(chat.get_by_role("heading", name=name, exact=True)).to_be_visible()
    expect(chat.get_by_role("navigation").get_by_role("link", name=name, exact=True)).to_be_visible()
    server.call("PATCH", f"/api/conversations/{conversation_id(chat)}", {"pinned": True})
    expect(chat.get_by_role("heading", name="Pinned")).to_be_visible()
    expect(chat.get_by_role("navigation").get_by_role("link", name=name, exact=True)).to_be_visible()
    with chat.expect_response(re.compile("pinned=true")), chat.expect_response(re.compile("pinned=false")):
        chat.evaluate("dispatchEvent(new Event('online'))")  # the list is read anew, where it has no name yet
    at_rest(chat)
    expect(chat.get_by_role("navigation").get_by_role("link", name=name, exact=True)).to_be_visible()


def test_a_failed_tool_is_seen_without_unfolding(chat: Page) -> None:
    send(chat, script([{"type": "call", "name": "calculator", "arguments": {"expression": "1/0"}}], [text("Well.")]))
    expect(answer(chat)).to_contain_text("failed")


def test_a_reload_in_mid_answer_loses_and_doubles_nothing(chat: Page, server: PageServer) -> None:
    send(chat, script([text(SLOW, delay_ms=40)]))
    expect(answer(chat)).to_contain_text("word40 ")
    chat.reload()
    expect(answer(chat)).to_contain_text("word149", timeout=20_000)
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    assert shown_text(chat) == saved_text(server, chat) == SLOW.strip()


def test_a_killed_server_goes_on_and_the_page_with_it(chat: Page, server: PageServer) -> None:
    send(chat, script([text(SLOW, delay_ms=40)]))
    expect(answer(chat)).to_contain_text("word40 ")
    server.kill()
    expect(chat.get_by_text("Connection lost")).to_be_visible()
    server.start()
    expect(answer(chat)).to_contain_text("word149", timeout=30_000)
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    assert shown_text(chat) == saved_text(server, chat) == SLOW.strip()
    expect(chat.get_by_text("Connection lost")).to_have_count(0)


def test_stop_keeps_what_was_made_and_frees_the_composer(chat: Page, server: PageServer) -> None:
    send(chat, script([text(SLOW, delay_ms=200)]))
    expect(answer(chat)).to_contain_text("word10 ")
    chat.get_by_role("button", name="Stop").click()
    expect(answer(chat)).to_contain_text("Stopped")
    assert server.last_answer(conversation_id(chat))["status"] == "cancelled"
    assert saved_text(server, chat).startswith("word0 word1")
    expect(chat.get_by_role("textbox", name="Message", exact=True)).to_be_enabled()


def test_a_provider_failure_stands_in_place_with_retry(chat: Page) -> None:
    send(chat, script([text("Half "), {"type": "fail", "code": "provider_auth", "message": "The key is wrong."}]))
    expect(answer(chat)).to_contain_text("The key is wrong.")
    expect(answer(chat)).to_contain_text("Half")
    expect(answer(chat).get_by_role("button", name="Retry")).to_be_enabled()


def test_regenerate_makes_a_version_that_can_be_left_again(chat: Page) -> None:
    send(chat, script([text("Hello.")]))
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    answer(chat).get_by_role("button", name="Regenerate").click()
    expect(answer(chat).get_by_text("2/2")).to_be_visible()
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    answer(chat).get_by_role("button", name="Previous version").click()
    expect(answer(chat).get_by_text("1/2")).to_be_visible()
    chat.reload()
    expect(answer(chat).get_by_text("1/2")).to_be_visible()


def test_a_second_tab_shows_the_same_answer_as_it_comes(chat: Page, server: PageServer, browser: Browser) -> None:
    send(chat, script([text("First.")]))
    expect(answer(chat)).to_contain_text("First.")
    context = browser.new_context()
    other = context.new_page()
    other.goto(f"{server.url}/c/{conversation_id(chat)}")
    expect(answer(other)).to_contain_text("First.")
    send(chat, script([text(SLOW, delay_ms=5)]))
    expect(answer(other)).to_contain_text("word149", timeout=20_000)
    assert shown_text(other) == SLOW.strip()
    context.close()


def test_hostile_text_stays_text(chat: Page) -> None:
    hostile = "<img src=x onerror=alert(1)> [a](javascript:alert(1)) ![p](http://elsewhere.example/p.png) <script>alert(1)</script>"
    send(chat, script([text(hostile)]))
    expect(answer(chat)).to_contain_text("<img src=x")
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    assert answer(chat).locator(".prose img, .prose script, .prose a[href^='javascript']").count() == 0


def test_a_draft_survives_a_reload_and_a_failed_send(chat: Page, server: PageServer) -> None:
    box = chat.get_by_role("textbox", name="Message", exact=True)
    box.fill("not sent yet")
    chat.reload()
    expect(box).to_have_value("not sent yet")
    chat.context.set_offline(True)
    box.press("Enter")
    expect(chat.get_by_text("Offline. Your message is kept")).to_be_visible()
    expect(box).to_have_value("not sent yet")
    chat.context.set_offline(False)


def test_a_narrow_screen_has_no_sideways_scroll(chat: Page) -> None:
    chat.set_viewport_size({"width": 360, "height": 700})
    send(chat, script([text("```\n" + "long " * 100 + "\n```\n\n| a | b |\n|---|---|\n| " + "x" * 300 + " | y |\n")]))
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    assert chat.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_conversation_that_outgrew_its_model_is_summed_up_and_goes_on(chat: Page) -> None:
    send(chat, script([text("We spoke of tea. " * 120)]))
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    send(chat, script([{"type": "fail", "code": "context_overflow", "attempts": 1}, text("After all.")]))
    expect(answer(chat)).to_contain_text("After all.", timeout=30_000)  # the demonstration that sums up takes its time
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    summary = answer(chat).get_by_role("button", name="Earlier messages were summed up").first
    expect(summary).to_be_visible()
    chat.reload()
    summary.click()
    expect(answer(chat)).to_contain_text("The model reads this in their place.")
    expect(answer(chat).get_by_role("button", name="Edit the summary").first).to_be_enabled()
    expect(chat.get_by_role("article", name="Answer").first).to_contain_text("We spoke of tea.")
