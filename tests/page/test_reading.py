"""Reading without hindrance: what tools failed at, keys that scroll, quiet frames, the beginning of what waits, deep quotes, broken images."""

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.page.conftest import PageServer
from tests.page.library import keep, line
from tests.page.states import change_messages, step
from tests.page.talk import answer, call, conversation_id, script, send, text

_LOG = "[role=log]"
_AT_END = f"""() => {{
    const area = document.querySelector('{_LOG}');
    return area.scrollHeight - area.clientHeight - area.scrollTop <= 2;
}}"""
_NOT_AT_END = f"() => !({_AT_END})()"
_AT_START = f"() => document.querySelector('{_LOG}').scrollTop === 0"
_FRAME = "one => getComputedStyle(one).outlineStyle"
_BAR = "one => getComputedStyle(one, '::before').borderInlineStartStyle"


@pytest.fixture
def long(chat: Page, server: PageServer) -> Page:
    """A conversation that does not fit into the window."""
    kept = keep(server, "Long", line(*(f"number {n}. {'word ' * 80} tern" for n in range(40))))
    chat.goto(f"{server.url}/c/{kept}")
    expect(answer(chat)).to_contain_text("number 39.")
    chat.wait_for_function(_AT_END)
    return chat


def _with_result(page: Page, content: str) -> None:
    """Have a call that failed with this."""
    send(page, script([text("x")]))
    expect(answer(page)).to_have_attribute("aria-busy", "false")
    steps = [
        step(0, "tool_call", id_ref="c", name="calculator", arguments="{}"),
        step(1, "tool_result", id_ref="step-0", name="calculator", content=content, state="failed"),
    ]
    change_messages(page, lambda items: items[-1].update(steps=steps))


def test_of_an_error_the_first_line_is_shown_and_all_of_it_on_demand(chat: Page) -> None:
    _with_result(chat, "No such file: " + "a/long/path/" * 30 + "\n  line 2: 1/0\nZeroDivisionError")
    chat.set_viewport_size({"width": 360, "height": 700})
    reason = answer(chat).locator(".reason").filter(has_text="No such file")
    expect(reason).to_be_visible()
    expect(reason).not_to_contain_text("ZeroDivisionError")
    shown = "one => [one.scrollHeight > one.clientHeight, Math.round(one.clientHeight / parseFloat(getComputedStyle(one).lineHeight))]"
    assert reason.evaluate(shown) == [True, 3]
    colours = reason.evaluate(
        "one => [getComputedStyle(one).color, getComputedStyle(one.closest('.call').querySelector('.word')).color]"
    )
    assert colours[0] != colours[1]
    answer(chat).get_by_role("button", name="calculator").click()
    expect(answer(chat).locator("pre").last).to_contain_text("ZeroDivisionError")
    assert "\n  line 2: 1/0\nZeroDivisionError" in answer(chat).locator("pre").last.inner_text()


def test_a_call_that_a_crash_cut_has_an_unknown_outcome(chat: Page, server: PageServer) -> None:
    server.call("PUT", "/api/rules", {"items": [{"tool": "wait_unsafe", "action": "allow"}]})
    send(chat, script([call("wait_unsafe", seconds=60)], [text("Well.")]))
    expect(chat.get_by_role("button", name="Stop wait_unsafe", exact=True)).to_be_visible()
    conversation_id(chat)
    server.kill()
    server.start()
    expect(answer(chat)).to_contain_text("Well.", timeout=30_000)
    for _ in range(2):
        expect(answer(chat)).to_contain_text("outcome unknown")
        expect(answer(chat)).to_contain_text("nobody knows whether it has taken effect")
        expect(answer(chat)).not_to_contain_text("failed")
        chat.reload()


def test_in_an_empty_composer_the_keys_scroll_the_conversation(long: Page) -> None:
    box = long.get_by_role("textbox", name="Message", exact=True)
    expect(box).to_be_focused()
    long.keyboard.press("PageUp")
    long.wait_for_function(_NOT_AT_END)
    expect(long.get_by_role("button", name="Jump to latest")).to_be_visible()
    long.keyboard.press("PageDown")
    long.wait_for_function(_AT_END)
    long.keyboard.press("Home")
    long.wait_for_function(_AT_START)
    expect(long.get_by_text("number 0.")).to_be_in_viewport()
    expect(box).to_be_focused()
    long.keyboard.press("End")
    expect(long.get_by_text("number 39.")).to_be_in_viewport()
    long.wait_for_function(_AT_END)
    box.fill("some words")
    long.keyboard.press("Home")
    assert box.evaluate("one => one.selectionStart") == 0
    long.keyboard.press("PageUp")
    assert long.evaluate(_AT_END)


