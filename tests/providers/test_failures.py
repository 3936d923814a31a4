"""What a provider's refusal means."""

import email.utils
import json

import pytest

from luxx.core.errors import (
    ContextOverflow,
    CreditExhausted,
    ProviderAuth,
    ProviderError,
    ProviderOverloaded,
    ProviderRejected,
    ProviderTimeout,
    RateLimited,
)
from luxx.providers.failures import from_response

QUOTA = "You exceeded your current quota, please check your plan and billing details."


def _error(status: int, body: object = "", headers: dict[str, str] | None = None, **more: object) -> ProviderError:
    data = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else json.dumps(body).encode()
    return from_response(status, headers or {}, data, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
        "request (9031 tokens) exceeds the available context size (8192 tokens), try increasing it",
        "The input token count (1250074) exceeds the maximum number of tokens allowed (1048576).",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "Input is too long for requested model.",
        "Please reduce the length of the messages or completion.",
        "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
        "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
        "This model's maximum prompt length is 131072 but the request contains 200000 tokens.",
        "Invalid request: Your request exceeded model token limit: 8192, the prompt exceeds the context size",
        "Invalid request: Your request exceeded model token limit: 8192",
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000 `inputs` tokens",
        "`inputs` must have less than 8192 tokens. Given: 9000",
        "The decoder prompt (length 9000) is longer than the maximum model length of 4096.",
        "Prompt exceeds max length",
        "Range of input length should be [1, 30720]",
        "Total tokens of image and text exceed max message tokens",
        "total message size 5242880 exceeds limit 4194304",
    ],
)
@pytest.mark.parametrize("status", [400, 500])
def test_a_conversation_that_is_too_long_is_recognised_in_all_wordings(message: str, status: int) -> None:
    assert type(_error(status, {"error": {"message": message}})) is ContextOverflow


@pytest.mark.parametrize("code", ["context_length_exceeded", "exceed_context_size_error", "tokens_limit_reached"])
def test_a_code_for_a_conversation_that_is_too_long_is_enough(code: str) -> None:
    assert type(_error(400, {"error": {"message": "no", "code": code}})) is ContextOverflow
    assert type(_error(400, {"error": {"message": "no", "type": code}})) is ContextOverflow


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, "max_tokens is too large: 9", ProviderRejected),
        (400, {"error": {"message": "API key not valid. Please pass a valid API key."}}, ProviderAuth),
        (400, {"error": {"message": "x", "details": [{"reason": "API_KEY_INVALID"}]}}, ProviderAuth),
        (401, "", ProviderAuth),
        (402, {"error": {"message": "Insufficient Balance"}}, CreditExhausted),
        (403, {"error": {"message": "no access to model gpt-9"}}, ProviderAuth),
        (403, {"error": {"message": "Your input was flagged by moderation"}}, ProviderRejected),
        (404, "404 page not found", ProviderRejected),
        (408, "", ProviderTimeout),
        (413, "", ContextOverflow),
        (418, "", ProviderRejected),
        (422, {"detail": [{"loc": ["body", "tools", 0], "msg": "Extra inputs"}]}, ProviderRejected),
        (429, {"error": {"message": "slow", "code": "rate_limit_exceeded"}}, RateLimited),
        (429, {"error": {"message": "x", "code": "insufficient_quota"}}, CreditExhausted),
        (429, {"error": {"message": "You exceeded your current quota, check your plan and billing"}}, CreditExhausted),
        (500, {"error": "boom"}, ProviderOverloaded),
        (502, "<html><head><title>502 Bad Gateway</title></head></html>", ProviderOverloaded),
        (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, ProviderOverloaded),
        (307, "", ProviderRejected),
    ],
)
def test_each_refusal_has_its_kind(status: int, body: object, kind: type[ProviderError]) -> None:
    error = _error(status, body)
    assert type(error) is kind
    assert error.status == status
    assert f"({status})" in error.message


def test_only_a_limit_that_passes_is_worth_another_try() -> None:
    assert _error(429).retryable
    assert not _error(402).retryable


