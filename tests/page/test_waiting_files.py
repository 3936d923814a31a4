"""A message that is sent while its files are on their way: it waits for them, and can be taken back."""

import pytest
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.talk import answer, conversation_id, script, send, text

NOTES = FilePayload(name="notes.md", mimeType="text/markdown", buffer=b"# Notes\n")
UPLOADING = "A file is still being uploaded."


def box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message", exact=True)


def hold_upload(page: Page) -> list[Route]:
    """Attach a file whose upload waits for the test."""
    held: list[Route] = []
    page.route("**/api/files?*", lambda route: held.append(route))
    with page.expect_request("**/api/files?*"):
        page.locator("input[type=file]").set_input_files([NOTES])
    expect(page.get_by_role("progressbar", name="Uploading notes.md")).to_be_visible()
    return held


def refuse(route: Route) -> None:
    route.fulfill(status=413, json={"status": 413, "code": "body_too_large", "detail": "Too large."})


def test_a_message_is_sent_when_its_files_are_there(chat: Page) -> None:
    held = hold_upload(chat)
    send(chat, script([text("Here.")]))
    expect(chat.get_by_text(UPLOADING)).to_be_visible()
    expect(chat.locator(".composer").get_by_text("The message is sent as soon as its files are there.")).to_be_visible()
    expect(box(chat)).to_have_value(script([text("Here.")]))
    assert_accessible(chat)
    box(chat).press("Enter")
    held[0].continue_()
    expect(answer(chat)).to_contain_text("Here.")
    expect(chat.get_by_text(UPLOADING)).to_have_count(0)
    expect(box(chat)).to_have_value("")
    mine = chat.get_by_role("article", name="You")
    expect(mine).to_have_count(1)
    expect(mine.get_by_text("notes.md")).to_be_visible()


@pytest.mark.parametrize("way", ["the key", "the button", "typing"])
def test_a_message_that_waits_for_its_files_can_be_taken_back(chat: Page, way: str) -> None:
    held = hold_upload(chat)
    send(chat, "not so fast")
    expect(chat.get_by_text(UPLOADING)).to_be_visible()
    if way == "the key":
        box(chat).press("Escape")
    elif way == "the button":
        chat.get_by_role("button", name="Do not send yet").click()
    else:
        box(chat).press_sequentially(" ...")
    expect(chat.get_by_text(UPLOADING)).to_have_count(0)
    expect(box(chat)).to_be_focused()
    held[0].continue_()
    expect(chat.get_by_text("8 bytes")).to_be_visible()
    expect(chat.get_by_role("article", name="You")).to_have_count(0)
    expect(box(chat)).to_have_value("not so fast ..." if way == "typing" else "not so fast")


def test_a_message_that_waits_while_its_chat_is_being_made_is_sent_once_with_its_file(
    chat: Page, server: PageServer
) -> None:
    making: list[Route] = []
    chat.route(
        "**/api/conversations",
        lambda route: making.append(route) if route.request.method == "POST" else route.continue_(),
    )
    send(chat, script([text("One.")]))
    expect(box(chat)).to_have_value("")
    held = hold_upload(chat)
    send(chat, script([text("Two.")]))
    expect(chat.get_by_text(UPLOADING)).to_be_visible()
    making[0].continue_()
    expect(answer(chat)).to_contain_text("One.")
    expect(chat.get_by_text(UPLOADING)).to_be_visible()
    held[0].continue_()
    expect(answer(chat)).to_contain_text("Two.")
    mine = chat.get_by_role("article", name="You")
    expect(mine).to_have_count(2)
    expect(mine.last.get_by_text("notes.md")).to_be_visible()
    expect(box(chat)).to_have_value("")
    assert len(server.call("GET", f"/api/conversations/{conversation_id(chat)}/messages")["items"]) == 4


def test_what_another_tab_has_sent_is_not_sent_again_when_the_files_are_there(chat: Page, server: PageServer) -> None:
    send(chat, script([text("Ready.")]))
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    here = conversation_id(chat)
    held = hold_upload(chat)
    send(chat, script([text("Once.")]))
    expect(chat.get_by_text(UPLOADING)).to_be_visible()
    other = chat.context.new_page()
    other.goto(chat.url)
    expect(box(other)).to_have_value(script([text("Once.")]))
    box(other).press("Enter")
    expect(answer(other)).to_contain_text("Once.")
    expect(box(chat)).to_have_value("")
    held[0].continue_()
    expect(chat.get_by_text("8 bytes")).to_be_visible()
    expect(chat.get_by_text(UPLOADING)).to_have_count(0)
    expect(chat.get_by_role("article", name="You")).to_have_count(2)
    assert len(server.call("GET", f"/api/conversations/{here}/messages")["items"]) == 4


