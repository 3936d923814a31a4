"""Files with messages, as a person sends them from the page."""

import base64
from pathlib import Path

from playwright.sync_api import FilePayload, Locator, Page, Request, Route, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.talk import answer, conversation_id, script, send, text

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PICTURE = FilePayload(name="pixel.png", mimeType="image/png", buffer=PIXEL)
NOTES = FilePayload(name="notes.md", mimeType="text/markdown", buffer=b"# Notes\n")
LIMITS = {"message_chars": 1000, "message_files": 2, "file_bytes": 2000, "conversation_files_bytes": 9000}


def note(number: int, size: int = 5) -> FilePayload:
    return FilePayload(name=f"{number}.txt", mimeType="text/plain", buffer=b"x" * size)


def limit(page: Page, **other: int) -> None:
    """Let the server say that it takes little, as if it had been set up so since the page was opened."""
    body = {**LIMITS, "media_types": ["image/png", "text/*"], **other}
    page.route("**/api/limits", lambda route: route.fulfill(json=body))
    page.reload()


def uploads(page: Page) -> list[str]:
    """Return the names of the files that are uploaded, as they are."""
    names: list[str] = []

    def note_down(request: Request) -> None:
        if request.method == "POST" and "/api/files?" in request.url:
            names.append(request.url.rsplit("=", 1)[-1])

    page.on("request", note_down)
    return names


def chip(page: Page, name: str) -> Locator:
    return page.get_by_role("list", name="Attached files").get_by_role("listitem").filter(has_text=name)


def attach(page: Page, *files: FilePayload) -> None:
    page.locator("input[type=file]").set_input_files(files)
    expect(page.get_by_role("list", name="Attached files")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)


