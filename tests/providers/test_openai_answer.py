"""Answers in chat completions, in every dialect that providers speak."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luxx.core.deltas import TextDelta, ThinkingDelta
from luxx.core.errors import (
    AnswerIncomplete,
    ContextOverflow,
    ProviderAuth,
    ProviderError,
    ProviderOverloaded,
    ProviderRejected,
    RateLimited,
)
from luxx.core.usage import Usage
from luxx.providers.openai.answer import AnswerDecoder
from tests.providers.chat import DONE, call, calls, delta, event, text
from tests.providers.told import decode

_END = delta("stop") + DONE


def test_text_is_told_as_it_comes() -> None:
    decoder = AnswerDecoder()
    assert decoder.feed(delta(role="assistant", content="")) == []
    assert decoder.feed(delta(content="Hel") + delta(content="lo")) == [TextDelta("Hel"), TextDelta("lo")]
    assert decoder.feed(delta("stop")) == []
    assert decoder.has_reason
    assert not decoder.ended
    assert decoder.feed(DONE) == []
    assert decoder.ended


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)), st.data())
def test_a_stream_cut_anywhere_tells_the_same(pieces: list[str], data: st.DataObject) -> None:
    body = text(*pieces)
    cut = data.draw(st.integers(0, len(body)))
    whole = decode([body])
    assert whole.text == "".join(pieces)
    assert decode([body[:cut], body[cut:]]).same_as(whole)


@pytest.mark.parametrize(
    "fields",
    [
        {"reasoning_content": "r"},
        {"reasoning": "r"},
        {"reasoning": "r", "reasoning_content": "r"},
        {"reasoning": "r", "reasoning_details": [{"type": "reasoning.text", "text": "r"}]},
        {"reasoning_details": [{"type": "reasoning.text", "text": "r"}, {"type": "reasoning.encrypted", "data": "z"}]},
        {"reasoning_details": [{"type": "reasoning.summary", "summary": "r"}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "r"}]}]},
        {"content": [{"type": "thinking", "thinking": "r"}]},
    ],
)
def test_reasoning_is_found_wherever_it_stands(fields: dict[str, object]) -> None:
    told = decode([delta(**fields) + delta(content="a") + _END])
    assert (told.reasoning, told.text) == ("r", "a")


def test_reasoning_and_text_may_alternate() -> None:
    decoder = AnswerDecoder()
    body = delta(reasoning_content="r1") + delta(content="t1") + delta(reasoning_content="r2") + delta(content="t2")
    assert decoder.feed(body) == [ThinkingDelta("r1"), TextDelta("t1"), ThinkingDelta("r2"), TextDelta("t2")]


def test_content_may_be_a_list_of_parts() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "reference", "reference_ids": [1]}, "b", {"text": "c"}, 7, None]
    assert decode([delta(content=parts) + _END]).text == "abc"


def test_inline_think_tags_stay_text() -> None:
    assert decode([text("<think>r</think>a")]).text == "<think>r</think>a"


@pytest.mark.parametrize(
    "odd",
    [
        b": comment\n\n",
        b"event: ping\ndata: {}\n\n",
        b"event: ping\ndata: pong\n\n",
        b"data:\n\n",
        b"data: {}\n\n",
        b'data: {"choices":null}\n\n',
        b'data: {"choices":[]}\n\n',
        b'data: {"choices":{}}\n\n',
        b'data: {"choices":[null,7,{}]}\n\n',
        b'data: {"choices":[{"index":0,"delta":null}]}\n\n',
        b'data: {"choices":[{"index":0,"delta":[]}]}\n\n',
        b'data: {"choices":[{"index":0,"delta":{"content":null,"tool_calls":7}}]}\n\n',
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[null,{"function":null},{"function":"x"}]}}]}\n\n',
        b'data: {"choices":[{"index":1,"delta":{"content":"other"},"finish_reason":"length"}]}\n\n',
        b'data: {"choices":[{"index":0,"delta":{},"logprobs":NaN,"finish_reason":""}]}\n\n',
        b'data: {"choices":[],"usage":7,"x_groq":{"id":"x"},"error":null}\n\n',
    ],
)
def test_odd_chunks_change_nothing(odd: bytes) -> None:
    told = decode([odd + delta(content="a") + odd + delta("stop") + odd + DONE])
    assert (told.text, told.tools, told.reason, told.error) == ("a", [], "stop", None)


def test_lines_may_end_with_crlf_and_the_colon_may_have_no_space() -> None:
    body = text("a").replace(b"\n", b"\r\n").replace(b"data: ", b"data:")
    assert decode([body]).same_as(decode([text("a")]))


def test_the_end_mark_may_be_missing_and_so_may_the_last_empty_line() -> None:
    body = delta(content="a") + delta("stop")
    assert decode([body]).reason == "stop"
    assert decode([body[:-2]]).reason == "stop"
    assert decode([body + b"data: [DONE]"]).reason == "stop"


@pytest.mark.parametrize("tail", [b"", DONE, b'data: {"choices":[{"del'])
def test_without_a_finish_reason_the_answer_is_incomplete(tail: bytes) -> None:
    told = decode([delta(content="a") + tail])
    assert told.text == "a"
    assert isinstance(told.error, AnswerIncomplete)


def test_an_empty_body_is_incomplete() -> None:
    assert isinstance(decode([b""]).error, AnswerIncomplete)
    assert isinstance(decode([b"\n\n"]).error, AnswerIncomplete)


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("end_turn", "stop"),
        ("STOP", "stop"),
        ("length", "length"),
        ("max_tokens", "length"),
        ("model_length", "length"),
        ("content_filter", "content_filter"),
        ("SAFETY", "content_filter"),
        ("refusal", "refusal"),
        ("moon_phase", "moon_phase"),
    ],
)
def test_finish_reasons_get_one_word_each(word: str, reason: str) -> None:
    assert decode([delta(content="a") + delta(word) + DONE]).reason == reason


@pytest.mark.parametrize("word", ["error", "insufficient_system_resource", "network_error", "abort"])
def test_a_finish_reason_that_is_a_failure_is_one(word: str) -> None:
    told = decode([delta(content="a") + delta(word) + DONE])
    assert told.text == "a"
    assert isinstance(told.error, ProviderOverloaded)


def test_a_refusal_is_text_with_its_own_reason() -> None:
    told = decode([delta(refusal="I will ") + delta(refusal="not.") + _END])
    assert (told.text, told.reason) == ("I will not.", "refusal")


def test_an_answer_that_is_not_streamed_is_read_all_the_same() -> None:
    message = {"content": "a", "reasoning_content": "r", "tool_calls": [call(None, "i", "f", "{}")]}
    body = {"choices": [{"message": message, "finish_reason": "tool_calls"}], "usage": {"prompt_tokens": 3}}
    told = decode([b"\n" + json.dumps(body).encode()])
    assert (told.text, told.reasoning, told.tools, told.reason) == ("a", "r", [("i", "f", "{}")], "tool_calls")
    assert told.finish
    assert told.finish.usage == Usage(input_tokens=3, total_tokens=3)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<!doctype html><title>Hi</title>", ProviderRejected),
        (b'{"error":{"message":"slow down","code":429}}', RateLimited),
        (b'{"hello":', ProviderRejected),
        (b"[1, 2]", ProviderRejected),
        (b'{"model":"llama","done":false}\n{"model":"llama","done":true}\n', ProviderRejected),
        (b"data: hello\n\n", ProviderError),
    ],
)
def test_a_body_that_is_no_answer_is_an_error_that_says_so(body: bytes, kind: type[ProviderError]) -> None:
    told = decode([body[:3], body[3:]])
    assert isinstance(told.error, kind)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "x", "code": 502}, ProviderOverloaded),
        ({"message": "x", "code": "429"}, RateLimited),
        ({"message": "x", "type": "rate_limit_error"}, RateLimited),
        ({"message": "x", "type": "overloaded_error"}, ProviderOverloaded),
        ({"message": "x", "type": "invalid_request_error"}, ProviderRejected),
        ({"message": "x", "type": "authentication_error"}, ProviderAuth),
        ({"message": "maximum context length is 10", "type": "invalid_request_error"}, ContextOverflow),
        ({"message": "x", "type": "server_error", "code": None}, ProviderOverloaded),
        ("x", ProviderOverloaded),
    ],
)
@pytest.mark.parametrize("prefix", [b"", b"event: error\n"])
def test_an_error_in_mid_stream_ends_the_answer_after_what_came(
    error: object, kind: type[ProviderError], prefix: bytes
) -> None:
    told = decode([delta(content="a") + prefix + event({"error": error}) + delta(content="no") + _END])
    assert told.text == "a"
    assert isinstance(told.error, kind)
    assert type(told.error) is kind


@pytest.mark.parametrize(
    "body", [b'{"message":"x","code":503}', b"boom", b'{"object":"error","message":"x","code":503}']
)
def test_an_error_event_may_hold_anything(body: bytes) -> None:
    assert isinstance(decode([b"event: error\ndata: " + body + b"\n\n"]).error, ProviderOverloaded)


def test_an_error_after_the_finish_reason_does_not_undo_the_answer() -> None:
    told = decode([delta("length", content="a") + event({"error": {"message": "Token limit reached", "code": 400}})])
    assert (told.text, told.reason, told.error) == ("a", "length", None)


def test_a_secret_in_an_error_is_not_shown() -> None:
    decoder = AnswerDecoder(secrets=["sk-very-secret"])
    decoder.feed(event({"error": {"message": "bad key sk-very-secret", "type": "server_error"}}))
    with pytest.raises(ProviderError) as caught:
        decoder.finish()
    assert "sk-very-secret" not in str(caught.value)


_USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


@pytest.mark.parametrize(
    "body",
    [
        delta("stop") + event({"choices": [], "usage": _USAGE}) + DONE,
        delta("stop") + event({"choices": None, "usage": _USAGE}) + DONE,
        event({"choices": [], "usage": _USAGE}) + event({"usage": None}) + delta("stop"),
        event({"usage": {"prompt_tokens": 1}}) + delta("stop") + event({"usage": _USAGE}),
        event({"usage": _USAGE}) + delta("stop") + event({"usage": {"prompt_tokens": 0, "total_tokens": 0}}),
        event({"x_groq": {"usage": _USAGE}}) + delta("stop"),
        event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": _USAGE}]}),
    ],
)
def test_usage_is_found_wherever_it_stands(body: bytes) -> None:
    told = decode([body])
    assert told.finish
    assert told.finish.usage == Usage(input_tokens=10, output_tokens=5, total_tokens=15)


@pytest.mark.parametrize(
    ("fields", "usage"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 4}}, Usage(input_tokens=10, output_tokens=5, cached_tokens=4)),
        ({"prompt_cache_hit_tokens": 4}, Usage(input_tokens=10, output_tokens=5, cached_tokens=4)),
        ({"cached_tokens": 4}, Usage(input_tokens=10, output_tokens=5, cached_tokens=4)),
        (
            {"completion_tokens_details": {"reasoning_tokens": 3}},
            Usage(input_tokens=10, output_tokens=5, reasoning_tokens=3),
        ),
        (
            {"completion_tokens_details": {"reasoning_tokens": 7}, "total_tokens": 22},
            Usage(input_tokens=10, output_tokens=12, reasoning_tokens=7, total_tokens=22),
        ),
        ({"prompt_tokens_details": None, "prompt_tokens": 10.0}, Usage(input_tokens=10, output_tokens=5)),
    ],
)
def test_usage_counts_cached_and_reasoning_tokens(fields: dict[str, object], usage: Usage) -> None:
    told = decode([event({"usage": {**_USAGE, **fields}}) + delta("stop")])
    assert told.finish
    found = told.finish.usage
    assert found
    assert (found.input_tokens, found.output_tokens) == (usage.input_tokens, usage.output_tokens)
    assert (found.cached_tokens, found.reasoning_tokens) == (usage.cached_tokens, usage.reasoning_tokens)
    assert found.total_tokens == usage.total_tokens or found.total_tokens == 15


def test_no_usage_is_none() -> None:
    told = decode([text("a")])
    assert told.finish
    assert told.finish.usage is None


@pytest.mark.parametrize(
    ("told", "counted"),
    [
        (7, 7),
        (7.9, 7),
        ("7", 7),
        (2**53, 2**53),
        (1e30, 2**53),
        (10**400, 2**53),
        ("9" * 20, 2**53),
        ("9" * 5000, 0),
        (-5, 0),
        (-(10**400), 0),
        (float("nan"), 0),
        (float("inf"), 0),
        (float("-inf"), 0),
        (True, 0),
        ("many", 0),
        ("²", 0),
        ([7], 0),
        (None, 0),
    ],
)
def test_a_number_of_tokens_is_one_that_can_be_stored(told: object, counted: int) -> None:
    usage = {"prompt_tokens": told, "completion_tokens": 5, "total_tokens": told}
    finish = decode([event({"usage": usage}) + delta("stop")]).finish
    assert finish
    assert finish.usage
    assert (finish.usage.input_tokens, finish.usage.output_tokens) == (counted, 5)
    assert finish.usage.total_tokens == (counted or 5)


def test_sums_of_tokens_keep_the_bound_too() -> None:
    fields = {"prompt_tokens": 1e30, "completion_tokens": 1e30, "completion_tokens_details": {"reasoning_tokens": 1e30}}
    for usage in (fields, {**fields, "total_tokens": 1e40}):
        finish = decode([event({"usage": usage}) + delta("stop")]).finish
        assert finish
        assert finish.usage == Usage(
            input_tokens=2**53, output_tokens=2**53, total_tokens=2**53, reasoning_tokens=2**53
        )


_PAIR = "😀"
_HIGH, _LOW = "\ud83d", "\ude00"


def test_a_surrogate_pair_split_over_chunks_is_joined() -> None:
    assert decode([text("a" + _HIGH, _LOW + "b")]).text == f"a{_PAIR}b"
    assert decode([delta(reasoning=_HIGH) + delta(reasoning=_LOW) + _END]).reasoning == _PAIR
    told = decode([calls(call(0, "a", "f", '{"x":"' + _HIGH), call(0, arguments=_LOW + '"}'))])
    assert told.tools == [("a", "f", '{"x":"' + _PAIR + '"}')]


def test_lone_surrogates_and_nul_become_the_replacement_character() -> None:
    assert decode([text("a" + _HIGH, "b", _LOW + "c\0", _HIGH)]).text == "a\ufffdb\ufffdc\ufffd\ufffd"


def test_half_a_pair_stays_in_its_own_channel() -> None:
    told = decode([delta(content="a" + _HIGH) + delta(reasoning=_LOW) + delta(content="b") + _END])
    assert (told.text, told.reasoning) == ("a\ufffdb", "\ufffd")


@pytest.mark.parametrize("half", [_HIGH, _LOW, "\0"])
def test_a_reason_an_id_and_a_name_can_be_stored_whatever_the_provider_sent(half: str) -> None:
    assert decode([delta(content="a") + delta(half) + DONE]).reason == "\ufffd"
    assert decode([delta(content="a") + delta("x" * 39 + _PAIR) + DONE]).reason == "x" * 39 + _PAIR
    told = decode([delta(tool_calls=[call(0, half, half, "{}")], reasoning_content="r") + delta(half) + DONE])
    assert told.tools == [("\ufffd", "\ufffd", "{}")]
    assert (told.reason, told.error) == ("\ufffd", None)


def test_reasoning_to_be_sent_back_survives_half_a_pair_in_it() -> None:
    details = [{"type": "reasoning.encrypted", "data": "sealed", "note": _HIGH}]
    told = decode([delta(reasoning_details=details), calls(call(0, "a", "f", "{}"))])
    assert told.finish
    (kept,) = json.loads(told.raw)["fields"]["reasoning_details"]
    assert kept == {"type": "reasoning.encrypted", "data": "sealed", "note": "\ufffd"}


def test_broken_utf_8_is_replaced() -> None:
    assert decode([b'data: {"choices":[{"delta":{"content":"a\xff"},"finish_reason":"stop"}]}\n\n']).text == "a\ufffd"


def test_broken_utf_8_where_json_should_be_cuts_the_answer() -> None:
    assert isinstance(decode([b'data: {"\xff": 1}\n\n']).error, AnswerIncomplete)


@given(st.binary(max_size=60), st.data())
def test_whatever_the_bytes_the_answer_ends_with_a_finish_or_a_provider_error(junk: bytes, data: st.DataObject) -> None:
    body = text("hello", "world")
    at = data.draw(st.integers(0, len(body)))
    told = decode([body[:at], junk, body[at:]])
    assert told.finish or told.error


_NAMES = (
    *("choices", "delta", "message", "content", "tool_calls", "function", "arguments", "index", "id", "usage", "error"),
    *("code", "details", "name", "reasoning", "reasoning_details", "finish_reason", "x_groq", "text", "type"),
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=4),
    max_leaves=12,
)


@given(_JSON)
def test_whatever_the_json_the_answer_ends_with_a_finish_or_a_provider_error(value: object) -> None:
    for body in (
        event(value),
        event({"choices": [{"delta": value}]}),
        event({"choices": value}),
        json.dumps(value).encode(),
    ):
        told = decode([body + _END])
        assert told.finish or told.error
