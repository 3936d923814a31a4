"""The answer decoder of generateContent: what each shape of stream gives, however it is cut."""

import base64
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luxx.core.deltas import FileDelta, SourceDelta
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
from tests.providers.generate_content import call, chunk, decode, event, raw_of, said

PIXEL = base64.b64encode(b"\x89PNG pixels").decode()


def test_thoughts_are_thinking_and_text_is_text() -> None:
    told = decode([said({"text": "hm ", "thought": True}), said({"text": "yes"}), said({"text": "."}, finish="STOP")])
    assert (told.reasoning, told.text, told.reason) == ("hm ", "yes.", "stop")


def test_plain_text_wants_nothing_back() -> None:
    told = decode([said({"text": "hm", "thought": True}), said({"text": "yes"}, finish="STOP")])
    assert raw_of(told) == []


def test_signatures_stay_on_their_own_parts_and_other_texts_are_joined() -> None:
    told = decode(
        [
            said({"text": "I think", "thought": True}),
            said({"text": "a"}),
            said({"text": "b"}),
            said({"text": "c", "thoughtSignature": "S1"}),
            said({"text": "d"}),
            said(call("f", {"x": 1}, signature="S2")),
            said(call("g", {})),
            said({"text": "", "thoughtSignature": "S3"}, finish="STOP"),
        ]
    )
    assert told.text == "abcd"
    assert raw_of(told) == [
        {"text": "ab"},
        {"text": "c", "thoughtSignature": "S1"},
        {"text": "d"},
        {"functionCall": {"name": "f", "args": {"x": 1}}, "thoughtSignature": "S2"},
        {"functionCall": {"name": "g", "args": {}}},
        {"text": "", "thoughtSignature": "S3"},
    ]


def test_a_signed_thought_is_shown_and_kept() -> None:
    told = decode([said({"text": "hm", "thought": True, "thoughtSignature": "S"}), said({"text": "a"}, finish="STOP")])
    assert told.reasoning == "hm"
    assert raw_of(told) == [{"text": "hm", "thought": True, "thoughtSignature": "S"}]


def test_a_part_that_is_only_a_signature_is_kept() -> None:
    told = decode([said({"text": "a"}), said({"thoughtSignature": "S"}, finish="STOP")])
    assert raw_of(told) == [{"text": "a"}, {"thoughtSignature": "S"}]


def test_unknown_parts_change_nothing_and_are_kept() -> None:
    part = {"holograph": {"deep": [1, {"é": None}]}}
    told = decode([said({"text": "a"}, part, {"text": "b"}, finish="STOP")])
    assert (told.text, told.reason) == ("ab", "stop")
    assert raw_of(told) == [{"text": "a"}, part]


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("SPII", "content_filter"),
        ("BLOCKLIST", "content_filter"),
        ("LANGUAGE", "content_filter"),
        ("IMAGE_SAFETY", "content_filter"),
        ("ESCALATION", "content_filter"),
        ("PUP_LIMITED_DISABLED", "content_filter"),
        ("OTHER", "other"),
        ("A_NEW_REASON", "a_new_reason"),
    ],
)
def test_finish_reasons(word: str, reason: str) -> None:
    assert decode([said({"text": "a"}, finish=word)]).reason == reason


def test_a_filtered_answer_says_why() -> None:
    told = decode([said({"text": "a"}), said(finish="SAFETY", finishMessage="Too hot.")])
    assert [(n.kind, n.text) for n in told.notices] == [
        ("content_filter", "The provider stopped the answer (SAFETY). Too hot.")
    ]


def test_a_blocked_request_is_an_empty_answer_that_says_why() -> None:
    told = decode([event({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {}})])
    assert (told.text, told.reason) == ("", "content_filter")
    assert "PROHIBITED_CONTENT" in told.notices[0].text


