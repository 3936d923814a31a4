"""Permission cards: all of what is approved can be seen, is never out of sight unnoticed, and is changed in fields."""

import json
import re

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.layout import misfits, small_targets
from tests.page.talk import answer, call, conversation_id, script, send, text

_PHONE: ViewportSize = {"width": 360, "height": 740}
_LINES = "\n".join(f"line {n}" for n in range(1, 60))
_COMMAND = "rm -rf build dist .pytest_cache &&\n  git gc --aggressive --prune=now --keep-largest-pack"


@pytest.fixture(autouse=True)
def rules(server: PageServer) -> None:
    server.call("PUT", "/api/rules", {"items": [{"tool": "wait_unsafe", "action": "ask"}]})


def _ask(page: Page, label: str, seconds: float = 0) -> Locator:
    send(page, script([call("wait_unsafe", seconds=seconds, label=label)], [text("Done.")]))
    card = page.get_by_role("region", name="asks")
    expect(card).to_be_visible()
    return card


def _button(within: Locator, name: str) -> Locator:
    return within.get_by_role("button", name=name, exact=True)


def _pill(page: Page) -> Locator:
    return page.get_by_role("button", name="Waiting for you", exact=True)


def _hidden_px(card: Locator) -> int:
    """Return how much of the arguments is not shown."""
    hidden: int = card.locator("dl").evaluate(
        "dl => { const part = dl.parentElement.parentElement; return part.scrollHeight - part.clientHeight; }"
    )
    return hidden


def test_arguments_too_high_for_the_window_say_so_and_are_shown_whole_on_demand(chat: Page) -> None:
    chat.set_viewport_size(_PHONE)
    card = _ask(chat, _LINES)
    more = _button(card, "Show all")
    expect(more).to_have_attribute("aria-expanded", "false")
    assert _hidden_px(card) > 100
    assert_accessible(chat)
    more.click()
    assert _hidden_px(card) == 0
    less = _button(card, "Show less")
    expect(less).to_be_focused()
    less.click()
    expect(more).to_be_in_viewport()
    _button(card, "Allow").click()
    expect(answer(chat)).to_contain_text("Done.")


def test_arguments_that_the_window_can_hold_are_shown_whole(chat: Page) -> None:
    card = _ask(chat, "\n".join(_LINES.split("\n")[:16]))
    assert _hidden_px(card) == 0
    expect(_button(card, "Show all")).to_have_count(0)


def test_what_waits_out_of_sight_is_told_over_the_lower_edge_and_found_from_there(chat: Page) -> None:
    chat.set_viewport_size({"width": 720, "height": 450})
    card = _ask(chat, "\n".join(_LINES.split("\n")[:12]))
    expect(_pill(chat)).to_be_visible()
    assert_accessible(chat)
    _pill(chat).click()
    expect(_button(card, "Allow")).to_be_focused()
    expect(_button(card, "Allow")).to_be_in_viewport(ratio=1)
    expect(_pill(chat)).to_have_count(0)
    chat.get_by_role("log").evaluate("area => { area.scrollTop = 0; }")
    expect(_pill(chat)).to_be_visible()
    _button(card, "Edit").click()
    expect(card.get_by_label("seconds")).to_be_focused()
    expect(_pill(chat)).to_have_count(0)
    chat.keyboard.press("Escape")
    _button(card, "Deny").click()
    expect(answer(chat)).to_contain_text("Done.")
    expect(_pill(chat)).to_have_count(0)


def test_arguments_are_edited_in_fields_and_a_bad_number_is_told_in_place(chat: Page, server: PageServer) -> None:
    card = _ask(chat, "one\ntwo", seconds=0.5)
    _button(card, "Edit").click()
    seconds, label = card.get_by_label("seconds"), card.get_by_label("label")
    expect(seconds).to_be_focused()
    expect(label).to_have_value("one\ntwo")
    seconds.fill("0,2")
    label.fill("one\nthree")
    _button(card, "Allow with these").click()
    expect(card.get_by_role("alert")).to_contain_text("This is no number")
    expect(seconds).to_be_focused()
    expect(seconds).to_have_attribute("aria-invalid", "true")
    assert_accessible(chat)
    _button(card, "Edit as JSON").click()
    expect(seconds).to_be_focused()
    seconds.fill("0")
    expect(card.get_by_role("alert")).to_have_count(0)
    _button(card, "Edit as JSON").click()
    whole = card.get_by_label("Arguments, as JSON")
    expect(whole).to_be_focused()
    assert json.loads(whole.input_value()) == {"seconds": 0, "label": "one\nthree"}
    whole.fill(json.dumps({"seconds": 0, "label": "a\u200bb"}))
    _button(card, "Edit in fields").click()
    expect(label).to_have_value('"a\\u200bb"')
    label.fill("one")
    label.press("Control+Enter")
    expect(card.get_by_role("alert")).to_have_text("This is no JSON.")
    label.fill('"four"')
    label.press("Control+Enter")
    expect(answer(chat)).to_contain_text("You allowed it with other arguments.")
    expect(answer(chat)).to_contain_text("Done.")
    result = next(s for s in server.last_answer(conversation_id(chat))["steps"] if s["type"] == "tool_result")
    assert result["content"].endswith("(four).")


