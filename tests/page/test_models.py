"""The model of a chat: a new one keeps what was chosen last, and offline the page says which one it was."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.talk import answer, conversation_id, list_models, script, send, text

MODELS = [{"id": "north-large"}, {"id": "north-small"}]


@pytest.fixture
def scripted(chat: Page, server: PageServer) -> dict[str, Any]:
    """The scripted provider, which lists two more models."""
    found = server.scripted()
    list_models(chat, found, MODELS)
    return found


@pytest.fixture
def other(server: PageServer) -> Iterator[dict[str, Any]]:
    """Another provider, which is not the default."""
    made = server.call("POST", "/api/providers", {"name": "Other", "format": "scripted", "is_default": False})
    yield made
    if any(item["id"] == made["id"] for item in server.call("GET", "/api/providers")["items"]):
        server.call("DELETE", f"/api/providers/{made['id']}")
    server.use_scripted()


def choose(page: Page, typed: str, *, listed: bool = True) -> None:
    page.get_by_title("Choose a model").click()
    expect(page.get_by_role("combobox", name="Search models")).to_be_focused()
    page.keyboard.type(typed)
    expect(page.get_by_role("option", name=typed).first).to_be_visible()
    if listed:  # else the lists may still be on their way
        expect(page.get_by_role("option", name="Use “")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_new_chat_keeps_the_model_that_was_chosen_last(
    chat: Page, server: PageServer, scripted: dict[str, Any]
) -> None:
    button = chat.get_by_title("Choose a model")
    choose(chat, "north-small")
    chat.reload()
    expect(button).to_contain_text("north-small")
    send(chat, script([text("Hi.")]))
    expect(answer(chat)).to_contain_text("Hi.")
    made = server.call("GET", f"/api/conversations/{conversation_id(chat)}")
    assert (made["provider_id"], made["model"]) == (scripted["id"], "north-small")
    chat.get_by_role("link", name="New chat").first.click()
    expect(button).to_contain_text("north-small")


def test_a_model_that_is_listed_no_more_gives_way_to_the_default(chat: Page, scripted: dict[str, Any]) -> None:
    standard = scripted["default_model"] or scripted["name"]
    expect(chat.get_by_title("Choose a model")).to_have_text(standard)
    choose(chat, "north-small")
    list_models(chat, scripted, MODELS[:1])
    chat.reload()
    expect(chat.get_by_title("Choose a model")).to_have_text(standard)


def test_a_model_whose_name_was_typed_is_kept(chat: Page, scripted: dict[str, Any]) -> None:
    choose(chat, "south-secret", listed=False)
    with chat.expect_response(f"**/api/providers/{scripted['id']}/models"):
        chat.reload()
    expect(chat.get_by_title("Choose a model")).to_contain_text("south-secret")


def test_the_models_of_providers_that_come_late_are_listed_too(chat: Page, scripted: dict[str, Any]) -> None:
    late: list[Route] = []
    chat.route("**/api/providers", lambda route: late.append(route))
    with chat.expect_request("**/api/providers"):
        chat.reload()
    chat.get_by_title("Choose a model").click()
    expect(chat.get_by_role("combobox", name="Search models")).to_be_focused()
    for route in late:
        route.continue_()
    expect(chat.get_by_role("option", name="north-small")).to_be_visible()


def test_without_its_provider_the_model_gives_way_to_the_default(
    chat: Page, server: PageServer, other: dict[str, Any], scripted: dict[str, Any]
) -> None:
    list_models(chat, other, [{"id": "east"}])
    chat.reload()
    choose(chat, "east")
    server.call("DELETE", f"/api/providers/{other['id']}")
    chat.reload()
    expect(chat.get_by_title("Choose a model")).not_to_contain_text("east")
    send(chat, script([text("Hi.")]))
    expect(answer(chat)).to_contain_text("Hi.")


def test_who_makes_a_provider_the_default_gets_it_in_new_chats(
    owned: Page, server: PageServer, other: dict[str, Any], scripted: dict[str, Any]
) -> None:
    choose(owned, "north-small")
    owned.get_by_role("button", name="Settings", exact=True).click()
    dialog = owned.get_by_role("dialog")
    dialog.get_by_role("tab", name="Providers").click()
    dialog.locator("li.row").filter(has_text="Other").get_by_role("button", name="Make default").click()
    expect(dialog.locator("li.row").filter(has_text="Other")).to_contain_text("Default")
    owned.goto(server.url)
    expect(owned.get_by_title("Choose a model")).to_have_text("Other")


def test_the_provider_that_answers_stands_first_and_those_to_begin_with_last(
    chat: Page, server: PageServer, other: dict[str, Any], scripted: dict[str, Any]
) -> None:
    real = {**other, "name": "Real", "format": "openai", "default_model": "large"}

    def change(route: Route) -> None:
        items = server.call("GET", "/api/providers")["items"]
        others = [item for item in items if item["id"] not in (scripted["id"], other["id"])]
        route.fulfill(json={"items": [*others, real, scripted]})

    chat.route("**/api/providers", change)
    chat.reload()
    chat.get_by_title("Choose a model").click()
    names = chat.get_by_role("dialog", name="Choose a model").locator(".group")
    expect(names).to_have_text(["Scripted", "Real", "Embedded model"])


def test_by_touch_no_keyboard_comes_over_the_models(server: PageServer, browser: Browser) -> None:
    phone = browser.new_context(has_touch=True, is_mobile=True, viewport={"width": 360, "height": 740})
    page = phone.new_page()
    page.goto(server.url)
    page.get_by_title("Choose a model").tap()
    menu = page.get_by_role("dialog", name="Choose a model")
    expect(menu).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    phone.close()


def test_offline_the_model_of_the_last_answer_is_shown_and_cannot_be_changed(chat: Page, server: PageServer) -> None:
    send(chat, script([text("Hi.")]))
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    chat.route("**/api/providers", lambda route: route.abort())
    chat.route("**/api/events", lambda route: route.abort())
    chat.reload()
    expect(answer(chat)).to_contain_text("Hi.")
    chat.route("**/api/**", lambda route: route.abort())
    model = server.last_answer(conversation_id(chat))["model"]
    button = chat.get_by_title("Offline:")
    expect(button).to_contain_text(model)
    expect(button).to_be_disabled()
    assert_accessible(chat)
    button.click(force=True)
    expect(chat.get_by_role("dialog")).to_have_count(0)