@pytest.mark.parametrize("word", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"])
def test_a_broken_call_may_be_asked_for_again(word: str) -> None:
    told = decode([said(finish=word, finishMessage="Malformed function call: print(f(")])
    assert isinstance(told.error, ProviderOverloaded)
    assert told.error.retryable
    assert "print(f(" in told.error.message
    assert ("not valid" in told.error.message) == (word != "TOO_MANY_TOOL_CALLS")


def test_whole_calls_before_a_broken_one_are_run() -> None:
    told = decode([said(call("f", {})), said(finish="MALFORMED_FUNCTION_CALL")])
    assert (told.whole_tools, told.reason) == ([("", "f", "{}")], "tool_calls")


def test_an_empty_stop_after_a_thought_is_an_empty_answer() -> None:
    told = decode([said({"text": "hm", "thought": True}), said(finish="STOP", usage={"promptTokenCount": 3})])
    assert (told.text, told.reasoning, told.reason) == ("", "hm", "stop")


def test_a_stream_without_a_finish_reason_is_incomplete() -> None:
    for pieces in ([], [said({"text": "a"})], [said({"text": "a"}, finish="FINISH_REASON_UNSPECIFIED")]):
        told = decode(pieces)
        assert isinstance(told.error, AnswerIncomplete)


def test_a_reason_with_every_event_ends_nothing_early() -> None:
    told = decode([said({"text": "a"}, finish="STOP"), said({"text": "b"}, finish="STOP"), said(finish="MAX_TOKENS")])
    assert (told.text, told.reason) == ("ab", "length")


def test_the_last_event_twice_gives_no_call_twice() -> None:
    last = said(call("f", {"x": 1}, id="1"), finish="STOP")
    told = decode([last, last])
    assert told.tools == [("1", "f", '{"x": 1}')]


def test_usage_is_the_last_word_on_each_count() -> None:
    told = decode(
        [
            said({"text": "a"}, usage={"promptTokenCount": 15, "totalTokenCount": 15, "cachedContentTokenCount": 4}),
            said({"text": "b"}, usage={"trafficType": "ON_DEMAND"}),
            said(
                finish="STOP",
                usage={
                    "promptTokenCount": 13,
                    "toolUsePromptTokenCount": 2,
                    "candidatesTokenCount": 8,
                    "thoughtsTokenCount": 5,
                    "totalTokenCount": 28,
                },
            ),
        ]
    )
    assert told.finish
    assert told.finish.usage == Usage(
        input_tokens=15, output_tokens=13, total_tokens=28, cached_tokens=4, reasoning_tokens=5
    )


def test_thoughts_that_a_gateway_counts_among_the_output_are_not_counted_twice() -> None:
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 8, "thoughtsTokenCount": 5, "totalTokenCount": 18}
    told = decode([said({"text": "a"}, finish="STOP", usage=usage)])
    assert told.finish
    assert told.finish.usage == Usage(input_tokens=10, output_tokens=8, total_tokens=18, reasoning_tokens=5)


@pytest.mark.parametrize(
    "usage", [{"promptTokenCount": "x"}, {"promptTokenCount": -1}, {"promptTokenCount": True}, [1]]
)
def test_odd_usage_is_no_usage(usage: object) -> None:
    told = decode([said({"text": "a"}, finish="STOP", usage=usage)])
    assert told.finish
    assert told.finish.usage is None


def test_images_are_files_and_their_content_is_not_kept_twice() -> None:
    image = {"inlineData": {"mimeType": "image/png", "data": PIXEL}, "thoughtSignature": "S"}
    draft = {"inlineData": {"mimeType": "image/png", "data": PIXEL}, "thought": True}
    told = decode([said(draft), said({"text": "Here: "}, image), said(image, finish="STOP")])
    assert told.files == [
        FileDelta(data=b"\x89PNG pixels", name="image-1.png"),
        FileDelta(data=b"\x89PNG pixels", name="image-2.png"),
    ]
    assert raw_of(told) == [
        {"text": "Here: "},
        {"inlineData": {"mimeType": "image/png", "luxxFile": 0}, "thoughtSignature": "S"},
        {"inlineData": {"mimeType": "image/png", "luxxFile": 1}, "thoughtSignature": "S"},
    ]


@pytest.mark.parametrize("data", ["?", "", "a"])
def test_an_image_that_cannot_be_read_is_told_of(data: str) -> None:
    image = {"inlineData": {"mimeType": "image/png", "data": data}, "thoughtSignature": "S"}
    told = decode([said({"text": "a"}, image, {"text": "b"}, finish="STOP")])
    assert (told.text, told.files) == ("ab", [])
    assert [notice.text for notice in told.notices] == [
        "An image of the model was not kept: what came of it cannot be read."
    ]


def test_code_that_the_provider_ran_is_noted_and_kept() -> None:
    code = {"executableCode": {"language": "PYTHON", "code": "print(1)"}, "thoughtSignature": "S"}
    result = {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}}
    told = decode([said({"text": "a"}, code, result, {"text": "b"}, finish="STOP")])
    assert [(n.kind, n.text) for n in told.notices] == [
        ("code_execution", "Ran code:\nprint(1)"),
        ("code_execution", "The code gave:\n1"),
    ]
    assert raw_of(told) == [{"text": "a"}, code, result]


