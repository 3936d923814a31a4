"""Where a person looks stays where it is: following an answer, looking back in it, paging in a long conversation, the Home key."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.library import keep, line
from tests.page.talk import answer, at_rest, send

_MESSAGES = 120
_AREA = "[role=log]"
_PARAGRAPHS = [
    f"Paragraph {n} with some words that are **long** enough for two lines of the column, `code` too.\n\n"
    for n in range(60)
]
_MIXED = "".join(
    part + ("- an item\n- another\n\n" if n % 5 == 0 else "```python\nx = 1\n```\n\n" if n % 7 == 0 else "")
    for n, part in enumerate(_PARAGRAPHS)
)
_ENDED = "() => !document.querySelector('article[aria-busy=true]')"
# After each frame, once all that belongs to it has been done.
_WATCH_DISTANCE = """() => {
    const area = document.querySelector('[role=log]');
    window.distances = [];
    const look = () => window.distances.push(area.scrollHeight - area.clientHeight - area.scrollTop);
    const frame = () => { setTimeout(look); window.watching = requestAnimationFrame(frame); };
    frame();
}"""
_EYE = """() => {
    const box = document.querySelector('[role=log]').getBoundingClientRect();
    window.eye = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2).closest('p, li, pre, article');
    window.eyeTop = window.eye.getBoundingClientRect().top;
    window.moved = 0;
    const frame = () => {
        window.moved = Math.max(window.moved, Math.abs(window.eye.getBoundingClientRect().top - window.eyeTop));
        requestAnimationFrame(frame);
    };
    frame();
}"""


def _text(content: str, delay_ms: float = 4, repeat: int = 1) -> dict[str, Any]:
    return {"type": "text", "text": content, "chunk": 12, "delay_ms": delay_ms, "repeat": repeat}


def _script(content: str, delay_ms: float = 4) -> str:
    return json.dumps({"script": [[_text(content, delay_ms)]]})


def _without_end(content: str) -> str:
    """A text that is followed by others until it is stopped."""
    return json.dumps({"script": [[_text(content), _text(_MIXED, repeat=1000)]]})


def _stop(page: Page) -> None:
    page.get_by_role("button", name="Stop", exact=True).click()
    page.wait_for_function(_ENDED)


def _distance(page: Page) -> float:
    return page.eval_on_selector(_AREA, "area => area.scrollHeight - area.clientHeight - area.scrollTop")


def _at_end(page: Page) -> None:
    page.wait_for_function(
        "() => { const a = document.querySelector('[role=log]'); return a.scrollHeight - a.clientHeight - a.scrollTop <= 2; }"
    )


@pytest.fixture(scope="module")
def long_conversation(server: PageServer) -> str:
    """A conversation of many messages."""
    said = [t for n in range(_MESSAGES // 2) for t in (f"Question {n}?", f"Answer {n}. " + _PARAGRAPHS[n] * 2)]
    return keep(server, "Long", line(*said))


def test_at_the_end_the_view_follows_the_answer_in_every_frame(chat: Page) -> None:
    send(chat, _without_end(_MIXED))
    expect(answer(chat)).to_contain_text("Paragraph 10 ")
    chat.evaluate(_WATCH_DISTANCE)
    chat.wait_for_function("() => window.distances.length > 60")
    distances = chat.evaluate("() => { cancelAnimationFrame(window.watching); return window.distances; }")
    assert max(distances) <= 2
    _stop(chat)
    _at_end(chat)


def _wheel(page: Page) -> None:
    page.locator(_AREA).hover()
    page.mouse.wheel(0, -400)


def _page_up(page: Page) -> None:
    page.locator(_AREA).focus()
    page.keyboard.press("PageUp")


def _scrollbar(page: Page) -> None:
    page.eval_on_selector(
        _AREA,
        """async (area) => {
            area.dispatchEvent(new PointerEvent('pointerdown', { buttons: 1 }));
            area.scrollTop -= 300;
            await new Promise((told) => area.addEventListener('scroll', told, { once: true }));
            area.dispatchEvent(new PointerEvent('pointerup'));
        }""",
    )


@pytest.mark.parametrize("move_up", [_wheel, _page_up, _scrollbar])
def test_one_move_up_stops_the_following_and_nothing_moves_any_more(
    chat: Page, move_up: Callable[[Page], None]
) -> None:
    send(chat, _script(_MIXED))
    expect(answer(chat)).to_contain_text("Paragraph 15 ")
    move_up(chat)
    expect(chat.get_by_role("button", name="Jump to latest")).to_be_visible()
    at_rest(chat)
    chat.evaluate(_EYE)
    chat.wait_for_function(_ENDED)
    expect(answer(chat).get_by_role("button", name="Regenerate")).to_be_attached()
    assert chat.evaluate("window.moved") < 2
    assert _distance(chat) > 100


def test_the_button_and_the_way_back_to_the_end_resume_the_following(chat: Page) -> None:
    send(chat, _script(_MIXED, delay_ms=12))
    expect(answer(chat)).to_contain_text("Paragraph 12 ")
    _scrollbar(chat)
    jump = chat.get_by_role("button", name="Jump to latest")
    jump.click()
    expect(jump).to_have_count(0)
    _at_end(chat)
    _scrollbar(chat)
    expect(jump).to_be_visible()
    chat.eval_on_selector(_AREA, "area => { area.scrollTop = area.scrollHeight; }")
    expect(jump).to_have_count(0)
    chat.wait_for_function(_ENDED)
    _at_end(chat)


def test_the_way_back_is_offered_only_far_from_the_end(chat: Page, server: PageServer, long_conversation: str) -> None:
    chat.goto(f"{server.url}/c/{long_conversation}")
    expect(answer(chat)).to_contain_text(f"Answer {_MESSAGES // 2 - 1}.")
    _at_end(chat)
    jump = chat.get_by_role("button", name="Jump to latest")
    for up, offered in ((100, 0), (400, 1)):
        chat.eval_on_selector(_AREA, "(area, up) => { area.scrollTop -= up; }", up)
        expect(jump).to_have_count(offered)
    box = jump.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (36, 36)
    assert_accessible(chat)
    chat.eval_on_selector(_AREA, "area => { area.scrollTop += 395; }")
    expect(jump).to_have_count(0)


def test_an_answer_that_goes_on_out_of_sight_is_told_in_words(chat: Page) -> None:
    send(chat, _without_end(_MIXED))
    expect(answer(chat)).to_contain_text("Paragraph 12 ")
    _scrollbar(chat)
    jump = chat.get_by_role("button", name="Jump to latest")
    expect(jump).to_have_text("The answer goes on below")
    _stop(chat)
    expect(jump).to_have_text("")


def test_a_selection_survives_the_stream_and_its_end(chat: Page) -> None:
    send(chat, _script(_MIXED))
    expect(answer(chat)).to_contain_text("Paragraph 9 ")
    chosen = chat.evaluate("""() => {
        const paragraphs = document.querySelectorAll('article.answer .prose p');
        getSelection().setBaseAndExtent(paragraphs[1].firstChild, 3, paragraphs[3].firstChild, 11);
        return getSelection().toString();
    }""")
    chat.wait_for_function(_ENDED)
    expect(answer(chat).get_by_role("button", name="Regenerate")).to_be_attached()
    assert chosen
    assert chat.evaluate("getSelection().toString()") == chosen


def test_code_is_copied_exactly_while_the_answer_goes_on(chat: Page) -> None:
    chat.context.grant_permissions(["clipboard-read", "clipboard-write"])
    code = "def f(x):\n\n    return [x,\t'`<&>`']"
    send(chat, _without_end(f"See:\n\n```python\n{code}\n```\n\n"))
    expect(answer(chat)).to_contain_text("Paragraph 2 ")
    answer(chat).get_by_role("button", name="Copy", exact=True).first.click()
    expect(chat.locator("[aria-live=polite]").last).to_contain_text("Copied")
    assert chat.evaluate("navigator.clipboard.readText()") == code
    expect(answer(chat)).to_have_attribute("aria-busy", "true")
    _stop(chat)


def test_what_is_typed_while_an_answer_comes_stands_in_the_composer(chat: Page) -> None:
    send(chat, _script(_MIXED))
    expect(answer(chat)).to_contain_text("Paragraph 3 ")
    words = "the next question, typed meanwhile"
    box = chat.get_by_role("textbox", name="Message", exact=True)
    box.press_sequentially(words)
    expect(box).to_have_value(words)
    chat.wait_for_function(_ENDED)
    expect(box).to_be_focused()
    expect(box).to_have_value(words)


def test_earlier_messages_come_without_a_jump(chat: Page, server: PageServer, long_conversation: str) -> None:
    chat.goto(f"{server.url}/c/{long_conversation}")
    expect(answer(chat)).to_contain_text(f"Answer {_MESSAGES // 2 - 1}.")
    _at_end(chat)
    shown = chat.get_by_role("article").count()
    assert shown < _MESSAGES
    chat.evaluate("""() => {
        const area = document.querySelector('[role=log]');
        area.scrollTop = 600;
        const article = [...area.querySelectorAll('article')].find((a) => a.getBoundingClientRect().bottom > 300);
        window.eye = article;
        window.eyeTop = article.getBoundingClientRect().top;
    }""")
    chat.wait_for_function(f"() => document.querySelectorAll('article').length > {shown}")
    at_rest(chat)
    assert abs(chat.evaluate("window.eye.getBoundingClientRect().top - window.eyeTop")) < 2


def test_home_leads_to_the_first_message_and_the_button_back(
    chat: Page, server: PageServer, long_conversation: str
) -> None:
    chat.goto(f"{server.url}/c/{long_conversation}")
    expect(answer(chat)).to_contain_text(f"Answer {_MESSAGES // 2 - 1}.")
    chat.locator(_AREA).focus()
    chat.keyboard.press("Home")
    expect(chat.get_by_text("Answer 0. Paragraph")).to_be_in_viewport()
    chat.wait_for_function("() => document.querySelector('[role=log]').scrollTop === 0")
    chat.get_by_role("button", name="Jump to latest").click()
    expect(chat.get_by_text(f"Answer {_MESSAGES // 2 - 1}. ")).to_be_in_viewport()
    _at_end(chat)
