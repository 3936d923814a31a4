"""What was entered in a dialog and is not saved: it is not lost without a word, and nobody is asked for nothing."""

from playwright.sync_api import Locator, Page, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer


def settings(page: Page, tab: str) -> Locator:
    page.get_by_role("button", name="Settings", exact=True).click()
    dialog = page.get_by_role("dialog", name="Settings", exact=True)
    dialog.get_by_role("tab", name=tab).click()
    return dialog


def question(page: Page) -> Locator:
    return page.get_by_role("alertdialog", name="Discard changes?")


def test_escape_asks_once_before_a_form_is_lost_and_leads_back_to_it(owned: Page) -> None:
    dialog = settings(owned, "Tools")
    dialog.get_by_role("button", name="Add an MCP server").click()
    name = dialog.get_by_label("Name", exact=True)
    name.fill("weather")
    owned.keyboard.press("Escape")
    expect(question(owned)).to_be_visible()
    expect(question(owned).get_by_role("button", name="Keep editing")).to_be_focused()
    assert_accessible(owned)
    owned.keyboard.press("Escape")
    expect(question(owned)).to_have_count(0)
    expect(name).to_be_focused()
    expect(name).to_have_value("weather")
    dialog.get_by_role("button", name="Close", exact=True).click()
    question(owned).get_by_role("button", name="Keep editing").click()
    owned.mouse.click(5, 5)
    question(owned).get_by_role("button", name="Discard").click()
    expect(dialog).to_have_count(0)
    expect(owned.get_by_role("button", name="Settings", exact=True)).to_be_focused()


def test_nobody_is_asked_where_nothing_was_changed_or_what_was_is_as_before(owned: Page) -> None:
    dialog = settings(owned, "Providers")
    dialog.get_by_role("button", name="Edit").first.click()
    name = dialog.get_by_label("Name", exact=True)
    before = name.input_value()
    name.fill("Another")
    name.fill(before)
    owned.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    dialog = settings(owned, "Providers")
    dialog.get_by_role("button", name="Edit").first.click()
    dialog.get_by_label("Name", exact=True).fill("Another")
    dialog.get_by_role("button", name="Cancel").click()
    owned.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    dialog = settings(owned, "General")
    dialog.get_by_label("Instructions").fill("Be brief.")
    owned.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(settings(owned, "General").get_by_label("Instructions")).to_have_value("Be brief.")


def test_another_tab_and_another_form_ask_too(owned: Page) -> None:
    dialog = settings(owned, "Providers")
    edit = dialog.get_by_role("button", name="Edit").first
    edit.click()
    dialog.get_by_label("Name", exact=True).fill("Another")
    edit.click()
    question(owned).get_by_role("button", name="Keep editing").click()
    expect(dialog.get_by_label("Name", exact=True)).to_have_value("Another")
    dialog.get_by_role("tab", name="Tools").click()
    question(owned).get_by_role("button", name="Discard").click()
    expect(dialog.get_by_role("tab", name="Tools")).to_have_attribute("aria-selected", "true")
    expect(dialog.get_by_role("tab", name="Tools")).to_be_focused()


def test_rules_for_all_chats_are_asked_about_until_they_are_saved(chat: Page, server: PageServer) -> None:
    dialog = settings(chat, "Tools")
    dialog.get_by_role("button", name="Add a rule").click()
    dialog.get_by_role("group", name="In all your chats").get_by_label("Tool", exact=True).fill("files_*")
    chat.keyboard.press("Escape")
    question(chat).get_by_role("button", name="Keep editing").click()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("Saved.")).to_be_visible()
    chat.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert server.call("GET", "/api/rules")["items"] == [{"tool": "files_*", "action": "allow"}]


def test_the_settings_of_a_chat_are_asked_about(chat: Page) -> None:
    chat.get_by_role("button", name="Chat settings").click()
    dialog = chat.get_by_role("dialog", name="Chat settings")
    chat.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    chat.get_by_role("button", name="Chat settings").click()
    dialog.get_by_label("System prompt").fill("Be brief.")
    chat.keyboard.press("Escape")
    chat.keyboard.press("Escape")
    expect(question(chat)).to_have_count(0)
    expect(dialog.get_by_label("System prompt")).to_have_value("Be brief.")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