def test_tools_of_the_provider_are_noted_and_kept() -> None:
    used = {"toolCall": {"id": "t", "toolType": "GOOGLE_SEARCH_WEB", "args": {}}, "thoughtSignature": "S"}
    gave = {"toolResponse": {"id": "t", "toolType": "GOOGLE_SEARCH_WEB", "response": {"x": 1}}}
    told = decode([said(used, gave, {"text": "a"}, finish="STOP")])
    assert [n.kind for n in told.notices] == ["google_search_web"]
    assert raw_of(told) == [used, gave]


def test_sources_and_searches_are_told_once() -> None:
    web = {"web": {"uri": "https://a.example/1", "title": "A"}}
    context = {"retrievedContext": {"uri": "https://b.example/2", "title": "B", "text": "the passage"}}
    searched = {"webSearchQueries": ["q1", "q2"], "imageSearchQueries": ["q2", "q3"]}
    grounding = {**searched, "groundingChunks": [web, context, web, {"odd": 1}]}
    cited = {"citationSources": [{"uri": "https://c.example/3", "startIndex": 1}]}
    told = decode(
        [
            said({"text": "a"}, groundingMetadata=grounding),
            said({"text": "b"}, finish="STOP", groundingMetadata=grounding, citationMetadata=cited),
        ]
    )
    assert told.sources == [
        SourceDelta(url="https://a.example/1", title="A"),
        SourceDelta(url="https://b.example/2", title="B", quote="the passage"),
        SourceDelta(url="https://c.example/3"),
    ]
    assert [(n.kind, n.text) for n in told.notices] == [("web_search", "Searched the web: q1; q2; q3")]
    assert told.text == "ab"


def test_files_of_the_provider_are_sources_too() -> None:
    found = {"retrievedContext": {"title": "a.pdf", "text": "Of a.", "fileSearchStore": "fileSearchStores/1"}}
    told = decode([said({"text": "a"}, finish="STOP", groundingMetadata={"groundingChunks": [found, found]})])
    assert told.sources == [SourceDelta(url="gemini-file:a.pdf", title="a.pdf", quote="Of a.")]


def test_other_candidates_are_passed_over() -> None:
    both = chunk({"text": "right"}, finish="STOP")
    both["candidates"].insert(0, {"index": 1, "content": {"parts": [{"text": "wrong"}]}, "finishReason": "SAFETY"})
    told = decode([event(both)])
    assert (told.text, told.reason) == ("right", "stop")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}, ProviderOverloaded),
        ({"code": 500, "message": "Internal error.", "status": "INTERNAL"}, ProviderOverloaded),
        ({"code": 429, "message": "Resource has been exhausted.", "status": "RESOURCE_EXHAUSTED"}, RateLimited),
        ({"message": "Slow down", "status": "RESOURCE_EXHAUSTED"}, RateLimited),
        ({"code": 401, "message": "No.", "status": "UNAUTHENTICATED"}, ProviderAuth),
        (
            {"code": 400, "message": "The input token count (9) exceeds the maximum number of tokens allowed (8)."},
            ContextOverflow,
        ),
    ],
)
def test_an_error_in_mid_stream_has_its_kind(error: dict[str, object], kind: type[ProviderError]) -> None:
    text = said({"text": "a"})
    bare = json.dumps({"error": error}, indent=2).encode()
    for pieces in (
        [text, event({"error": error})],
        [text, b"event: error\n" + event(error)],
        [text, event([{"error": error}])],
        [text, bare],
        [b"[" + json.dumps(chunk({"text": "a"})).encode() + b",\r\n" + bare + b"]"],
    ):
        told = decode(pieces)
        assert told.text == "a"
        assert type(told.error) is kind


def test_an_error_after_the_finish_reason_is_none_of_the_answer() -> None:
    told = decode([said({"text": "a"}, finish="STOP"), event({"error": {"code": 500, "message": "late"}})])
    assert (told.text, told.reason) == ("a", "stop")


def test_a_stream_of_another_format_is_an_error_that_says_so() -> None:
    told = decode([event({"choices": [{"delta": {"content": "hi"}}]}), b"data: [DONE]\n\n"])
    assert isinstance(told.error, ProviderRejected)
    assert "generateContent" in told.error.message


def test_a_web_page_is_an_error() -> None:
    assert isinstance(decode([b"<!doctype html><title>Sign in</title>"]).error, ProviderRejected)


