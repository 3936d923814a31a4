"""Labels: a call that did not run to its end, and a turn that ended early, are told as what they are, in the page's own words."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.talk import answer, call, script, send, text, use_tools


def rule(server: PageServer, tool: str, action: str) -> None:
    server.call("PUT", "/api/rules", {"items": [{"tool": tool, "action": action}]})


def speak(page: Page, code: str) -> None:
    page.evaluate("code => localStorage.setItem('luxx:language', code)", code)
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", code)


def test_a_call_that_a_rule_forbids_is_not_allowed_and_has_not_failed(chat: Page, server: PageServer) -> None:
    rule(server, "wait_unsafe", "deny")
    send(chat, script([call("wait_unsafe", seconds=0)], [text("Well.")]))
    for _ in range(2):
        expect(answer(chat)).to_contain_text("Well.")
        expect(answer(chat).locator(".call .line")).to_contain_text("not allowed")
        expect(answer(chat)).to_contain_text("A rule does not allow this tool.")
        expect(answer(chat)).not_to_contain_text("failed")
        expect(answer(chat)).not_to_contain_text("Not run:")
        chat.reload()
    expect(answer(chat)).to_contain_text("Well.")
    assert_accessible(chat)


@pytest.mark.parametrize(
    ("tools", "word", "hint"), [(False, "not run", "Tools were off"), (True, "no such tool", "no such tool")]
)
def test_a_call_that_no_tool_could_take_was_not_run_and_has_not_failed(
    chat: Page, tools: bool, word: str, hint: str
) -> None:
    if not tools:
        use_tools(chat)
        chat.keyboard.press("Escape")
    send(chat, script([call("no_such_thing")], [text("Well.")]))
    for _ in range(2):
        expect(answer(chat)).to_contain_text("Well.")
        line = answer(chat).locator(".call .line")
        expect(line).to_contain_text(word)
        expect(line.locator(".state.failed")).to_have_count(0)
        expect(answer(chat)).to_contain_text(hint)
        expect(answer(chat)).not_to_contain_text("failed")
        expect(answer(chat)).not_to_contain_text("There is no tool")
        chat.reload()
    expect(answer(chat)).to_contain_text("Well.")
    assert_accessible(chat)


@pytest.mark.parametrize(("tool", "word"), [("wait", "stopped"), ("wait_unsafe", "outcome unknown")])
def test_a_tool_that_a_person_stopped_is_told_so(chat: Page, server: PageServer, tool: str, word: str) -> None:
    rule(server, tool, "allow")
    send(chat, script([call(tool, seconds=60)], [text("Well.")]))
    chat.get_by_role("button", name=f"Stop {tool}", exact=True).click()
    for _ in range(2):
        expect(answer(chat)).to_contain_text("Well.")
        expect(answer(chat).locator(".call .line")).to_contain_text(word)
        expect(answer(chat)).not_to_contain_text("failed")
        chat.reload()


ENDS: list[tuple[object, str, str]] = [
    (
        {"rounds": [[call("calculator", expression="1+1")]], "loop": True},
        "Das Modell hat alle Tool-Aufrufe",
        "Exceeded",
    ),
    (
        [[text("Half."), {"type": "fail", "code": "answer_incomplete"}]],
        "Der Anbieter hat mittendrin abgebrochen.",
        "stream",
    ),
    ([[]], "Das Modell hat eine leere Antwort gegeben.", "The model"),
    ([[{"type": "finish", "reason": "refusal"}]], "Das Modell hat die Antwort verweigert.", "The model"),
]


@pytest.mark.parametrize(("played", "told", "english"), ENDS)
def test_how_a_turn_ended_is_told_in_the_language_of_the_page(
    chat: Page, played: object, told: str, english: str
) -> None:
    speak(chat, "de")
    chat.locator("#composer").fill(json.dumps({"script": played}))
    chat.locator("#composer").press("Enter")
    last = chat.locator("article.answer").last
    expect(last).to_contain_text(told)
    expect(last).not_to_contain_text(english)


def test_the_words_of_a_provider_stay_beside_those_of_the_page(chat: Page) -> None:
    speak(chat, "zh-Hans")
    chat.locator("#composer").fill(
        script([{"type": "fail", "code": "provider_rejected", "message": "No such model: x."}])
    )
    chat.locator("#composer").press("Enter")
    last = chat.locator("article.answer").last
    expect(last).to_contain_text("服务商拒绝了此请求。")
    expect(last).to_contain_text("No such model: x.")


def test_what_stands_in_between_and_does_not_reach_the_server_is_told_as_that(chat: Page) -> None:
    speak(chat, "de")
    expect(chat.locator("#composer")).to_be_focused()
    chat.route("**/api/**", lambda route: route.fulfill(status=502, body="<h1>Bad Gateway</h1>"))
    chat.locator("#composer").fill("Hello.")
    chat.locator("#composer").press("Enter")
    expect(chat.locator(".status")).to_contain_text("Offline. Die Nachricht")
    expect(chat.get_by_text("Bad Gateway")).to_have_count(0)
