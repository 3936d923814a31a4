"""Small windows, touch, zoom and the keyboard of a telephone: nothing leaves the page, nothing is too small to be hit."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.page import states
from tests.page.conftest import PageServer, Watched
from tests.page.layout import misfits, overlapped, small_targets
from tests.page.talk import answer, script, text

BY_TOUCH = 44
BY_MOUSE = 24
PHONE: ViewportSize = {"width": 360, "height": 740}
WINDOWS: dict[str, ViewportSize] = {
    "a phone that lies on its side": {"width": 740, "height": 360},
    "200 %": {"width": 640, "height": 400},
    "400 %": {"width": 320, "height": 256},
}
LEAST_READ = 40
"""So many pixels of the messages are seen at least."""


@pytest.fixture(scope="module")
def phone(server: PageServer, browser: Browser) -> Iterator[Watched]:
    """A telephone: narrow, with touch, without hover."""
    context = browser.new_context(viewport=PHONE, is_mobile=True, has_touch=True, device_scale_factor=2)
    yield Watched(context.new_page(), server.url)
    context.close()


@pytest.fixture
def mobile(phone: Watched, server: PageServer) -> Iterator[Page]:
    """The page on the telephone, on a new chat, opened by the owner."""
    page = phone.page
    page.goto(f"{server.url}/open?token={server.owner_secret()}")
    yield page
    page.unroute_all(behavior="ignoreErrors")
    page.evaluate("localStorage.clear()")
    assert phone.take_complaints() == []


@pytest.mark.parametrize(
    "state",
    [
        states.conversation,
        states.at_work,
        states.files,
        states.waiting_for_files,
        states.file_looked_at,
        states.models,
        states.chat_settings,
        states.general,
        states.providers,
        states.known_providers,
        states.tools,
        states.tool_server,
        states.web_service,
        states.imported,
        states.sharing,
        states.found,
        states.toasts,
    ],
    ids=lambda state: state.__name__,
)
def test_by_touch_everything_is_large_enough(mobile: Page, server: PageServer, state: states.State) -> None:
    state(mobile, server)
    assert small_targets(mobile, BY_TOUCH) + misfits(mobile) == []


def test_a_sign_stands_in_the_middle_of_what_is_pressed(mobile: Page) -> None:
    expect(mobile.get_by_role("button", name="Tools", exact=True)).to_be_visible()
    off: dict[str, float] = mobile.eval_on_selector_all(
        ".composer .row button[aria-label]",
        """buttons => Object.fromEntries(buttons.map((button) => {
            const [own, sign] = [button, button.querySelector('svg')].map((one) => one.getBoundingClientRect());
            return [button.ariaLabel, Math.abs(own.left + own.right - sign.left - sign.right) / 2];
        }))""",
    )
    assert {"Attach files", "Tools", "Chat settings"} <= off.keys()
    assert [name for name, pixels in off.items() if pixels > 1] == []


@pytest.mark.parametrize("window", WINDOWS.values(), ids=list(WINDOWS))
def test_in_a_low_window_there_is_room_to_read_and_to_write(
    owned: Page, server: PageServer, window: ViewportSize
) -> None:
    owned.set_viewport_size(window)
    expect(owned.get_by_role("heading", level=1)).to_be_in_viewport(ratio=1)
    states.models(owned, server)
    for place in (owned.get_by_role("dialog"), owned.get_by_role("combobox", name="Search models")):
        expect(place).to_be_in_viewport(ratio=1)
    owned.keyboard.press("Escape")
    states.send(owned, script([text("word " * 200)]))
    expect(answer(owned)).to_have_attribute("aria-busy", "false")
    owned.get_by_role("textbox", name="Message", exact=True).fill("line\n" * 30)
    log = owned.get_by_role("log").bounding_box()
    assert log is not None
    assert log["height"] >= LEAST_READ
    assert overlapped(owned, "button[type=submit]") is None
    assert misfits(owned) == []
    assert small_targets(owned, BY_MOUSE) == []
    states.chat_settings(owned, server)
    owned.get_by_role("dialog").get_by_role("button", name="Save").scroll_into_view_if_needed()
    expect(owned.get_by_role("dialog").get_by_role("button", name="Close")).to_be_in_viewport()
    assert misfits(owned) == []


def test_letters_of_twice_the_size_fit(owned: Page, server: PageServer) -> None:
    owned.evaluate("document.documentElement.style.fontSize = '32px'")
    states.sharing(owned, server)
    assert misfits(owned) == []
    owned.keyboard.press("Escape")
    expect(owned.get_by_role("dialog")).to_have_count(0)
    assert misfits(owned) == []
    assert overlapped(owned, "#composer") is None


def test_the_drawer_takes_the_focus_and_gives_it_back(owned: Page) -> None:
    owned.set_viewport_size({"width": 360, "height": 740})
    opener = owned.get_by_role("button", name="Show conversations")
    opener.click()
    expect(owned.get_by_role("button", name="Hide conversations")).to_be_focused()
    for _ in range(40):
        owned.keyboard.press("Tab")
        assert owned.evaluate("document.activeElement === document.body || !!document.activeElement.closest('nav')")
    owned.keyboard.press("Escape")
    expect(owned.get_by_role("navigation")).to_have_count(0)
    expect(opener).to_be_focused()
    opener.click()
    expect(owned.get_by_role("navigation")).to_be_visible()
    owned.mouse.click(350, 700)
    expect(owned.get_by_role("navigation")).to_have_count(0)
    expect(opener).to_be_focused()


def test_the_composer_stands_above_a_keyboard_that_covers_the_page(mobile: Page) -> None:
    states.send(mobile, script([text("word " * 300)]))
    expect(answer(mobile)).to_have_attribute("aria-busy", "false")
    field = mobile.get_by_role("textbox", name="Message", exact=True)
    send_below = "one => Math.round(one.getBoundingClientRect().bottom)"
    for height, most in ((400, 400), (PHONE["height"], PHONE["height"])):
        mobile.evaluate(
            """(height) => {
                Object.defineProperty(visualViewport, 'height', { value: height, configurable: true });
                visualViewport.dispatchEvent(new Event('resize'));
            }""",
            height,
        )
        bottom = mobile.locator(".composer").evaluate(send_below)
        assert most - 40 <= bottom <= most
        expect(field).to_be_in_viewport()
