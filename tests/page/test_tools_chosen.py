"""Which tools a model may use: in a chat by the menu of its composer, in all chats by the settings."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.talk import answer, call, conversation_id, script, send, text, use_tools

CALCULATES = script([call("calculator", expression="6*7")], [text("Done.")])


def listed(page: Page) -> Locator:
    page.get_by_role("button", name="Settings", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("tab", name="Tools").click()
    expect(dialog.get_by_role("list", name="Built in")).to_be_visible()
    return dialog


def rules(server: PageServer) -> list[str]:
    return [f"{rule['tool']} {rule['action']}" for rule in server.call("GET", "/api/rules")["items"]]


def test_tools_are_switched_off_and_on_with_two_clicks_and_nothing_moves(chat: Page) -> None:
    button = chat.locator(".composer").get_by_role("button", name=re.compile("^Tools"))
    settings = chat.get_by_role("button", name="Chat settings")
    expect(chat.get_by_title("Choose a model")).to_have_text("Scripted", ignore_case=True)
    before = settings.bounding_box()
    use_tools(chat)
    expect(button).to_have_accessible_name("Tools: off")
    expect(chat.get_by_role("switch", name="Use calculator")).to_be_disabled()
    assert_accessible(chat)
    chat.keyboard.press("Escape")
    expect(button).to_be_focused()
    assert settings.bounding_box() == before
    use_tools(chat)
    expect(button).to_have_accessible_name("Tools")
    assert settings.bounding_box() == before


def test_one_tool_is_off_in_this_chat_only(chat: Page, server: PageServer) -> None:
    send(chat, script([text("Hello.")]))
    expect(answer(chat)).to_contain_text("Hello.")
    here = conversation_id(chat)
    chat.get_by_role("button", name="Tools", exact=True).click()
    calculator = chat.get_by_role("list", name="Built in").get_by_role("switch", name="Use calculator")
    with chat.expect_response(lambda got: '"rules"' in (got.request.post_data or "")):
        calculator.click()
    expect(calculator).not_to_be_checked()
    assert_accessible(chat)
    assert server.call("GET", f"/api/conversations/{here}")["rules"] == [{"tool": "calculator", "action": "deny"}]
    chat.keyboard.press("Escape")
    send(chat, CALCULATES)
    expect(answer(chat)).to_contain_text("not allowed")
    chat.get_by_role("button", name="Tools", exact=True).click()
    with chat.expect_response(lambda got: '"rules"' in (got.request.post_data or "")):
        calculator.click()
    expect(calculator).to_be_checked()
    assert server.call("GET", f"/api/conversations/{here}")["rules"] == []
    assert rules(server) == []


def test_by_touch_the_whole_row_of_a_tool_is_what_is_pressed(server: PageServer, browser: Browser) -> None:
    phone = browser.new_context(has_touch=True, is_mobile=True, viewport={"width": 360, "height": 740})
    page = phone.new_page()
    page.goto(server.url)
    page.get_by_role("button", name="Tools", exact=True).tap()
    switch = page.get_by_role("switch", name="Use calculator")
    expect(switch).to_be_checked()
    row = page.locator("label").filter(has=switch)
    size = row.bounding_box()
    assert size
    assert size["height"] >= 44
    row.tap(position={"x": 20, "y": 2})
    expect(switch).not_to_be_checked()
    phone.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_menus_stand_a_little_apart_from_the_composer(chat: Page, width: int) -> None:
    chat.set_viewport_size({"width": width, "height": 800})
    send(chat, script([text("Hello.")]))
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    for opener in (chat.get_by_role("button", name="Tools", exact=True), chat.get_by_title("Choose a model")):
        opener.click()
        expect(chat.locator(".composer .menu")).to_be_visible()
        menu, box = (chat.locator(f".composer {one}").bounding_box() for one in (".menu", ".box"))
        assert menu
        assert box
        assert box["y"] - menu["y"] - menu["height"] == pytest.approx(8, abs=0.5)
        chat.keyboard.press("Escape")


def test_a_new_chat_begins_with_the_tools_that_were_chosen_for_it(chat: Page, server: PageServer) -> None:
    chat.get_by_role("button", name="Tools", exact=True).click()
    chat.get_by_role("switch", name="Use calculator").click()
    chat.keyboard.press("Escape")
    send(chat, CALCULATES)
    expect(answer(chat)).to_contain_text("not allowed")
    made = server.call("GET", f"/api/conversations/{conversation_id(chat)}")
    assert made["rules"] == [{"tool": "calculator", "action": "deny"}]


def test_what_was_chosen_for_a_new_chat_outlives_a_reload_and_ends_with_its_making(
    chat: Page, server: PageServer
) -> None:
    button = chat.locator(".composer").get_by_role("button", name=re.compile("^Tools"))
    button.click()
    chat.get_by_role("switch", name="Use calculator").click()
    chat.get_by_role("switch", name="Use tools").click()
    chat.keyboard.press("Escape")
    chat.get_by_role("button", name="Chat settings").click()
    chat.get_by_label("Temperature").fill("0.3")
    chat.get_by_role("button", name="Save").click()
    expect(chat.get_by_role("dialog")).to_have_count(0)
    chat.reload()
    expect(button).to_have_accessible_name("Tools: off")
    send(chat, script([text("Hello.")]))
    expect(answer(chat)).to_contain_text("Hello.")
    made = server.call("GET", f"/api/conversations/{conversation_id(chat)}")
    assert (made["tools_enabled"], made["temperature"]) == (False, 0.3)
    assert made["rules"] == [{"tool": "calculator", "action": "deny"}]
    for _ in range(2):
        chat.get_by_role("link", name="New chat").click()
        expect(button).to_have_accessible_name("Tools")
        chat.reload()


def test_what_was_chosen_for_a_new_chat_is_kept_when_its_first_message_is_refused(chat: Page) -> None:
    button = chat.locator(".composer").get_by_role("button", name=re.compile("^Tools"))
    use_tools(chat)
    chat.keyboard.press("Escape")
    refusal = {"status": 422, "code": "invalid_request", "detail": "No."}
    chat.route("**/messages", lambda route: route.fulfill(status=422, json=refusal))
    send(chat, "Hello.")
    expect(chat.get_by_role("alert").first).to_contain_text("No.")
    chat.reload()
    expect(button).to_have_accessible_name("Tools: off")


def test_what_a_rule_of_all_chats_denies_is_not_switched_on_in_one_but_where_the_rules_are(
    chat: Page, server: PageServer
) -> None:
    server.call("PUT", "/api/rules", {"items": [{"tool": "calc*", "action": "deny"}]})
    chat.get_by_role("button", name="Tools", exact=True).click()
    menu = chat.get_by_role("dialog", name="Tools")
    expect(menu.get_by_role("switch", name="Use calculator")).to_be_disabled()
    expect(menu).to_contain_text("denied by the rule calc*")
    menu.get_by_role("button", name="Manage tools").click()
    tab = chat.get_by_role("dialog", name="Settings", exact=True).get_by_role("tab", name="Tools")
    expect(tab).to_have_attribute("aria-selected", "true")


def test_the_settings_say_what_holds_for_each_tool_and_change_it(chat: Page, server: PageServer) -> None:
    server.call("PUT", "/api/rules", {"items": [{"tool": "calc*", "action": "ask"}]})
    dialog = listed(chat)
    calculator = dialog.get_by_label("Calls of calculator")
    expect(calculator).to_have_value("ask")
    expect(dialog.get_by_role("listitem").filter(has_text="calculator")).to_contain_text("by the rule calc*")
    expect(dialog.get_by_label("Calls of web_fetch")).to_have_value("depends")
    assert_accessible(chat)
    with chat.expect_response(lambda got: got.request.method == "PUT"):
        calculator.select_option("Deny")
    patterns = dialog.get_by_role("group", name="In all your chats").get_by_label("Tool", exact=True)
    expect(patterns.first).to_have_value("calculator")
    expect(patterns).to_have_count(2)
    assert rules(server) == ["calculator deny", "calc* ask"]
    with chat.expect_response(lambda got: got.request.method == "PUT"):
        calculator.select_option("Ask me")
    expect(patterns).to_have_count(1)
    assert rules(server) == ["calc* ask"]


def test_a_rule_that_is_being_written_stays_while_a_tool_is_set(chat: Page, server: PageServer) -> None:
    dialog = listed(chat)
    patterns = dialog.get_by_role("group", name="In all your chats")
    patterns.get_by_role("button", name="Add a rule").click()
    patterns.get_by_label("Tool", exact=True).fill("files_*")
    with chat.expect_response(lambda got: got.request.method == "PUT"):
        dialog.get_by_label("Calls of web_fetch").select_option("Deny")
    expect(patterns.get_by_label("Tool", exact=True)).to_have_count(2)
    assert rules(server) == ["web_fetch deny"]
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("Saved.")).to_be_visible()
    assert rules(server) == ["files_* allow", "web_fetch deny"]


def test_choices_that_follow_each_other_fast_all_hold(chat: Page, server: PageServer) -> None:
    held: list[Route] = []
    chat.route(
        "**/api/rules",
        lambda route: held.append(route) if route.request.method == "PUT" and not held else route.continue_(),
    )
    panel = listed(chat)
    with chat.expect_request(lambda asked: asked.method == "PUT"):
        panel.get_by_label("Calls of calculator").select_option("Deny")
    panel.get_by_label("Calls of current_time").select_option("Ask me")
    held[0].continue_()
    expect(panel.get_by_label("Calls of current_time")).to_have_value("ask")
    expect(panel.get_by_label("Calls of calculator")).to_have_value("deny")
    chat.evaluate("""async () => {
        const stored = async () => (await (await fetch('/api/rules')).json()).items.map(({ tool }) => tool).sort().join();
        while ((await stored()) !== 'calculator,current_time') await new Promise((done) => setTimeout(done, 50));
    }""")


def test_a_choice_that_cannot_be_stored_is_taken_back(chat: Page) -> None:
    dialog = listed(chat)
    refusal = {"status": 503, "code": "storage", "detail": "The disk is full."}
    chat.route(
        "**/api/rules",
        lambda route: route.fulfill(status=503, json=refusal) if route.request.method == "PUT" else route.fallback(),
    )
    dialog.get_by_label("Calls of calculator").select_option("Deny")
    expect(dialog.get_by_role("alert")).to_contain_text("The disk is full.")
    expect(dialog.get_by_label("Calls of calculator")).to_have_value("allow")
