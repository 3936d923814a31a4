"""The ends and the failures of a Responses stream, and bytes that come cut anywhere."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luxx.core.deltas import TextDelta
from luxx.core.errors import (
    AnswerIncomplete,
    ContextOverflow,
    CreditExhausted,
    ProviderAuth,
    ProviderError,
    ProviderOverloaded,
    ProviderRejected,
    RateLimited,
)
from luxx.core.usage import Usage
from luxx.providers.responses.answer import AnswerDecoder
from tests.providers.responses import (
    added,
    call,
    completed,
    data,
    decode,
    done,
    event,
    message,
    only_done,
    reasoning,
    text_delta,
)
from tests.providers.told import decode_with

_TEXT = message("Hello")
_CALL = call(arguments='{"x": 1}')


def _arguments(piece: str, index: int = 0, **more: object) -> bytes:
    fields = {"output_index": index, "item_id": f"fc_{index}", **more}
    return event("response.function_call_arguments.delta", delta=piece, **fields)


def _thought(piece: str, part: int = 0, index: int = 0, **more: object) -> bytes:
    fields = {"output_index": index, "item_id": f"rs_{index}", "summary_index": part, **more}
    return event("response.reasoning_summary_text.delta", delta=piece, **fields)


def test_a_response_that_is_not_streamed_is_an_answer() -> None:
    body = {"object": "response", "status": "completed", "output": [reasoning("hm"), _TEXT, _CALL]}
    told = decode(json.dumps(body).encode())
    assert (told.reasoning, told.text, told.reason) == ("hm", "Hello", "tool_calls")
    assert told.done == {0}


@pytest.mark.parametrize("status", ["in_progress", "queued"])
def test_a_response_that_is_still_to_come_is_no_answer(status: str) -> None:
    assert isinstance(decode(json.dumps({"status": status, "output": []}).encode()).error, AnswerIncomplete)


@pytest.mark.parametrize(
    ("details", "reason"),
    [
        ({"reason": "max_output_tokens"}, "length"),
        ({"reason": "content_filter"}, "content_filter"),
        ({"reason": "pause"}, "pause"),
        (None, "length"),
        ({"reason": 7}, "length"),
    ],
)
def test_an_incomplete_response_says_why(details: object, reason: str) -> None:
    assert decode(text_delta("a"), completed(kind="incomplete", incomplete_details=details)).reason == reason


def test_the_status_of_the_response_wins_over_the_name_of_its_event() -> None:
    end = event("response.completed", response={"status": "incomplete", "incomplete_details": {"reason": "x"}})
    assert decode(text_delta("a"), end).reason == "x"
    assert decode(text_delta("a"), event("response.completed")).reason == "stop"
    assert decode(text_delta("a"), event("response.completed", response={"status": "in_progress"})).reason == "stop"


def test_a_refusal_is_told_as_text_and_as_the_reason() -> None:
    refusal = {"type": "refusal", "refusal": "I cannot."}
    told = decode(
        event("response.refusal.delta", delta="I can", output_index=0, content_index=0),
        event("response.refusal.done", refusal="I cannot.", output_index=0, content_index=0),
        completed(message(refusal)),
    )
    assert (told.text, told.reason) == ("I cannot.", "refusal")
    assert (decode(only_done(message(refusal))).text, decode(only_done(message(refusal))).reason) == (
        "I cannot.",
        "refusal",
    )


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "rate_limit_exceeded", "message": "Please try again in 1.5s."}, RateLimited),
        ({"code": "data_residency_mismatch", "message": "This project keeps its data in the EU."}, ProviderRejected),
        ({"code": "insufficient_quota", "message": "You exceeded your current quota"}, CreditExhausted),
        ({"code": "context_length_exceeded", "message": "Your input exceeds the context window"}, ContextOverflow),
        ({"code": "invalid_api_key", "message": "Incorrect API key provided"}, ProviderAuth),
        ({"code": "server_error", "message": "An error occurred"}, ProviderOverloaded),
        ({"code": "invalid_prompt", "message": "flagged"}, ProviderRejected),
        ({"code": "image_too_large", "message": "too big"}, ProviderRejected),
        ({"code": "unheard_of", "message": "?"}, ProviderOverloaded),
        (None, ProviderOverloaded),
    ],
)
def test_a_failure_in_mid_stream_is_the_right_error(error: dict[str, Any] | None, kind: type[ProviderError]) -> None:
    ends = [completed(kind="failed", error=error)]
    if error:
        ends += [
            event("error", **{**error, "param": None}),
            event("error", error={"type": "x", **error}),
            data(error={"type": "x", **error}),
            b"event: error\ndata: " + json.dumps({"error": error}).encode() + b"\n\n",
        ]
    for end in ends:
        told = decode(text_delta("a"), end)
        assert type(told.error) is kind
        assert told.text == "a"
        if isinstance(told.error, RateLimited) and not isinstance(told.error, CreditExhausted):
            assert told.error.retry_after == 1.5


def test_what_failed_with_items_in_it_still_shows_them_and_runs_nothing() -> None:
    told = decode(added(0, call(arguments="")), _arguments('{"x"'), completed(_TEXT, kind="failed", error=None))
    assert told.text == "Hello"
    assert told.done == set()
    assert isinstance(told.error, ProviderOverloaded)


def test_the_secret_is_taken_out_of_an_error() -> None:
    decoder = AnswerDecoder(["sk-secret"])
    told = decode_with(decoder, [event("error", code="server_error", message="no sk-secret")])
    assert told.error
    assert "sk-secret" not in told.error.message


@pytest.mark.parametrize("end", [b"", b"data: [DONE]\n\n"])
def test_a_stream_without_the_end_of_its_response_is_incomplete(end: bytes) -> None:
    assert isinstance(decode(text_delta("a"), end).error, AnswerIncomplete)
    assert isinstance(decode(end).error, AnswerIncomplete)


def test_the_end_mark_of_chat_completions_is_enough_if_all_items_are_done() -> None:
    assert decode(done(0, _TEXT), b"data: [DONE]\n\n").reason == "stop"
    assert decode(done(0, _TEXT), b"data: [DONE]").reason == "stop"
    assert isinstance(decode(done(0, _TEXT)).error, AnswerIncomplete)


def test_an_end_without_its_last_empty_line_is_an_end() -> None:
    assert decode(text_delta("a"), completed().rstrip()).reason == "stop"
    assert isinstance(decode(text_delta("a"), completed().rstrip()[:-1]).error, AnswerIncomplete)


def test_what_is_no_json_in_mid_answer_cuts_it() -> None:
    assert isinstance(decode(text_delta("a"), b'data: {"type": \n\n', completed()).error, AnswerIncomplete)


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"choices": []}', b"[]", b"{", b'{"error": {"message": "no"}}'])
def test_a_body_that_is_no_response_is_an_error(body: bytes) -> None:
    assert isinstance(decode(body).error, ProviderError)


def test_events_that_nobody_knows_bring_nothing() -> None:
    told = decode(
        b": a comment\n\nevent: ping\ndata: {}\n\n",
        event("keepalive"),
        event("response.shiny.new", item=7, delta={"a": 1}),
        event("response.output_item.added", item=7, output_index="x"),
        event("response.output_text.delta", delta=None),
        event("response.content_part.done", part=[]),
        text_delta("a", output_index=True, content_index=-1),
        completed(_TEXT | {"content": None}),
    )
    assert (told.text, told.reason) == ("a", "stop")


def test_usage_is_told_with_its_details() -> None:
    spent = {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 17,
    }
    told = decode(text_delta("a"), completed(usage=spent))
    assert told.finish
    whole = Usage(input_tokens=10, output_tokens=7, total_tokens=17, cached_tokens=4, reasoning_tokens=5)
    assert told.finish.usage == whole
    assert decode(text_delta("a"), completed(usage={"input_tokens": -1, "output_tokens": "x"})).finish


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(0, 5000), max_size=12), crlf=st.booleans())
def test_cuts_and_line_ends_change_nothing(cuts: list[int], crlf: bool) -> None:
    body = b"".join(
        [
            _thought("h\ud83d"),
            _thought("\ude00m"),
            text_delta("日本\ud83d", 1),
            text_delta("\ude00 \0", 1),
            done(2, _CALL),
            completed(),
        ]
    )
    body = body.replace(b"\n", b"\r\n") if crlf else body
    edges = [0, *sorted(cut % len(body) for cut in cuts), len(body)]
    told = decode_with(AnswerDecoder(), [body[a:b] for a, b in pairwise(edges)])
    assert (told.reasoning, told.text) == ("h😀m", "日本😀 \ufffd")
    assert told.same_as(decode(body))


def test_a_long_text_costs_linear_time() -> None:
    whole = "word " * 15_000
    decoder = AnswerDecoder()
    deltas = [delta for _ in range(15_000) for delta in decoder.feed(text_delta("word "))]
    deltas += decoder.feed(done(0, message(whole)) + completed(message(whole)))
    assert all(isinstance(delta, TextDelta) for delta in deltas)
    assert len(deltas) == 15_000


def test_an_event_without_an_end_is_given_up_before_it_fills_the_memory() -> None:
    decoder = AnswerDecoder()
    piece = b"x" * (16 * 1024 * 1024)
    deltas = [delta for part in (b'data: {"', *[piece] * 5) if not decoder.ended for delta in decoder.feed(part)]
    assert deltas == []
    with pytest.raises(ProviderOverloaded):
        decoder.finish()


_NAMES = (
    *("response.output_item.added", "response.output_item.done", "response.completed", "response.content_part.done"),
    *("response.output_text.delta", "response.output_text.done", "response.reasoning_text.delta", "response.x"),
    *("response.function_call_arguments.delta", "response.function_call_arguments.done", "response.refusal.delta"),
    *("response.reasoning_summary_text.done", "response.output_text.annotation.added", "response.incomplete", "error"),
)
_FIELDS = (
    "item",
    "item_id",
    "output_index",
    "content_index",
    "delta",
    "text",
    "arguments",
    "part",
    "annotation",
    "error",
)
_KINDS = ("message", "reasoning", "function_call", "web_search_call", "image_generation_call", "mcp_call", "compaction")
_SCALARS = st.none() | st.booleans() | st.integers(-2, 3) | st.sampled_from(["", "a", "{}", "\ud83d", "\0", "msg_0"])
_OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        **{name: _SCALARS for name in ("id", "call_id", "name", "status", "text", "result", "encrypted_content")},
        "type": st.sampled_from((*_KINDS, "output_text", "refusal", "url_citation")) | _SCALARS,
        "arguments": _SCALARS | st.dictionaries(st.text(max_size=2), _SCALARS, max_size=2),
    },
)
_PARTS = st.lists(_SCALARS | _OBJECTS, max_size=3)
_ITEMS = st.builds(lambda item, parts: {**item, "content": parts, "summary": parts}, _OBJECTS, _PARTS | _SCALARS)
_VALUES = _SCALARS | _ITEMS | _PARTS
_RESPONSES = st.fixed_dictionaries(
    {}, optional={"output": st.lists(_ITEMS, max_size=3), "status": _SCALARS, "usage": _VALUES}
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(_NAMES), st.dictionaries(st.sampled_from(_FIELDS), _VALUES), _RESPONSES | _VALUES),
        max_size=12,
    )
)
def test_nothing_that_a_provider_sends_breaks_the_decoder(events: list[tuple[str, dict[str, Any], Any]]) -> None:
    pieces = [event(name, response=response, **fields) for name, fields, response in events]
    told = decode(*pieces, completed())
    assert told.finish or told.error