def test_without_a_focus_the_keys_scroll_the_conversation(long: Page) -> None:
    long.evaluate("document.activeElement.blur()")
    long.keyboard.press("PageUp")
    long.wait_for_function(_NOT_AT_END)
    long.keyboard.press("Home")
    long.wait_for_function(_AT_START)


def test_the_conversation_has_a_frame_for_who_comes_by_keys_only(long: Page) -> None:
    long.get_by_text("number 39.").click()
    expect(long.locator(_LOG)).to_be_focused()
    long.keyboard.press("ArrowUp")
    long.wait_for_function(_NOT_AT_END)
    assert long.locator(_LOG).evaluate(_FRAME) == "none"
    long.evaluate("document.activeElement.blur()")
    long.keyboard.press("Home")
    expect(long.locator(_LOG)).to_be_focused()
    assert long.locator(_LOG).evaluate(_FRAME) == "solid"


@pytest.mark.parametrize(("by_keys", "bar"), [(False, "none"), (True, "solid")])
def test_a_message_that_was_found_has_a_bar_for_who_comes_by_keys_only(long: Page, *, by_keys: bool, bar: str) -> None:
    long.get_by_role("combobox", name="Search").fill("number 3")
    hit = long.get_by_role("option").first
    expect(hit).to_be_visible()
    if by_keys:
        long.keyboard.press("ArrowDown")
        long.keyboard.press("Enter")
    else:
        hit.click()
    found = long.locator("article:focus")
    expect(found).to_have_count(1)
    assert found.evaluate(_BAR) == bar


def test_a_question_that_is_higher_than_the_window_is_seen_from_its_beginning(chat: Page) -> None:
    chat.set_viewport_size({"width": 360, "height": 500})
    box = chat.get_by_role("textbox", name="Message", exact=True)
    box.fill(script([text("Before. " * 100), call("wait_asks", question="Who is there?")], [text("Thanks.")]))
    box.press("Control+Enter")
    card = chat.get_by_role("region", name="asks")
    for _ in range(2):
        expect(card.get_by_text("Who is there?")).to_be_in_viewport(ratio=1)
        expect(card.get_by_role("heading")).to_be_in_viewport(ratio=1)
        chat.reload()
    expect(card.get_by_role("heading")).to_be_in_viewport(ratio=1)
    card.get_by_role("button", name="Decline").click()
    expect(answer(chat)).to_contain_text("Thanks.")
    chat.wait_for_function(_AT_END)


def test_of_several_calls_that_wait_the_first_is_seen_and_then_the_next(chat: Page, server: PageServer) -> None:
    server.call("PUT", "/api/rules", {"items": [{"tool": "wait_unsafe", "action": "ask"}]})
    chat.set_viewport_size({"width": 1280, "height": 560})
    calls = [call("wait_unsafe", seconds=0, label=f"{n} " + "words " * 60) for n in range(3)]
    send(chat, script([text("I shall wait."), *calls], [{"type": "pause", "ms": 500}, text("Done. " * 400)]))
    cards = chat.get_by_role("region", name="asks")
    for left in (3, 2):
        expect(cards).to_have_count(left)
        expect(cards.first.get_by_role("heading")).to_be_in_viewport(ratio=1)
        cards.first.get_by_role("button", name="Allow", exact=True).click()
    expect(cards).to_have_count(1)
    cards.first.get_by_role("button", name="Allow", exact=True).click()
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    chat.wait_for_function(_AT_END)


@pytest.mark.parametrize("mark", ["> ", "- "])
def test_what_is_deep_in_quotes_or_lists_stays_in_the_column(chat: Page, mark: str) -> None:
    chat.set_viewport_size({"width": 360, "height": 700})
    box = chat.get_by_role("textbox", name="Message", exact=True)
    box.fill(script([text(f"{mark * 200}the innermost")]))
    box.press("Control+Enter")
    inmost = answer(chat).get_by_text("the innermost").last
    expect(inmost).to_be_visible()
    box_of = inmost.bounding_box()
    assert box_of is not None
    assert box_of["width"] > 100
    assert box_of["x"] + box_of["width"] <= 360


def test_an_image_that_is_none_has_the_sign_of_a_file(chat: Page) -> None:
    broken = FilePayload(name="broken.png", mimeType="image/png", buffer=b"\x89PNG\r\n\x1a\nnothing")
    chat.locator("input[type=file]").set_input_files([broken])
    chip = chat.get_by_role("listitem").filter(has_text="broken.png")
    expect(chip.locator(".icon svg")).to_be_visible()
    expect(chip.locator("img")).to_have_count(0)
