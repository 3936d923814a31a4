"""Files that are looked at in the page, before they are sent and after; and texts that become files, or a part of the message again."""

import struct
import zlib

from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.page.accessibility import assert_accessible
from tests.page.talk import SLOW, answer, script, send, text

HOSTILE = "<img src=x onerror=alert(1)>\n" + "".join(f"line {n}\n" for n in range(200))
NOTES = FilePayload(name="notes.md", mimeType="text/markdown", buffer=HOSTILE.encode())
LONG = "long " * 5000
MOST = 1000


def picture(width: int, height: int) -> FilePayload:
    """Return a grey PNG of this size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (
        zlib.compress(b"\x00" + b"\x80" * width) if height == 1 else zlib.compress((b"\x00" + b"\x80" * width) * height)
    )
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return FilePayload(name="grey.png", mimeType="image/png", buffer=png)


def box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message", exact=True)


def attached(page: Page) -> Locator:
    return page.locator(".composer").get_by_role("list", name="Attached files").get_by_role("listitem")


def attach(page: Page, *files: FilePayload) -> None:
    page.locator("input[type=file]").set_input_files(files)
    expect(attached(page)).to_have_count(len(files))
    expect(page.get_by_role("progressbar")).to_have_count(0)


def paste(page: Page, content: str) -> None:
    box(page).evaluate(
        """(field, text) => {
            const data = new DataTransfer();
            data.setData('text/plain', text);
            field.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        content,
    )


def take(page: Page, limit: int = MOST, files: int = 2) -> None:
    """Let the server take short messages only."""
    body = {"message_chars": limit, "message_files": files, "file_bytes": 20_000, "conversation_files_bytes": 90_000}
    page.route("**/api/limits", lambda route: route.fulfill(json={**body, "media_types": ["text/*"]}))
    page.reload()


def test_escape_closes_what_is_looked_at_and_stops_no_answer(chat: Page) -> None:
    attach(chat, NOTES)
    send(chat, script([text(SLOW, delay_ms=200)]))
    expect(answer(chat)).to_contain_text("word1")
    chat.get_by_role("article", name="You").get_by_role("button", name="Show notes.md").click()
    dialog = chat.get_by_role("dialog", name="notes.md")
    expect(dialog).to_be_visible()
    chat.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(answer(chat)).to_have_attribute("aria-busy", "true")
    chat.keyboard.press("Escape")
    expect(answer(chat)).to_contain_text("Stopped")


def test_a_text_is_read_before_it_is_sent_and_after(chat: Page) -> None:
    attach(chat, NOTES)
    show = chat.get_by_role("button", name="Show notes.md")
    show.click()
    dialog = chat.get_by_role("dialog", name="notes.md")
    expect(dialog.get_by_role("region")).to_have_text(HOSTILE)
    expect(dialog.get_by_role("button", name="Put back into the message")).to_have_count(0)
    assert_accessible(chat)
    chat.keyboard.press("Escape")
    expect(show).to_be_focused()
    send(chat, script([text("Seen.")]))
    expect(answer(chat)).to_contain_text("Seen.")
    mine = chat.get_by_role("article", name="You")
    mine.get_by_role("button", name="Show notes.md").click()
    expect(dialog.get_by_role("region")).to_have_text(HOSTILE)
    expect(dialog.get_by_role("link", name="Download")).to_be_visible()
    expect(dialog.locator("img")).to_have_count(0)
    chat.keyboard.press("Escape")
    expect(mine.get_by_role("button", name="Show notes.md")).to_be_focused()


def test_a_pasted_text_is_put_back_where_the_cursor_is(chat: Page) -> None:
    box(chat).fill("before after")
    box(chat).evaluate("field => field.setSelectionRange(7, 7)")
    paste(chat, LONG)
    expect(attached(chat)).to_contain_text("pasted.txt")
    expect(chat.get_by_role("progressbar")).to_have_count(0)
    chat.get_by_role("button", name="Show pasted.txt").click()
    chat.get_by_role("button", name="Put back into the message").click()
    expect(chat.get_by_role("dialog")).to_have_count(0)
    expect(box(chat)).to_have_value(f"before {LONG}after")
    expect(box(chat)).to_be_focused()
    expect(attached(chat)).to_have_count(0)
    chat.reload()
    expect(box(chat)).to_have_value(f"before {LONG}after")
    expect(attached(chat)).to_have_count(0)


def test_a_pasted_text_can_be_put_back_after_a_reload(chat: Page) -> None:
    paste(chat, LONG)
    expect(attached(chat)).to_contain_text("25 kB")
    chat.reload()
    chat.get_by_role("button", name="Show pasted.txt").click()
    chat.get_by_role("button", name="Put back into the message").click()
    expect(box(chat)).to_have_value(LONG)


def test_an_image_is_shown_large(chat: Page) -> None:
    attach(chat, picture(3000, 2000))
    chat.get_by_role("button", name="Show grey.png").click()
    large = chat.get_by_role("dialog", name="grey.png").get_by_role("img", name="grey.png")
    expect(large).to_have_js_property("naturalWidth", 3000)
    expect(large).to_be_in_viewport(ratio=1)
    assert_accessible(chat)
    chat.keyboard.press("Escape")
    send(chat, script([text("Seen.")]))
    expect(answer(chat)).to_contain_text("Seen.")
    link = chat.get_by_role("article", name="You").get_by_role("link", name="Show grey.png")
    link.click()
    expect(large).to_have_js_property("naturalWidth", 3000)
    expect(large).to_be_in_viewport(ratio=1)
    shown = large.bounding_box()
    assert shown
    assert shown["height"] > 400
    chat.keyboard.press("Escape")
    expect(link).to_be_focused()


def test_a_text_near_its_limit_is_counted_and_one_beyond_it_becomes_a_file(chat: Page) -> None:
    take(chat)
    box(chat).fill("x" * 899)
    length = chat.locator(".length")
    expect(length).to_have_count(0)
    box(chat).press_sequentially("x")
    expect(length).to_have_text("900 of 1,000 characters")
    box(chat).fill("😀" * 1000)
    expect(length).to_have_text("1,000 of 1,000 characters")
    box(chat).press_sequentially("x")
    reason = chat.locator(".composer").get_by_role("alert")
    expect(reason).to_contain_text("Too long: a message may have 1,000 characters.")
    assert_accessible(chat)
    box(chat).press("Enter")
    expect(reason).to_be_visible()
    expect(chat.get_by_role("article", name="You")).to_have_count(0)
    reason.get_by_role("button", name="Make it a file").click()
    expect(attached(chat)).to_contain_text("pasted.txt")
    expect(box(chat)).to_have_value("")
    expect(reason).to_have_count(0)
    expect(length).to_have_count(0)
    chat.get_by_role("button", name="Show pasted.txt").click()
    expect(chat.get_by_role("dialog").get_by_role("region")).to_have_text("😀" * 1000 + "x")


def test_a_text_that_no_file_can_take_is_not_offered_one(chat: Page) -> None:
    take(chat, files=1)
    attach(chat, FilePayload(name="1.txt", mimeType="text/plain", buffer=b"x"))
    with chat.expect_response("**/api/limits"):
        box(chat).fill("x" * 1001)
    reason = chat.locator(".composer").get_by_role("alert")
    expect(reason).to_contain_text("Too long")
    expect(reason.get_by_role("button")).to_have_count(0)
    chat.unroute("**/api/limits")
    box(chat).fill("x" * 1002)
    chat.get_by_role("button", name="Remove 1.txt").click()
    expect(reason.get_by_role("button", name="Make it a file")).to_be_visible()
