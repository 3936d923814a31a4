"""What a message holds, and how it is taken away: copies, code blocks, formulas that do more than to show, long questions."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.talk import SLOW, answer, call, conversation_id, saved_text, script, send, text, wait_for_copy

CODE = "def f():\n    return 1  # " + "a long comment " * 12
BLOCK = f"Here:\n\n```python\n{CODE}\n```\n\nand\n\n```\nls\n```\n"
LONG_SCRIPT = script([text("a ")] * 60)
PLAIN = f"```\n{'a long line ' * 20}\n2\n```\n"
LONG = "\n".join(f"Line {n} of a question." for n in range(1, 41))

MEASURED = "e => new Promise((done) => new ResizeObserver(() => requestAnimationFrame(done)).observe(e))"
"""Wait until who observed the size of an element before this has heard of it."""


END_AND_BUTTONS = """(code) => {
    const line = document.createRange();
    const words = code.querySelector('pre code').firstChild;
    line.setStart(words, 0);
    line.setEnd(words, words.data.indexOf('\\n'));
    code.querySelector('pre').scrollLeft = 1e6;
    const { right, top } = line.getBoundingClientRect();
    const buttons = [...code.querySelectorAll('.code-head > :is(button, input)')].map((one) => one.getBoundingClientRect());
    return [right, top, Math.min(...buttons.map(({ left }) => left)), Math.max(...buttons.map(({ bottom }) => bottom))];
}"""
"""Scroll code to the end of its lines, and return where its first line ends and begins, and where its buttons begin and end."""


def block(page: Page) -> Locator:
    return answer(page).locator(".code").first


def question(page: Page) -> Locator:
    return page.get_by_role("article", name="You").last


def settled(page: Page) -> None:
    expect(answer(page).get_by_role("button", name="Regenerate")).to_be_visible()


def test_a_copied_answer_sets_apart_what_was_said_around_tools(chat: Page) -> None:
    chat.context.grant_permissions(["clipboard-read", "clipboard-write"])
    send(
        chat,
        script(
            [text("I'll look."), call("calculator", expression="1+1"), text("A moment.")],
            [text("It is `2`.\n\n```\n2\n```")],
        ),
    )
    settled(chat)
    answer(chat).get_by_role("button", name="Copy", exact=True).last.click()
    expected = "I'll look.\n\nA moment.\n\nIt is `2`.\n\n```\n2\n```"
    wait_for_copy(chat, expected)
    rich = chat.evaluate(
        "navigator.clipboard.read().then(([item]) => item.getType('text/html')).then((html) => html.text())"
    )
    assert "<pre" in rich
    assert "<button" not in rich


def test_an_answer_with_text_around_tools_stands_untouched_when_the_title_changes(
    chat: Page, server: PageServer
) -> None:
    send(chat, script([text("I'll look."), call("calculator", expression="1+1")], [text("It is `2`.")]))
    settled(chat)
    node = answer(chat).get_by_text("I'll look.").element_handle()
    server.call("PATCH", f"/api/conversations/{conversation_id(chat)}", {"title": "Named from outside"})
    expect(chat.get_by_role("heading", name="Named from outside")).to_be_visible()
    chat.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    assert node.evaluate("node => node.isConnected")


def test_long_lines_of_code_wrap_when_asked_for_while_it_is_written(chat: Page) -> None:
    send(chat, script([text(f"```python\n{CODE}\n"), text(SLOW, delay_ms=500)]))
    wrap = block(chat).get_by_role("checkbox", name="Wrap lines")
    expect(block(chat).locator("pre")).to_have_css("white-space-collapse", "preserve")
    expect(block(chat).locator("pre")).to_have_css("text-wrap-mode", "nowrap")
    wrap.focus()
    wrap.press("Space")
    expect(block(chat).locator("pre")).to_have_css("text-wrap-mode", "wrap")
    expect(answer(chat)).to_have_attribute("aria-busy", "true")
    chat.get_by_role("button", name="Stop", exact=True).click()
    expect(answer(chat)).to_contain_text("Stopped")
    expect(wrap).to_be_checked()
    assert block(chat).locator("pre").evaluate("e => e.scrollWidth <= e.clientWidth")


def test_code_is_saved_as_it_is_under_a_name_that_fits_its_language(chat: Page) -> None:
    send(chat, script([text(BLOCK)]))
    settled(chat)
    names: list[str] = []
    contents: list[str] = []
    for save in answer(chat).get_by_role("button", name="Download as a file").all():
        with chat.expect_download() as saved:
            save.press("Enter")
        names.append(saved.value.suggested_filename)
        contents.append(Path(saved.value.path()).read_text())
    assert names == ["code.py", "code.txt"]
    assert contents == [f"{CODE}\n", "ls\n"]


def test_what_code_offers_is_seen_when_one_comes_near(chat: Page) -> None:
    send(chat, script([text(BLOCK)]))
    settled(chat)
    save = block(chat).get_by_role("button", name="Download as a file")
    chat.mouse.move(0, 0)
    expect(save).to_have_css("opacity", "0")
    block(chat).hover()
    expect(save).to_have_css("opacity", "1")
    chat.mouse.move(0, 0)
    save.focus()
    expect(save).to_have_css("opacity", "1")
    assert_accessible(chat)


def look_into_long_code(chat: Page) -> None:
    send(chat, script([text("```python\n" + "x = 1\n" * 200 + "```\n")]))
    settled(chat)
    chat.get_by_role("log").hover()
    chat.mouse.wheel(0, -900)
    expect(chat.get_by_role("button", name="Jump to latest")).to_be_visible()


def test_a_long_code_can_be_copied_from_its_middle(chat: Page) -> None:
    look_into_long_code(chat)
    expect(block(chat).get_by_role("button", name="Copy")).to_be_in_viewport(ratio=1)
    block(chat).get_by_role("button", name="Copy").click()
    expect(block(chat).get_by_role("button", name="Copied")).to_be_visible()


def test_only_of_long_code_the_row_stays_in_sight(chat: Page) -> None:
    lines = "".join(f"{n}\n" for n in range(9))
    send(chat, script([text(f"```py\n{lines}```\n\n```py\n1\n```\n")]))
    settled(chat)
    expect(answer(chat).locator(".code-head").first).to_have_css("position", "sticky")
    expect(answer(chat).locator(".code-head").last).to_have_css("position", "relative")


def test_code_without_a_language_has_no_row_above_it(chat: Page) -> None:
    send(chat, script([text(BLOCK)]))
    settled(chat)
    plain = answer(chat).locator(".code").last
    copy = plain.get_by_role("button", name="Copy")
    chat.mouse.move(0, 0)
    expect(copy).to_have_css("opacity", "0")
    height = "code => code.querySelector('pre').offsetHeight - code.clientHeight"
    assert plain.evaluate(height) == 0
    plain.hover()
    assert plain.evaluate(height) == 0
    expect(copy).to_have_css("opacity", "1")
    copy.click()
    expect(plain.get_by_role("button", name="Copied")).to_be_visible()


def test_the_first_line_of_code_without_a_language_can_be_scrolled_clear_of_its_buttons(chat: Page) -> None:
    send(chat, script([text(PLAIN)]))
    settled(chat)
    block(chat).hover()
    right, _, buttons_left, _ = block(chat).evaluate(END_AND_BUTTONS)
    assert right <= buttons_left
    block(chat).get_by_role("checkbox", name="Wrap lines").check()
    _, top, _, buttons_bottom = block(chat).evaluate(END_AND_BUTTONS)
    assert top >= buttons_bottom
    assert_accessible(chat)


def test_the_head_of_long_code_stays_at_the_upper_edge_with_nothing_above_it(chat: Page) -> None:
    look_into_long_code(chat)
    chat.wait_for_function(
        """() => {
            const [head, area] = ['.code-head', '[role=log]'].map((one) => document.querySelector(one));
            const [{ top }, edge] = [head, area].map((one) => one.getBoundingClientRect());
            return Math.abs(top - edge.top) < 1;
        }"""
    )


def test_a_wide_table_keeps_its_words_whole_and_scrolls_in_itself(chat: Page) -> None:
    heads = ("Approach", "How it works", "Latency", "Memory", "Availability", "When it is best to be chosen")
    row = (
        "Polling",
        "Asks again and again, whether or not there is anything new",
        "500 ms",
        "12 KB",
        "99.9 %",
        "Rarely",
    )
    cells = [heads, ("---",) * len(heads), row]
    chat.set_viewport_size({"width": 360, "height": 740})
    send(chat, script([text("\n".join(f"| {' | '.join(line)} |" for line in cells))]))
    settled(chat)
    heights = answer(chat).locator("th").evaluate_all("cells => cells.map((cell) => cell.clientHeight)")
    assert max(heights) < 45, "a heading stands on one line"
    table = answer(chat).locator(".table")
    assert table.evaluate("table => table.scrollWidth > table.clientWidth * 1.5")
    assert chat.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_by_touch_it_is_always_seen_and_large(server: PageServer, browser: Browser) -> None:
    phone = browser.new_context(has_touch=True, is_mobile=True, viewport={"width": 360, "height": 740})
    page = phone.new_page()
    page.goto(server.url)
    box = page.get_by_role("textbox", name="Message", exact=True)
    box.fill(script([text(BLOCK + PLAIN)]))
    page.get_by_role("button", name="Send").click()
    settled(page)
    for control in block(page).locator(".code-head > :is(input, button)").all():
        expect(control).to_have_css("opacity", "1")
        size = control.bounding_box()
        assert size
        assert min(size["width"], size["height"]) >= 44
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    _, top, _, buttons_bottom = answer(page).locator(".code").last.evaluate(END_AND_BUTTONS)
    assert top >= buttons_bottom, "without a language, too, they have a row of their own"
    phone.close()


def test_a_formula_that_wants_more_than_to_be_shown_is_shown_as_its_source(chat: Page, server: PageServer) -> None:
    send(chat, script([text("$\\href{javascript:alert(1)}{x}$ and $x^2$ and $\\url{https://example.org}$")]))
    settled(chat)
    expect(answer(chat).locator(".katex")).to_have_count(1)
    expect(answer(chat).locator(".bad-tex")).to_have_text(
        ["\\href{javascript:alert(1)}{x}", "\\url{https://example.org}"]
    )
    assert "href" in saved_text(server, chat)
    assert_accessible(chat)


@pytest.mark.parametrize("width", [1280, 360])
def test_a_long_question_is_folded(chat: Page, width: int) -> None:
    chat.set_viewport_size({"width": width, "height": 740})
    send(chat, LONG_SCRIPT)
    settled(chat)
    more = question(chat).get_by_role("button", name="Show more")
    expect(more).to_have_attribute("aria-expanded", "false")
    whole = question(chat).locator(".text")
    assert whole.evaluate("e => e.clientHeight") < 330
    assert_accessible(chat)
    more.focus()
    before = whole.bounding_box()
    more.press("Enter")
    less = question(chat).get_by_role("button", name="Show less")
    expect(less).to_have_attribute("aria-expanded", "true")
    expect(less).to_be_focused()
    assert whole.evaluate("e => e.scrollHeight === e.clientHeight && e.clientHeight > 600")
    whole.evaluate(MEASURED)
    after = whole.bounding_box()
    assert before
    assert after
    assert abs(before["y"] - after["y"]) < 2
    less.press("Enter")
    expect(more).to_have_attribute("aria-expanded", "false")
    expect(more).to_be_in_viewport()


def test_the_whole_of_a_folded_question_is_copied_and_edited(chat: Page) -> None:
    chat.context.grant_permissions(["clipboard-read", "clipboard-write"])
    send(chat, LONG)
    settled(chat)
    question(chat).get_by_role("button", name="Copy", exact=True).click()
    wait_for_copy(chat, LONG)
    question(chat).get_by_role("button", name="Edit", exact=True).click()
    expect(question(chat).get_by_role("textbox")).to_have_value(LONG)


def test_a_question_of_a_few_lines_is_not_folded(chat: Page) -> None:
    send(chat, "\n".join(LONG.split("\n")[:12]))
    settled(chat)
    for width in (1280, 360):
        chat.set_viewport_size({"width": width, "height": 740})
        question(chat).locator(".text").evaluate(MEASURED)
        expect(question(chat)).to_contain_text("Line 12")
        expect(question(chat).get_by_role("button", name="Show more")).to_have_count(0)