@pytest.mark.parametrize(
    ("status", "body", "hint"),
    [
        (404, "not found", "base URL"),
        (404, {"error": {"message": "The model `x` does not exist", "code": "model_not_found"}}, "another model"),
        (400, {"error": {"message": "registry/x does not support tools"}}, "tools off"),
        (301, "", "redirects"),
        (401, {"error": {"message": "no"}}, "key"),
        (400, {"error": {"message": "maximum context length"}}, "new conversation"),
        (503, "", "later"),
    ],
)
def test_the_text_says_what_to_do(status: int, body: object, hint: str) -> None:
    assert hint in _error(status, body).message


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After": "7"}, "", 7.0),
        ({"retry-after": "1.5"}, "", 1.5),
        ({"retry-after-ms": "250", "retry-after": "1"}, "", 0.25),
        ({"Retry-After": email.utils.formatdate(1_000_060, usegmt=True)}, "", 60.0),
        ({"Retry-After": email.utils.formatdate(999_000, usegmt=True)}, "", 0.0),
        ({"Retry-After": "soon"}, "", None),
        ({"Retry-After": "-1"}, "", None),
        ({"Retry-After": "nan"}, "", None),
        ({"Retry-After": "inf"}, "", 86400.0),
        ({}, {"error": {"message": "Please try again in 1.2s."}}, 1.2),
        ({}, {"error": {"message": "Please try again in 6m0s."}}, 360.0),
        ({}, {"error": {"message": "Please try again in 340ms."}}, 0.34),
        ({}, {"error": {"message": "try again in a while"}}, None),
        ({}, "", None),
    ],
)
def test_a_rate_limit_says_how_long_to_wait(headers: dict[str, str], body: object, seconds: float | None) -> None:
    error = _error(429, body, headers, now=1_000_000.0)
    assert isinstance(error, RateLimited)
    assert error.retry_after == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [("1.2", "2 s"), ("90", "90 s"), ("130", "3 minutes"), ("7200", "120 minutes"), ("30000", "9 hours")],
)
def test_a_rate_limit_says_the_wait_in_words(seconds: str, said: str) -> None:
    assert _error(429, "", {"Retry-After": seconds}).message.endswith(f"Try again in {said}.")


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "the words"}},
        {"error": "the words"},
        {"message": "the words"},
        {"object": "error", "message": "the words", "code": 400},
        {"detail": "the words"},
        {"detail": {"error": "the words"}},
        {"detail": [{"msg": "the words"}]},
        {"errors": [{"message": "the words"}]},
        [{"error": {"message": "the words"}}],
        {"error": {"message": "Provider returned error", "metadata": {"raw": "the words"}}},
        "the words",
    ],
)
def test_the_providers_words_are_found_in_any_shape(body: object) -> None:
    assert "the words" in _error(400, body).message


@pytest.mark.parametrize(
    "body", ["", "null", "[]", "{}", '{"error":null}', '{"error":{}}', b"\xff\xfe", "[" * 9999, "7"]
)
def test_a_body_that_says_nothing_is_no_trouble(body: object) -> None:
    assert "(400)" in _error(400, body).message


def test_a_web_page_is_told_by_its_title() -> None:
    page = "<!DOCTYPE html><html><head><title>502 &amp; Bad</title><style>x</style></head>" + "y" * 9000
    message = _error(502, page).message
    assert 'a web page, "502 & Bad"' in message
    assert "style" not in message


@pytest.mark.parametrize("tag", ["<h1>", "<h1", "<title>", "<title x", "<h1>&#" + "9" * 5_000])
def test_a_web_page_of_tags_without_an_end_is_read_once(tag: str) -> None:
    """Read anew from each tag, it would stand still for minutes."""
    assert "a web page" in _error(502, tag * (1_000_000 // len(tag))).message


def test_secrets_control_characters_and_length_are_kept_out_of_the_text() -> None:
    key = "sk-" + "k" * 40
    text = "a\x1b[31m\n\tb " + "x" * 480 + key
    message = _error(400, {"error": {"message": text}}, secrets=[key, "", "ab"]).message
    assert "\x1b" not in message
    assert "\n" not in message
    assert "kkk" not in message
    assert len(message) < 650


def test_half_a_surrogate_pair_does_not_spoil_the_text() -> None:
    assert _error(400, b'{"error":{"message":"a\\ud83d"}}').message.encode()


@pytest.mark.parametrize(
    ("error", "kind", "wait"),
    [
        ({"message": QUOTA, "type": "insufficient_quota", "code": "insufficient_quota"}, CreditExhausted, None),
        ({"message": QUOTA}, CreditExhausted, None),
        ({"message": f"{QUOTA} Please retry in 23.4s.", "status": "RESOURCE_EXHAUSTED"}, RateLimited, 23.4),
        (
            {"message": QUOTA, "status": "RESOURCE_EXHAUSTED", "details": [{"retryDelay": "7s"}, {"violations": [1]}]},
            RateLimited,
            7.0,
        ),
        (
            {"message": QUOTA, "status": "RESOURCE_EXHAUSTED", "details": [{"violations": [{"quotaId": "APerDay"}]}]},
            CreditExhausted,
            None,
        ),
        ({"message": f"{QUOTA} limit: 0", "status": "RESOURCE_EXHAUSTED"}, CreditExhausted, None),
    ],
)
def test_a_quota_that_passes_is_told_from_one_that_is_used_up(
    error: dict[str, object], kind: type[RateLimited], wait: float | None
) -> None:
    for body in ({"error": {"code": 429, **error}}, [{"error": {"code": 429, **error}}]):
        found = from_response(429, {}, json.dumps(body).encode())
        assert isinstance(found, RateLimited)
        assert (type(found), found.retry_after) == (kind, wait)
