"""An answer is made anew by another model, for this time: the chat keeps its own."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.layout import misfits, small_targets
from tests.page.talk import answer, conversation_id, go_on_with_it, hold, list_models, script, send, text

NAME = "Answer with another model"
MODELS = [{"id": "scripted"}, {"id": "north-large"}, {"id": "north-small"}]


@pytest.fixture
def scripted(chat: Page, server: PageServer) -> dict[str, Any]:
    """The scripted provider, which lists two more models."""
    found = server.scripted()
    list_models(chat, found, MODELS)
    return found


@pytest.fixture
def answered(chat: Page, scripted: dict[str, Any]) -> Page:
    """A chat with an answer."""
    _answer(chat)
    return chat


@pytest.fixture
def phone(server: PageServer, browser: Browser) -> Iterator[Page]:
    """A telephone: narrow, with touch, without hover."""
    context = browser.new_context(viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto(server.url)
    yield page
    context.close()


def _answer(page: Page, *rounds: list[dict[str, Any]]) -> None:
    box = page.get_by_role("textbox", name="Message", exact=True)
    box.fill(script(*(rounds or ([text("The tide turns.")],))))
    box.press("Control+Enter")
    expect(answer(page)).to_contain_text("The tide turns.")
    expect(answer(page)).to_have_attribute("aria-busy", "false")


def _other(page: Page) -> Locator:
    return answer(page).get_by_role("button", name=NAME)


def _menu(page: Page) -> Locator:
    return page.get_by_role("dialog", name=NAME)


def _anew(asked: Request) -> bool:
    return asked.url.endswith("/regenerate")


def test_the_new_version_stands_beside_the_old_one_and_the_chat_keeps_its_model(
    answered: Page, server: PageServer, scripted: dict[str, Any]
) -> None:
    of_chat = answered.get_by_title("Choose a model")
    before = of_chat.inner_text()
    _other(answered).click()
    expect(_menu(answered).get_by_role("option", selected=True)).to_have_text("scripted")
    with answered.expect_request(_anew) as asked:
        _menu(answered).get_by_role("option", name="north-small").click()
    sent: dict[str, Any] = json.loads(asked.value.post_data or "{}")
    assert (sent["provider_id"], sent["model"]) == (scripted["id"], "north-small")
    expect(_menu(answered)).to_have_count(0)
    expect(answered.get_by_role("textbox", name="Message", exact=True)).to_be_focused()
    expect(answer(answered).get_by_role("group", name="Version 2 of 2")).to_be_visible()
    details = answer(answered).get_by_role("button", name="north-small")
    expect(details).to_be_visible()
    kept = server.call("GET", f"/api/conversations/{conversation_id(answered)}")
    assert (kept["provider_id"], kept["model"]) == (None, None)
    assert server.last_answer(conversation_id(answered))["model"] == "north-small"
    expect(of_chat).to_have_text(before)
    _other(answered).click()
    expect(_menu(answered).get_by_role("option", selected=True)).to_have_text("north-small")
    answered.keyboard.press("Escape")
    answer(answered).get_by_role("button", name="Previous version").click()
    expect(answer(answered).get_by_role("button", name="scripted")).to_be_visible()
    answered.get_by_role("link", name="New chat").first.click()
    expect(of_chat).to_have_text(before)


def test_it_is_found_by_keys_and_escape_gives_the_focus_back_however_much_was_typed(answered: Page) -> None:
    other = _other(answered)
    answer(answered).get_by_role("button", name="Regenerate").focus()
    answered.keyboard.press("Tab")
    expect(other).to_be_focused()
    answered.keyboard.press("Enter")
    search = _menu(answered).get_by_role("combobox", name="Search models")
    expect(search).to_be_focused()
    expect(other).to_have_attribute("aria-expanded", "true")
    expect(_menu(answered).get_by_role("option", name="north-small")).to_be_visible()
    assert_accessible(answered)
    answered.keyboard.type("north")
    answered.keyboard.press("Escape")
    expect(_menu(answered)).to_have_count(0)
    expect(other).to_be_focused()
    expect(other).to_have_attribute("aria-expanded", "false")
    answered.keyboard.press("Enter")
    expect(search).to_be_focused()
    answered.keyboard.type("north-large")
    expect(_menu(answered).get_by_role("option")).to_have_text(["north-large"])
    answered.keyboard.press("Enter")
    expect(answer(answered).get_by_role("button", name="north-large")).to_be_visible()


def test_the_default_of_the_provider_answers_also_where_the_chat_has_another_model(
    answered: Page, server: PageServer, scripted: dict[str, Any]
) -> None:
    place = f"/api/conversations/{conversation_id(answered)}"
    server.call("PATCH", place, {"provider_id": scripted["id"], "model": "north-large"})
    expect(answered.get_by_title("Choose a model")).to_have_text("north-large")
    _other(answered).click()
    _menu(answered).get_by_role("option", name="scripted").click()
    expect(answer(answered).get_by_role("group", name="Version 2 of 2")).to_be_visible()
    assert server.last_answer(conversation_id(answered))["model"] == "scripted"
    assert server.call("GET", place)["model"] == "north-large"


def test_it_waits_like_regenerate_while_an_answer_is_made(chat: Page, scripted: dict[str, Any]) -> None:
    _answer(chat)
    send(chat, script([hold()], [text("Done.")]))
    first = chat.get_by_role("article", name="Answer").first
    for name in ("Regenerate", NAME):
        expect(first.get_by_role("button", name=name)).to_be_disabled()
    go_on_with_it(chat)
    expect(answer(chat)).to_contain_text("Done.")
    for name in ("Regenerate", NAME):
        expect(first.get_by_role("button", name=name)).to_be_enabled()


def test_what_is_refused_leaves_the_answer_as_it_was(answered: Page) -> None:
    answered.route("**/regenerate", lambda route: route.fulfill(status=422, json={"detail": "No such model."}))
    _other(answered).click()
    _menu(answered).get_by_role("option", name="north-small").click()
    expect(answered.get_by_text("No such model.")).to_be_visible()
    expect(answer(answered)).to_contain_text("The tide turns.")
    expect(answer(answered).get_by_role("button", name="scripted")).to_be_visible()


def test_with_one_model_only_there_is_nothing_to_choose(chat: Page, scripted: dict[str, Any]) -> None:
    chat.route("**/api/providers", lambda route: route.fulfill(json={"items": [scripted]}))
    for models, count in ((MODELS[:1], 0), (MODELS, 1)):
        list_models(chat, scripted, models)
        chat.goto(re.sub(r"/c/\w+$", "/", chat.url))
        with chat.expect_response(f"**/api/providers/{scripted['id']}/models"):
            _answer(chat)
        expect(answer(chat).get_by_role("button", name="Regenerate")).to_be_visible()
        expect(_other(chat)).to_have_count(count)


def test_it_is_closed_when_its_button_is_scrolled_away(chat: Page, scripted: dict[str, Any]) -> None:
    _answer(chat, [text("The tide turns.\n\n" * 60)])
    _other(chat).click()
    expect(_menu(chat)).to_be_visible()
    chat.mouse.move(400, 100)
    chat.mouse.wheel(0, -1500)
    expect(_menu(chat)).to_have_count(0)
    expect(_other(chat)).to_have_attribute("aria-expanded", "false")


def test_by_touch_it_comes_from_below_and_all_of_it_is_large_enough(phone: Page, scripted: dict[str, Any]) -> None:
    list_models(phone, scripted, MODELS)
    _answer(phone)
    _other(phone).tap()
    menu = _menu(phone)
    expect(menu).to_be_focused()
    expect(menu.get_by_role("option", name="north-small")).to_be_visible()
    expect(menu).to_be_in_viewport(ratio=1)
    assert small_targets(phone, 44) + misfits(phone) == []
    assert_accessible(phone)
    menu.get_by_role("option", name="north-small").tap()
    expect(answer(phone).get_by_role("button", name="north-small")).to_be_visible()
    assert misfits(phone) == []


@pytest.mark.parametrize("lines", [1, 60], ids=["above", "below"])
def test_it_opens_where_there_is_room(chat: Page, scripted: dict[str, Any], lines: int) -> None:
    list_models(chat, scripted, [*MODELS, *({"id": f"north-{n}"} for n in range(30))])
    _answer(chat, [text("The tide turns.\n\n" * lines)])
    _other(chat).click()
    expect(_menu(chat).get_by_role("option")).to_have_count(34)
    for part in (_menu(chat), _menu(chat).get_by_role("combobox"), _menu(chat).get_by_role("button", name="Providers")):
        expect(part).to_be_in_viewport(ratio=1)
    box, own = _menu(chat).bounding_box(), _other(chat).bounding_box()
    assert box is not None
    assert own is not None
    assert box["height"] > 250
    assert box["y"] >= own["y"] + own["height"] or box["y"] + box["height"] <= own["y"]
