"""Recorded errors of Google's APIs: each gives the right error."""

import pytest

from luxx.core.errors import ContextOverflow, ProviderAuth, ProviderError, ProviderRejected, RateLimited
from luxx.providers.failures import failure, from_response, read_body
from tests.providers import cassettes

_KINDS: dict[str, type[ProviderError]] = {
    "API key not valid": ProviderAuth,
    "input token count": ContextOverflow,
    "temperature value of 1000": ProviderRejected,
    "RESOURCE_EXHAUSTED": RateLimited,
}
_GOOGLES = [refusal for refusal in cassettes.refusals() if refusal.provider in ("gemini", "vertex")]


@pytest.mark.parametrize("refusal", _GOOGLES, ids=lambda r: f"{r.provider}-{r.status}")
def test_a_recorded_refusal_of_google_gives_the_right_error(refusal: cassettes.Refusal) -> None:
    kind = next(kind for said, kind in _KINDS.items() if said in refusal.body)
    body = refusal.body.encode()
    answered = from_response(refusal.status, refusal.plain_headers, body)
    assert type(answered) is kind
    assert answered.status == refusal.status
    assert type(failure(read_body(b"[" + body + b"]"))) is kind
