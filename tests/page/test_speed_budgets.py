"""The budgets of the page that are no times: bytes, requests, nodes. Those that are times: `python -m benchmarks --only page-fast` and others."""

from playwright.sync_api import Page, Request, expect

from benchmarks.page.bundle import bundle
from tests.page.conftest import PageServer
from tests.page.library import keep, line
from tests.page.talk import answer

_KB = 1000


def test_the_page_keeps_to_its_bytes() -> None:
    sizes = bundle()
    assert 10 * _KB < sizes.entry_js <= 75 * _KB
    assert 1 * _KB < sizes.entry_css <= 15 * _KB
    assert 10 * _KB < sizes.formulas <= 80 * _KB
    assert 10 * _KB < sizes.highlighter <= 30 * _KB
    assert sizes.other <= 60 * _KB
    assert sizes.whole <= 3_000 * _KB


_ASKED_BEFORE_LOADED = """() => {
    const loaded = performance.getEntriesByType('navigation')[0].loadEventEnd;
    const asked = performance.getEntriesByType('resource').filter(({ startTime }) => startTime < loaded);
    return asked.map(({ name }) => name);
}"""


def test_one_can_write_after_few_requests_none_of_them_elsewhere(chat: Page, server: PageServer) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    chat.on("request", note)
    chat.goto(server.url)
    expect(chat.get_by_role("textbox", name="Message", exact=True)).to_be_enabled()
    chat.wait_for_load_state("load")
    chat.remove_listener("request", note)
    chat.wait_for_function("() => performance.getEntriesByType('navigation')[0].loadEventEnd > 0")
    assert len(chat.evaluate(_ASKED_BEFORE_LOADED)) < 15, "the document itself is one more"
    assert all(url.startswith((server.url, "data:", "blob:")) for url in asked[asked.index(f"{server.url}/") :])


def test_the_part_that_shows_a_conversation_is_asked_for_by_the_document_itself(chat: Page) -> None:
    parts = chat.eval_on_selector_all("link[rel=modulepreload]", "links => links.map((link) => link.href)")
    assert any("conversation-" in part for part in parts)


def test_a_long_conversation_opens_with_its_end_only(chat: Page, server: PageServer) -> None:
    rich = "- one\n- two\n\n```js\nlet a = 1;\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    said = [t for n in range(250) for t in (f"Question {n}?", f"Answer {n}.\n\n{rich}")]
    made = keep(server, "Very long", line(*said))
    chat.goto(f"{server.url}/c/{made}")
    expect(answer(chat)).to_contain_text("Answer 249.")
    assert chat.get_by_role("article").count() <= 60
    assert chat.evaluate("document.querySelectorAll('*').length") <= 4_000
