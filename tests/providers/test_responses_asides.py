"""What a Responses stream holds besides text, thinking and calls."""

import base64
from typing import Any

import pytest

from luxx.core.deltas import FileDelta, NoticeDelta, SourceDelta
from tests.providers.responses import (
    added,
    completed,
    decode,
    done,
    event,
    message,
    only_done,
    text_delta,
)

_PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)


def test_sources_are_told_once() -> None:
    note = {"type": "url_citation", "url": "https://a.example/", "title": "A", "start_index": 0, "end_index": 1}
    file = {"type": "file_citation", "file_id": "file-1", "filename": "a.pdf", "index": 1}
    nested = {"type": "url_citation", "url_citation": {"url": "https://b.example/", "title": "B"}}
    whole = message({"type": "output_text", "text": "a", "annotations": [note, note, file, nested, 7, {"type": "x"}]})
    told = decode(
        text_delta("a"),
        event("response.output_text.annotation.added", annotation=note),
        done(0, whole),
        completed(whole),
    )
    assert told.sources == [
        SourceDelta(url="https://a.example/", title="A"),
        SourceDelta(url="openai-file:file-1", title="a.pdf"),
        SourceDelta(url="https://b.example/", title="B"),
    ]


@pytest.mark.parametrize(
    ("item", "kind", "text"),
    [
        (
            {"type": "web_search_call", "action": {"type": "search", "query": "q"}},
            "web_search",
            'Searched the web for "q".',
        ),
        ({"type": "web_search_call"}, "web_search", "Searched the web."),
        ({"type": "web_search_call", "action": {"type": "open_page", "url": "u"}}, "web_search", "Opened u."),
        (
            {"type": "web_search_call", "action": {"type": "find_in_page", "url": "u", "pattern": "p"}},
            "web_search",
            'Looked for "p" in u.',
        ),
        ({"type": "file_search_call", "queries": ["a", "b"]}, "file_search", 'files for "a", "b".'),
        ({"type": "code_interpreter_call", "code": "1+1"}, "code_interpreter", "Ran code:\n1+1"),
        ({"type": "computer_call", "call_id": "c"}, "computer", "not possible"),
        ({"type": "mcp_call", "name": "t", "server_label": "s", "error": {"message": "no"}}, "mcp", "It failed: no"),
        ({"type": "mcp_approval_request", "name": "t", "server_label": "s"}, "mcp_approval_request", "cannot be given"),
        ({"type": "custom_tool_call", "call_id": "c", "name": "t"}, "custom_tool", '"t"'),
        ({"type": "local_shell_call", "call_id": "c"}, "local_shell", "not possible"),
        ({"type": "image_generation_call", "result": None}, "image_generation", "none came"),
        ({"type": "shiny_new_call"}, "shiny_new", "shiny_new"),
    ],
)
def test_what_the_provider_does_itself_is_a_notice(item: dict[str, Any], kind: str, text: str) -> None:
    told = decode(added(0, {**item, "id": "x"}), done(0, {**item, "id": "x"}), completed({**item, "id": "x"}))
    (notice,) = told.notices
    assert notice.kind == kind
    assert text in notice.text
    assert told.reason == "stop"


def test_a_long_notice_is_cut() -> None:
    (notice,) = decode(only_done({"type": "code_interpreter_call", "id": "c", "code": "x" * 100_000})).notices
    assert isinstance(notice, NoticeDelta)
    assert len(notice.text) == 2000


def test_an_image_comes_once_as_a_file() -> None:
    image = {"type": "image_generation_call", "id": "ig", "status": "completed", "output_format": "webp"}
    whole = {**image, "result": base64.b64encode(_PNG).decode()}
    preview = event(
        "response.image_generation_call.partial_image", item_id="ig", output_index=0, partial_image_b64="AAAA"
    )
    told = decode(added(0, image), preview, done(0, whole), completed(whole))
    assert told.files == [FileDelta(data=_PNG, name="image.webp")]
    assert told.finish
    assert whole["result"].encode() not in told.raw


def test_the_last_preview_stands_for_an_image_that_does_not_come() -> None:
    image = {"type": "image_generation_call", "id": "ig"}
    preview = event("response.image_generation_call.partial_image", item_id="ig", partial_image_b64="QUJD")
    assert decode(added(0, image), preview, done(0, image), completed(image)).files[0].data == b"ABC"


def test_a_drawing_in_svg_is_called_so() -> None:
    drawing = {"type": "image_generation_call", "id": "ig", "output_format": "svg", "result": "PHN2Zy8+"}
    assert decode(only_done(drawing)).files == [FileDelta(data=b"<svg/>", name="image.svg")]
