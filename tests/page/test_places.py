"""The title and its menu, where messages at the foot stand, and one edge for all that stands in the sidebar."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page import states
from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.layout import misfits
from tests.page.library import keep, line
from tests.page.talk import SLOW, answer, script, send, text

_WIDE, _TABLET, _PHONE = (1280, 800), (820, 800), (360, 740)
_MIRRORED = "localStorage.setItem('luxx:language', 'en-XB')"


def _open(page: Page, server: PageServer, title: str) -> str:
    made = keep(server, title, line("Who grinds?", "The miller."))
    page.goto(f"{server.url}/c/{made}")
    expect(answer(page)).to_contain_text("The miller.")
    return made


def _title(page: Page) -> Locator:
    return page.get_by_role("heading", level=1).get_by_role("button")


def _choose(page: Page, name: str) -> None:
    page.get_by_role("menu").get_by_role("menuitem", name=name).click()


_APART = """places => {
    const [one, other] = places.map((place) => place.getBoundingClientRect());
    return one.right <= other.left || other.right <= one.left || one.bottom <= other.top || other.bottom <= one.top;
}"""


def test_the_title_is_changed_and_pinned_by_its_own_menu(chat: Page, server: PageServer) -> None:
    made = _open(chat, server, "The mill")
    expect(_title(chat)).to_have_text("The mill")
    _title(chat).press("Enter")
    menu = chat.get_by_role("menu", name="Options for The mill")
    names = ["Share and export…", re.compile("Rename"), "Pin", re.compile("Delete")]
    expect(menu.get_by_role("menuitem")).to_have_text(names)
    expect(menu.get_by_role("separator")).to_have_count(1)
    assert_accessible(chat)
    chat.keyboard.press("Escape")
    expect(_title(chat)).to_be_focused()
    _title(chat).click()
    chat.keyboard.press("F2")
    field = chat.get_by_role("textbox", name="Title")
    expect(field).to_be_focused()
    assert_accessible(chat)
    field.fill("The windmill")
    field.press("Enter")
    expect(_title(chat)).to_have_text("The windmill")
    expect(_title(chat)).to_be_focused()
    _title(chat).click()
    _choose(chat, "Pin")
    expect(chat.get_by_role("navigation").get_by_role("heading", name="Pinned")).to_be_visible()
    _title(chat).click()
    _choose(chat, "Unpin")
    _title(chat).click()
    expect(chat.get_by_role("menuitem", name="Pin", exact=True)).to_be_visible()
    chat.keyboard.press("Escape")
    assert server.call("GET", f"/api/conversations/{made}")["title"] == "The windmill"


def test_the_title_shares_and_deletes_with_a_way_back(chat: Page, server: PageServer) -> None:
    made = _open(chat, server, "The dam")
    _title(chat).click()
    _choose(chat, "Share and export")
    expect(chat.get_by_role("dialog", name="Share and export")).to_be_visible()
    chat.keyboard.press("Escape")
    expect(_title(chat)).to_be_focused()
    _title(chat).click()
    _choose(chat, "Delete")
    expect(chat).to_have_url(f"{server.url}/")
    chat.get_by_role("button", name="Undo").click()
    expect(chat).to_have_url(f"{server.url}/c/{made}")
    expect(_title(chat)).to_have_text("The dam")


@pytest.mark.parametrize("window", [_WIDE, _PHONE])
def test_a_chat_of_the_list_is_opened_to_be_shared(chat: Page, server: PageServer, window: tuple[int, int]) -> None:
    chat.set_viewport_size({"width": window[0], "height": window[1]})
    made = keep(server, "To be shared", line("Who?", "Me."))
    chat.reload()
    states.open_side(chat)
    chat.locator(f"a[href='/c/{made}']").click(button="right")
    _choose(chat, "Share and export")
    expect(chat.get_by_role("dialog", name="Share and export")).to_be_visible()
    expect(chat).to_have_url(f"{server.url}/c/{made}")
    assert misfits(chat) == []


@pytest.mark.parametrize("window", [_WIDE, _TABLET, _PHONE])
@pytest.mark.parametrize("side", [True, False])
def test_messages_at_the_foot_cover_neither_the_title_nor_what_is_written(
    chat: Page, server: PageServer, window: tuple[int, int], side: bool
) -> None:
    chat.set_viewport_size({"width": window[0], "height": window[1]})
    said = [t for n in range(8) for t in (f"Question {n}", "A paragraph. " * 80)]
    made = keep(server, "Stays", line(*said))
    gone = keep(server, "A title of some length that goes and would go on over the end of a line", line("Who?", "Me."))
    chat.goto(f"{server.url}/c/{gone}")
    _title(chat).click()
    _choose(chat, "Delete")
    toast = chat.locator(".toast")
    expect(toast).to_be_visible()
    toast.hover()
    states.open_side(chat)
    chat.locator(f"a[href='/c/{made}']").click()
    expect(answer(chat)).to_be_visible()
    if not side and window != _PHONE:
        chat.get_by_role("button", name="Hide conversations").click()
    chat.eval_on_selector("[role=log]", "area => { area.scrollTop = 0; }")
    jump = chat.get_by_role("button", name="Jump to latest")
    expect(jump).to_be_visible()
    toast.hover()  # Now nothing moves it from under the pointer, which keeps it.
    for part in (chat.locator("form.composer"), _title(chat), jump):
        expect(part).to_be_visible()
        chat.wait_for_function(_APART, arg=[toast.element_handle(), part.element_handle()])
    expect(toast).to_be_in_viewport(ratio=1)
    assert misfits(chat) == []
    assert_accessible(chat)
    toast.get_by_role("button", name="Undo").click()
    expect(toast).to_have_count(0)


@pytest.mark.parametrize("mirrored", [False, True])
def test_all_in_the_sidebar_has_one_edge(chat: Page, server: PageServer, mirrored: bool) -> None:
    server.forget_conversations()
    if mirrored:
        chat.evaluate(_MIRRORED)
    for n in range(3):
        server.call("POST", "/api/conversations", {"title": f"The harbour {n}"})
    states.menu(chat, server) if not mirrored else chat.reload()
    expect(chat.locator("nav li").first).to_be_visible()
    icons, words, starts = chat.evaluate("""() => {
        const onward = document.dir === 'rtl' ? (at) => at.right : (at) => at.left;
        const text = (one) => { const range = new Range(); range.selectNodeContents(one); return onward(range.getBoundingClientRect()); };
        const rows = [...document.querySelectorAll('nav .row')];
        return [
            rows.map((row) => onward(row.querySelector('.slot').getBoundingClientRect())),
            rows.filter((row) => !row.matches('.search')).map((row) => text(row.querySelector('strong') ?? row.lastChild)),
            [...document.querySelectorAll('nav h2, nav li a > span')].map(text),
        ];
    }""")
    assert len(icons) == 5
    for places in (icons, words, starts):
        assert max(places) - min(places) < 1, (icons, words, starts)
    assert abs(icons[0] - starts[0]) < 1


def test_pictures_and_marks_at_the_end_of_rows_end_together(chat: Page, server: PageServer) -> None:
    states.menu(chat, server)
    chat.keyboard.press("Escape")
    ends = chat.evaluate("""() => [...document.querySelectorAll('nav .top button path, nav li:not(:hover, :focus-within) .dot, nav li:hover .more path')]
        .filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect().right)""")
    assert len(ends) >= 3
    assert max(ends) - min(ends) < 1.5, ends


def test_one_line_names_begin_where_lines_begin(chat: Page, server: PageServer) -> None:
    chat.evaluate(_MIRRORED)
    made = keep(server, "Latin letters", line("Who?", "Me."))
    chat.goto(f"{server.url}/c/{made}")
    expect(chat.locator("main h1 button")).to_have_text("Latin letters")
    expect(chat.locator("nav [aria-current=page]")).to_contain_text("Latin letters")
    row, title, words = chat.evaluate("""() => {
        const ends = (one) => { const range = new Range(); range.selectNodeContents(one); return range.getBoundingClientRect().right; };
        const link = document.querySelector('nav [aria-current=page]');
        return [link.getBoundingClientRect().right - ends(link), document.querySelector('header').getBoundingClientRect().right
            - ends(document.querySelector('h1 span')), getComputedStyle(document.querySelector('h1 span')).direction];
    }""")
    assert (row < 12, title < 24, words) == (True, True, "ltr")


def test_escape_leads_out_of_the_search_before_it_stops_an_answer(chat: Page) -> None:
    send(chat, script([text(SLOW, delay_ms=200)]))
    expect(answer(chat)).to_contain_text("word1")
    chat.keyboard.press("Control+k")
    expect(chat.get_by_role("combobox", name="Search conversations")).to_be_focused()
    chat.keyboard.press("Escape")
    expect(chat.get_by_role("textbox", name="Message", exact=True)).to_be_focused()
    expect(answer(chat)).to_have_attribute("aria-busy", "true")
    chat.keyboard.press("Escape")
    expect(answer(chat)).to_contain_text("Stopped")
