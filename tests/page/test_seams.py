"""Seams: an answer that was cut and goes on in a later model call is one text, wherever the cut fell."""

import json

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.talk import answer, call, conversation_id, go_on_with_it, hold, script, send, text

CODE = "for one in ones:\n    print(one)\n"
CUTS = [
    ("Of **stro", "ng** words.\n\nAnd more.", 2, "p"),
    (f"Look:\n\n```python\n{CODE[:10]}", f"{CODE[10:]}```\n\nDone.", 1, "pre > code"),
    ("1. one\n2. tw", "o\n3. three\n", 3, "ol > li"),
    ("| a | b |\n|---|---|\n| 1 ", "| 2 |\n| 3 | 4 |\n", 3, "tr"),
    ("Line one\n", "line two of the same paragraph", 1, "p"),
]
LONG = "A paragraph that is done.\n\n" * 14


def cut(content: str, **more: float) -> list[dict[str, object]]:
    return [text(content, **more), {"type": "finish", "reason": "length"}]


def go_on(page: Page) -> None:
    cut_one = page.locator(f"#{answer(page).get_attribute('id')}")
    answer(page).get_by_role("button", name="Continue").click()
    expect(cut_one).to_have_count(0)


def over(page: Page) -> None:
    expect(answer(page)).to_have_attribute("aria-busy", "false", timeout=20_000)


def prose(page: Page) -> Locator:
    return answer(page).locator(".answer-text > .prose")


@pytest.mark.parametrize(("first", "second", "count", "selector"), CUTS)
def test_what_goes_on_is_one_text_with_what_was_cut(
    chat: Page, server: PageServer, first: str, second: str, count: int, selector: str
) -> None:
    send(chat, script(cut(first), [text(second)]))
    over(chat)
    go_on(chat)
    over(chat)
    expect(prose(chat)).to_have_count(1)
    expect(prose(chat).locator(selector)).to_have_count(count)
    live = prose(chat).evaluate("one => one.textContent")
    chat.reload()
    expect(prose(chat)).to_have_count(1)
    expect(prose(chat).locator(selector)).to_have_count(count)
    assert prose(chat).evaluate("one => one.textContent") == live
    assert server.last_answer(conversation_id(chat))["text"] == first + second


def test_what_is_there_already_is_not_drawn_again_while_it_goes_on(chat: Page) -> None:
    code = "line of code\n" * 30
    send(chat, script(cut(f"{LONG}```python\n{code}half a "), [text(f"{code}```\n\nDone.", delay_ms=120)]))
    over(chat)
    go_on(chat)
    expect(prose(chat).locator("pre > code")).to_contain_text("half a line of code")
    expect(answer(chat)).to_have_attribute("aria-busy", "true")
    expect(prose(chat)).to_have_count(1)
    prose(chat).locator("p").first.evaluate(
        """one => {
            one.dataset.seen = 'yes';
            getSelection().selectAllChildren(one);
            document.querySelector('.answer-text pre > code').dataset.seen = 'yes';
        }"""
    )
    over(chat)
    expect(answer(chat)).to_contain_text("Done.")
    expect(prose(chat).locator("p[data-seen]")).to_have_count(1)
    expect(prose(chat).locator("code[data-seen]")).to_have_count(1)
    assert chat.evaluate("getSelection().toString()").strip() == "A paragraph that is done."
    assert prose(chat).locator("pre > code").text_content() == f"{code}half a {code}".strip()
    assert_accessible(chat)


def test_a_text_that_is_over_is_not_drawn_again_when_more_steps_come(chat: Page) -> None:
    begun = [text("Before.\n\n```python\nx = 1\n```\n\nA tool:\n\n"), hold()]
    send(chat, script(begun, [text("Between."), call("calculator", expression="1+1")], [text("After.")]))
    expect(answer(chat).locator(".spinner")).to_have_count(1)
    prose(chat).locator(".code").evaluate("one => { one.dataset.seen = 'yes'; }")
    go_on_with_it(chat)
    over(chat)
    expect(answer(chat)).to_contain_text("After.")
    expect(prose(chat)).to_have_count(3)
    expect(prose(chat).locator(".code[data-seen]")).to_have_count(1)


