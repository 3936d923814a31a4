"""Answers keep still: nothing moves under the pointer, one sign of life at a time, steps and cards say a thing once."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.layout import overlapped
from tests.page.states import approvals, change_messages, step
from tests.page.talk import SLOW, answer, call, go_on_with_it, hold, script, send, text

BUBBLE_TO_ANSWER = 24
ANSWER_TO_BUBBLE = 36
_PLACES = """() => [...document.querySelectorAll('article, article .bubble, .answer-text, .actions button')]
    .map((one) => one.getBoundingClientRect()).map(({ x, y, width, height }) => [x, y, width, height])"""


@pytest.fixture(autouse=True)
def rules(server: PageServer) -> None:
    server.call("PUT", "/api/rules", {"items": [{"tool": "wait_unsafe", "action": "ask"}]})


@pytest.fixture
def ticking(server: PageServer, browser: Browser) -> Iterator[Page]:
    """A tab whose clock is the test's."""
    context = browser.new_context()
    context.clock.install()
    page = context.new_page()
    page.goto(server.url)
    yield page
    context.close()


def over(page: Page) -> None:
    expect(answer(page)).to_have_attribute("aria-busy", "false", timeout=20_000)


def tell(page: Page, *steps: dict[str, Any]) -> None:
    """Let the last answer of the chat have these steps, as from before."""
    send(page, script([text("x")]))
    over(page)
    change_messages(page, lambda items: items[-1].update(steps=list(steps)))


def used(count: int, **last: object) -> list[dict[str, Any]]:
    """Return calls that were made at once with their results; `last` is what the last result is like."""
    calls = [step(n, "tool_call", id_ref=f"c{n}", name="calculator", arguments="{}") for n in range(count)]
    results = [
        step(count + n, "tool_result", id_ref=f"step-{n}", name="calculator", content="42", duration_ms=1000 * (n + 1))
        for n in range(count)
    ]
    results[-1].update(last)
    return [*calls, *results]


def x_of(place: Locator) -> float:
    box = place.bounding_box()
    assert box is not None
    return box["x"]


def test_nothing_moves_under_the_pointer_that_asks_again(chat: Page) -> None:
    send(chat, script([text("Hello.")]))
    over(chat)
    names = ("Copy", "Regenerate")
    buttons = [answer(chat).get_by_role("button", name=name, exact=True) for name in names]
    before = [x_of(button) for button in buttons]
    for count in (2, 3):
        buttons[1].click()
        expect(answer(chat).get_by_role("group", name=f"Version {count} of {count}")).to_be_visible()
        over(chat)
        assert [x_of(button) for button in buttons] == before
    question = chat.get_by_role("article", name="You")
    question.hover()
    copy, edit = (question.get_by_role("button", name=name, exact=True) for name in ("Copy", "Edit"))
    before = [x_of(copy), x_of(edit)]
    edit.click()
    question.get_by_role("textbox").fill(script([text("Hello again.")]))
    question.get_by_role("button", name="Send").click()
    expect(question.get_by_role("group", name="Version 2 of 2")).to_be_visible()
    over(chat)
    assert [x_of(copy), x_of(edit)] == before


def test_short_turns_stand_close_and_nothing_moves_where_the_pointer_is(chat: Page) -> None:
    for _ in range(2):
        send(chat, script([text("Yes.")]))
        over(chat)
    chat.reload()  # How long an answer took is told in its row a moment after its end.
    over(chat)
    gaps: list[float] = chat.evaluate(
        """() => {
            const box = (selector, n) => document.querySelectorAll(selector)[n].getBoundingClientRect();
            return [box('.answer-text', 0).top - box('.bubble', 0).bottom, box('.bubble', 1).top - box('.answer-text', 0).bottom];
        }"""
    )
    assert gaps == pytest.approx([BUBBLE_TO_ANSWER, ANSWER_TO_BUBBLE], abs=2)
    before = chat.evaluate(_PLACES)
    for name in ("You", "Answer"):
        message = chat.get_by_role("article", name=name).first
        copy = message.get_by_role("button", name="Copy", exact=True)
        expect(copy).to_have_css("opacity", "0")
        message.hover()
        expect(copy).to_have_css("opacity", "1")
        copy.hover()
        expect(copy).to_have_css("opacity", "1")
        assert overlapped(chat, f"article[aria-label={name}] .copy-message") is None
        assert chat.evaluate(_PLACES) == before
    expect(answer(chat).get_by_role("button", name="Copy", exact=True)).to_have_css("opacity", "1")
    assert_accessible(chat)


