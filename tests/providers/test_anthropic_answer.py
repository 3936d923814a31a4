"""Answers of the Messages API, in all that its models, clouds and gateways send."""

import json

import pytest
from hypothesis import given
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
from luxx.providers.anthropic.answer import AnswerDecoder
from tests.providers.messages import (
    begin,
    block,
    call,
    decode,
    end,
    event,
    message,
    piece,
    raw,
    start,
    stop,
    text,
    thinking,
)


def test_text_is_told_as_it_comes() -> None:
    decoder = AnswerDecoder()
    assert decoder.feed(begin() + event("ping") + start(0, type="text", text="")) == []
    assert decoder.feed(piece(0, "text_delta", text="Hel") + piece(0, "text_delta", text="lo")) == [
        TextDelta("Hel"),
        TextDelta("lo"),
    ]
    assert decoder.feed(stop(0) + event("message_delta", delta={"stop_reason": "end_turn"})) == []
    assert decoder.has_reason
    assert not decoder.ended
    assert decoder.feed(event("message_stop")) == []
    assert decoder.ended


_PIECES = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5), max_size=5)


@given(_PIECES, _PIECES, st.data())
def test_a_stream_cut_anywhere_tells_the_same(said: list[str], thought: list[str], data: st.DataObject) -> None:
    body = message(
        thinking(0, *thought, signature="s"), text(1, *said), call(2, "1", "f", '{"a":', "1}"), reason="tool_use"
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=5)))
    whole = decode(body)
    assert (whole.text, whole.reasoning) == ("".join(said), "".join(thought))
    assert decode(*(body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True))).same_as(whole)


def test_line_ends_comments_and_unknown_things_do_not_matter() -> None:
    strange = (
        event("content_block_delta", index=0, delta={"type": "new_delta", "x": [1]}),
        event("something_new", data={"x": 1}),
        event("content_block_delta", index=7, delta={"type": "input_json_delta", "partial_json": "{}"}),
        event("content_block_stop", index=9),
        b": comment\n\ndata:\n\n",
        b"event: ping\ndata: not json\n\n",
    )
    body = begin() + start(0, type="text", text="") + b"".join(strange) + piece(0, "text_delta", text="a") + stop(0)
    body += block(1, type="new_block", x={"y": None}) + end()
    for form in (body, body.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + body, body.replace(b"event: ", b"x: ")):
        told = decode(form)
        assert (told.text, told.reason) == ("a", "stop")
        assert raw(told) == [{"type": "text", "text": "a", "x": [1]}, {"type": "new_block", "x": {"y": None}}]


def test_thoughts_and_their_signatures_are_kept_verbatim() -> None:
    redacted = {"type": "redacted_thinking", "data": "secret=="}
    told = decode(message(thinking(0, "h", "m", signature="sig"), block(1, **redacted), text(2, "a")))
    assert (told.reasoning, told.text) == ("hm", "a")
    assert raw(told) == [{"type": "thinking", "thinking": "hm", "signature": "sig"}, redacted]


def test_thoughts_that_are_not_shown_are_kept_all_the_same() -> None:
    told = decode(message(thinking(0, signature="sig"), text(1, "a")))
    assert told.reasoning == ""
    assert raw(told)[0] == {"type": "thinking", "thinking": "", "signature": "sig"}


def test_thoughts_between_calls_stand_where_they_came() -> None:
    body = message(
        thinking(0, "a", signature="1"), call(1, "x", "f", "{}"), thinking(2, "b", signature="2"), call(3, "y", "g", "{}"),
        reason="tool_use",
    )  # fmt: skip
    assert [part["type"] for part in raw(decode(body))] == ["thinking", "tool_use", "thinking"]


def test_an_answer_of_text_and_calls_needs_nothing_to_be_sent_back() -> None:
    told = decode(message(text(0, "a"), call(1, "x", "f", "{}", caller={"type": "direct"}), reason="tool_use"))
    assert told.finish
    assert told.raw == b""


def test_pieces_of_a_block_that_never_began_are_taken() -> None:
    told = decode(begin() + piece(0, "thinking_delta", thinking="h") + piece(1, "text_delta", text="a") + end())
    assert (told.reasoning, told.text, told.reason) == ("h", "a", "stop")


