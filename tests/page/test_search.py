"""A hit that is opened: what was looked for is marked in the message, in sight, without a change of the document; hits show plain words."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.library import archived, keep, keep_all, line, message_ids
from tests.page.talk import answer

_MARKED = "() => [...(CSS.highlights.get('found') ?? [])].map((range) => range.toString())"
# Whether the first marked place is seen in the area, also sideways in what holds it.
_IN_SIGHT = """() => {
    const [range] = CSS.highlights.get('found') ?? [];
    if (!range) return false;
    const place = range.getBoundingClientRect();
    const boxes = [document.querySelector('[role=log]'), range.startContainer.parentElement.closest('pre')];
    return boxes.filter(Boolean).every((element) => {
        const box = element.getBoundingClientRect();
        return place.top >= box.top && place.bottom <= box.bottom && place.left >= box.left && place.right <= box.right;
    });
}"""


def _field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search conversations")


def _found(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Search results").get_by_role("option")


def _open_hit(page: Page, query: str, holding: str = "") -> None:
    _field(page).fill(query)
    _found(page).filter(has_text=holding or query).first.click()


def _expect_marked(page: Page, *places: str) -> None:
    page.wait_for_function(f"(wanted) => JSON.stringify(({_MARKED})()) === wanted", arg=_json(places))


def _json(places: tuple[str, ...]) -> str:
    return "[" + ",".join(f'"{place}"' for place in places) + "]"


def test_words_are_marked_in_the_message_whose_document_stays_as_it_was(chat: Page, server: PageServer) -> None:
    said = (
        "The **axo**lotl, an AXOLOTL\n\n- no axo\n- lotl `axolotl` and $axolotl$ [axolotl](https://example.org/axolotl)"
    )
    kept = keep(server, "Ponds", line("What lives here?", said))
    chat.goto(f"{server.url}/c/{kept}")
    expect(answer(chat).locator(".math")).to_have_count(1)
    chat.wait_for_function("() => document.querySelector('.math')?.firstElementChild")
    before = answer(chat).locator(".answer-text").inner_html()
    _open_hit(chat, "axolotl", "lotl")
    _expect_marked(chat, "axolotl", "AXOLOTL", "axolotl", "axolotl")
    expect(answer(chat)).to_be_focused()
    expect(answer(chat)).not_to_have_class(re.compile("lit"))
    assert answer(chat).locator(".answer-text").inner_html() == before
    assert_accessible(chat)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_first_marked_place_of_a_long_message_is_in_sight(chat: Page, server: PageServer, scheme: str) -> None:
    chat.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    word = f"peccary{scheme}"
    code = "```python\n" + "x = 1\n" * 20 + f"y = '{'long ' * 60}{word}'\n" + "x = 1\n" * 20 + "```\n"
    texts = [f"number {n}. {'word ' * 60}" for n in range(80)]
    texts[21] = "A paragraph.\n\n" * 60 + code + "A paragraph.\n\n" * 60
    kept = keep(server, f"Long hit {scheme}", line(*texts))
    _open_hit(chat, word)
    expect(chat.locator(f"#m-{message_ids(server, kept)[21]}")).to_be_focused()
    chat.wait_for_function("() => document.querySelector('.hljs-number, .hljs-string')")
    _expect_marked(chat, word)
    chat.wait_for_function(_IN_SIGHT)


def test_marks_go_with_escape_and_with_the_next_way(chat: Page, server: PageServer) -> None:
    keep(server, "Marks go", line("tapir one", "Tapir two.", "tapir three", *(f"n {n}" for n in range(60))))
    _open_hit(chat, "tapir", "tapir one")
    _expect_marked(chat, "tapir")
    chat.keyboard.press("Escape")
    _expect_marked(chat)
    expect(_field(chat)).to_have_value("tapir")
    _found(chat).filter(has_text="Tapir two").click()
    _expect_marked(chat, "Tapir")
    chat.get_by_role("button", name="Jump to latest").click()
    expect(answer(chat)).to_be_in_viewport()
    _expect_marked(chat)
    _found(chat).filter(has_text="tapir three").click()
    _expect_marked(chat, "tapir")
    chat.get_by_role("link", name="New chat").click()
    expect(chat.get_by_role("log")).to_have_count(0)
    _expect_marked(chat)


def test_marks_go_with_a_link_to_another_message(chat: Page, server: PageServer) -> None:
    kept = keep(server, "Marks of before", line("marmot one", "Marmot two."))
    first, second = message_ids(server, kept)
    _open_hit(chat, "marmot", "Marmot two")
    _expect_marked(chat, "Marmot")
    for linked in (first, second):
        chat.evaluate("id => { location.hash = `m-${id}`; }", linked)
        expect(chat.locator(f"#m-{linked}")).to_be_focused()
        _expect_marked(chat)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marks_have_one_colour_in_the_list_and_in_the_message(chat: Page, server: PageServer, scheme: str) -> None:
    chat.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    keep(server, f"Colours {scheme}", line(f"quoll{scheme}", "Yes."))
    _open_hit(chat, f"quoll{scheme}")
    _expect_marked(chat, f"quoll{scheme}")
    listed, marked = chat.evaluate("""() => {
        const look = (...of) => { const { color, backgroundColor } = getComputedStyle(...of); return [color, backgroundColor]; };
        return [look(document.querySelector('mark')), look(document.querySelector('.bubble'), '::highlight(found)')];
    }""")
    assert listed == marked
    assert_accessible(chat)


def test_hits_tell_when_as_shortly_as_they_can(chat: Page, server: PageServer) -> None:
    for title, days in (("Now", 0), ("Before", 1), ("Long ago", 800)):
        keep_all(server, [archived(title, line("bilby?", "bilby!"), age=timedelta(days=days))])
    _field(chat).fill("bilby")
    times = _found(chat).filter(has=chat.locator("time"))
    expect(times.filter(has_text="Now").locator("time")).to_have_text(re.compile(r"^\d+:\d\d\s[AP]M$"))
    expect(times.filter(has_text="Before").locator("time")).to_have_text("Yesterday")
    expect(times.filter(has_text="Long ago").locator("time")).to_have_text(re.compile(r"^\w+ \d+, \d{4}$"))
    edges = _found(chat).evaluate_all("all => all.map((one) => one.firstElementChild.getBoundingClientRect().left)")
    assert len(edges) > 5
    assert len(set(edges)) == 1


def test_one_hit_at_a_time_is_lit_and_escape_brings_the_list_back(chat: Page, server: PageServer) -> None:
    keep(server, "The kowari", line("kowari?", "kowari!"))
    _field(chat).fill("kowari")
    lit = _found(chat).and_(chat.locator("[aria-selected=true]"))
    expect(lit).to_contain_text("The kowari")
    chat.mouse.move(900, 100)
    _found(chat).last.hover()
    expect(lit).to_have_count(1)
    expect(_found(chat).last).to_have_attribute("aria-selected", "true")
    _field(chat).press("Escape")
    expect(_field(chat)).to_have_value("")
    expect(_field(chat)).to_be_focused()
    expect(_found(chat)).to_have_count(0)
    expect(chat.get_by_role("link", name="The kowari")).to_be_visible()


def test_texts_in_quotes_and_signs_are_marked_as_they_stand(chat: Page, server: PageServer) -> None:
    keep(server, "Quoted", line("The okapi-(*) eats leaves; okapi and leaves.\nokapi-(*) again", "Yes."))
    _open_hit(chat, '"okapi-(*)" leaves', "okapi")
    _expect_marked(chat, "okapi-(*)", "leaves", "leaves", "okapi-(*)")


def test_hits_show_the_words_of_markdown_and_nothing_of_them_runs(chat: Page, server: PageServer) -> None:
    said = "## The **numbat**\n\n> a [numbat](https://example.org) <img src=x onerror=alert(1)> `**numbat**`"
    keep(server, "Plain", line("numbat?", said))
    _field(chat).fill("numbat")
    hit = _found(chat).filter(has_text="The numbat")
    expect(hit).to_contain_text("The numbat a numbat <img src=x onerror=alert(1)> **numbat**")
    expect(hit.locator("mark")).to_have_text(["numbat", "numbat", "numbat"])
    expect(hit.locator("img")).to_have_count(0)
