"""Sharing by a link, copies, and imports, as a person does them."""

import json
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.library import keep, line
from tests.page.talk import answer, conversation_id, script, send, text


def open_keeping(page: Page) -> None:
    page.get_by_role("button", name="Share and export").click()
    expect(page.get_by_role("dialog", name="Share and export")).to_be_visible()


def answered(page: Page, words: str) -> None:
    send(page, script([text(words)]))
    expect(answer(page).get_by_role("button", name="Copy", exact=True)).to_be_visible()


def test_a_shared_link_shows_the_conversation_until_it_is_taken_back(chat: Page) -> None:
    answered(chat, "What was **said** here.")
    open_keeping(chat)
    chat.get_by_role("button", name="Create link").click()
    link = chat.get_by_role("textbox", name="Read-only link").input_value()
    other = chat.context.new_page()
    other.goto(link)
    expect(other.get_by_text("What was said here.")).to_be_visible()
    links = chat.get_by_role("list", name="Shared links")
    links.get_by_role("button", name="Revoke").click()
    links.get_by_role("button", name="Really remove?").click()
    expect(links).to_have_count(0)
    other.goto(link)
    expect(other.get_by_text("Nothing is shared here")).to_be_visible()


def test_only_what_is_ticked_is_shared(chat: Page) -> None:
    send(chat, script([{"type": "thinking", "text": "A thought."}, text("Said aloud.")]))
    expect(answer(chat).get_by_role("button", name="Copy", exact=True)).to_be_visible()
    for ticked in (False, True):
        open_keeping(chat)
        chat.get_by_role("checkbox", name="Thinking").set_checked(ticked)
        chat.get_by_role("button", name="Create link").click()
        link = chat.get_by_role("textbox", name="Read-only link").input_value()
        shared = chat.context.request.get(link).text()
        assert "Said aloud." in shared
        assert ("Thinking</summary>" in shared) is ticked
        chat.keyboard.press("Escape")


def test_a_conversation_is_kept_as_markdown_and_as_json_that_comes_back(
    owned: Page, server: PageServer, tmp_path: Path
) -> None:
    answered(owned, "Kept for later.")
    made = conversation_id(owned)
    open_keeping(owned)
    with owned.expect_download() as download:
        owned.get_by_role("link", name="Markdown").click()
    assert "Kept for later." in download.value.path().read_text()
    with owned.expect_download() as download:
        owned.get_by_role("link", name="JSON", exact=True).click()
    file = tmp_path / "kept.json"
    download.value.save_as(file)
    assert json.loads(file.read_text())
    owned.keyboard.press("Escape")
    server.call("DELETE", f"/api/conversations/{made}")
    owned.goto(server.url)
    report = imported(owned, file)
    expect(report).to_contain_text("1 conversation with 2 messages imported.")
    report.get_by_role("link", name="Open it").click()
    expect(answer(owned)).to_contain_text("Kept for later.")


def imported(page: Page, file: Path) -> Locator:
    page.get_by_role("button", name="Settings", exact=True).click()
    page.get_by_role("tab", name="Data").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a file").click()
    chooser.value.set_files(file)
    return page.get_by_role("status").filter(has_text="imported")


def test_an_import_that_is_none_says_so_in_place(owned: Page, tmp_path: Path) -> None:
    file = tmp_path / "holiday.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("photo.txt", "no conversation")
    owned.get_by_role("button", name="Settings", exact=True).click()
    owned.get_by_role("tab", name="Data").click()
    with owned.expect_file_chooser() as chooser:
        owned.get_by_role("button", name="Choose a file").click()
    chooser.value.set_files(file)
    expect(owned.get_by_role("dialog").get_by_role("alert")).not_to_be_empty()
    assert_accessible(owned)


def test_the_dialog_is_accessible_and_gives_the_focus_back(chat: Page) -> None:
    answered(chat, "Said.")
    open_keeping(chat)
    assert_accessible(chat)
    chat.keyboard.press("Escape")
    expect(chat.get_by_role("button", name="Share and export")).to_be_focused()


@pytest.mark.parametrize("way", ["dialog", "keys"])
def test_paper_shows_all_messages_and_no_controls(chat: Page, server: PageServer, way: str) -> None:
    said = [f"{'Question' if n % 2 == 0 else 'Answer'} {n} of many." for n in range(300)]
    chat.goto(f"{server.url}/c/{keep(server, 'Much was said', line(*said))}")
    expect(chat.get_by_text("Answer 299 of many.")).to_be_visible()
    chat.evaluate("window.print = () => (window.printed = dispatchEvent(new Event('beforeprint')))")
    if way == "dialog":
        open_keeping(chat)
        chat.get_by_role("button", name="Print").click()
    else:
        chat.keyboard.press("Control+p")
    chat.wait_for_function("() => window.printed")
    expect(chat.locator("[role=log] article")).to_have_count(300)
    chat.emulate_media(media="print")
    expect(chat.get_by_text("Question 0 of many.")).to_be_visible()
    expect(chat.get_by_role("textbox", name="Message", exact=True)).to_be_hidden()
    expect(chat.get_by_role("navigation", name="Conversations")).to_be_hidden()
    assert chat.evaluate("document.body.scrollHeight") > 300 * 20
    assert chat.locator("main button:visible").count() == 0
    chat.emulate_media(media="null")


def test_paper_says_what_the_browser_alone_could_not_print(chat: Page, server: PageServer) -> None:
    said = [f"{'Question' if n % 2 == 0 else 'Answer'} {n} of many." for n in range(100)]
    chat.goto(f"{server.url}/c/{keep(server, 'Much was said', line(*said))}")
    expect(chat.get_by_text("Answer 99 of many.")).to_be_visible()
    chat.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(chat.get_by_text("Earlier messages are left out here.")).to_be_attached()
    chat.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(chat.get_by_text("Earlier messages are left out here.")).to_have_count(0)
