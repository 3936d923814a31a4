"""Hostile text in every place that others can write to: it is shown as text and does nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, FilePayload, Page, Route, expect

from tests.page import states
from tests.page.conftest import PageServer
from tests.page.hostile import ALL, CORPUS, MARKDOWN, active, poison
from tests.page.library import keep, line
from tests.page.talk import answer, call, conversation_id, script, send, text


@pytest.fixture(autouse=True)
def nothing_acts(chat: Page, server: PageServer) -> Iterator[None]:
    server.call("PUT", "/api/rules", {"items": [{"tool": "wait_unsafe", "action": "ask"}]})
    refused: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            refused.append(message.text)

    chat.on("console", hear)
    yield
    chat.remove_listener("console", hear)
    assert active(chat) == []
    assert refused == [], "nothing was even tried"


def test_in_the_arguments_of_a_call_that_asks(chat: Page) -> None:
    send(chat, script([call("wait_unsafe", seconds=0, label=ALL, **{CORPUS[0]: CORPUS[2]})], [text("Done.")]))
    card = chat.get_by_role("region", name="asks").first
    for word in CORPUS[:-1]:
        expect(card).to_contain_text(word)
    expect(card).to_contain_text("safe\\u202etxt.exe \\u200b\\u2066")
    assert active(chat) == []
    card.get_by_role("button", name="Deny").click()
    expect(answer(chat)).to_contain_text("Done.")
    answer(chat).get_by_role("button", name="wait_unsafe").click()
    expect(answer(chat)).to_contain_text(CORPUS[0])


def test_in_the_result_of_a_tool(chat: Page) -> None:
    send(chat, script([call("wait", seconds=0, label=ALL)], [text("Done.")]))
    expect(answer(chat)).to_contain_text("Done.")
    answer(chat).get_by_role("button", name="wait", exact=False).first.click()
    expect(answer(chat).locator("pre").last).to_contain_text(CORPUS[1])


def test_in_a_question(chat: Page) -> None:
    send(chat, script([call("wait_asks", question=ALL)], [text("Done.")]))
    card = chat.get_by_role("region", name="asks").first
    expect(card).to_contain_text(CORPUS[0])
    assert active(chat) == []
    card.get_by_role("button", name="Decline").click()
    expect(answer(chat)).to_contain_text("Done.")


def test_in_the_name_and_the_content_of_a_file(chat: Page, server: PageServer) -> None:
    page = b"<script>alert(1)</script><img src=x onerror=alert(1)>"
    files = [
        FilePayload(name="<img src=x onerror=alert(1)>.html", mimeType="text/html", buffer=page),
        FilePayload(name='"><svg onload=alert(1)>.svg', mimeType="image/svg+xml", buffer=b"<svg onload='alert(1)'/>"),
    ]
    chat.locator("input[type=file]").set_input_files(files)
    expect(chat.get_by_role("list", name="Attached files").get_by_role("listitem")).to_have_count(2)
    expect(chat.get_by_role("progressbar")).to_have_count(0)
    send(chat, script([text("Done.")]))
    expect(answer(chat)).to_contain_text("Done.")
    mine = chat.get_by_role("article", name="You")
    expect(mine.get_by_role("link")).to_have_count(2)
    assert mine.locator("img").count() == 0
    for file in server.call("GET", f"/api/conversations/{conversation_id(chat)}/files")["items"]:
        with chat.expect_download():
            chat.evaluate(f"location.assign('/api/files/{file['id']}/content')")


def hostile_steps() -> list[dict[str, Any]]:
    file = {"name": CORPUS[0], "media_type": "text/html", "size": 5}
    return [
        states.step(0, "summary", content=ALL, until="x"),
        states.step(1, "notice", kind="odd", content=ALL),
        states.step(2, "file", file_id="../../evil?x=<b>", **file),
        states.step(3, "tool_call", id_ref="c", name=CORPUS[0], arguments="{}"),
        states.step(
            4,
            "tool_result",
            id_ref="step-3",
            name=CORPUS[0],
            content="made",
            parts=[{"type": "file", "id": "f", **file}, {"type": "json", "value": {CORPUS[0]: ALL}}, {"type": "new"}],
        ),
        states.step(5, "source", url="javascript:alert(1)", title=CORPUS[0], content=ALL),
        states.step(6, "source", url="https://elsewhere.example/p?q=1", title=CORPUS[1], content=ALL),
        states.step(7, "text", content="The end."),
        states.step(8, "unknown_kind", content=ALL),
    ]


def test_in_what_models_and_servers_bring_along(chat: Page) -> None:
    def replace(route: Route) -> None:
        page = route.fetch(max_retries=3).json()
        page["items"][-1].update(steps=hostile_steps(), text="The end.")
        route.fulfill(json=page)

    send(chat, script([text("x")]))
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    chat.route("**/messages?*", replace)
    chat.reload()
    expect(answer(chat)).to_contain_text("The end.")
    expect(answer(chat).locator(".notice")).to_contain_text(CORPUS[0])
    answer(chat).get_by_text("2 sources").click()
    link = answer(chat).get_by_role("link", name=CORPUS[1])
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(answer(chat).get_by_text("elsewhere.example", exact=True)).to_be_visible()
    answer(chat).get_by_role("button", name="Earlier messages were summed up").click()
    answer(chat).locator(".call .line").filter(has_text=CORPUS[0]).click()
    answer(chat).get_by_text("Data", exact=True).click()
    expect(answer(chat).get_by_role("group", name="Result").last).to_contain_text(CORPUS[1])
    hrefs = chat.eval_on_selector_all("article a[href]", "links => links.map((link) => link.href)")
    assert all(href.startswith(("http://127.0.0.1:", "https://")) for href in hrefs), hrefs


def test_a_summary_is_read_and_answered_anew_in_other_words(chat: Page) -> None:
    def replace(route: Route) -> None:
        page = route.fetch(max_retries=3).json()
        page["items"][-1].update(steps=[states.step(0, "summary", content="They spoke of tea."), *hostile_steps()[7:8]])
        route.fulfill(json=page)

    send(chat, script([text("x")]))
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    chat.route("**/messages?*", replace)
    chat.reload()
    answer(chat).get_by_role("button", name="Earlier messages were summed up").click()
    expect(answer(chat)).to_contain_text("They spoke of tea.")
    answer(chat).get_by_role("button", name="Edit the summary").click()
    answer(chat).get_by_role("textbox").fill("They spoke of coffee.")
    with chat.expect_request("**/regenerate") as asked:
        answer(chat).get_by_role("button", name="Answer with this summary").click()
    assert (asked.value.post_data_json or {})["summary"] == "They spoke of coffee."


def test_in_markdown_as_it_arrives_and_when_it_is_there(chat: Page) -> None:
    send(chat, script([{"type": "thinking", "text": MARKDOWN}, text(f"{MARKDOWN}\n\n{ALL}\n\nThe end.", delay_ms=1)]))
    expect(answer(chat).locator("pre").first).to_be_visible()
    assert active(chat) == []
    expect(answer(chat)).to_contain_text("The end.")
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    expect(answer(chat).locator(".katex").first).to_be_visible()
    answer(chat).get_by_role("button", name="Thought").click()
    assert active(chat) == []
    for word in CORPUS[:8]:
        expect(answer(chat).locator(".answer-text")).to_contain_text(word)
    hrefs: list[str] = chat.eval_on_selector_all("article a", "links => links.map((link) => link.href)")
    assert hrefs
    assert all(href.startswith(("https://good.example", "https://evil.example")) for href in hrefs), hrefs
    assert answer(chat).locator("img").count() == 0


def test_in_the_form_and_the_address_of_a_question(chat: Page) -> None:
    def put_form(items: list[dict[str, Any]]) -> None:
        choice = {"type": "string", "enum": [CORPUS[0], CORPUS[2]], "enumNames": [CORPUS[1], CORPUS[3]]}
        fields = {
            CORPUS[0]: {"type": "string", "title": CORPUS[1], "description": ALL, "default": CORPUS[2]},
            "b": choice,
        }
        fields["c"] = {"type": "array", "items": {"type": "string", "enum": list(CORPUS)}, "title": ALL}
        fields["d"] = {"type": "boolean", "title": CORPUS[6]}
        for approval, place in zip(states.approvals(items), (0, 1), strict=False):
            approval.update(name=CORPUS[0])
            approval["question"].update(
                {"schema": {"type": "object", "properties": fields}} if place else {"url": CORPUS[3]}
            )

    send(chat, script([call("wait_asks"), call("wait_asks")], [text("Done.")]))
    cards = chat.get_by_role("region", name="asks")
    expect(cards).to_have_count(2)
    states.change_messages(chat, put_form)
    expect(cards).to_have_count(2)
    expect(cards.filter(has_text="This address cannot be opened.")).to_have_count(1)
    expect(cards.get_by_role("checkbox")).to_have_count(len(CORPUS) + 1)
    assert cards.locator("a").count() == 0
    chat.get_by_role("button", name="Stop", exact=True).click()


def test_in_everything_that_the_server_tells(owned: Page, server: PageServer) -> None:
    made = keep(server, f"The quarry {ALL}"[:190], line(f"The quarry, {ALL}", f"Stone. {MARKDOWN}"))
    fields = {"name": "odd", "url": "http://127.0.0.1:9/mcp", "enabled": False}
    bringer = server.call("POST", "/api/mcp-servers", fields)["id"]
    poison(owned)
    owned.goto(f"{server.url}/c/{made}")
    expect(answer(owned)).to_contain_text("Stone.")
    expect(owned.get_by_role("heading", level=1)).to_contain_text(CORPUS[0])
    expect(owned.get_by_role("navigation")).to_contain_text(CORPUS[0])
    owned.get_by_title("Choose a model").first.click()
    expect(owned.get_by_role("listbox")).to_contain_text(CORPUS[1])
    owned.keyboard.press("Escape")
    owned.get_by_role("combobox", name="Search").fill("quarry")
    expect(owned.get_by_role("option").first).to_contain_text(CORPUS[0])
    assert active(owned) == []
    owned.get_by_role("button", name="Chat settings").click()
    owned.get_by_role("dialog").get_by_role("button", name="Add a rule").first.click()
    assert active(owned) == []
    owned.keyboard.press("Escape")
    owned.get_by_role("button", name="Discard").click()
    owned.get_by_role("button", name="Settings", exact=True).click()
    for tab in ("Providers", "Tools", "Data"):
        owned.get_by_role("tab", name=tab).click()
        if tab != "Data":
            expect(owned.get_by_role("tabpanel")).to_contain_text(CORPUS[0])
        if tab == "Tools":
            owned.get_by_role("dialog").get_by_role("button", name="Details").first.click()
        assert active(owned) == []
    owned.unroute_all(behavior="ignoreErrors")
    server.call("DELETE", f"/api/mcp-servers/{bringer}")


def test_in_what_an_import_reports_and_a_failure_says(owned: Page) -> None:
    bad = {"found": 1, "imported": 0, "messages": 0, "skipped": 0, "refused": 1, "conversation_ids": []}
    bad |= {"left_out": {ALL: 1}, "mended": {CORPUS[0]: 1}, "problems": [{"title": ALL, "reason": ALL}]}
    owned.route("**/api/imports", lambda route: route.fulfill(status=201, json=bad))
    owned.get_by_role("button", name="Settings", exact=True).click()
    owned.get_by_role("tab", name="Data").click()
    owned.get_by_role("tabpanel").locator("input[type=file]").set_input_files(
        [FilePayload(name=CORPUS[0], mimeType="application/json", buffer=b"{}")]
    )
    expect(owned.get_by_role("tabpanel").get_by_role("listitem").first).to_contain_text(CORPUS[0])
    assert active(owned) == []
    owned.keyboard.press("Escape")
    refusal = {"error": {"code": "invalid_request", "message": ALL}, "detail": ALL, "title": ALL}
    owned.route("**/api/conversations", lambda route: route.fulfill(status=422, json=refusal))
    send(owned, "Hello")
    expect(owned.get_by_role("alert").filter(has_text="Not sent.")).to_be_visible()
    owned.unroute_all(behavior="ignoreErrors")


def test_on_the_page_of_a_share(chat: Page, server: PageServer) -> None:
    made = keep(server, f"Shared {ALL}"[:190], line(ALL, f"{MARKDOWN}\n\n{ALL}"))
    chat.goto(f"{server.url}/c/{made}")
    chat.get_by_role("button", name="Share and export").click()
    chat.get_by_role("button", name="Create link").click()
    chat.goto(chat.get_by_role("textbox", name="Read-only link").input_value())
    expect(chat.get_by_role("heading", level=1).first).to_contain_text(CORPUS[0])
    for word in CORPUS[:8]:
        expect(chat.get_by_role("main")).to_contain_text(word)
    assert chat.locator("img").count() == 0
    assert active(chat) == []
    chat.goto(server.url)
