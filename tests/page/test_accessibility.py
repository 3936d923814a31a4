"""Every state of the page for everyone: by axe, on narrow screens, from right to left, without motion, in forced colours, read aloud."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.page import states
from tests.page.accessibility import assert_accessible, assert_contrast
from tests.page.conftest import PageServer
from tests.page.layout import misfits, small_targets
from tests.page.talk import SLOW, answer, call, script, send, text

LEAST_TARGET = 24
REFLOW: ViewportSize = {"width": 320, "height": 600}
"""The window of who reads a screen of 1280 pixels at 400 %."""

LISTEN = """() => {
    window.said = [];
    const hear = (node) => node.textContent.trim() && window.said.push(node.textContent.trim());
    for (const region of document.querySelectorAll('[aria-live=polite], [role=alert], [role=status]'))
        new MutationObserver((records) => {
            for (const { addedNodes } of records) for (const node of addedNodes) hear(node);
        }).observe(region, { childList: true, subtree: true });
}"""


@pytest.fixture(autouse=True)
def nothing_stays(chat: Page, server: PageServer) -> Iterator[None]:
    """Conversations of these tests are gone with them, for they are pinned, or wait."""
    yield
    for one in server.call("GET", "/api/conversations?limit=100")["items"]:
        server.call("DELETE", f"/api/conversations/{one['id']}")


@pytest.mark.parametrize("state", states.STATES, ids=lambda state: state.__name__)
def test_a_state_has_no_barriers_and_fits_every_window(owned: Page, server: PageServer, state: states.State) -> None:
    state(owned, server)
    assert_accessible(owned, scheme="light")
    assert small_targets(owned, LEAST_TARGET) == []
    owned.set_viewport_size(REFLOW)
    expect(owned.locator(".with-side:not(.narrow)")).to_have_count(0)
    assert misfits(owned) == []
    owned.evaluate("document.documentElement.dir = 'rtl'")
    assert misfits(owned) == []
    assert small_targets(owned, LEAST_TARGET) == []
    assert_accessible(owned, scheme="dark")


def test_from_right_to_left_in_forced_colours_and_with_more_contrast_a_conversation_has_no_barriers(
    owned: Page, server: PageServer
) -> None:
    states.conversation(owned, server)
    owned.emulate_media(contrast="more")
    for scheme in ("light", "dark"):
        assert_contrast(owned, "color-contrast-enhanced", scheme=scheme)
    owned.emulate_media(contrast="null")
    owned.evaluate("localStorage.setItem('luxx:language', 'en-XB')")
    owned.reload()
    expect(owned.locator("html[dir=rtl] article .katex").first).to_be_visible()
    owned.set_viewport_size({"width": 360, "height": 740})
    assert misfits(owned) == []
    owned.emulate_media(forced_colors="active")
    assert_accessible(owned)


def test_a_screen_reader_hears_of_an_answer_once_and_quietly(chat: Page) -> None:
    chat.evaluate(LISTEN)
    send(chat, script([text(f"# Tea\n\n**{SLOW}**\n\n", delay_ms=20)]))
    expect(answer(chat)).to_have_attribute("aria-busy", "true")
    log = chat.get_by_role("log", name="Messages")
    expect(log).to_have_attribute("aria-live", "off")
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    expect(chat.get_by_text("Answer ready").first).to_be_attached()
    heard: list[str] = chat.evaluate("window.said")
    assert [words for words in heard if "Generating" in words] == ["Generating an answer"]
    told = [words for words in heard if "word1 " in words]
    assert len(told) == 1
    assert told[0].startswith("Answer ready. Tea word0 word1 word2")
    assert len(told[0]) < len(SLOW), "a long answer is only begun"


def test_a_screen_reader_hears_at_once_of_failures_and_of_what_waits(chat: Page) -> None:
    chat.evaluate(LISTEN)
    send(chat, script([call("wait_asks")], [{"type": "fail", "code": "provider_auth", "message": "Key gone."}]))
    expect(chat.get_by_text("wait_asks asks you").first).to_be_visible()
    chat.get_by_role("region", name="asks").get_by_role("button", name="Decline").click()
    expect(answer(chat)).to_contain_text("Key gone.")
    failure = "The provider does not accept the key. Key gone."
    expect(chat.get_by_role("alert").filter(has_text=failure)).to_be_attached()
    heard: list[str] = chat.evaluate("window.said")
    assert heard.count("wait_asks asks you") == 1
    assert heard.count(failure) == 1


def test_headings_landmarks_and_messages_have_names(chat: Page) -> None:
    send(chat, script([text("## Part\n\nHello.")]))
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    for named in (
        chat.get_by_role("navigation", name="Conversations"),
        chat.get_by_role("log", name="Messages"),
        chat.get_by_role("article", name="You"),
        chat.get_by_role("article", name="Answer"),
    ):
        expect(named).to_have_count(1)
    expect(chat.get_by_role("main")).to_have_count(1)
    expect(chat.get_by_role("heading", level=1)).to_have_count(1)
    expect(chat.get_by_role("main").get_by_role("heading", level=2)).to_have_text("Part")


def test_nothing_moves_for_who_wants_no_motion(chat: Page) -> None:
    chat.emulate_media(reduced_motion="reduce")
    send(
        chat,
        script(
            [{"type": "thinking", "text": "word " * 4}, call("wait", seconds=0.3)], [text("word " * 40, delay_ms=10)]
        ),
    )
    slow = "document.getAnimations().filter((one) => one.effect.getComputedTiming().activeDuration > 10).length"
    for words in ("wait", "word word"):
        expect(answer(chat)).to_contain_text(words)
        assert chat.evaluate(slow) == 0
    expect(answer(chat)).to_have_attribute("aria-busy", "false")


def test_forced_colours_keep_what_is_chosen_alive_and_failed(owned: Page, server: PageServer) -> None:
    owned.emulate_media(forced_colors="active")
    states.at_work(owned, server)
    ring = owned.locator(".spinner").first.evaluate(
        "one => [getComputedStyle(one).borderTopColor, getComputedStyle(one).borderLeftColor]"
    )
    assert len(set(ring)) == 2, "the ring has a gap"
    expect(owned.get_by_role("article").get_by_text("failed").first).to_be_visible()
    current = owned.locator("li:has([aria-current=page])")
    assert current.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    owned.get_by_title("Choose a model").first.click()
    active = owned.locator(".menu-item.active")
    assert active.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    owned.keyboard.press("Escape")
    owned.get_by_role("button", name="Settings", exact=True).click()
    expect(owned.get_by_role("tab").first).to_be_visible()
    borders = owned.get_by_role("tab").evaluate_all(
        "tabs => tabs.map((tab) => getComputedStyle(tab).borderBottomColor)"
    )
    assert len(set(borders)) == 2
