"""Hostile text in every place that others can write to: it is shown as text and does nothing."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, Route, expect

from tests.page.conftest import PageServer
from tests.page.talk import answer, call, conversation_id, script, send, text

CORPUS = (
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "javascript:alert(1)",
    "<a href='javascript:alert(1)'>x</a>",
    "{@html '<b onclick=alert(1)>x</b>'}",
    "</textarea><iframe srcdoc='<script>parent.alert(1)</script>'>",
    "safe\u202etxt.exe \u200b\u2066",
)
ALL = "\n".join(CORPUS)
ACTIVE = "article :is(script, iframe, svg[onload], [onerror], [onclick], [onload], [href^='javascript' i], [src='x'])"


@pytest.fixture(autouse=True)
def nothing_acts(chat: Page, server: PageServer) -> Iterator[None]:
    server.call("PUT", "/api/rules", {"items": [{"tool": "wait_unsafe", "action": "ask"}]})
    yield
    assert chat.locator(ACTIVE).count() == 0


def test_in_the_arguments_of_a_call_that_asks(chat: Page) -> None:
    send(chat, script([call("wait_unsafe", seconds=0, label=ALL, **{CORPUS[0]: CORPUS[2]})], [text("Done.")]))
    card = chat.get_by_role("region", name="asks").first
    for word in CORPUS[:-1]:
        expect(card).to_contain_text(word)
    expect(card).to_contain_text("safe\\u202etxt.exe \\u200b\\u2066")
    assert chat.locator(ACTIVE).count() == 0
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
    assert chat.locator(ACTIVE).count() == 0
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


def step(index: int, step_type: str, /, **fields: object) -> dict[str, Any]:
    return {"id": f"step-{index}", "index": index, "type": step_type, "state": "complete", "call": 1, **fields}


def hostile_steps() -> list[dict[str, Any]]:
    file = {"name": CORPUS[0], "media_type": "text/html", "size": 5}
    return [
        step(0, "summary", content=ALL, until="x"),
        step(1, "notice", kind="odd", content=ALL),
        step(2, "file", file_id="../../evil?x=<b>", **file),
        step(3, "tool_call", id_ref="c", name=CORPUS[0], arguments="{}"),
        step(
            4,
            "tool_result",
            id_ref="step-3",
            name=CORPUS[0],
            content="made",
            parts=[{"type": "file", "id": "f", **file}, {"type": "json", "value": {CORPUS[0]: ALL}}, {"type": "new"}],
        ),
        step(5, "source", url="javascript:alert(1)", title=CORPUS[0], content=ALL),
        step(6, "source", url="https://elsewhere.example/p?q=1", title=CORPUS[1], content=ALL),
        step(7, "text", content="The end."),
        step(8, "unknown_kind", content=ALL),
    ]


def test_in_what_models_and_servers_bring_along(chat: Page) -> None:
    def replace(route: Route) -> None:
        page = route.fetch().json()
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
    answer(chat).get_by_role("button", name=CORPUS[0]).click()
    answer(chat).get_by_text("Data", exact=True).click()
    expect(answer(chat).locator("details pre")).to_contain_text(json.dumps(CORPUS[1])[1:-1])
    hrefs = chat.eval_on_selector_all("article a[href]", "links => links.map((link) => link.href)")
    assert all(href.startswith(("http://127.0.0.1:", "https://elsewhere.example/")) for href in hrefs), hrefs


def test_a_summary_is_read_and_answered_anew_in_other_words(chat: Page) -> None:
    def replace(route: Route) -> None:
        page = route.fetch().json()
        page["items"][-1].update(steps=[step(0, "summary", content="They spoke of tea."), *hostile_steps()[7:8]])
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