def test_files_go_with_a_message_and_are_shown_in_it(chat: Page, server: PageServer, tmp_path: Path) -> None:
    attach(chat, PICTURE, NOTES)
    attached = chat.get_by_role("list", name="Attached files")
    expect(attached.get_by_role("listitem")).to_have_count(2)
    expect(attached.locator("img")).to_have_count(1)
    send(chat, script([text("Seen.")]))
    expect(answer(chat)).to_contain_text("Seen.")
    mine = chat.get_by_role("article", name="You")
    expect(mine.get_by_role("img", name="pixel.png")).to_be_visible()
    chat.wait_for_function(
        "() => [...document.querySelectorAll('article img')].every((image) => image.naturalWidth === 1)"
    )
    with chat.expect_download() as download:
        mine.get_by_role("link", name="Download notes.md").click()
    download.value.save_as(tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == b"# Notes\n"
    chat.reload()
    expect(mine.get_by_role("img", name="pixel.png")).to_be_visible()
    files = server.call("GET", f"/api/conversations/{conversation_id(chat)}/files")["items"]
    # They are uploaded side by side.
    assert {(file["name"], file["media_type"]) for file in files} == {
        ("pixel.png", "image/png"),
        ("notes.md", "text/markdown"),
    }
    assert len(files) == 2


def test_a_message_may_be_files_alone(chat: Page) -> None:
    attach(chat, NOTES)
    expect(chat.get_by_role("button", name="Remove notes.md")).to_be_visible()
    expect(chat.get_by_text("8 bytes")).to_be_visible()
    chat.get_by_role("button", name="Send").click()
    expect(chat.get_by_role("article", name="You").get_by_text("notes.md")).to_be_visible()
    expect(answer(chat)).to_have_attribute("aria-busy", "false")


def test_a_file_can_be_taken_away_again(chat: Page) -> None:
    attach(chat, NOTES)
    with chat.expect_request(lambda request: request.method == "DELETE") as deleted:
        chat.get_by_role("button", name="Remove notes.md").click()
    assert "/api/files/" in deleted.value.url
    expect(chat.get_by_role("list", name="Attached files")).to_have_count(0)


def test_files_survive_a_reload_and_a_message_that_is_refused(chat: Page, server: PageServer) -> None:
    def refuse(route: Route) -> None:
        route.fulfill(status=503, json={"status": 503, "code": "storage", "detail": "The disk is full."})

    attach(chat, NOTES)
    expect(chat.get_by_text("8 bytes")).to_be_visible()
    chat.reload()
    expect(chat.get_by_text("8 bytes")).to_be_visible()
    before = len(server.call("GET", "/api/conversations")["items"])
    chat.route("**/messages", refuse)
    with chat.expect_response(lambda response: response.request.method == "DELETE"):
        send(chat, script([text("Here.")]))
    expect(chat.get_by_text("The disk is full.")).to_be_visible()
    expect(chat.get_by_text("8 bytes")).to_be_visible()
    expect(chat).to_have_url(f"{server.url}/")
    expect(chat.get_by_role("textbox", name="Message", exact=True)).not_to_have_value("")
    assert len(server.call("GET", "/api/conversations")["items"]) == before
    chat.unroute("**/messages")
    chat.get_by_role("button", name="Retry").click()
    expect(answer(chat)).to_contain_text("Here.")
    expect(chat.get_by_role("article", name="You").get_by_text("notes.md")).to_be_visible()


def test_a_file_that_is_refused_says_why_and_holds_the_message_back(chat: Page) -> None:
    chat.route(
        "**/api/files?*",
        lambda route: route.fulfill(status=413, json={"status": 413, "code": "body_too_large", "detail": "Too large."}),
    )
    attach(chat, NOTES)
    expect(chat.get_by_role("list", name="Attached files").get_by_text("Too large.")).to_be_visible()
    send(chat, script([text("Here.")]))
    expect(chat.get_by_text("A file could not be uploaded")).to_be_visible()
    chat.unroute("**/api/files?*")
    chat.get_by_role("button", name="Upload notes.md again").click()
    expect(chat.get_by_text("8 bytes")).to_be_visible()
    chat.get_by_role("button", name="Send", exact=True).click()
    expect(answer(chat)).to_contain_text("Here.")


def test_files_are_dropped_and_pasted_and_a_long_text_becomes_one(chat: Page) -> None:
    chat.evaluate(
        """() => {
            const held = () => { const d = new DataTransfer(); d.items.add(new File(['x'], 'dropped.txt')); return d; };
            for (const name of ['dragenter', 'drop'])
                document.body.dispatchEvent(new DragEvent(name, { dataTransfer: held(), bubbles: true, cancelable: true }));
            const field = document.querySelector('#composer');
            const paste = (d) => field.dispatchEvent(new ClipboardEvent('paste', { clipboardData: d, bubbles: true, cancelable: true }));
            const image = new DataTransfer();
            image.items.add(new File(['y'], 'image.png', { type: 'image/png' }));
            paste(image);
            const long = new DataTransfer();
            long.setData('text/plain', 'long '.repeat(5000));
            paste(long);
        }"""
    )
    attached = chat.get_by_role("list", name="Attached files")
    for name in ("dropped.txt", "image.png", "pasted.txt"):
        expect(attached.get_by_text(name)).to_be_visible()
    expect(chat.get_by_role("textbox", name="Message", exact=True)).to_have_value("")


def test_an_edited_message_keeps_its_files(chat: Page) -> None:
    attach(chat, NOTES)
    send(chat, script([text("First.")]))
    expect(answer(chat)).to_contain_text("First.")
    mine = chat.get_by_role("article", name="You")
    mine.hover()
    mine.get_by_role("button", name="Edit").click()
    mine.get_by_role("textbox").fill(script([text("Second.")]))
    mine.get_by_role("button", name="Send").click()
    expect(answer(chat)).to_contain_text("Second.")
    expect(mine.get_by_text("notes.md")).to_be_visible()


def test_a_draft_that_was_sent_is_gone_from_another_tab(chat: Page, server: PageServer) -> None:
    send(chat, script([text("First.")]))
    expect(answer(chat)).to_contain_text("First.")
    attach(chat, NOTES)
    box = chat.get_by_role("textbox", name="Message", exact=True)
    box.fill(script([text("Second.")]))
    other = chat.context.new_page()
    other.goto(f"{server.url}/c/{conversation_id(chat)}")
    attached = other.locator("form").get_by_role("list", name="Attached files")
    expect(attached.get_by_text("notes.md")).to_be_visible()
    expect(other.get_by_role("textbox", name="Message", exact=True)).to_have_value(script([text("Second.")]))
    box.press("Enter")
    expect(answer(other)).to_contain_text("Second.")
    expect(attached).to_have_count(0)
    expect(other.get_by_role("textbox", name="Message", exact=True)).to_have_value("")


def test_a_file_that_is_too_large_is_refused_before_it_is_uploaded(chat: Page) -> None:
    limit(chat)
    sent = uploads(chat)
    hint = "Up to 2 files, 2 kB each. Models see images, PDFs and texts."
    expect(chat.get_by_role("button", name="Attach files")).to_have_accessible_description(hint)
    attach(chat, note(1, size=2001), note(2))
    expect(chip(chat, "1.txt")).to_contain_text("Too large: a file may have 2 kB.")
    expect(chip(chat, "2.txt")).to_contain_text("5 bytes")
    expect(chip(chat, "1.txt").get_by_role("button")).to_have_count(1)
    expect(chat.get_by_role("alert").filter(has_text="1.txt: Too large")).to_have_count(1)
    send(chat, script([text("Here.")]))
    expect(chat.get_by_text("1.txt cannot go with this message: remove it.")).to_be_visible()
    assert_accessible(chat)
    chat.get_by_role("button", name="Remove 1.txt").click()
    expect(chat.get_by_text("1.txt cannot go with this message: remove it.")).to_have_count(0)
    chat.get_by_role("button", name="Send", exact=True).click()
    expect(answer(chat)).to_contain_text("Here.")
    assert sent == ["2.txt"]


def test_a_file_too_many_is_not_uploaded_until_another_one_is_taken_away(chat: Page) -> None:
    limit(chat)
    sent = uploads(chat)
    attach(chat, note(1), note(2), note(3))
    expect(chip(chat, "3.txt")).to_contain_text("One too many: a message may have 2 files.")
    assert sent == ["1.txt", "2.txt"]
    chat.get_by_role("button", name="Remove 1.txt").click()
    expect(chip(chat, "3.txt")).to_contain_text("5 bytes")
    assert sent == ["1.txt", "2.txt", "3.txt"]


def test_the_server_is_asked_again_before_a_file_is_refused(chat: Page) -> None:
    limit(chat)
    attach(chat, note(1))
    chat.unroute("**/api/limits")
    attach(chat, note(2, size=2001), note(3))
    expect(chip(chat, "2.txt")).to_contain_text("2 kB")
    expect(chip(chat, "3.txt")).to_contain_text("5 bytes")


def test_a_file_that_is_not_refused_any_more_is_uploaded(chat: Page) -> None:
    limit(chat)
    held: list[Route] = []
    chat.route("**/api/files?*1.txt", lambda route: held.append(route))
    chat.locator("input[type=file]").set_input_files([note(1), note(2), note(3)])
    expect(chip(chat, "2.txt")).to_contain_text("5 bytes")
    expect(chip(chat, "3.txt")).to_contain_text("One too many")
    chat.unroute("**/api/limits")
    held[0].abort()
    expect(chip(chat, "3.txt")).to_contain_text("5 bytes")


def test_a_file_that_is_gone_says_so_and_is_not_tried_again(chat: Page, tmp_path: Path) -> None:
    held: list[Route] = []
    chat.route("**/api/limits", lambda route: held.append(route))
    with chat.expect_request("**/api/limits"):
        chat.reload()
    (tmp_path / "gone.txt").write_text("here")
    chat.locator("input[type=file]").set_input_files(tmp_path / "gone.txt")
    expect(chat.get_by_role("progressbar")).to_be_visible()
    (tmp_path / "gone.txt").unlink()
    held[0].fulfill(json={**LIMITS, "media_types": []})
    expect(chip(chat, "gone.txt")).to_contain_text("It cannot be read")
    expect(chip(chat, "gone.txt").get_by_role("button")).to_have_count(1)


def test_a_file_that_models_cannot_see_says_so(chat: Page) -> None:
    attach(chat, FilePayload(name="a.zip", mimeType="application/zip", buffer=b"PK\x03\x04\x00\xff"))
    expect(chip(chat, "a.zip")).to_contain_text("Models cannot see this kind.")


def test_a_page_with_a_file_on_its_way_is_not_left_without_a_question(chat: Page) -> None:
    chat.route("**/api/files?*", lambda route: None)
    chat.locator("input[type=file]").set_input_files([NOTES])
    expect(chat.get_by_role("progressbar")).to_be_visible()
    chat.get_by_role("textbox", name="Message", exact=True).click()  # A page that nobody has touched may not ask.
    with chat.expect_event("dialog") as asked:
        chat.reload()
    assert asked.value.type == "beforeunload"


def test_what_is_pasted_beside_the_field_is_attached_but_not_what_another_field_takes(chat: Page) -> None:
    paste = """(field, name) => {
        const data = new DataTransfer();
        data.items.add(new File(['x'], name));
        field.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
    }"""
    chat.get_by_placeholder("Search conversations").evaluate(paste, "search.txt")
    chat.locator("main").evaluate(paste, "beside.txt")
    expect(chip(chat, "beside.txt")).to_be_visible()
    expect(chip(chat, "search.txt")).to_have_count(0)