def test_comments_crlf_unknown_events_and_names_in_snake_case_are_taken() -> None:
    body = (
        b"\xef\xbb\xbf: hello\r\n\r\nevent: ping\r\ndata: {}\r\n\r\n"
        b'data: {"candidates": [{"content": {"parts": [{"text": "a"}]}}],\r\ndata: "usage_metadata": {"prompt_token_count": 2}}'
        b'\r\n\r\ndata: {"candidates": [{"content": {"parts": [{"function_call": {"name": "f"}, "thought_signature": "S"}]},'
        b' "finish_reason": "STOP"}]}'
    )
    for size in (1, 5, len(body)):
        told = decode([body[i : i + size] for i in range(0, len(body), size)])
        assert (told.text, told.tools, told.reason) == ("a", [("", "f", "{}")], "tool_calls")
        assert told.finish
        assert told.finish.usage == Usage(input_tokens=2, total_tokens=2)
        assert raw_of(told)[1]["thought_signature"] == "S"


def test_events_in_a_wrapper_and_events_of_nothing_are_taken() -> None:
    told = decode([event(None), event({"response": chunk({"text": "a"}, finish="STOP"), "traceId": "t"}), event([])])
    assert (told.text, told.reason) == ("a", "stop")


def test_something_that_is_not_json_cuts_the_answer() -> None:
    assert isinstance(decode([said({"text": "a"}), b"data: {oh\n\n"]).error, AnswerIncomplete)


CHUNKS = [
    chunk({"text": 'a"}{[\\'}, usage={"promptTokenCount": 1}),
    chunk({"text": "👩‍👩‍👧 \u2028"}, call("f", {"x": ['"', "\\"]})),
    chunk(finish="STOP"),
]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("form", ["array", "lines", "events"])
def test_every_framing_gives_the_same_however_it_is_cut(form: str, indent: int | None) -> None:
    texts = [json.dumps(one, indent=indent if form != "lines" else None) for one in CHUNKS]
    body = {
        "array": "[" + "\n,\r\n".join(texts) + "\n]\n",
        "lines": "\n".join(texts),
        "events": "".join("".join(f"data: {line}\n" for line in text.split("\n")) + "\n" for text in texts),
    }[form].encode()
    whole = decode([body])
    assert (whole.text, whole.tools) == ('a"}{[\\👩‍👩‍👧 \u2028', [("", "f", '{"x": ["\\"", "\\\\"]}')])
    assert whole.reason == "tool_calls"
    dice = random.Random(form)
    for size in (1, 2, 3, dice.randrange(4, 50), 400):
        assert decode([body[i : i + size] for i in range(0, len(body), size)]).same_as(whole)


def test_a_json_array_that_is_cut_is_incomplete() -> None:
    body = json.dumps(CHUNKS).encode()
    for end in (len(body) // 3, len(body) - 60):
        assert isinstance(decode([body[:end]]).error, AnswerIncomplete)


def test_surrogates_split_over_parts_are_joined_in_the_raw_too() -> None:
    told = decode(
        [
            said({"text": "a\ud83d"}),
            said({"text": "\ude00\ud83d"}),
            said(call("f\ud800", {"\ud83d": "\udc00\0"}), finish="STOP"),
        ]
    )
    assert told.text == "a😀\ufffd"
    assert told.tools == [("", "f\ufffd", '{"\ufffd": "\ufffd\ufffd"}')]
    assert raw_of(told)[0] == {"text": "a😀\ufffd"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
_NAMES = (
    "text", "thought", "thoughtSignature", "functionCall", "inlineData", "executableCode", "name", "args", "id",
    "partialArgs", "willContinue", "data", "mimeType", "parts", "content", "toolCall", "codeExecutionResult",
)  # fmt: skip
odd_parts = st.dictionaries(
    st.sampled_from(_NAMES), json_values | st.dictionaries(st.sampled_from(_NAMES), json_values)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(odd_parts | json_values, max_size=3), max_size=4), json_values)
def test_no_shape_of_a_part_breaks_an_answer(parts: list[list[object]], metadata: object) -> None:
    pieces = [event({"candidates": [{"content": {"parts": some}, "groundingMetadata": metadata}]}) for some in parts]
    body = b"".join([*pieces, event({"candidates": metadata, "usageMetadata": metadata}), said(finish="STOP")])
    told = decode([body])
    assert told.finish or told.error
    assert decode([body[i : i + 7] for i in range(0, len(body), 7)]).same_as(told)
