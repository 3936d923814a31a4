"""The list of conversations and the search, as a person uses them."""

import re
from datetime import timedelta

from playwright.sync_api import Locator, Page, Route, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.library import archived, keep, keep_all, line, message_ids
from tests.page.talk import answer, call, conversation_id, script, send, text

IN_SIGHT = """(element) => {
    const [own, around] = [element, document.querySelector('[role=log]')].map((one) => one.getBoundingClientRect());
    return own.top >= around.top && own.top < around.top + around.height / 2;
}"""


def made(server: PageServer, title: str) -> str:
    return server.call("POST", "/api/conversations", {"title": title})["id"]


def row(page: Page, title: str) -> Locator:
    return page.get_by_role("navigation").get_by_role("link", name=title, exact=True)


def item(page: Page, title: str) -> Locator:
    link = page.get_by_role("link", name=title, exact=True)
    return page.get_by_role("navigation").get_by_role("listitem").filter(has=link)


def field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search conversations")


def found(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Search results").get_by_role("option")


def message(page: Page, message_id: str) -> Locator:
    return page.locator(f"#m-{message_id}")


def expect_shown_at(page: Page, message_id: str) -> None:
    """Expect the message to be lit, in the upper half of what is seen, and to stay there."""
    expect(message(page, message_id)).to_be_focused()
    expect(message(page, message_id)).not_to_have_class(re.compile("lit"), timeout=10_000)
    assert message(page, message_id).evaluate(IN_SIGHT)


# --- search ---


def test_titles_and_texts_are_found_with_what_was_looked_for_marked(chat: Page, server: PageServer) -> None:
    titled = keep(server, "About quinces", line("Hello?", "Hello."))
    keep(server, "Fruit", line("What is a quince <b>?", "A quince is & a fruit.", "Quince jam?", "Yes, of QUINCES."))
    field(chat).fill("quince")
    expect(found(chat)).to_have_count(5)
    expect(found(chat).first).to_contain_text("About quinces")
    groups = chat.get_by_role("listbox").get_by_role("group")
    expect(groups).to_have_count(2)
    expect(groups.last.get_by_role("option").last).to_have_text("1 more in this chat")
    marks = chat.get_by_role("listbox").locator("mark")
    expect(marks.first).to_have_text("quince")
    assert {mark.lower() for mark in marks.all_inner_texts()} == {"quince"}
    expect(row(chat, "Fruit")).to_have_count(0)
    expect(groups.last.get_by_role("option").locator("b")).to_have_count(0)
    assert_accessible(chat)
    field(chat).press("Enter")
    chat.wait_for_url(f"**/c/{titled}")


def test_a_search_is_done_by_keys(chat: Page, server: PageServer) -> None:
    kept = keep(server, "Keys", line("medlar one", "Yes.", "medlar two", "Yes.", "medlar three", "Yes.", "medlar four"))
    ids = message_ids(server, kept)
    field(chat).fill("medlar")
    expect(found(chat)).to_have_count(4)
    field(chat).press("ArrowUp")
    expect(found(chat).nth(0)).to_have_attribute("aria-selected", "true")
    for _ in range(3):
        field(chat).press("ArrowDown")
    expect(found(chat).nth(3)).to_have_attribute("aria-selected", "true")
    chosen = found(chat).nth(3).get_attribute("id")
    expect(field(chat)).to_have_attribute("aria-activedescendant", chosen or "")
    field(chat).press("Enter")
    expect(found(chat)).to_have_text([re.compile(f"medlar {n}") for n in ("four", "three", "two", "one")])
    field(chat).press("Enter")
    expect_shown_at(chat, ids[0])
    field(chat).press("Escape")
    expect(field(chat)).to_have_value("")
    expect(found(chat)).to_have_count(0)
    expect(row(chat, "Keys")).to_be_visible()


def test_what_is_typed_last_is_looked_for_and_a_failure_can_be_tried_again(chat: Page, server: PageServer) -> None:
    keep(server, "Loquats", line("loquat", "Yes."))
    asked: list[str] = []

    def fail_once(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            route.fulfill(status=503, json={"code": "storage", "detail": "Not now.", "status": 503})
        else:
            route.continue_()

    chat.route(re.compile(r"/api/search\?q=loquat(&|$)"), fail_once)
    field(chat).press_sequentially("loquat", delay=5)
    failed = chat.get_by_role("alert").filter(has_text="The search failed.")
    expect(failed).to_be_visible()
    assert_accessible(chat)
    failed.get_by_role("button", name="Retry").click()
    expect(found(chat)).to_have_count(2)
    assert len(asked) == 2
    field(chat).fill("no such word anywhere")
    expect(chat.get_by_role("navigation")).to_contain_text("Nothing found for “no such word anywhere”.")
    expect(found(chat)).to_have_count(0)
    field(chat).fill("")
    expect(row(chat, "Loquats")).to_be_visible()


# --- messages ---


def test_a_found_message_far_up_is_led_to_and_the_conversation_goes_on_both_ways(
    chat: Page, server: PageServer
) -> None:
    texts = [f"number {n}" for n in range(170)]
    texts[41] = "Here lies the medallion.\n\n" + "A long answer. " * 40
    kept = keep(server, "Far", line(*texts))
    ids = message_ids(server, kept)
    field(chat).fill("medallion")
    found(chat).filter(has_text="medallion").click()
    expect_shown_at(chat, ids[41])
    expect(message(chat, ids[169])).to_have_count(0)
    log = chat.get_by_role("log")
    shown: dict[str, None] = {}
    for wanted in (ids[0], ids[169]):
        to = "0" if wanted == ids[0] else "area.scrollHeight"
        while not message(chat, wanted).count():
            log.evaluate(f"(area) => new Promise((done) => {{ area.scrollTop = {to}; requestAnimationFrame(done); }})")
            shown |= dict.fromkeys(chat.locator("article").evaluate_all("all => all.map((one) => one.id)"))
        expect(message(chat, wanted)).to_be_attached()
        shown |= dict.fromkeys(chat.locator("article").evaluate_all("all => all.map((one) => one.id)"))
    assert shown.keys() == {f"m-{one}" for one in ids}


def test_the_end_is_one_click_away_from_a_message_far_up(chat: Page, server: PageServer) -> None:
    far = keep(server, "Far again", line(*(f"number {n}" for n in range(120))))
    ids = message_ids(server, far)
    chat.goto(f"{server.url}/c/{far}#m-{ids[3]}")
    expect_shown_at(chat, ids[3])
    chat.get_by_role("button", name="Jump to latest").click()
    expect(message(chat, ids[119])).to_be_in_viewport()
    chat.go_back()
    chat.goto(f"{server.url}/c/{far}#m-{ids[60]}")
    expect_shown_at(chat, ids[60])
    send(chat, script([text("The newest.")]))
    expect(answer(chat)).to_have_text(re.compile("The newest."))
    expect(answer(chat)).to_be_in_viewport()


def test_a_message_on_another_branch_is_shown_on_its_branch(chat: Page, server: PageServer) -> None:
    said = [("0", None, "Which way?"), ("1", "0", "To the left."), ("2", "1", "And then?"), ("3", "2", "Left again.")]
    kept = keep(server, "Ways", [*said, ("4", "0", "To the starboard.")], leaf="3")
    field(chat).fill("starboard")
    found(chat).click()
    expect(answer(chat)).to_contain_text("To the starboard.")
    expect(chat.locator("article")).to_have_count(2)
    expect_shown_at(chat, message_ids(server, kept)[1])
    chat.reload()
    expect(answer(chat)).to_contain_text("To the starboard.")


def test_a_message_that_is_gone_leads_to_the_end(chat: Page, server: PageServer) -> None:
    kept = keep(server, "Gone", line("One", "Two"))
    chat.goto(f"{server.url}/c/{kept}#m-nothing")
    expect(answer(chat)).to_contain_text("Two")


def test_trying_again_leads_to_the_message_that_could_not_be_read(chat: Page, server: PageServer) -> None:
    kept = keep(server, "Refused", line(*(f"number {n}" for n in range(80))))
    wanted = message_ids(server, kept)[3]
    body = {"code": "storage", "detail": "Not now.", "status": 503}
    chat.route("**/messages?**", lambda route: route.fulfill(status=503, json=body))
    chat.goto(f"{server.url}/c/{kept}#m-{wanted}")
    expect(chat.get_by_text("Not now.")).to_be_visible()
    chat.unroute("**/messages?**")
    chat.get_by_role("log").get_by_role("button", name="Retry").click()
    expect_shown_at(chat, wanted)


# --- the list ---


def test_thousands_of_conversations_are_few_rows_in_the_document(chat: Page, server: PageServer) -> None:
    server.forget_conversations()
    keep_all(server, [archived(f"Old {n}", line("Hi"), age=timedelta(days=400 + n)) for n in range(300)])
    chat.reload()
    older = chat.get_by_role("navigation").get_by_role("heading", name="Older")
    area = chat.get_by_role("navigation").locator(".list")
    expect(chat.get_by_role("navigation").get_by_role("listitem").first).to_be_visible()
    rows = chat.get_by_role("navigation").get_by_role("listitem")
    while not row(chat, "Old 299").count():
        area.evaluate("(list) => new Promise((done) => { list.scrollTop = 1e6; requestAnimationFrame(done); })")
        assert rows.count() < 80
    expect(row(chat, "Old 299")).to_be_in_viewport()
    expect(older).to_be_attached()
    area.evaluate("(list) => { list.scrollTop = list.scrollHeight / 2; }")
    expect(row(chat, "Old 150")).to_be_attached()
    names = rows.get_by_role("link").all_inner_texts()
    numbers = [int(name.removeprefix("Old ")) for name in names if name.startswith("Old ")]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_a_conversation_that_was_open_is_shown_at_once(chat: Page, server: PageServer) -> None:
    keep(server, "First one", line("Hi", "The first answer."))
    keep(server, "Second one", line("Hi", "The second answer."))
    chat.reload()
    row(chat, "First one").click()
    expect(answer(chat)).to_contain_text("The first answer.")
    row(chat, "Second one").click()
    expect(answer(chat)).to_contain_text("The second answer.")
    held: list[Route] = []
    chat.route("**/messages?**", lambda route: held.append(route))
    row(chat, "First one").click()
    expect(answer(chat)).to_contain_text("The first answer.")
    expect(chat.get_by_role("heading", name="First one")).to_be_visible()
    for route in held:
        route.continue_()
    chat.unroute_all(behavior="wait")


def test_what_happens_before_the_page_listens_is_shown(chat: Page, server: PageServer) -> None:
    send(chat, script([text("Said before.")]))
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    here = conversation_id(chat)
    held: list[Route] = []
    chat.route("**/api/events", lambda route: held.append(route))
    chat.reload()
    expect(answer(chat)).to_contain_text("Said before.")
    expect(chat.get_by_role("navigation").locator("[aria-current=page]")).to_be_visible()
    body = {"text": script([text("Said meanwhile.")])}
    server.call("POST", f"/api/conversations/{here}/messages", body)
    made(server, "Made meanwhile")
    for route in held:
        route.continue_()
    expect(row(chat, "Made meanwhile")).to_be_visible()
    expect(answer(chat)).to_contain_text("Said meanwhile.")


def test_an_answer_that_ends_elsewhere_is_unread_in_all_tabs_until_it_is_looked_at(
    chat: Page, server: PageServer
) -> None:
    send(chat, script([call("wait", seconds=60)], [text("Enough.")]))
    expect(chat.get_by_role("button", name="Stop wait", exact=True)).to_be_visible()
    talk = conversation_id(chat)
    server.call("PATCH", f"/api/conversations/{talk}", {"title": "Busy one"})
    chat.get_by_role("link", name="New chat").click()
    mine = item(chat, "Busy one")
    expect(mine.get_by_role("img", name="An answer is being written")).to_be_visible()
    other = chat.context.new_page()
    other.goto(server.url)
    expect(row(other, "Busy one")).to_be_visible()
    waiting = server.last_answer(talk)
    server.call("POST", f"/api/turns/{waiting['turn']['id']}/calls/{waiting['steps'][0]['index']}/cancel")
    unread = "New answer"
    for page in (chat, other):
        expect(item(page, "Busy one").get_by_role("img", name=unread)).to_be_visible(timeout=20_000)
    assert_accessible(chat)
    chat.reload()
    expect(mine.get_by_role("img", name=unread)).to_be_visible()
    row(chat, "Busy one").click()
    for page in (chat, other):
        expect(item(page, "Busy one").get_by_role("img")).to_have_count(0)
    assert server.call("GET", f"/api/conversations/{talk}")["unread"] is False


def test_an_answer_that_is_seen_as_it_comes_is_read(chat: Page, server: PageServer) -> None:
    with chat.expect_request(lambda asked: asked.method == "PATCH" and '"unread":false' in (asked.post_data or "")):
        send(chat, script([text("Look at me.")]))
    expect(answer(chat)).to_contain_text("Look at me.")
    here = chat.get_by_role("navigation").get_by_role("listitem").filter(has=chat.locator("[aria-current=page]"))
    expect(here).to_have_count(1)
    expect(here.get_by_role("img", name="New answer")).to_have_count(0)


def test_pinned_ones_stand_on_top_in_all_tabs(chat: Page, server: PageServer) -> None:
    for left in server.call("GET", "/api/conversations?pinned=true")["items"]:
        server.call("PATCH", f"/api/conversations/{left['id']}", {"pinned": False})
    pinned = made(server, "To be pinned")
    made(server, "A newer one")
    other = chat.context.new_page()
    other.goto(server.url)
    expect(row(chat, "To be pinned")).to_be_visible()
    row(chat, "To be pinned").click(button="right")
    chat.get_by_role("menuitem", name="Pin").click()
    for page in (chat, other):
        expect(page.get_by_role("navigation").get_by_role("heading").first).to_have_text("Pinned")
        expect(page.get_by_role("navigation").get_by_role("listitem").first).to_contain_text("To be pinned")
        expect(row(page, "To be pinned")).to_have_count(1)
    other.close()
    chat.reload()
    expect(chat.get_by_role("navigation").get_by_role("heading").first).to_have_text("Pinned")
    row(chat, "To be pinned").click(button="right")
    chat.get_by_role("menuitem", name="Unpin").click()
    expect(chat.get_by_role("navigation").get_by_role("heading", name="Pinned")).to_have_count(0)
    assert server.call("GET", f"/api/conversations/{pinned}")["pinned"] is False


def test_no_row_moves_beneath_the_pointer(chat: Page, server: PageServer) -> None:
    old, _ = made(server, "An old one"), made(server, "A new one")
    items = chat.get_by_role("navigation").get_by_role("listitem")
    expect(items).to_contain_text(["A new one", "An old one"])
    row(chat, "A new one").hover()
    server.call("POST", f"/api/conversations/{old}/messages", {"text": script([text("Well.")])})
    expect(item(chat, "An old one").get_by_role("img", name="New answer")).to_be_visible()
    expect(items).to_contain_text(["A new one", "An old one"])
    chat.mouse.move(800, 400)
    expect(items).to_contain_text(["An old one", "A new one"])


def test_the_menu_is_used_by_keys_and_gives_the_focus_back(chat: Page, server: PageServer) -> None:
    made(server, "By keys")
    options = chat.get_by_role("button", name="Options for By keys")
    row(chat, "By keys").focus()
    chat.keyboard.press("Tab")
    chat.keyboard.press("Enter")
    menu = chat.get_by_role("menu", name="Options for By keys")
    expect(menu.get_by_role("menuitem")).to_have_text(
        ["Share and export…", re.compile("Rename"), "Pin", re.compile("Delete")]
    )
    expect(menu.get_by_role("menuitem", name="Share")).to_be_focused()
    assert_accessible(chat)
    for key, focused in (("ArrowDown", "Rename"), ("End", "Delete"), ("ArrowDown", "Share"), ("ArrowUp", "Delete")):
        chat.keyboard.press(key)
        expect(menu.get_by_role("menuitem", name=focused)).to_be_focused()
    chat.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    expect(options).to_be_focused()
    options.click()
    expect(menu).to_be_visible()
    options.click()
    expect(menu).to_have_count(0)


def test_f2_renames_and_escape_leaves_it_as_it_was(chat: Page, server: PageServer) -> None:
    renamed = made(server, "Old name")
    row(chat, "Old name").press("F2")
    title = chat.get_by_role("textbox", name="Title")
    title.fill("Never")
    title.press("Escape")
    expect(row(chat, "Old name")).to_be_focused()
    row(chat, "Old name").press("F2")
    title.fill("New name")
    title.press("Enter")
    expect(row(chat, "New name")).to_be_focused()
    assert server.call("GET", f"/api/conversations/{renamed}")["title"] == "New name"


def test_a_long_name_is_renamed_from_its_beginning_on(chat: Page, server: PageServer) -> None:
    made(server, "Long name " * 19 + "end")
    row(chat, "Long name " * 19 + "end").press("F2")
    title = chat.get_by_role("textbox", name="Title")
    expect(title).to_be_focused()
    selected = "one => [one.scrollWidth > one.clientWidth, one.scrollLeft, one.selectionStart, one.selectionEnd]"
    assert title.evaluate(selected) == [True, 0, 0, 193]


def test_delete_is_undone_or_done_and_a_reload_leaves_no_half_of_it(chat: Page, server: PageServer) -> None:
    kept, gone = made(server, "Stays after all"), made(server, "Goes")
    made(server, "Neighbour")
    row(chat, "Stays after all").press("Delete")
    expect(row(chat, "Stays after all")).to_have_count(0)
    chat.get_by_role("button", name="Undo").click()
    expect(row(chat, "Stays after all")).to_be_visible()
    row(chat, "Goes").press("Delete")
    expect(row(chat, "Stays after all")).to_be_focused()
    chat.route(f"**/api/conversations/{gone}", lambda route: route.abort(), times=1)
    chat.reload()
    expect(row(chat, "Stays after all")).to_be_visible()
    expect(row(chat, "Goes")).to_have_count(0)
    ids = "() => fetch('/api/conversations').then((got) => got.json()).then((got) => got.items.map((one) => one.id))"
    while gone in (left := chat.evaluate(ids)):
        pass
    assert kept in left


def test_the_arrow_keys_go_from_row_to_row(chat: Page, server: PageServer) -> None:
    chat.set_viewport_size({"width": 360, "height": 720})
    for title in ("Lower", "Upper"):
        made(server, title)
    chat.get_by_role("button", name="Show conversations").click()
    expect(row(chat, "Lower")).to_be_visible()
    row(chat, "Upper").press("ArrowDown")
    expect(row(chat, "Lower")).to_be_focused()
    row(chat, "Lower").press("ArrowUp")
    expect(row(chat, "Upper")).to_be_focused()
    chat.keyboard.press("Enter")
    expect(row(chat, "Upper")).to_have_count(0)
    expect(chat.get_by_role("heading", name="Upper")).to_be_visible()