def test_a_reload_in_the_middle_of_what_goes_on_loses_nothing(chat: Page, server: PageServer) -> None:
    rest = "".join(f"word{n} " for n in range(60))
    send(chat, script(cut("It begins with a **bol"), [text(f"d** word. {rest}", delay_ms=90)]))
    over(chat)
    go_on(chat)
    expect(prose(chat)).to_contain_text("word5 ")
    chat.reload()
    expect(prose(chat)).to_contain_text("word10 ")
    over(chat)
    expect(prose(chat)).to_have_count(1)
    expect(prose(chat).locator("p")).to_have_count(1)
    expect(prose(chat).locator("strong")).to_have_text("bold")
    told = server.last_answer(conversation_id(chat))["text"]
    assert told == f"It begins with a **bold** word. {rest}"


def test_it_is_copied_and_printed_as_one_text(chat: Page) -> None:
    chat.context.grant_permissions(["clipboard-read", "clipboard-write"])
    send(chat, script(cut("One *wo"), [text("rd* more.")]))
    over(chat)
    go_on(chat)
    expect(prose(chat).locator("em")).to_have_text("word")
    over(chat)
    answer(chat).get_by_role("button", name="Copy", exact=True).click()
    expect(answer(chat).get_by_role("button", name="Copied")).to_be_visible()
    read = "async type => (await (await navigator.clipboard.read())[0].getType(type)).text()"
    assert chat.evaluate(read, "text/plain") == "One *word* more."
    assert chat.evaluate(read, "text/html").count("<p") == 1
    chat.emulate_media(media="print")
    expect(prose(chat)).to_have_count(1)
    assert prose(chat).inner_text().strip() == "One word more."
    chat.emulate_media(media="null")


def test_what_is_thought_before_it_goes_on_stands_behind_the_text(chat: Page) -> None:
    thought = {"type": "thinking", "text": "Where was I? " * 40, "chunk": 10, "delay_ms": 80}
    send(chat, script(cut("A sentence in two pa"), [thought, text("rts.")]))
    over(chat)
    go_on(chat)
    expect(answer(chat).locator(".thinking")).to_contain_text("Thinking")
    over(chat)
    expect(prose(chat).locator("p")).to_have_text(["A sentence in two parts."])
    expect(answer(chat).locator(".parts > *")).to_have_count(2)
    expect(answer(chat).locator(".parts > :last-child")).to_contain_text("Thought")
    chat.reload()
    expect(prose(chat).locator("p")).to_have_text(["A sentence in two parts."])


def test_thoughts_that_follow_each_other_are_one_line(chat: Page) -> None:
    def thinking(content: str) -> dict[str, object]:
        return {"type": "thinking", "text": content, "chunk": 10}

    rounds = [[thinking("The first thought."), *cut("Begun, ")], [thinking("The next."), *cut("gone on, ")]]
    send(chat, json.dumps({"script": [*rounds, [thinking("The last."), text("ended.")]]}))
    for _ in range(2):
        over(chat)
        go_on(chat)
    expect(prose(chat)).to_have_text("Begun, gone on, ended.")
    over(chat)
    lines = answer(chat).get_by_role("button", name="Thought")
    expect(lines).to_have_count(2)
    lines.last.click()
    expect(answer(chat).locator(".thinking .prose p")).to_have_text(["The next.", "The last."])


def test_to_go_on_in_two_tabs_at_once_makes_one_answer(chat: Page, server: PageServer) -> None:
    send(chat, script(cut("One, "), cut("two, "), [text("three.")]))
    over(chat)
    other = chat.context.new_page()
    other.goto(chat.url)
    held: list[Route] = []
    chat.context.route("**/continue", lambda route: held.append(route))
    for tab in (chat, other):
        with tab.expect_request("**/continue"):
            answer(tab).get_by_role("button", name="Continue").click()
    for route in held:
        route.continue_()
    for tab in (chat, other):
        expect(prose(tab)).to_have_text("One, two,")
        over(tab)
        expect(answer(tab).locator(".picker")).to_contain_text("2/2")
    chat.context.unroute_all()
    go_on(other)
    expect(prose(chat)).to_have_text("One, two, three.")
    for place in ("2/3", "1/3"):
        answer(chat).get_by_role("button", name="Previous version").click()
        expect(answer(chat).locator(".picker")).to_contain_text(place)
    expect(prose(chat)).to_have_text("One,")
    go_on(chat)
    expect(answer(chat).locator(".picker")).to_contain_text("4/4")
    over(chat)