def test_a_text_is_read_as_text_and_a_command_breaks_between_its_words_only(chat: Page) -> None:
    card = _ask(chat, "Good morning, Anna", seconds=1)
    value = card.locator("dd", has_text="Good morning")
    expect(value).to_have_text("Good morning, Anna")
    assert "mono" not in value.evaluate("one => getComputedStyle(one).fontFamily").lower()
    _button(card, "Deny").click()
    expect(answer(chat)).to_contain_text("Done.")
    chat.set_viewport_size(_PHONE)
    card = _ask(chat, _COMMAND)
    value = card.locator("dd", has_text="--aggressive")
    assert value.evaluate("one => one.textContent") == _COMMAND
    assert "mono" in value.evaluate("one => getComputedStyle(one).fontFamily").lower()
    broken = """one => [...one.querySelectorAll('span')]
        .filter((word) => word.offsetHeight > 1.5 * parseFloat(getComputedStyle(word).lineHeight))
        .map((word) => word.textContent)"""
    assert value.evaluate(broken) == []
    assert misfits(chat) == []
    assert small_targets(chat, 24) == []


def test_the_line_of_a_tool_keeps_its_places_while_it_runs(chat: Page) -> None:
    send(chat, script([call("wait", seconds=60, label="long " * 30)], [text("Done.")]))
    stop = _button(answer(chat), "Stop wait")
    expect(stop).to_be_visible()
    places = """call => ['.words', '.stop', '.meta'].map((part) => {
        const { left, right } = call.querySelector(part).getBoundingClientRect();
        return [left, right];
    })"""
    line = answer(chat).locator(".call")
    before = line.evaluate(places)
    expect(line.locator(".meta")).to_contain_text(re.compile(r"\d"))
    assert line.evaluate(places) == before
    stop.click()
    expect(answer(chat)).to_contain_text("Done.")


def test_numbers_stay_as_they_are_written(chat: Page, server: PageServer) -> None:
    server.call("PUT", "/api/rules", {"items": [{"tool": "read_file", "action": "ask"}]})
    exact = 9007199254740993
    send(chat, script([call("read_file", file="a", offset=exact)], [text("Done.")]))
    card = chat.get_by_role("region", name="asks")
    expect(card).to_contain_text(str(exact))
    _button(card, "Edit").click()
    expect(card.get_by_label("offset")).to_have_value(str(exact))
    card.get_by_label("file").fill("b")
    _button(card, "Allow with these").click()
    expect(answer(chat)).to_contain_text("Done.")
    expect(answer(chat)).to_contain_text("You allowed it with other arguments.")
    messages = server.call("GET", f"/api/conversations/{conversation_id(chat)}/messages")["items"]
    assert messages[-1]["approvals"][0]["arguments"] == {"file": "b", "offset": exact}
    assert_accessible(chat)


def test_an_edit_that_the_tool_does_not_take_is_told_in_the_card_and_stays_there(chat: Page) -> None:
    card = _ask(chat, "one", seconds=0.5)
    _button(card, "Edit").click()
    card.get_by_label("label").fill("two")
    seconds = card.get_by_label("seconds")
    seconds.fill("-1")
    _button(card, "Allow with these").click()
    refusal = card.get_by_role("alert")
    expect(refusal).to_contain_text("The tool does not take this: `seconds`")
    expect(chat.get_by_role("region", name="Messages").get_by_role("alert")).to_have_count(0)
    assert_accessible(chat)
    expect(card.get_by_label("label")).to_have_value("two")
    seconds.fill("0")
    expect(refusal).to_have_count(0)
    _button(card, "Allow with these").click()
    expect(answer(chat)).to_contain_text("(two)")
    expect(answer(chat)).to_contain_text("Done.")
