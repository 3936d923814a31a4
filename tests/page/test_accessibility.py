"""Every state of the page by axe, by keys, without motion and in forced colours."""

from playwright.sync_api import FilePayload, Page, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.talk import answer, call, script, send, text

NOTES = FilePayload(name="notes.md", mimeType="text/markdown", buffer=b"# Notes")


def test_a_conversation_has_no_barriers(chat: Page) -> None:
    assert_accessible(chat)
    chat.locator("input[type=file]").set_input_files([NOTES])
    expect(chat.get_by_role("progressbar")).to_have_count(0)
    assert_accessible(chat)
    thinking = {"type": "thinking", "text": "Let me see."}
    prose = "# Title\n\n- a **b** `c`\n\n```python\nx = 1\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    fails = {"type": "fail", "code": "provider_auth", "message": "The key is wrong."}
    send(chat, script([thinking, call("calculator", expression="1/0")], [text(prose), fails]))
    expect(answer(chat)).to_contain_text("The key is wrong.")
    answer(chat).get_by_role("button", name="calculator").click()
    answer(chat).get_by_role("button", name="Thought").click()
    chat.get_by_role("article", name="You").hover()
    assert_accessible(chat)


def test_what_waits_for_a_person_has_no_barriers(chat: Page, server: PageServer) -> None:
    server.call("PUT", "/api/rules", {"items": [{"tool": "wait_unsafe", "action": "ask"}]})
    send(chat, script([call("wait_unsafe", seconds=0), call("wait_asks")], [text("Done.")]))
    cards = chat.get_by_role("region", name="asks")
    expect(cards).to_have_count(2)
    cards.get_by_role("button", name="Edit").click()
    assert_accessible(chat)
    cards.get_by_role("button", name="Allow with these").click()
    cards.get_by_role("button", name="Decline").click()
    expect(answer(chat)).to_contain_text("Done.")


def test_dialogs_and_menus_have_no_barriers(chat: Page) -> None:
    chat.get_by_role("button", name="Chat settings").click()
    chat.get_by_role("dialog").get_by_role("button", name="Add a rule").first.click()
    assert_accessible(chat)
    chat.keyboard.press("Escape")
    expect(chat.get_by_role("button", name="Chat settings")).to_be_focused()
    chat.get_by_role("button", name="Keyboard shortcuts").click()
    expect(chat.get_by_role("dialog")).to_be_visible()
    assert_accessible(chat)
    chat.keyboard.press("Escape")
    chat.get_by_title("Choose a model").first.click()
    expect(chat.get_by_role("listbox")).to_be_visible()
    assert_accessible(chat)


def test_everything_on_the_page_is_reached_by_keys(chat: Page) -> None:
    send(chat, script([text("Hello.")]))
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    wanted = chat.evaluate(
        """[...document.querySelectorAll('button, a[href], input, textarea, select, summary')].filter((one) => {
            one.dataset.wanted = 'yes';
            return one.checkVisibility() && !one.disabled && one.tabIndex >= 0 && !one.closest('[inert]');
        }).length"""
    )
    assert wanted > 10
    chat.evaluate("document.activeElement.blur()")
    reached = 0
    for _ in range(wanted + 3):
        chat.keyboard.press("Tab")
        reached += chat.evaluate(
            """() => {
                const one = document.activeElement;
                const first = one.dataset.wanted === 'yes';
                const around = [one, one.parentElement, one.closest('form')].filter(Boolean);
                const seen = around.some((each) => getComputedStyle(each).outlineStyle !== 'none');
                if (first) one.dataset.wanted = seen ? 'reached' : 'unseen';
                return Number(first);
            }"""
        )
    assert reached == wanted
    unseen = chat.eval_on_selector_all("[data-wanted=unseen]", "all => all.map((one) => one.outerHTML.slice(0, 120))")
    assert unseen == []


def test_nothing_moves_for_who_wants_no_motion_and_forced_colours_keep_what_is_chosen(chat: Page) -> None:
    chat.emulate_media(reduced_motion="reduce", forced_colors="active")
    send(chat, script([text("word " * 40, delay_ms=10)]))
    expect(answer(chat)).to_contain_text("word")
    slow = "document.getAnimations().filter((one) => one.effect.getComputedTiming().activeDuration > 10).length"
    assert chat.evaluate(slow) == 0
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    chat.get_by_role("button", name="Settings", exact=True).click()
    expect(chat.get_by_role("tab").first).to_be_visible()
    borders = chat.get_by_role("tab").evaluate_all("tabs => tabs.map((tab) => getComputedStyle(tab).borderBottomColor)")
    assert len(set(borders)) == 2
