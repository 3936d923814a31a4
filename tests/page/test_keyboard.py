"""The whole page without a mouse: every control is reached and seen, the focus is never lost, each shortcut does what the list says."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

from tests.page import states
from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.library import keep, line
from tests.page.talk import SLOW, answer, call, conversation_id, script, send, text, wait_for_copy

MARK_ALL = """() => {
    const modal = document.querySelector('dialog[open]') ?? document.body;
    const all = [...modal.querySelectorAll('button, a[href], input, textarea, select, summary, [tabindex="0"]')];
    const groups = new Set();
    return all.filter((one) => {
        const group = one.type === 'radio' && one.name;
        const reached = one.checkVisibility() && !one.disabled && one.tabIndex >= 0 && !one.closest('[inert]') && !groups.has(group);
        if (group) groups.add(group);
        if (reached) one.dataset.wanted = 'yes';
        return reached;
    }).length;
}"""
LOOK = """() => {
    const one = document.activeElement;
    const around = [one, one.parentElement, one.closest('.box')].filter(Boolean);
    const seen = around.some((each) => {
        const { outlineStyle, outlineWidth } = getComputedStyle(each);
        return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1;
    });
    const radio = one.type === 'radio' && document.querySelector(`[data-wanted][name="${CSS.escape(one.name)}"]`);
    const wanted = radio || one;
    if (wanted.dataset.wanted) wanted.dataset.wanted = seen ? 'reached' : 'unseen';
}"""
LEFT = "all => all.map((one) => `${one.dataset.wanted} ${one.outerHTML.slice(0, 130)}`)"


@pytest.mark.parametrize(
    "state",
    [states.new_chat, states.conversation, states.at_work, states.tools, states.own_provider, states.sharing],
    ids=lambda state: state.__name__,
)
def test_every_control_is_reached_and_seen_by_keys(owned: Page, server: PageServer, state: states.State) -> None:
    server.forget_conversations()
    owned.reload()
    state(owned, server)
    assert owned.locator("[tabindex]:not([tabindex='0'], [tabindex='-1'])").count() == 0
    owned.evaluate("document.activeElement.blur()")
    wanted = owned.evaluate(MARK_ALL)
    assert wanted > 4
    for _ in range(wanted + 6):
        owned.keyboard.press("Tab")
        owned.evaluate(LOOK)
        if owned.locator("[data-wanted=yes]").count() == 0:
            break
    assert owned.eval_on_selector_all("[data-wanted]:not([data-wanted=reached])", LEFT) == []


def _button(name: str) -> Callable[[Page | Locator], Locator]:
    return lambda page: page.get_by_role("button", name=name, exact=True)


@pytest.mark.parametrize("name", ["Chat settings", "Keyboard shortcuts", "Settings", "Share and export", "scripted"])
def test_the_focus_returns_to_what_opened_a_dialog(chat: Page, name: str) -> None:
    send(chat, script([text("Hello.")]))
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    opener = _button(name)(chat)
    opener.focus()
    chat.keyboard.press("Enter")
    dialog = chat.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog.locator(":focus")).to_have_count(1)
    chat.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()


def test_a_shortcut_right_after_a_dialog_is_heard(chat: Page) -> None:
    send(chat, script([text("Hello.")]))
    conversation_id(chat)
    chat.get_by_role("button", name="Settings", exact=True).click()
    expect(chat.get_by_role("dialog")).to_be_visible()
    chat.evaluate("""() => {
        const press = (at, key, held) =>
            at.dispatchEvent(new KeyboardEvent('keydown', { ...held, key, bubbles: true, cancelable: true }));
        press(document.querySelector('dialog'), 'Escape');
        press(document.body, 'n', { altKey: true });
    }""")
    expect(chat).to_have_url(re.compile("/$"))
    expect(chat.get_by_role("dialog")).to_have_count(0)


def test_the_focus_returns_from_menus_titles_and_edits(chat: Page, server: PageServer) -> None:
    made = keep(server, "The mill", line("Who grinds?", "The miller."))
    chat.goto(f"{server.url}/c/{made}")
    expect(answer(chat)).to_contain_text("The miller.")
    row = chat.get_by_role("listitem").filter(has=chat.locator("[aria-current=page]"))
    link, more = row.get_by_role("link"), row.get_by_role("button", name="Options")
    link.focus()
    chat.keyboard.press("Tab")
    expect(more).to_be_focused()
    chat.keyboard.press("Enter")
    expect(chat.get_by_role("menuitem", name="Share")).to_be_focused()
    chat.keyboard.press("ArrowDown")
    chat.keyboard.press("Escape")
    expect(more).to_be_focused()
    link.press("F2")
    chat.keyboard.press("Escape")
    expect(link).to_be_focused()
    edit = chat.get_by_role("article", name="You").get_by_role("button", name="Edit")
    edit.press("Enter")
    expect(chat.get_by_role("textbox", name="Edit the message")).to_be_focused()
    chat.keyboard.press("Escape")
    expect(edit).to_be_focused()
    chat.get_by_role("button", name="Hide conversations").press("Enter")
    expect(chat.get_by_role("button", name="Show conversations")).to_be_focused()
    chat.keyboard.press("Enter")
    expect(chat.get_by_role("button", name="Hide conversations")).to_be_focused()


def test_each_shortcut_does_what_the_list_says(chat: Page, server: PageServer) -> None:
    chat.context.grant_permissions(["clipboard-read", "clipboard-write"])
    send(chat, script([text("The *answer*.")]))
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    message = chat.get_by_role("textbox", name="Message", exact=True)
    chat.keyboard.press("Alt+c")
    wait_for_copy(chat, "The *answer*.")
    chat.keyboard.press("Alt+a")
    expect(answer(chat)).to_be_focused()
    chat.keyboard.press("Alt+m")
    expect(message).to_be_focused()
    chat.keyboard.press("Alt+s")
    expect(chat.get_by_role("combobox", name="Search")).to_be_focused()
    chat.keyboard.press("Alt+b")
    expect(chat.get_by_role("navigation")).to_have_count(0)
    chat.keyboard.press("Alt+b")
    expect(chat.get_by_role("button", name="Hide conversations")).to_be_focused()
    chat.keyboard.press("Alt+n")
    expect(message).to_be_focused()
    expect(chat).to_have_url(f"{server.url}/")
    chat.get_by_role("link", name="New chat").focus()
    chat.keyboard.press("Alt+n")
    expect(message).to_be_focused()


def test_the_usual_keys_search_and_lead_to_the_message_box(chat: Page) -> None:
    message = chat.get_by_role("textbox", name="Message", exact=True)
    search = chat.get_by_role("combobox", name="Search")
    message.fill("Half a thought")
    chat.keyboard.press("Control+k")
    expect(search).to_be_focused()
    chat.keyboard.press("/")
    expect(search).to_have_value("/")
    _button("Hide conversations")(chat).press("/")
    expect(message).to_be_focused()
    expect(message).to_have_value("Half a thought")
    _button("Hide conversations")(chat).click()
    chat.keyboard.press("Control+k")
    expect(search).to_be_focused()


def test_the_arrow_up_edits_the_last_message_from_an_empty_box_and_escape_leads_back(chat: Page) -> None:
    message = chat.get_by_role("textbox", name="Message", exact=True)
    editor = chat.get_by_role("textbox", name="Edit the message")
    chat.keyboard.press("ArrowUp")
    for said in ("first", "second"):
        send(chat, script([text(f"The {said} answer.")]))
        expect(answer(chat)).to_contain_text(f"The {said} answer.")
        expect(answer(chat)).to_have_attribute("aria-busy", "false")
    message.fill("Not empty")
    message.press("ArrowUp")
    expect(editor).to_have_count(0)
    message.fill("")
    message.press("ArrowUp")
    expect(editor).to_be_focused()
    expect(editor).to_have_value(script([text("The second answer.")]))
    assert_accessible(chat)
    chat.keyboard.press("Escape")
    expect(message).to_be_focused()
    chat.keyboard.press("ArrowUp")
    editor.fill(script([text("Another answer.")]))
    editor.press("Enter")
    expect(answer(chat)).to_contain_text("Another answer.")


def test_what_was_deleted_is_brought_back_as_everywhere(chat: Page, server: PageServer) -> None:
    made = keep(server, "The brook", line("Where to?", "Down."))
    chat.reload()
    link = chat.locator(f"a[href='/c/{made}']")
    link.press("Delete")
    expect(link).to_have_count(0)
    expect(chat.get_by_role("button", name="Undo")).to_be_visible()
    chat.get_by_role("textbox", name="Message", exact=True).press("Control+z")
    expect(link).to_have_count(0)
    chat.get_by_role("button", name="Hide conversations").press("Control+z")
    expect(link).to_have_count(1)
    expect(chat.get_by_role("button", name="Undo")).to_have_count(0)


def test_the_question_mark_shows_the_list_unless_it_is_typed_or_switched_off(chat: Page) -> None:
    message = chat.get_by_role("textbox", name="Message", exact=True)
    message.press("?")
    expect(message).to_have_value("?")
    settings = chat.get_by_role("button", name="Settings", exact=True)
    settings.press("?")
    dialog = chat.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog.get_by_role("heading", level=3)).to_have_text(["Writing", "Getting around", "Chats"])
    expect(dialog.locator("dd").filter(has_text="Alt")).to_have_count(9)
    dialog.get_by_role("checkbox").uncheck()
    chat.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    settings.press("?")
    settings.press("/")
    expect(settings).to_be_focused()
    chat.keyboard.press("Alt+s")
    expect(chat.get_by_role("combobox", name="Search")).to_be_focused()
    expect(dialog).to_have_count(0)


def test_a_person_decides_by_keys_alone(chat: Page, server: PageServer) -> None:
    server.call("PUT", "/api/rules", {"items": [{"tool": "wait_unsafe", "action": "ask"}]})
    send(chat, script([call("wait_unsafe", seconds=0)], [text("Done.")]))
    card = chat.get_by_role("region", name="asks")
    expect(card).to_be_visible()
    chat.keyboard.press("Alt+w")
    expect(card.get_by_role("button", name="Allow", exact=True)).to_be_focused()
    chat.keyboard.press("Enter")
    expect(answer(chat)).to_contain_text("Done.")
    expect(answer(chat).get_by_role("button", name="wait_unsafe")).to_be_focused()


def _scrolled(page: Page) -> float:
    return page.get_by_role("log").evaluate("area => area.scrollTop")


def _versions(page: Page) -> tuple[Locator, Locator]:
    versions = page.get_by_role("group", name="Version")
    return _button("Previous version")(versions), _button("Next version")(versions)


def test_the_focus_stays_with_the_versions_of_an_answer(chat: Page) -> None:
    message = chat.get_by_role("textbox", name="Message", exact=True)
    send(chat, script([text("The answer.\n\n" * 40)]))
    for versions in ("2/2", "3/3"):
        expect(answer(chat)).to_have_attribute("aria-busy", "false")
        answer(chat).get_by_role("button", name="Regenerate").press("Enter")
        expect(message).to_be_focused()
        expect(answer(chat)).to_contain_text(versions)
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    earlier, later = _versions(chat)
    earlier.press("Enter")
    expect(answer(chat)).to_contain_text("2/3")
    expect(earlier).to_be_focused()
    before = _scrolled(chat)
    chat.keyboard.press("Enter")
    expect(answer(chat)).to_contain_text("1/3")
    expect(later).to_be_focused()
    chat.keyboard.press("Enter")
    expect(answer(chat)).to_contain_text("2/3")
    expect(later).to_be_focused()
    assert abs(_scrolled(chat) - before) < 2


def test_the_focus_stays_with_the_versions_of_a_message(chat: Page) -> None:
    asked = chat.get_by_role("article", name="You")
    send(chat, script([text("Hello.")]))
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    asked.get_by_role("button", name="Edit").press("Enter")
    editor = chat.get_by_role("textbox", name="Edit the message")
    editor.fill(script([text("Good evening.")]))
    editor.press("Enter")
    expect(chat.get_by_role("textbox", name="Message", exact=True)).to_be_focused()
    expect(answer(chat)).to_contain_text("Good evening.")
    expect(asked).to_contain_text("2/2")
    earlier, later = _versions(chat)
    earlier.press("Enter")
    expect(answer(chat)).to_contain_text("Hello.")
    expect(later).to_be_focused()
    chat.keyboard.press("Enter")
    expect(answer(chat)).to_contain_text("Good evening.")
    expect(earlier).to_be_focused()


def test_who_stops_an_answer_writes_on(chat: Page) -> None:
    message = chat.get_by_role("textbox", name="Message", exact=True)
    message.fill(script([text(SLOW, delay_ms=200)]))
    _button("Send")(chat).press("Enter")
    expect(message).to_be_focused()
    expect(answer(chat)).to_contain_text("word3")
    _button("Stop")(chat).press("Enter")
    expect(message).to_be_focused()
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    expect(message).to_be_focused()


def _chooses(asked: Request) -> bool:
    return "leaf_id" in (asked.post_data or "")


def test_the_focus_is_not_taken_from_who_has_moved_on(chat: Page) -> None:
    send(chat, script([text("Hello.")]))
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    answer(chat).get_by_role("button", name="Regenerate").press("Enter")
    expect(answer(chat)).to_contain_text("2/2")
    settings = chat.get_by_role("button", name="Settings", exact=True)
    held: list[Route] = []

    def hold(route: Route) -> None:
        if _chooses(route.request):
            held.append(route)
        else:
            route.continue_()

    chat.route("**/api/conversations/*", hold)
    with chat.expect_request(_chooses):
        _versions(chat)[0].press("Enter")
    settings.focus()
    for route in held:
        route.continue_()
    expect(answer(chat)).to_contain_text("1/2")
    expect(settings).to_be_focused()


def test_an_edit_that_was_not_sent_is_kept(chat: Page) -> None:
    send(chat, script([text("Hello.")]))
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    editor = chat.get_by_role("textbox", name="Edit the message")
    edit = chat.get_by_role("article", name="You").get_by_role("button", name="Edit")
    edit.click()
    editor.fill(script([text("Good night.")]))
    chat.reload()
    expect(editor).to_have_value(script([text("Good night.")]))
    expect(chat.get_by_role("textbox", name="Message", exact=True)).to_be_focused()
    editor.press("Enter")
    expect(answer(chat)).to_contain_text("Good night.")
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    edit.click()
    editor.fill("Never mind.")
    chat.get_by_role("button", name="Cancel").click()
    chat.reload()
    expect(answer(chat)).to_contain_text("Good night.")
    expect(editor).to_have_count(0)
    _versions(chat)[0].click()
    expect(answer(chat)).to_contain_text("Hello.")
    expect(editor).to_have_count(0)


def test_one_is_led_to_what_waits(chat: Page, server: PageServer) -> None:
    server.call("PUT", "/api/rules", {"items": [{"tool": "wait_unsafe", "action": "ask"}]})
    chat.set_viewport_size({"width": 1280, "height": 480})
    both = [call("wait_unsafe", seconds=0, label=f"{label}\n" + "line\n" * 12) for label in ("one", "two")]
    send(chat, script(both, [text("Done.")]))
    cards = chat.get_by_role("region", name="asks")
    expect(cards).to_have_count(2)
    chat.get_by_role("button", name="2 wait for you").press("Enter")
    expect(_button("Allow")(cards.first)).to_be_focused()
    chat.keyboard.press("Enter")
    expect(cards).to_have_count(1)
    expect(cards).to_be_in_viewport()
    chat.keyboard.press("Alt+w")
    expect(_button("Allow")(cards)).to_be_focused()
    chat.keyboard.press("Enter")
    expect(answer(chat)).to_contain_text("Done.")
    expect(chat.get_by_role("button", name="Waiting for you")).to_have_count(0)