def test_nothing_is_sent_if_a_file_does_not_come(chat: Page) -> None:
    held = hold_upload(chat)
    send(chat, script([text("Here.")]))
    expect(chat.get_by_text(UPLOADING)).to_be_visible()
    refuse(held[0])
    expect(chat.get_by_text("A file could not be uploaded: try it again or remove it.")).to_be_visible()
    expect(chat.get_by_text(UPLOADING)).to_have_count(0)
    expect(box(chat)).to_have_value(script([text("Here.")]))
    expect(chat.get_by_role("article", name="You")).to_have_count(0)
    chat.unroute("**/api/files?*")
    chat.get_by_role("button", name="Upload notes.md again").click()
    expect(chat.get_by_text("8 bytes")).to_be_visible()
    expect(chat.get_by_role("article", name="You")).to_have_count(0)
    box(chat).press("Enter")
    expect(answer(chat)).to_contain_text("Here.")


def other_chat(page: Page, server: PageServer) -> str:
    """Make a conversation to look at meanwhile, with a draft of its own."""
    other: str = server.call("POST", "/api/conversations", {"title": "the other"})["id"]
    page.evaluate("([key, text]) => localStorage.setItem(key, text)", [f"luxx:draft:{other}", "kept"])
    return other


def test_a_message_waits_for_its_files_while_another_chat_is_looked_at(chat: Page, server: PageServer) -> None:
    send(chat, script([text("First.")]))
    expect(answer(chat)).to_contain_text("First.")
    here = conversation_id(chat)
    other = other_chat(chat, server)
    held = hold_upload(chat)
    send(chat, script([text("Second.")]))
    expect(chat.get_by_text(UPLOADING)).to_be_visible()
    chat.locator(f"a[href$='{other}']").click()
    expect(box(chat)).to_have_value("kept")
    expect(chat.get_by_text(UPLOADING)).to_have_count(0)
    chat.locator(f"a[href$='{here}']").click()
    expect(chat.get_by_text(UPLOADING)).to_be_visible()
    chat.locator(f"a[href$='{other}']").click()
    expect(box(chat)).to_have_value("kept")
    with chat.expect_response(f"**/{here}/messages") as sent:
        held[0].continue_()
    assert sent.value.status == 200
    expect(box(chat)).to_have_value("kept")
    assert chat.url.endswith(other)
    chat.locator(f"a[href$='{here}']").click()
    expect(answer(chat)).to_contain_text("Second.")
    expect(box(chat)).to_have_value("")
    expect(chat.get_by_role("list", name="Attached files")).to_have_count(1)


def test_a_new_chat_that_waits_for_its_files_leads_nobody_back_to_it(chat: Page, server: PageServer) -> None:
    other = other_chat(chat, server)
    held = hold_upload(chat)
    send(chat, script([text("Made behind the scenes.")]))
    expect(chat.get_by_text(UPLOADING)).to_be_visible()
    chat.locator(f"a[href$='{other}']").click()
    expect(box(chat)).to_have_value("kept")
    with chat.expect_response(lambda response: response.url.endswith("/messages")) as sent:
        held[0].continue_()
    made = sent.value.url.split("/")[-2]
    assert chat.url.endswith(other)
    expect(box(chat)).to_have_value("kept")
    chat.locator(f"a[href$='{made}']").click()
    expect(answer(chat)).to_contain_text("Made behind the scenes.")
    expect(box(chat)).to_have_value("")
    chat.keyboard.press("Alt+n")
    expect(box(chat)).to_have_value("")


def test_a_file_that_does_not_come_is_told_of_in_another_chat(chat: Page, server: PageServer) -> None:
    other = other_chat(chat, server)
    held = hold_upload(chat)
    send(chat, "stays a draft")
    expect(chat.get_by_text(UPLOADING)).to_be_visible()
    chat.locator(f"a[href$='{other}']").click()
    expect(box(chat)).to_have_value("kept")
    refuse(held[0])
    expect(chat.get_by_text("Not sent. A file could not be uploaded")).to_be_visible()
    expect(box(chat)).to_have_value("kept")
    chat.keyboard.press("Alt+n")
    expect(box(chat)).to_have_value("stays a draft")
    expect(chat.get_by_role("button", name="Upload notes.md again")).to_be_visible()
