"""The states of the page that are looked at one by one: each brings the page into itself and leaves it there."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import FilePayload, Page, Route, expect

from tests.page.conftest import PageServer
from tests.page.settings_states import (
    general,
    imported,
    known_providers,
    open_side,
    own_provider,
    providers,
    tool_server,
    tools,
    tools_menu,
    web_service,
)
from tests.page.talk import answer, call, script, text

State = Callable[[Page, PageServer], None]

_PROSE = """# Title

A *word*, a **strong** one, `code`, [a link](https://example.org/), ~~gone~~, and a sum $x^2$.

Here is ![a diagram of the parts](https://elsewhere.example/d.png), and [![build](https://b.example/b.svg)](https://b.example/).

- [ ] to do
- [x] done

> Quoted.

```python
def double(x: int) -> int:  # a comment
    return x * 2 if x else "none and a long line that does not fit on any narrow screen of this world"
```

| a | b | c |
|---|---|--:|
| a long cell with words | another long cell with words | 1 |

$$\\sum_{n=1}^{N} \\frac{1}{n^2}$$
"""
_NOTES = FilePayload(
    name="notes with a rather long name, longer than a chip.md", mimeType="text/plain", buffer=b"# Notes"
)
_FAILURES = (
    "provider_auth",
    "rate_limited",
    "credit_exhausted",
    "provider_error",
    "provider_unreachable",
    "provider_timeout",
    "context_overflow",
    "max_iterations",
    "a_new_one",
)
_FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "title": "Your name", "description": "As it is in the passport."},
        "mail": {"type": "string", "format": "email"},
        "age": {"type": "integer", "minimum": 0},
        "agreed": {"type": "boolean", "title": "I agree"},
        "colour": {"type": "string", "enum": ["red", "green"], "enumNames": ["Red", "Green"]},
        "days": {"type": "array", "items": {"type": "string", "enum": ["Monday", "Tuesday"]}},
    },
    "required": ["name"],
}


def send(page: Page, message: str) -> None:
    """Send a message, also where Enter breaks the line, as by touch."""
    box = page.get_by_role("textbox", name="Message", exact=True)
    box.fill(message)
    box.press("Control+Enter")


def step(index: int, step_type: str, /, **fields: object) -> dict[str, Any]:
    """Return a step as the API tells it."""
    return {"id": f"step-{index}", "index": index, "type": step_type, "state": "complete", "call": 1, **fields}


def approvals(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what the last of these messages asks of a person; nothing once its turn is over."""
    return (items[-1].get("turn") or {}).get("approvals", [])


def change_messages(page: Page, change: Callable[[list[dict[str, Any]]], None]) -> None:
    """Let the page read messages that are changed on their way, and read them."""

    def replace(route: Route) -> None:
        body = route.fetch(max_retries=3).json()  # on a connection that the server may close at that moment
        change(body["items"])
        route.fulfill(json=body)

    page.route("**/messages?*", replace)
    page.reload()


def _all_steps() -> list[dict[str, Any]]:
    file = {"name": "table.csv", "media_type": "text/csv", "size": 5000}
    parts = [{"type": "file", "id": "f", **file}, {"type": "json", "value": {"a": [1, 2]}}]
    return [
        step(0, "summary", content="They spoke of tea.", until="x"),
        step(1, "notice", kind="odd", content="An older answer was shortened."),
        step(2, "thinking", content="Let me see."),
        step(3, "tool_call", id_ref="c", name="calculator", arguments='{"expression": "6 * 7"}'),
        step(4, "tool_call", id_ref="d", name="a_tool_with_a_long_name_of_many_words", arguments='{"path": "/a/b/c"}'),
        step(5, "tool_result", id_ref="step-3", name="calculator", content="42", parts=parts, duration_ms=1200),
        step(6, "tool_result", id_ref="step-4", name="other", content="No such file.", state="failed"),
        step(7, "file", file_id="g", **file),
        step(8, "source", url="https://elsewhere.example/p?q=1", title="A page", content="What it says."),
        step(9, "text", content=_PROSE),
        *(step(10 + n, "tool_call", id_ref=f"e{n}", name="calculator", arguments="{}", call=2) for n in range(3)),
        *(
            step(13 + n, "tool_result", id_ref=f"step-{10 + n}", name="calculator", content="1", call=2)
            for n in range(3)
        ),
    ]


def _of_all_kinds(items: list[dict[str, Any]]) -> None:
    question, reply = items
    question.update(siblings=[question["id"], "other"])
    question["attachments"] = [{"id": "f", "name": "table.csv", "media_type": "text/csv", "size": 5000}]
    ends = [{"status": "failed", "error": {"code": code, "content": "The reason."}} for code in _FAILURES]
    ends += [{"status": "cancelled"}, {"finish_reason": "length"}]
    short = [step(0, "text", content="Half an answer.")]
    others = [{**reply, "id": f"end-{n}", "siblings": [], "steps": short, **end} for n, end in enumerate(ends)]
    reply.update(steps=_all_steps(), siblings=["before", reply["id"]])
    items.extend(others)


def conversation(page: Page, server: PageServer) -> None:
    """Messages of all kinds, all folds open, an edit form, all ways to fail."""
    send(page, script([text("x")]))
    expect(answer(page)).to_have_attribute("aria-busy", "false")
    change_messages(page, _of_all_kinds)
    article = page.get_by_role("article", name="Answer").first
    expect(article.locator(".katex").first).to_be_visible()
    for name in ("summed up", "Thought", "Used 3 tools", "calculator", "a_tool_with"):
        article.get_by_role("button", name=name).first.click()
    for name in ("1 source", "Data"):
        article.get_by_text(name, exact=True).click()
    article.get_by_role("button", name="Edit the summary").click()
    question = page.get_by_role("article", name="You")
    question.hover()
    question.get_by_role("button", name="Edit").click()


def at_work(page: Page, server: PageServer) -> None:
    """Tools that run, failed, wait for permission and ask; the arguments are edited."""

    def put_form(items: list[dict[str, Any]]) -> None:
        for approval in approvals(items):
            if approval.get("question"):
                approval["question"]["schema"] = _FORM

    server.call("PUT", "/api/rules", {"items": [{"tool": "wait_unsafe", "action": "ask"}]})
    thinking = {"type": "thinking", "text": "Let me see."}
    calls = [call("wait_unsafe", seconds=0, label="a" * 60), call("wait_asks"), call("calculator", expression="1/0")]
    send(page, script([thinking, *calls, call("wait", seconds=60)], [text("Done.")]))
    expect(page.get_by_role("region", name="asks")).to_have_count(2)
    expect(page.get_by_role("button", name="Stop wait", exact=True)).to_be_visible()
    change_messages(page, put_form)
    expect(page.get_by_role("region", name="asks")).to_have_count(2)
    expect(page.get_by_label("Your name")).to_be_visible()
    page.get_by_role("region", name="asks for").get_by_role("button", name="Edit").click()


def streaming(page: Page, server: PageServer) -> None:
    """A thought under way, looked at."""
    send(page, script([{"type": "thinking", "text": "word " * 400, "chunk": 5, "delay_ms": 100}]))
    answer(page).get_by_role("button", name="Thinking").click()
    expect(answer(page).locator(".thinking .prose")).to_contain_text("word", timeout=20_000)


def cut_off(page: Page, server: PageServer) -> None:
    """Without a connection in mid-answer."""
    streaming(page, server)
    page.route("**/api/turns/**", lambda route: route.abort())
    page.reload()
    expect(page.get_by_role("status").filter(has_text="Connection lost")).to_be_visible()


def first_run(page: Page, server: PageServer) -> None:
    """No provider but the embedded model."""
    local = {"id": "local", "name": "Built in", "format": "local", "is_default": True, "has_key": False, "tools": True}
    page.route("**/api/providers", lambda route: route.fulfill(json={"items": [local]}))
    page.reload()
    expect(page.get_by_role("button", name="Add a real model")).to_be_visible()


def no_provider(page: Page, server: PageServer) -> None:
    """Nobody is there to answer."""
    page.route("**/api/providers", lambda route: route.fulfill(json={"items": []}))
    page.reload()
    expect(page.get_by_role("button", name="Add a provider")).to_be_visible()


def files(page: Page, server: PageServer) -> None:
    """One file is there, one failed, one is on its way, and one may not be sent yet."""
    page.locator("input[type=file]").set_input_files([_NOTES])
    expect(page.get_by_text(f"{len(_NOTES['buffer'])} bytes")).to_be_visible()
    page.route("**/api/files?*", lambda route: route.fulfill(status=413, json={"detail": "Too large."}))
    page.locator("input[type=file]").set_input_files([_NOTES])
    expect(page.get_by_role("button", name="again")).to_be_visible()
    page.route("**/api/files?*", lambda route: None)
    page.locator("input[type=file]").set_input_files([_NOTES])
    expect(page.get_by_role("progressbar")).to_have_count(1)
    send(page, "Not yet.")
    expect(page.get_by_role("alert").filter(has_text="could not be uploaded")).to_be_visible()


def waiting_for_files(page: Page, server: PageServer) -> None:
    """A message that is sent as soon as its file is there."""
    page.route("**/api/files?*", lambda route: None)
    page.locator("input[type=file]").set_input_files([_NOTES])
    send(page, "Soon.")
    expect(page.get_by_role("button", name="Do not send yet")).to_be_visible()


def file_looked_at(page: Page, server: PageServer) -> None:
    """The text of a file."""
    page.locator("input[type=file]").set_input_files([_NOTES])
    expect(page.get_by_text(f"{len(_NOTES['buffer'])} bytes")).to_be_visible()
    page.get_by_role("button", name="Show notes").click()
    expect(page.get_by_role("dialog").get_by_role("region")).to_have_text("# Notes")


def found(page: Page, server: PageServer) -> None:
    """A search with hits."""
    _listed(page, server)
    page.get_by_role("combobox", name="Search").fill("harbour")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("ArrowDown")


def found_nothing(page: Page, server: PageServer) -> None:
    """A search without hits."""
    open_side(page)
    page.get_by_role("combobox", name="Search").fill("zzzzqqqq")
    expect(page.get_by_text("Nothing found for").first).to_be_visible()


def search_failed(page: Page, server: PageServer) -> None:
    """A search that the server cannot do."""
    page.route("**/api/search?*", lambda route: route.fulfill(status=500, json={"detail": "No."}))
    open_side(page)
    page.get_by_role("combobox", name="Search").fill("harbour")
    expect(page.get_by_role("alert").filter(has_text="The search failed.")).to_be_visible()


def _listed(page: Page, server: PageServer) -> None:
    """Conversations in the list with all their marks."""

    def mark(route: Route) -> None:
        body = route.fetch(max_retries=3).json()
        for item, fields in zip(
            body["items"], ({"unread": True}, {"turns": [{"id": "t", "status": "active"}]}), strict=False
        ):
            item.update(fields)
        route.fulfill(json=body)

    made = [server.call("POST", "/api/conversations", {"title": f"The harbour {n}"}) for n in range(3)]
    server.call("PATCH", f"/api/conversations/{made[0]['id']}", {"pinned": True})
    page.route(re.compile(r"/api/conversations\?"), mark)
    page.reload()
    open_side(page)
    expect(page.get_by_role("heading", name="Pinned")).to_be_visible()


def menu(page: Page, server: PageServer) -> None:
    """The menu of a conversation that is pinned."""
    _listed(page, server)
    page.get_by_role("link", name="The harbour 0").first.hover()
    page.get_by_role("button", name="Options for The harbour 0").first.click()
    expect(page.get_by_role("menu")).to_be_visible()


def renaming(page: Page, server: PageServer) -> None:
    """A title is changed."""
    _listed(page, server)
    page.get_by_role("link", name="The harbour 1").first.press("F2")
    expect(page.get_by_role("textbox", name="Title")).to_be_focused()


def toasts(page: Page, server: PageServer) -> None:
    """Something that can be undone, and something that failed."""
    _listed(page, server)
    page.get_by_role("link", name="The harbour 2").first.press("Delete")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()


def models(page: Page, server: PageServer) -> None:
    """The choice of the model."""
    page.get_by_title("Choose a model").first.click()
    expect(page.get_by_role("listbox")).to_be_visible()


def chat_settings(page: Page, server: PageServer) -> None:
    """Settings of the chat, with a rule and a value that cannot be."""
    page.get_by_role("button", name="Chat settings").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Add a rule").first.click()
    dialog.get_by_label("Temperature").fill("warm")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_be_visible()


def shortcuts(page: Page, server: PageServer) -> None:
    """The list of shortcuts."""
    open_side(page)
    page.get_by_role("button", name="Keyboard shortcuts").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def sharing(page: Page, server: PageServer) -> None:
    """A link that was just made."""
    send(page, script([text(_PROSE)]))
    expect(answer(page)).to_have_attribute("aria-busy", "false")
    page.get_by_role("button", name="Share and export").click()
    page.get_by_role("button", name="Create link").click()
    expect(page.get_by_role("textbox", name="Read-only link")).to_be_visible()


def shared(page: Page, server: PageServer) -> None:
    """The page of a share."""
    sharing(page, server)
    page.goto(page.get_by_role("textbox", name="Read-only link").input_value())
    expect(page.get_by_role("heading", name="Title", exact=True)).to_be_visible()


def new_chat(page: Page, server: PageServer) -> None:
    """Nothing yet."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def gone(page: Page, server: PageServer) -> None:
    """A conversation that does not exist."""
    page.goto(f"{server.url}/c/nothing")
    expect(page.get_by_role("log")).to_contain_text("does not exist")


STATES: tuple[State, ...] = (
    new_chat,
    gone,
    first_run,
    no_provider,
    conversation,
    at_work,
    streaming,
    cut_off,
    files,
    waiting_for_files,
    file_looked_at,
    found,
    found_nothing,
    search_failed,
    menu,
    renaming,
    toasts,
    models,
    tools_menu,
    chat_settings,
    shortcuts,
    general,
    providers,
    known_providers,
    own_provider,
    tools,
    tool_server,
    web_service,
    imported,
    sharing,
    shared,
)
