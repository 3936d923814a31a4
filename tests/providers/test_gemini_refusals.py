"""Google's errors: limits that pass, quotas that are used up, and the rest."""

import json
from typing import Any

import pytest

from luxx.core.errors import (
    ContextOverflow,
    CreditExhausted,
    ProviderAuth,
    ProviderError,
    ProviderOverloaded,
    ProviderRejected,
    RateLimited,
)
from luxx.providers.failures import failure, from_response, read_body

QUOTA = "You exceeded your current quota, please check your plan and billing details."


def _limit(message: str = QUOTA, quota: str = "", delay: str = "") -> dict[str, Any]:
    details: list[dict[str, Any]] = []
    if quota:
        details.append({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": quota}]})
    if delay:
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay})
    return {"error": {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED", "details": details}}


def _both(error: dict[str, Any]) -> list[ProviderError]:
    """Return what the error means as an answer, as one in a list, and within a stream."""
    body = json.dumps(error).encode()
    return [from_response(429, {}, body), from_response(429, {}, b"[" + body + b"]"), failure(read_body(body))]


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (_limit(quota="GenerateRequestsPerMinutePerProjectPerModel-FreeTier", delay="34.4s"), 34.4),
        (_limit(delay="7s"), 7.0),
        (_limit(f"{QUOTA}\n* Quota exceeded for metric: x, limit: 10\nPlease retry in 38.5s."), 38.5),
        (_limit(), None),
        (_limit("Resource has been exhausted (e.g. check quota)."), None),
        (_limit(delay="soon"), None),
    ],
)
def test_a_limit_that_passes_is_no_matter_of_payment(error: dict[str, Any], wait: float | None) -> None:
    for found in _both(error):
        assert type(found) is RateLimited
        assert found.retry_after == wait
        assert found.retryable


def test_the_header_says_best_when_to_come_back() -> None:
    found = from_response(429, {"Retry-After": "3"}, json.dumps(_limit(delay="9s")).encode())
    assert isinstance(found, RateLimited)
    assert found.retry_after == 3.0
    assert "3 s" in found.message


@pytest.mark.parametrize(
    "error",
    [
        _limit(quota="GenerateRequestsPerDayPerProjectPerModel-FreeTier", delay="34s"),
        _limit(f"{QUOTA}\n* Quota exceeded for metric: x, limit: 0, model: y\nPlease retry in 5s."),
        _limit("Your prepayment credits are depleted."),
    ],
)
def test_a_quota_that_is_used_up_is_not_asked_for_again(error: dict[str, Any]) -> None:
    for found in _both(error):
        assert type(found) is CreditExhausted
        assert not found.retryable


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"message": "API key expired.", "details": [{"reason": "API_KEY_INVALID"}]}, ProviderAuth),
        (403, {"message": "Permission denied.", "status": "PERMISSION_DENIED"}, ProviderAuth),
        (404, {"message": "models/x is not found for API version v1beta", "status": "NOT_FOUND"}, ProviderRejected),
        (503, {"message": "The model is overloaded.", "status": "UNAVAILABLE"}, ProviderOverloaded),
        (
            400,
            {"message": "The input token count (9) exceeds the maximum number of tokens allowed (8)."},
            ContextOverflow,
        ),
        (400, {"message": "User location is not supported for the API use."}, ProviderRejected),
    ],
)
def test_other_refusals_have_their_kinds(status: int, error: dict[str, Any], kind: type[ProviderError]) -> None:
    found = from_response(status, {}, json.dumps({"error": {"code": status, **error}}).encode())
    assert type(found) is kind
    assert error["message"] in found.message


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"error": 1}', b'{"error": {"details": 1}}', b"<html>", b"\xff"]
)
def test_no_body_breaks_the_reading(body: bytes) -> None:
    assert type(from_response(429, {}, body)) is RateLimited
    assert isinstance(failure(read_body(body)), ProviderError)


def test_secrets_are_kept_out() -> None:
    for found in (from_response(429, {}, b'{"error": {"message": "AIza-secret"}}', ("AIza-secret",)),):
        assert "AIza-secret" not in found.message