def test_where_there_are_versions_their_choice_does_not_stand_alone(chat: Page) -> None:
    send(chat, script([text("Yes.")]))
    over(chat)
    answer(chat).get_by_role("button", name="Regenerate").click()
    expect(answer(chat).get_by_role("group", name="Version 2 of 2")).to_be_visible()
    over(chat)
    send(chat, script([text("No.")]))
    over(chat)
    chat.get_by_role("log").hover(position={"x": 5, "y": 5})
    first = chat.get_by_role("article", name="Answer").first
    expect(first.get_by_role("button", name="Regenerate")).to_have_css("opacity", "1")
    expect(first.locator(".meta")).to_have_css("opacity", "0")


def test_by_touch_what_can_be_done_stands_below_each_message_at_the_edge_of_its_text(
    server: PageServer, browser: Browser
) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto(server.url)
    for _ in range(2):
        box = page.get_by_role("textbox", name="Message", exact=True)
        box.fill(script([text("Yes."), call("calculator", expression="1/0")], [text("No.")]))
        box.press("Control+Enter")
        over(page)
    for row in page.locator("article .actions").all():
        expect(row).to_have_css("position", "static")
        expect(row.get_by_role("button", name="Copy", exact=True)).to_have_css("opacity", "1")
    sign = x_of(answer(page).locator(".copy-message svg"))
    assert sign == pytest.approx(x_of(answer(page).locator(".answer-text").last), abs=1)
    page.get_by_role("button", name="calculator").last.tap()
    expect(page.locator(".call .head").last).to_have_css("background-color", "rgba(0, 0, 0, 0)")
    context.close()


def test_a_silent_model_is_waited_for_in_words(ticking: Page) -> None:
    send(ticking, script([{"type": "pause", "ms": 100_000}]))
    dot = answer(ticking).locator(".dot")
    expect(dot).to_have_count(1)
    words = answer(ticking).locator(".silent")
    expect(ticking.get_by_role("button", name="Stop")).to_be_visible()
    expect(answer(ticking)).to_have_attribute("id", re.compile("m-"))
    ticking.clock.run_for(4500)
    expect(words).to_have_text(re.compile(r"^Waiting for the model · \d+\ss$"))
    expect(words).to_have_attribute("aria-hidden", "true")
    expect(answer(ticking).locator(".working .hidden-visually")).to_have_text("Waiting for the model")
    expect(dot).to_have_count(1)
    ticking.clock.run_for(70_000)
    expect(words).to_have_text(re.compile(r"· 1 min \d+\ss$"))
    assert_accessible(ticking)
    ticking.get_by_role("button", name="Stop").click()
    expect(words).to_have_count(0)


def test_a_model_that_falls_silent_in_mid_answer_is_waited_for_but_a_tool_tells_for_itself(ticking: Page) -> None:
    send(ticking, script([hold()], [text("Begun."), {"type": "pause", "ms": 100_000}]))
    expect(answer(ticking).locator(".spinner")).to_have_count(1)
    ticking.clock.run_for(5000)
    words = answer(ticking).locator(".silent")
    expect(answer(ticking).locator(".call .meta")).to_have_text(re.compile(r"\d+\ss"))
    expect(words).to_have_count(0)
    go_on_with_it(ticking)
    expect(answer(ticking)).to_contain_text("Begun.")
    ticking.clock.run_for(6000)
    expect(words).to_be_visible()
    ticking.get_by_role("button", name="Stop", exact=True).click()
    over(ticking)


