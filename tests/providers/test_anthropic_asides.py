"""What answers of the Messages API hold beside their text: sources, searches, pauses, refusals."""

import base64
import json

from luxx.core.deltas import FileDelta, NoticeDelta, SourceDelta, TextDelta, ThinkingDelta
from luxx.core.usage import Usage
from luxx.providers.anthropic.answer import AnswerDecoder
from tests.providers.messages import (
    begin,
    block,
    call,
    decode,
    end,
    message,
    piece,
    raw,
    start,
    stop,
    text,
    thinking,
)


def test_a_refusal_says_why() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "Not that."}
    told = decode(begin() + end("refusal", details))
    assert (told.text, told.reason) == ("", "refusal")
    assert told.notices == [NoticeDelta(kind="refusal", text="Not that.")]


def _search(index: int, query: str) -> bytes:
    return call(index, "srvtoolu_1", "web_search", json.dumps({"query": query}), kind="server_tool_use")


def test_what_the_provider_does_by_itself_is_told_and_kept() -> None:
    found = {
        "type": "web_search_tool_result",
        "tool_use_id": "srvtoolu_1",
        "content": [{"url": "https://a", "title": "A"}],
    }
    told = decode(message(_search(0, "cats"), block(1, **found), text(2, "a")))
    assert told.notices == [NoticeDelta(kind="web_search", text="Searched the web: cats")]
    assert told.tools == []
    assert raw(told)[:2] == [
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "cats"}},
        found,
    ]


def test_a_server_tool_that_fails_says_so() -> None:
    error = {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"}
    failed = block(1, type="web_search_tool_result", tool_use_id="srvtoolu_1", content=error)
    told = decode(message(_search(0, "cats"), failed))
    assert told.notices[1].text == "Searched the web: it failed (max_uses_exceeded)."


def test_other_things_that_are_no_part_of_the_answer_are_told() -> None:
    told = decode(
        message(
            call(0, "m", "ask", "{}", kind="mcp_tool_use", server_name="wiki"),
            block(1, type="mcp_tool_result", tool_use_id="m", is_error=True, content=[]),
            block(2, type="fallback", **{"from": {"model": "big"}, "to": {"model": "small"}}),
            start(3, type="compaction", content=None) + piece(3, "compaction_delta", content="So far.") + stop(3),
            call(4, "c", "code_execution", '{"code": "1\\n+1"}', kind="server_tool_use"),
            call(5, "n", "new\ntool", "{}", kind="server_tool_use"),
        )
    )
    assert [notice.text for notice in told.notices] == [
        "Used ask of wiki.",
        "mcp: it failed.",
        "small answers in place of big.",
        "The provider shortened the conversation to a summary.",
        "Ran code: 1 +1",
        "Used new tool.",
    ]
    assert raw(told)[3] == {"type": "compaction", "content": "So far."}


def test_sources_are_told_once_each_and_kept_where_they_were_cited() -> None:
    def cite(url: str, quote: str) -> bytes:
        citation = {"type": "web_search_result_location", "url": url, "title": "A &amp; B", "cited_text": quote}
        return piece(0, "citations_delta", citation={**citation, "encrypted_index": "e"})

    body = start(0, type="text", text="", citations=[]) + piece(0, "text_delta", text="a")
    body += (
        cite("https://a", "it&#x27;s ") + cite("https://b", "") + cite("https://a", "more") + cite("javascript:x", "")
    )
    told = decode(message(body + stop(0)))
    assert told.sources == [
        SourceDelta(url="https://a", title="A & B", quote="it's"),
        SourceDelta(url="https://b", title="A & B"),
    ]
    assert [citation["cited_text"] for citation in raw(told)[0]["citations"]] == ["it&#x27;s ", "", "more", ""]


def test_an_image_in_the_answer_is_a_file() -> None:
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(b"png").decode()}
    told = decode(message(block(0, type="image", source=source), block(1, type="image", source={"data": "?"})))
    assert told.files == [FileDelta(data=b"png")]


def test_an_answer_that_goes_on_after_a_pause_is_one() -> None:
    decoder = AnswerDecoder()
    decoder.feed(begin(input_tokens=5, output_tokens=1) + text(0, "a") + _search(1, "cats") + end("pause_turn"))
    assert decoder.end() == []
    assert decoder.finish().reason == "pause_turn"
    assert [part["type"] for part in decoder.go_on()] == ["text", "server_tool_use"]
    result = block(0, type="web_search_tool_result", tool_use_id="srvtoolu_1", content=[])
    second = begin(input_tokens=7, output_tokens=1) + result + thinking(1, "h", signature="s") + text(2, "b") + end()
    assert [d for d in decoder.feed(second) if isinstance(d, ThinkingDelta | TextDelta)] == [
        ThinkingDelta("h"),
        TextDelta("b"),
    ]
    assert decoder.finish().usage == Usage(input_tokens=12, output_tokens=2, total_tokens=14)


def test_a_refusal_without_an_explanation_names_its_category() -> None:
    told = decode(begin() + end("refusal", {"type": "refusal", "category": "frontier_llm", "explanation": None}))
    assert told.notices == [NoticeDelta(kind="refusal", text="The provider does not allow this (frontier llm).")]


def test_an_answer_that_pauses_after_a_compaction_goes_on() -> None:
    condensed = start(0, type="compaction", content=None) + piece(0, "compaction_delta", content="So far: cats.")
    decoder = AnswerDecoder()
    decoder.feed(begin(input_tokens=5) + condensed + stop(0) + end("compaction"))
    assert decoder.finish().reason == "pause_turn"
    assert decoder.go_on() == [{"type": "compaction", "content": "So far: cats."}]


def test_what_a_compaction_took_is_added_to_the_usage_once() -> None:
    spent = {"type": "compaction", "input_tokens": 100, "output_tokens": 20, "cache_read_input_tokens": 30}
    written = {"cache_creation_input_tokens": 7, "cache_creation": {"ephemeral_1h_input_tokens": 7}}
    iterations = [{**spent, **written}, {"type": "message", "input_tokens": 5, "output_tokens": 2}]
    told = decode(begin(input_tokens=5) + text(0, "a") + end(input_tokens=5, output_tokens=2, iterations=iterations))
    assert told.finish
    assert told.finish.usage == Usage(
        input_tokens=142, output_tokens=22, total_tokens=164, cached_tokens=30, cache_write_tokens=7
    )


def test_a_call_that_was_cut_when_another_model_took_over_is_not_run() -> None:
    taken = {"type": "fallback", "from": {"model": "claude-fable-5"}, "to": {"model": "claude-opus-4-8"}}
    cut = call(0, "t", "f", '{"path": "/etc')
    bare = call(0, "t", "f")
    for first in (cut, cut.removesuffix(stop(0)), bare):
        told = decode(message(first, block(1, **taken), text(2, "No."), reason="end_turn"))
        assert (told.whole_tools, told.text, told.reason) == ([], "No.", "stop")
        assert [part["type"] for part in raw(told)] == ["fallback"]
