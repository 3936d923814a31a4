"""Files with messages, as a person sends them from the page."""

import base64
from pathlib import Path

from playwright.sync_api import FilePayload, Page, Route, expect

from tests.page.conftest import PageServer
from tests.page.talk import answer, conversation_id, script, send, text

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PICTURE = FilePayload(name="pixel.png", mimeType="image/png", buffer=PIXEL)
NOTES = FilePayload(name="notes.md", mimeType="text/markdown", buffer=b"# Notes\n")


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
    chat.wait_for_function("[...document.querySelectorAll('article img')].every((image) => image.naturalWidth === 1)")
    with chat.expect_download() as download:
        mine.get_by_role("link", name="Download notes.md").click()
    download.value.save_as(tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == b"# Notes\n"
    chat.reload()
    expect(mine.get_by_role("img", name="pixel.png")).to_be_visible()
    files = server.call("GET", f"/api/conversations/{conversation_id(chat)}/files")["items"]
    assert [(file["name"], file["media_type"]) for file in files] == [
        ("pixel.png", "image/png"),
        ("notes.md", "text/markdown"),
    ]


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
    expect(chat.get_by_text("Too large.")).to_be_visible()
    send(chat, script([text("Here.")]))
    expect(chat.get_by_text("A file could not be uploaded")).to_be_visible()
    chat.unroute("**/api/files?*")
    chat.get_by_role("button", name="Upload notes.md again").click()
    expect(chat.get_by_text("8 bytes")).to_be_visible()
    chat.get_by_role("button", name="Send", exact=True).click()
    expect(answer(chat)).to_contain_text("Here.")


def test_a_message_waits_for_its_files(chat: Page) -> None:
    held: list[Route] = []
    chat.route("**/api/files?*", lambda route: held.append(route))
    chat.locator("input[type=file]").set_input_files([NOTES])
    expect(chat.get_by_role("progressbar", name="Uploading notes.md")).to_be_visible()
    send(chat, script([text("Here.")]))
    expect(chat.get_by_text("A file is still being uploaded.")).to_be_visible()
    held[0].continue_()
    expect(chat.get_by_text("8 bytes")).to_be_visible()
    expect(chat.get_by_text("A file is still being uploaded.")).to_have_count(0)
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
