"""The languages of the page: switched while it runs, kept, right to left, with texts of any length."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.talk import SLOW, at_rest, call, saved_text, script, text

LONGER, MIRRORED = "en-XA", "en-XB"
GREETINGS = {"en": "What can I do for you?", "de": "Womit kann ich helfen?", "zh-Hans": "有什么可以帮忙的\uff1f"}
CODE = "```\nx = 1\n```\n\n"
EVERYTHING = "Text with `code`.\n\n> a quote\n\n- an item\n\n```python\nx = 1\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n$$x^2$$\n"
CUT_OFF = """() => {
    const texts = 'button, a, label, legend, summary, h1, h2, h3, p, dd, option:checked, [role=tab], .badge, .quiet, .word';
    const shown = [...document.querySelectorAll(texts)].filter((one) => {
        const style = getComputedStyle(one);
        const hidden = one.closest('.hidden-visually, .skip, [inert], .katex, .code-head, .more');
        return one.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !hidden && one.textContent.trim();
    });
    const dialog = document.querySelector('dialog[open]');
    return shown.filter((one) => !dialog || dialog.contains(one)).filter((one) => {
        const box = one.getBoundingClientRect();
        const range = document.createRange();
        range.selectNodeContents(one);
        const inner = range.getBoundingClientRect();
        const ellipsis = [one, ...one.querySelectorAll('*')].some((each) => getComputedStyle(each).textOverflow === 'ellipsis');
        const outside = box.left < -1 || box.right > innerWidth + 1;
        return outside || (!ellipsis && (inner.left < box.left - 1 || inner.right > box.right + 1 || inner.height > box.height + 8));
    }).map((one) => `${one.tagName} ${one.className}: ${one.textContent.trim().slice(0, 60)}`);
}"""


def speak(page: Page, code: str) -> None:
    page.evaluate("code => localStorage.setItem('luxx:language', code)", code)
    page.reload()


def say(page: Page, message: str) -> None:
    page.locator("#composer").fill(message)
    page.locator("#composer").press("Enter")


def last(page: Page) -> Locator:
    return page.locator("article").last


def choose(page: Page, settings: str, code: str) -> None:
    page.get_by_role("button", name=settings, exact=True).click()
    page.get_by_role("dialog").locator("select").select_option(code)
    expect(page.locator("html")).to_have_attribute("lang", code)
    page.keyboard.press("Escape")


def assert_fits(page: Page) -> None:
    """Assert that the page does not scroll sideways, and that no text is cut off or sticks out of its box."""
    page.wait_for_function("() => document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(CUT_OFF) == []


def test_a_switch_in_mid_answer_loses_nothing(chat: Page, server: PageServer) -> None:
    say(chat, script([text(CODE + "\n\n".join(SLOW.split()))]))
    expect(last(chat)).to_have_attribute("aria-busy", "false")
    say(chat, script([text(CODE + SLOW, delay_ms=60), call("wait_asks")], [text(SLOW)]))
    expect(chat.locator("article.answer")).to_have_count(2)
    expect(last(chat)).to_contain_text("word10 ")
    chat.locator("#composer").fill("a draft")
    chat.get_by_role("log").hover()
    chat.mouse.wheel(0, -1500)
    seen = chat.locator("article").nth(1).get_by_text("word120", exact=True)
    expect(chat.get_by_role("button", name="Jump to latest")).to_be_visible()
    at_rest(chat)
    before = seen.bounding_box()
    choose(chat, "Settings", "de")
    expect(chat.get_by_role("textbox", name="Nachricht", exact=True)).to_have_value("a draft")
    expect(chat.get_by_role("button", name="Zum Ende springen")).to_be_visible()
    expect(last(chat).locator(".code-copy")).to_have_text("Kopieren")
    choose(chat, "Einstellungen", "zh-Hans")
    expect(chat.get_by_role("textbox", name="消息", exact=True)).to_have_value("a draft")
    expect(last(chat).locator(".code-head")).to_have_text("代码复制")
    expect(last(chat)).to_have_attribute("aria-busy", "true")
    after = seen.bounding_box()
    assert before
    assert after
    assert abs(before["y"] - after["y"]) < 2
    last(chat).get_by_role("button", name="拒绝").click()
    expect(last(chat)).to_have_attribute("aria-busy", "false", timeout=20_000)
    shown = " ".join(" ".join(last(chat).locator(".prose").all_inner_texts()).split())
    assert shown == f"复制 x = 1 {SLOW}{SLOW}".strip()
    assert saved_text(server, chat).endswith(SLOW.strip())


@pytest.mark.parametrize(("locale", "lang"), [("de-AT", "de"), ("zh-CN", "zh-Hans"), ("fr-FR", "en")])
def test_at_first_the_page_speaks_as_the_browser_does_and_never_another_language_before(
    server: PageServer, browser: Browser, locale: str, lang: str
) -> None:
    context = browser.new_context(locale=locale)
    page = context.new_page()
    page.add_init_script(
        """window.langs = []; window.titles = [];
        new MutationObserver(() => {
            if (document.body) langs.push(document.documentElement.lang);
            if (document.querySelector('h1')) titles.push(document.querySelector('h1').textContent);
        }).observe(document, { childList: true, subtree: true });"""
    )
    page.goto(server.url)
    expect(page.get_by_role("heading", name=GREETINGS[lang])).to_be_visible()
    assert set(page.evaluate("langs")) == {lang}
    assert set(page.evaluate("titles")) == {GREETINGS[lang]}
    context.close()


def test_a_choice_is_kept(chat: Page) -> None:
    choose(chat, "Settings", "de")
    chat.reload()
    expect(chat.get_by_role("heading", name=GREETINGS["de"])).to_be_visible()
    expect(chat.locator("html")).to_have_attribute("lang", "de")


def test_the_page_is_there_in_english_until_the_words_come(chat: Page) -> None:
    chat.route(re.compile(r"/assets/de-"), lambda route: route.abort())
    speak(chat, "de")
    expect(chat.get_by_role("heading", name=GREETINGS["en"])).to_be_visible()
    expect(chat.locator("html")).to_have_attribute("lang", "en")
    chat.unroute(re.compile(r"/assets/de-"))
    expect(chat.get_by_role("heading", name=GREETINGS["de"])).to_be_visible()
    expect(chat.locator("html")).to_have_attribute("lang", "de")


def test_a_problem_is_told_in_the_language_with_the_servers_words_as_its_detail(chat: Page) -> None:
    speak(chat, "de")
    body = {"status": 503, "code": "storage", "detail": "The disk is full."}
    chat.route("**/messages", lambda route: route.fulfill(status=503, json=body))
    say(chat, "Hello.")
    expect(chat.get_by_role("alert").first).to_contain_text(
        "Nicht gesendet. Der Server kann gerade nichts speichern. The disk is full."
    )


def test_from_right_to_left_all_is_mirrored_but_what_is_code(chat: Page) -> None:
    speak(chat, MIRRORED)
    chat.set_viewport_size({"width": 1280, "height": 860})
    say(chat, script([call("calculator", expression="6*7")], [text("שלום עולם\n\n" + EVERYTHING)]))
    expect(last(chat)).to_have_attribute("aria-busy", "false")
    expect(last(chat).locator(".katex").first).to_be_visible()
    direction = "one => getComputedStyle(one).direction"
    assert last(chat).locator(".prose").last.evaluate(direction) == "rtl"
    for code in ("pre", ".prose p code", ".math"):
        assert last(chat).locator(code).first.evaluate(direction) == "ltr", code
    assert chat.locator(".bubble > div").evaluate(direction) == "ltr"
    last(chat).locator(".call .line").click()
    assert last(chat).locator("dd span, .call pre").first.evaluate(direction) == "ltr"
    side, main = chat.locator(".side").bounding_box(), chat.locator("main").bounding_box()
    assert side
    assert main
    assert side["x"] >= main["x"] + main["width"] - 1
    assert_accessible(chat)
    assert_fits(chat)
    last(chat).locator(".actions .icon-button").nth(1).click()
    expect(chat.get_by_text("2/2")).to_be_visible()
    older, newer = chat.locator(".picker[role=group] button").all()
    assert [one.evaluate("one => one.getBoundingClientRect().x") for one in (older, newer)] == sorted(
        [one.evaluate("one => one.getBoundingClientRect().x") for one in (older, newer)], reverse=True
    )
    chat.set_viewport_size({"width": 360, "height": 740})
    expect(last(chat)).to_have_attribute("aria-busy", "false")
    expect(chat.locator(".side")).to_have_count(0)
    assert_fits(chat)
    chat.locator("header .icon-button").first.click()
    drawer = chat.locator(".side").bounding_box()
    assert drawer
    assert drawer["x"] + drawer["width"] == 360
    assert_accessible(chat)
    assert_fits(chat)


def test_tabs_are_walked_in_the_direction_of_the_arrows(chat: Page) -> None:
    speak(chat, MIRRORED)
    chat.locator(".bottom button >> nth=0").click()
    chat.get_by_role("tab").first.focus()
    chat.keyboard.press("ArrowLeft")
    expect(chat.get_by_role("tab").nth(1)).to_be_focused()
    chat.keyboard.press("ArrowRight")
    chat.keyboard.press("ArrowRight")
    expect(chat.get_by_role("tab").last).to_be_focused()
    chat.keyboard.press("Home")
    expect(chat.get_by_role("tab").first).to_have_attribute("aria-selected", "true")
    assert_accessible(chat)


def test_what_copies_a_link_holds_its_word_on_a_phone(server: PageServer, browser: Browser) -> None:
    phone = browser.new_context(has_touch=True, is_mobile=True, viewport={"width": 360, "height": 740}, locale="de-DE")
    page = phone.new_page()
    page.goto(server.url)
    page.get_by_role("textbox", name="Nachricht", exact=True).fill(script([text("Hallo.")]))
    page.get_by_role("button", name="Senden").tap()
    expect(last(page)).to_have_attribute("aria-busy", "false")
    page.get_by_role("button", name="Teilen und exportieren").tap()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Link erstellen").tap()
    copy = dialog.get_by_role("button", name="Kopieren", exact=True)
    expect(copy).to_be_in_viewport(ratio=1)
    assert copy.evaluate("one => one.scrollWidth <= one.clientWidth && one.clientHeight < 48")
    phone.close()


@pytest.mark.parametrize("code", [LONGER, MIRRORED])
def test_long_texts_fit_a_narrow_screen(chat: Page, server: PageServer, code: str) -> None:
    chat.set_viewport_size({"width": 360, "height": 740})
    chat.emulate_media(reduced_motion="reduce")
    speak(chat, code)
    assert_fits(chat)
    server.call("PUT", "/api/rules", {"items": [{"tool": "wait_unsafe", "action": "ask"}]})
    say(chat, script([{"type": "thinking", "text": "Hm."}, call("wait_unsafe", seconds=0)], [text(EVERYTHING)]))
    expect(chat.locator(".ask-card")).to_be_visible()
    assert_fits(chat)
    chat.locator(".ask-card .button.primary").click()
    expect(last(chat)).to_contain_text("a quote")
    expect(last(chat)).to_have_attribute("aria-busy", "false")
    last(chat).locator(".thinking button").click()
    assert_fits(chat)
    chat.locator(".composer .model button").click()
    expect(chat.get_by_role("listbox")).to_be_visible()
    assert_fits(chat)
    chat.keyboard.press("Escape")
    chat.locator(".composer .row .icon-button").nth(1).click()
    chat.get_by_role("dialog").locator(".add").first.click()
    assert_fits(chat)
    chat.keyboard.press("Escape")
    expect(chat.get_by_role("alertdialog")).to_be_visible()
    assert_fits(chat)
    chat.get_by_role("alertdialog").locator(".danger").click()
    chat.locator("header .icon-button").first.click()
    assert_fits(chat)
    chat.locator(".bottom button >> nth=0").click()
    expect(chat.get_by_role("tab").first).to_be_visible()
    for tab in chat.get_by_role("tab").all():
        tab.click()
        expect(chat.get_by_role("tabpanel")).not_to_be_empty()
        assert_fits(chat)
    assert_accessible(chat)
