"""What an answer cost: by the prices that a person enters, or as the provider tells it."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.states import change_messages
from tests.page.talk import answer, script, send, text

SPENT = {"type": "usage", "input_tokens": 1000, "output_tokens": 100, "cached_tokens": 600}


@pytest.fixture(autouse=True)
def unpriced(server: PageServer) -> Iterator[None]:
    """Leave no price to the tests after this one."""
    yield
    for provider in server.call("GET", "/api/providers")["items"]:
        server.call("PATCH", f"/api/providers/{provider['id']}", {"prices": None})


def scripted(page: Page) -> Locator:
    """Open the form of the scripted provider, with its prices."""
    page.get_by_role("button", name="Settings", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("tab", name="Providers").click()
    row = dialog.locator("li.row").filter(has=page.get_by_text("Scripted", exact=True))
    row.get_by_role("button", name="Edit", exact=True).click()
    return row


def save(row: Locator) -> None:
    row.get_by_role("button", name="Save", exact=True).click()


def details(page: Page) -> Locator:
    """Open what is known of the last answer."""
    expect(answer(page)).to_have_attribute("aria-busy", "false")
    answer(page).get_by_title("Details of this answer").click()
    return page.get_by_role("group", name="Details of this answer")


def test_a_price_is_entered_and_answers_show_what_they_cost(owned: Page, server: PageServer) -> None:
    row = scripted(owned)
    row.get_by_text("Prices", exact=True).click()
    row.get_by_role("button", name="Add a price").click()
    price = row.get_by_role("group", name="scripted")
    expect(price.get_by_label("Input", exact=True)).to_be_focused()
    owned.keyboard.type("3")
    save(row)
    expect(row.get_by_role("alert")).to_contain_text("Prices are numbers")
    price.get_by_label("Output").fill("1,500")
    save(row)
    expect(row.get_by_role("alert")).to_contain_text("“1,500” can be read in two ways")
    price.get_by_label("Output").fill("15")
    price.get_by_label("From its cache").fill("0,3")
    assert_accessible(owned)
    save(row)
    expect(row.get_by_role("button", name="Edit", exact=True)).to_be_focused()
    owned.keyboard.press("Escape")
    send(owned, script([text("Hello."), SPENT]))
    expect(details(owned)).to_contain_text("Cost $0.0029", use_inner_text=True)
    expect(answer(owned).get_by_title("Details of this answer")).to_contain_text("$0.0029")
    owned.keyboard.press("Escape")
    row = scripted(owned)
    row.get_by_role("button", name="Remove the price of scripted").click()
    expect(row.get_by_role("button", name="Add a price")).to_be_focused()
    save(row)
    expect(row.get_by_role("button", name="Edit", exact=True)).to_be_focused()
    assert not any(provider["prices"] for provider in server.call("GET", "/api/providers")["items"])


@pytest.mark.parametrize(("told", "shown"), [({"cost": 0.00042}, "$0.00042"), ({"cost": 0}, "$0.00"), ({}, "")])
def test_the_cost_that_a_provider_tells_is_shown(chat: Page, told: dict[str, float], shown: str) -> None:
    send(chat, script([text("Hello."), {**SPENT, **told}]))
    opened = details(chat)
    if shown:
        expect(opened).to_contain_text(shown)
    else:
        expect(opened).not_to_contain_text("Cost")


@pytest.mark.parametrize(
    ("end", "brief", "whole"), [("00.300", "", "0.3\u00a0s"), ("02.300", "· 2\u00a0s", "2\u00a0s")]
)
def test_the_line_below_an_answer_tells_whole_seconds_or_no_time(chat: Page, end: str, brief: str, whole: str) -> None:
    began = "2026-01-05T10:00:"
    send(chat, script([text("Hello."), SPENT]))
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    change_messages(chat, lambda items: items[-1].update(created_at=f"{began}00.000Z", ended_at=f"{began}{end}Z"))
    line = answer(chat).get_by_title("Details of this answer")
    expect(line).to_have_text(re.compile(rf"^\s*scripted\s*· 1,100 tokens\s*{brief}\s*$"))
    expect(details(chat)).to_contain_text(whole)