def test_pieces_that_are_not_of_their_blocks_kind_make_blocks_of_their_own() -> None:
    body = start(0, type="text", text="") + piece(0, "thinking_delta", thinking="h") + piece(0, "text_delta", text="a")
    told = decode(begin() + body + stop(0) + end())
    assert (told.reasoning, told.text, told.reason) == ("h", "a", "stop")
    assert [part["type"] for part in raw(told)] == ["text", "thinking"]


def test_pieces_without_an_index_belong_to_the_block_before_them() -> None:
    body = begin() + call(1, "x", "f", '{"a":', "1}") + text(2, "a") + end("tool_use")
    for place in (b'"index": 1, ', b'"index": 2, '):
        body = body.replace(place, b"")
    told = decode(body)
    assert (told.tools, told.done, told.text) == ([("x", "f", '{"a":1}')], {0}, "a")


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "refusal"),
        ("pause_turn", "pause_turn"),
        ("tool_use", "stop"),
        ("something_new", "something_new"),
    ],
)
def test_stop_reasons_have_one_name_each(word: str, reason: str) -> None:
    assert decode(message(text(0, "a"), reason=word)).reason == reason


def test_input_tokens_include_those_of_the_cache() -> None:
    first = begin(input_tokens=10, cache_read_input_tokens=100, cache_creation_input_tokens=20, output_tokens=1)
    told = decode(first + text(0, "a") + end(output_tokens=9, output_tokens_details={"thinking_tokens": 4}))
    assert told.finish
    assert told.finish.usage == Usage(
        input_tokens=130,
        output_tokens=9,
        total_tokens=139,
        cached_tokens=100,
        cache_write_tokens=20,
        reasoning_tokens=4,
    )


def test_tokens_written_to_the_cache_are_those_of_both_lives() -> None:
    by_life = {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4}
    for total in ({}, {"cache_creation_input_tokens": 7}):
        usage = {"input_tokens": 1, **total, "cache_creation": by_life, "output_tokens": 1}
        told = decode(
            event("message_start", message={"content": [], "usage": usage}) + text(0, "a") + end(input_tokens=1)
        )
        assert told.finish
        assert told.finish.usage == Usage(input_tokens=8, output_tokens=1, total_tokens=9, cache_write_tokens=7)


def test_figures_at_the_end_are_the_last_word_but_gaps_in_them_are_not() -> None:
    for last in ({"input_tokens": 61, "output_tokens": 2}, {"input_tokens": 61, "output_tokens": 2, "cache": None}):
        told = decode(begin(input_tokens=43, output_tokens=1) + end(**last))
        assert told.finish
        assert told.finish.usage == Usage(input_tokens=61, output_tokens=2, total_tokens=63)
    told = decode(begin(input_tokens=43, output_tokens=1) + end(input_tokens=0, output_tokens=2))
    assert told.finish
    assert told.finish.usage == Usage(input_tokens=43, output_tokens=2, total_tokens=45)


@pytest.mark.parametrize("usage", [None, "x", {"input_tokens": "many", "output_tokens": -1}, {"input_tokens": 1e400}])
def test_figures_that_are_none_are_no_figures(usage: object) -> None:
    told = decode(event("message_start", message={"usage": usage, "content": None}) + end())
    assert told.finish
    assert told.finish.usage is None


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9])
def test_a_stream_without_its_stop_reason_is_incomplete(cut: float) -> None:
    body = begin() + text(0, "abc") + call(1, "x", "f", '{"a": 1}')
    told = decode(body[: int(len(body) * cut)])
    assert isinstance(told.error, AnswerIncomplete)


def test_an_end_mark_without_a_stop_reason_is_enough_for_whole_calls_only() -> None:
    told = decode(begin() + call(0, "x", "f", "{}") + event("message_stop"))
    assert (told.reason, told.done) == ("tool_calls", {0})
    assert isinstance(decode(begin() + text(0, "a") + event("message_stop")).error, AnswerIncomplete)
    assert isinstance(decode(begin() + text(0, "a") + b"data: [DONE]\n\n").error, AnswerIncomplete)


