"""The screens of the gallery: each is a name, a window, and what a person does before the picture is taken."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from dev.gallery.parts import ROLES

LOG, TRAIN, WAIT, BOOK, WALK, THINK, KEY = ROLES


@dataclass(frozen=True)
class Screen:
    """One picture: `play` brings the page into the state that is shown."""

    name: str
    play: Callable[[Page], None]
    dark: bool = False
    narrow: bool = False


def _ask(page: Page, question: str) -> None:
    page.get_by_role("textbox", name="Message", exact=True).fill(question)
    page.get_by_role("button", name="Send", exact=True).click()


def _ended(page: Page) -> None:
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0, timeout=20_000)
    expect(page.locator("article.answer .copy-message").last).to_be_visible(timeout=20_000)


def _first(page: Page) -> None:
    page.goto(page.url)


def _answered(page: Page) -> None:
    _ask(page, LOG)
    _ended(page)
    expect(page.locator(".katex").first).to_be_visible()
    page.get_by_role("log").evaluate("area => (area.scrollTop = 0)")


def _tools(page: Page) -> None:
    _ask(page, TRAIN)
    _ended(page)


def _running(page: Page) -> None:
    _tools(page)
    _ask(page, WAIT)
    expect(page.get_by_text("bus 42").last).to_be_visible()


def _asked(page: Page) -> None:
    _tools(page)
    _ask(page, BOOK)
    expect(page.get_by_role("button", name="Allow", exact=True)).to_be_visible()


def _streaming(page: Page) -> None:
    _tools(page)
    _ask(page, WALK)
    expect(page.get_by_text("an hour on the level").last).to_be_visible()


def _failed(page: Page) -> None:
    _tools(page)
    _ask(page, KEY)
    expect(page.get_by_text("Incorrect API key").last).to_be_visible()


def _waiting(page: Page) -> None:
    _streaming(page)
    for question in (
        "And which shoes?",
        "Is there a place to eat on the way? It should be open on Sundays, and take dogs.",
    ):
        _ask(page, question)
    expect(page.get_by_role("button", name="Take it back")).to_have_count(2)
    page.get_by_role("textbox", name="Message", exact=True).fill("One more thing:")


def _thinking(page: Page) -> None:
    _tools(page)
    _ask(page, THINK)
    expect(page.get_by_text("over the hill").last).to_be_visible()


def _details(page: Page) -> None:
    _tools(page)
    page.get_by_title("Details of this answer").click()


def _drawer(page: Page) -> None:
    page.get_by_role("button", name="Show conversations").click()
    expect(page.get_by_role("navigation", name="Conversations")).to_be_visible()


def _setup(page: Page) -> None:
    page.get_by_role("button", name="Settings", exact=True).click()
    page.get_by_role("dialog").get_by_role("tab", name="Providers").click()
    expect(page.get_by_role("dialog").get_by_text("North").first).to_be_visible()


def _picker(page: Page) -> None:
    page.get_by_role("button", name=re.compile("north-large")).first.click()
    expect(page.get_by_text("north-small")).to_be_visible()


def _keep(page: Page) -> None:
    _tools(page)
    page.get_by_role("button", name="Share and export").click()
    page.get_by_role("button", name="Create link").click()
    expect(page.get_by_role("textbox", name="Read-only link")).to_be_visible()


def _data(page: Page) -> None:
    _drawer(page)
    page.get_by_role("button", name="Settings", exact=True).click()
    page.get_by_role("tab", name="Data").click()


def _mirrored(page: Page) -> None:
    _tools(page)
    page.evaluate("localStorage.setItem('luxx:language', 'en-XB')")
    page.reload()
    expect(page.locator("html[dir=rtl] article.answer")).to_be_visible()


def _found(page: Page) -> None:
    _tools(page)
    page.get_by_role("combobox", name="Search").fill("train")
    expect(page.get_by_role("option").first).to_be_visible()


def _forced(page: Page) -> None:
    page.emulate_media(forced_colors="active")
    _running(page)


def _zoomed(page: Page) -> None:
    page.set_viewport_size({"width": 640, "height": 430})
    _tools(page)


def _keys(page: Page) -> None:
    page.get_by_role("button", name="Keyboard shortcuts").click()
    expect(page.get_by_role("dialog")).to_be_visible()


SCREENS = (
    Screen("first", _first),
    Screen("first-narrow", _first, dark=True, narrow=True),
    Screen("answer", _answered),
    Screen("answer-dark", _answered, dark=True),
    Screen("answer-narrow", _answered, narrow=True),
    Screen("tools", _tools),
    Screen("running", _running, dark=True),
    Screen("asked", _asked),
    Screen("asked-narrow", _asked, narrow=True, dark=True),
    Screen("streaming", _streaming),
    Screen("failed", _failed),
    Screen("waiting", _waiting),
    Screen("waiting-narrow", _waiting, narrow=True, dark=True),
    Screen("thinking", _thinking),
    Screen("details", _details, dark=True),
    Screen("drawer", _drawer, narrow=True),
    Screen("settings", _setup),
    Screen("models", _picker, dark=True),
    Screen("sharing", _keep),
    Screen("data", _data, narrow=True),
    Screen("search", _found),
    Screen("shortcuts", _keys),
    Screen("right-to-left", _mirrored),
    Screen("right-to-left-narrow", _mirrored, dark=True, narrow=True),
    Screen("forced-colours", _forced),
    Screen("zoomed", _zoomed),
)
