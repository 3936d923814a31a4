"""The settings on a narrow screen: they take all of it, and what leads out of them, or to another part, stays in sight."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.page import states
from tests.page.conftest import PageServer

PHONE: ViewportSize = {"width": 360, "height": 740}


def place(what: Locator) -> tuple[float, float, float, float]:
    box = what.bounding_box()
    assert box
    return box["x"], box["y"], box["width"], box["height"]


@pytest.mark.parametrize("state", [states.tools, states.chat_settings], ids=lambda state: state.__name__)
def test_settings_take_all_of_a_narrow_screen(
    owned: Page, server: PageServer, state: Callable[[Page, PageServer], None]
) -> None:
    owned.set_viewport_size(PHONE)
    state(owned, server)
    dialog = owned.get_by_role("dialog")
    assert place(dialog) == (0, 0, 360, 740)
    dialog.locator(".body").evaluate("body => body.scrollTo(0, body.scrollHeight)")
    close = dialog.get_by_role("button", name="Close")
    expect(close).to_be_in_viewport(ratio=1)
    for tab in dialog.get_by_role("tab").all():
        expect(tab).to_be_in_viewport(ratio=1)
    close.click()
    if state is states.chat_settings:  # which has what is not saved
        owned.get_by_role("button", name="Discard").click()
    expect(dialog).to_have_count(0)


def test_every_part_of_the_settings_is_in_sight_however_narrow_the_screen(owned: Page, server: PageServer) -> None:
    owned.set_viewport_size({"width": 240, "height": 400})
    states.general(owned, server)
    dialog = owned.get_by_role("dialog")
    for tab in dialog.get_by_role("tab").all():
        expect(tab).to_be_in_viewport(ratio=1)
    assert owned.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_on_a_wide_screen_the_settings_lie_over_the_chat(owned: Page, server: PageServer) -> None:
    states.tools(owned, server)
    left, top, width, _ = place(owned.get_by_role("dialog"))
    assert left > 100
    assert top > 0
    assert width < 800