def test_there_is_one_sign_of_life_at_a_time(chat: Page) -> None:
    thought = {"type": "thinking", "text": "Hm. " * 20, "chunk": 4, "delay_ms": 200}
    send(chat, script([thought, call("wait", seconds=3)], [text(SLOW, delay_ms=200)]))
    signs = answer(chat).locator(".dot, .spinner, .shimmer")
    for sign in (".shimmer", ".spinner", ".dot"):
        expect(answer(chat).locator(f".parts {sign}, .working {sign}")).to_have_count(1)
        expect(signs).to_have_count(1)
    expect(answer(chat).locator(".call .meta")).to_have_text(re.compile(r"^done\s*\d\ss$"))


def test_how_long_a_model_thought_is_told_in_whole_seconds_or_as_brief(chat: Page) -> None:
    slow = {"type": "thinking", "text": "Hm. " * 16, "chunk": 4, "delay_ms": 80}
    send(
        chat, script([{"type": "thinking", "text": "Hm."}, call("calculator", expression="1+1")], [slow, text("Two.")])
    )
    over(chat)
    lines = answer(chat).locator(".thinking .word")
    told = ["Thought briefly", re.compile(r"^Thought for \d+\ss$")]
    expect(lines).to_have_text(told)
    chat.reload()
    expect(lines).to_have_text(told)


def test_a_card_says_once_what_is_asked_and_stands_in_place_of_the_line(chat: Page) -> None:
    send(chat, script([call("wait_unsafe", seconds=0, label="one")], [text("Done.")]))
    card = chat.get_by_role("region", name="asks")
    expect(card.get_by_role("button")).to_have_text(["Allow", "Deny", "Always in this chat", "Edit"])
    expect(answer(chat).locator(".call .line")).to_have_count(0)
    expect(answer(chat)).to_have_text(re.compile(r"^[^w]*wait_unsafe asks for your permission(?!.*(wait_unsafe|left))"))
    expect(chat.get_by_role("button", name="Waiting for you")).to_have_count(0)
    chat.set_viewport_size({"width": 360, "height": 740})
    expect(chat.get_by_role("navigation")).to_have_count(0)
    allow, deny = (card.get_by_role("button", name=name, exact=True).bounding_box() for name in ("Allow", "Deny"))
    assert allow is not None
    assert deny is not None
    assert (allow["y"], allow["width"]) == (deny["y"], deny["width"])
    assert_accessible(chat)
    card.get_by_role("button", name="Deny").click()
    expect(answer(chat).locator(".call .line")).to_contain_text("not run")


def test_the_time_left_is_told_when_it_gets_short(ticking: Page) -> None:
    def soon(items: list[dict[str, Any]]) -> None:
        now = ticking.evaluate("Date.now()")
        for approval in approvals(items):
            approval["expires_at"] = ticking.evaluate("ms => new Date(ms).toISOString()", now + 3_700_000)

    send(ticking, script([call("wait_unsafe", seconds=0)], [text("Done.")]))
    card = ticking.get_by_role("region", name="asks")
    expect(card).to_be_visible()
    change_messages(ticking, soon)
    expect(card).not_to_contain_text("left")
    ticking.unroute_all(behavior="wait")
    ticking.clock.run_for(200_000)
    expect(card).to_contain_text("58 min left")
    card.get_by_role("button", name="Allow", exact=True).click()
    expect(answer(ticking)).to_contain_text("Done.")