def test_a_stream_without_its_end_mark_or_its_last_empty_line_is_whole() -> None:
    body = (
        begin() + text(0, "a") + event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 3})
    )
    assert decode(body).reason == "stop"
    assert decode(body[:-2]).reason == "stop"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"type": "overloaded_error", "message": "Overloaded"}, ProviderOverloaded),
        ({"type": "api_error", "message": "Internal server error"}, ProviderOverloaded),
        ({"type": "rate_limit_error", "message": "slow down"}, RateLimited),
        ({"type": "authentication_error", "message": "invalid x-api-key"}, ProviderAuth),
        ({"type": "permission_error", "message": "no"}, ProviderAuth),
        ({"type": "billing_error", "message": "no"}, CreditExhausted),
        ({"type": "invalid_request_error", "message": "prompt is too long: 9 tokens > 8 maximum"}, ContextOverflow),
        ({"type": "invalid_request_error", "message": "no"}, ProviderRejected),
    ],
)
def test_an_error_in_mid_stream_is_of_the_right_kind(error: dict[str, str], kind: type[ProviderError]) -> None:
    for body in (event("error", error=error), b"event: error\ndata: " + json.dumps(error).encode() + b"\n\n"):
        told = decode(begin() + text(0, "a") + call(1, "x", "f", '{"a') + body + end())
        assert type(told.error) is kind
        assert (told.text, told.done) == ("a", set())


def test_an_error_after_the_stop_reason_is_none_of_this_answer() -> None:
    body = begin() + text(0, "a") + event("message_delta", delta={"stop_reason": "end_turn"})
    assert decode(body + event("error", error={"type": "api_error", "message": "x"})).reason == "stop"


def test_what_is_no_json_cuts_the_answer() -> None:
    told = decode(begin() + text(0, "a") + b'event: content_block_delta\ndata: {"type": "content_bl\n\n' + end())
    assert isinstance(told.error, AnswerIncomplete)


def test_a_body_that_is_not_streamed_is_an_answer_too() -> None:
    content = [{"type": "thinking", "thinking": "h", "signature": "s"}, {"type": "text", "text": "a"}]
    body = {"type": "message", "content": content, "stop_reason": "end_turn", "usage": {"input_tokens": 1}}
    told = decode(json.dumps(body, indent=1).encode())
    assert (told.reasoning, told.text, told.reason) == ("h", "a", "stop")
    assert raw(told) == content[:1]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html><title>Hi</title>", ProviderRejected),
        (b'{"a":', ProviderRejected),
        (b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', ProviderOverloaded),
        (b"", AnswerIncomplete),
        (b'data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: [DONE]\n\n', AnswerIncomplete),
    ],
)
def test_what_is_no_answer_is_said_to_be_none(body: bytes, kind: type[ProviderError]) -> None:
    told = decode(body)
    assert type(told.error) is kind
    assert told.text == ""


def test_a_failure_does_not_tell_the_key() -> None:
    decoder = AnswerDecoder(secrets=["sk-ant-secret"])
    decoder.feed(event("error", error={"type": "api_error", "message": "bad sk-ant-secret"}))
    decoder.end()
    with pytest.raises(ProviderOverloaded) as caught:
        decoder.finish()
    assert "sk-ant-secret" not in caught.value.message


def test_halves_of_characters_are_joined_or_replaced() -> None:
    told = decode(
        message(text(0, "a\ud83d", "\ude00b\ud83d"), text(1, "c\0"), call(2, "x\ud83d", "f", '{"a":"\\ud83d"}'))
    )
    assert told.text == "a😀b\ufffdc\ufffd"
    assert told.tools[0][0] == "x\ufffd"


def test_an_answer_that_never_ends_is_given_up_before_it_fills_the_memory() -> None:
    decoder = AnswerDecoder()
    huge = block(0, type="web_search_tool_result", content=["x" * 9_000_000])
    for _ in range(5):
        decoder.feed(huge)
    assert decoder.ended
    with pytest.raises(ProviderOverloaded):
        decoder.finish()


def test_an_event_of_many_megabytes_is_no_answer() -> None:
    decoder = AnswerDecoder()
    decoder.feed(begin() + b"data: ")
    for _ in range(17):
        decoder.feed(b"x" * 4_000_000)
    assert decoder.ended
