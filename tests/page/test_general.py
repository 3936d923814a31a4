"""What a person prefers: instructions, the key that sends, colours, the size of the text; and where the focus is seen."""

from playwright.sync_api import Locator, Page, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.talk import answer, conversation_id, script, send, text

SIZE = "getComputedStyle(document.documentElement).fontSize"
FRAME = "box => { const { borderColor, outlineStyle } = getComputedStyle(box); return [borderColor, outlineStyle] }"
AT_FIRST = "addEventListener('DOMContentLoaded', () => (window.first = document.documentElement.dataset.text))"


def general(page: Page) -> Locator:
    page.get_by_role("button", name="Settings", exact=True).click()
    dialog = page.get_by_role("dialog", name="Settings", exact=True)
    dialog.get_by_role("tab", name="General").click()
    return dialog


def box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message", exact=True)


def test_new_chats_begin_with_the_instructions_of_this_browser(chat: Page, server: PageServer) -> None:
    dialog = general(chat)
    dialog.get_by_label("Instructions for every chat").fill("Be brief.")
    chat.keyboard.press("Escape")
    send(chat, script([text("Hello.")]))
    expect(answer(chat)).to_contain_text("Hello.")
    here = conversation_id(chat)
    assert server.call("GET", f"/api/conversations/{here}")["system_prompt"] == "Be brief."
    chat.reload()
    expect(general(chat).get_by_label("Instructions for every chat")).to_have_value("Be brief.")
    chat.get_by_label("Instructions for every chat").fill("")
    chat.keyboard.press("Escape")
    assert server.call("GET", f"/api/conversations/{here}")["system_prompt"] == "Be brief."
    chat.keyboard.press("Alt+n")
    chat.get_by_role("button", name="Chat settings").click()
    expect(chat.get_by_label("System prompt")).to_have_value("")


def test_only_control_with_enter_sends_where_a_person_wants_it_so(chat: Page) -> None:
    dialog = general(chat)
    dialog.get_by_label("Ctrl+Enter sends").check()
    dialog.get_by_role("button", name="Keyboard shortcuts").click()
    shortcuts = chat.get_by_role("dialog", name="Keyboard shortcuts")
    expect(shortcuts.get_by_role("definition").first).to_have_text("CtrlEnter")
    assert_accessible(chat)
    chat.keyboard.press("Escape")
    expect(dialog.get_by_role("button", name="Keyboard shortcuts")).to_be_focused()
    chat.keyboard.press("Escape")
    chat.reload()
    message = script([text("Hello.")])
    box(chat).fill(message)
    expect(chat.get_by_role("button", name="Send")).to_have_attribute("title", "Send (Ctrl Enter)")
    box(chat).press("Enter")
    expect(box(chat)).to_have_value(f"{message}\n")
    expect(chat.get_by_role("article")).to_have_count(0)
    box(chat).press("Control+Enter")
    expect(answer(chat)).to_contain_text("Hello.")


def test_the_size_of_the_text_is_chosen_and_there_before_anything_is_shown(chat: Page) -> None:
    normal = chat.evaluate(SIZE)
    dialog = general(chat)
    dialog.get_by_label("Large").check()
    assert float(chat.evaluate(SIZE)[:-2]) > float(normal[:-2])
    assert_accessible(chat)
    tab = chat.context.new_page()
    tab.add_init_script(AT_FIRST)
    tab.goto(chat.url)
    assert tab.evaluate("window.first") == "large"
    tab.close()
    dialog.get_by_label("Normal").check()
    assert chat.evaluate(SIZE) == normal


def test_other_tabs_follow_what_is_chosen(chat: Page) -> None:
    tab = chat.context.new_page()
    tab.goto(chat.url)
    normal = tab.evaluate(SIZE)
    dialog = general(chat)
    dialog.get_by_label("Small").check()
    tab.wait_for_function(f"normal => {SIZE} !== normal", arg=normal)
    dialog.get_by_label("Normal").check()
    tab.wait_for_function(f"normal => {SIZE} === normal", arg=normal)


def test_colours_are_chosen_by_arrow_keys(chat: Page) -> None:
    theme = general(chat).get_by_role("group", name="Theme")
    theme.get_by_label("System").focus()
    chat.keyboard.press("ArrowRight")
    expect(theme.get_by_label("Light")).to_be_checked()
    chat.keyboard.press("ArrowRight")
    expect(chat.locator("html")).to_have_attribute("data-theme", "dark")
    assert_accessible(chat)


def test_the_frame_of_the_composer_is_in_the_accent_only_for_who_comes_by_tab(chat: Page) -> None:
    frame = chat.locator(".composer .box")
    expect(box(chat)).to_be_focused()
    quiet = frame.evaluate(FRAME)
    assert quiet[1] == "none"
    box(chat).click()
    chat.keyboard.type("Hello")
    assert frame.evaluate(FRAME) == quiet
    chat.keyboard.press("Shift+Tab")
    chat.keyboard.press("Tab")
    expect(box(chat)).to_be_focused()
    assert frame.evaluate(FRAME)[1] == "solid"
    box(chat).blur()
    box(chat).click()
    assert frame.evaluate(FRAME) == quiet
    chat.emulate_media(contrast="more")
    assert frame.evaluate(FRAME)[1] == "solid"
    chat.emulate_media(contrast="null", forced_colors="active")
    assert frame.evaluate(FRAME)[1] == "solid"