def test_a_question_stands_in_place_of_the_line_of_its_tool(chat: Page) -> None:
    send(chat, script([call("wait_asks", question="Who is there?")], [text("Thanks.")]))
    card = chat.get_by_role("region", name="asks")
    expect(card).to_contain_text("Who is there?")
    expect(answer(chat).locator(".call .line")).to_have_count(0)
    card.get_by_role("button", name="Decline").focus()
    chat.keyboard.press("Enter")
    expect(answer(chat).locator(".call .line")).to_be_focused()
    expect(answer(chat)).to_contain_text("You declined.")


def test_tools_of_an_answer_from_before_are_one_line(chat: Page) -> None:
    tell(chat, *used(4), step(8, "text", content="So it is.", call=2))
    line = answer(chat).get_by_role("button", name="Used 4 tools")
    expect(line).to_have_text(re.compile(r"^\s*Used 4 tools · 4\ss\s*$"))
    expect(answer(chat).locator(".call")).to_have_count(0)
    assert_accessible(chat)
    line.click()
    expect(line).to_have_attribute("aria-expanded", "true")
    group = answer(chat).get_by_role("group", name="4 tools at once")
    expect(group.locator(".call")).to_have_count(4)
    expect(group).to_have_css("border-inline-start-width", "2px")
    text_edge = x_of(answer(chat).locator(".answer-text"))
    assert x_of(group) == pytest.approx(text_edge, abs=1)


@pytest.mark.parametrize(
    ("count", "last"),
    [
        (2, {}),
        (3, {"state": "failed"}),
        (3, {"state": "failed", "unfinished": "denied"}),
        (3, {"parts": [{"type": "file", "id": "f", "name": "a.csv", "media_type": "text/csv", "size": 9}]}),
    ],
)
def test_few_tools_and_what_is_to_be_seen_are_not_folded(chat: Page, count: int, last: dict[str, Any]) -> None:
    tell(chat, *used(count, **last))
    expect(answer(chat).locator(".call .line")).to_have_count(count)


def test_what_one_has_seen_at_work_does_not_fold(chat: Page) -> None:
    send(chat, script([call("calculator", expression=f"{n}+1") for n in range(3)], [text("Done.")]))
    over(chat)
    expect(answer(chat).locator(".call .line")).to_have_count(3)
    chat.reload()
    expect(answer(chat).get_by_role("button", name="Used 3 tools")).to_be_visible()


def test_a_single_tool_has_its_sign_at_the_edge_of_the_text_and_no_frame(chat: Page) -> None:
    tell(chat, *used(1), step(2, "text", content="So it is.", call=2))
    edge = x_of(answer(chat).locator(".answer-text"))
    assert x_of(answer(chat).locator(".call .state")) == pytest.approx(edge, abs=1)
    expect(answer(chat).get_by_role("group", name="1 tool")).to_have_css("border-top-width", "0px")
    line = answer(chat).locator(".call .line").bounding_box()
    assert line is not None
    assert line["height"] <= 32
    # Without arguments the result follows at the distance of a space between two of them.
    assert answer(chat).locator(".call .summary").count() == 0


def test_groups_are_seen_in_forced_colours(chat: Page) -> None:
    chat.emulate_media(forced_colors="active")
    tell(chat, *used(2))
    group = answer(chat).get_by_role("group", name="2 tools at once")
    colours: list[str] = group.evaluate(
        "one => [getComputedStyle(one).borderInlineStartColor, getComputedStyle(document.body).backgroundColor]"
    )
    assert colours[0] != colours[1]


def test_an_image_from_elsewhere_is_a_chip_that_says_what_and_where(chat: Page) -> None:
    send(chat, script([text("See ![A diagram](https://img.elsewhere.example/a.png) here.", delay_ms=5)]))
    chip = answer(chat).get_by_role("link", name="Image: A diagram img.elsewhere.example")
    expect(chip).to_be_visible()
    expect(chip).to_have_attribute("href", "https://img.elsewhere.example/a.png")
    expect(chip).to_have_attribute("rel", re.compile("noreferrer"))
    over(chat)
    assert answer(chat).locator("img").count() == 0
    assert_accessible(chat)
