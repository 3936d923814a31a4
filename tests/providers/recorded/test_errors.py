"""Recorded 4xx answers: each gives the right error with a text that helps."""

import pytest

from luxx.core.errors import ContextOverflow, ProviderAuth, ProviderError, ProviderRejected, RateLimited
from luxx.providers.failures import from_response
from tests.providers import cassettes

_KINDS: dict[str, type[ProviderError]] = {
    "No tool output found": ProviderRejected,
    "maximum context length is 200000": ContextOverflow,
    "Authentication Fails": ProviderAuth,
    "API key not valid": ProviderAuth,
    "RateLimitReached": RateLimited,
    "exceeds the context window": ContextOverflow,
    "input token count (1250074)": ContextOverflow,
    "Incorrect API key": ProviderAuth,
    "Invalid API key": ProviderAuth,
    "Missing Authentication header": ProviderAuth,
    "Unauthorized": ProviderAuth,
    "Rate limit exceeded": RateLimited,
    "Error while downloading": ProviderRejected,
    "has been deprecated": ProviderRejected,
    "does not exist": ProviderRejected,
    "temperature value of 1000": ProviderRejected,
    "model identifier is invalid": ProviderRejected,
}


@pytest.mark.parametrize("refusal", cassettes.refusals(), ids=lambda r: f"{r.provider}-{r.status}")
def test_a_recorded_refusal_gives_the_right_error_and_says_what_to_do(refusal: cassettes.Refusal) -> None:
    error = from_response(refusal.status, refusal.plain_headers, refusal.body.encode())
    (kind,) = {kind for said, kind in _KINDS.items() if said in refusal.body}
    assert type(error) is kind
    assert error.status == refusal.status
    assert f"({refusal.status})" in error.message
    assert len(error.message) < 800
    if isinstance(error, RateLimited) and "Retry-After" in refusal.headers:
        assert error.retry_after == 1.0
    if kind is not ProviderRejected:
        assert error.message.count(". ") >= 1
