"""Refusals: what Google's errors mean; its quotas speak of plans and billing even where a minute's wait helps."""

import math
import re
from collections.abc import Iterable, Mapping

from luxx.core.errors import CreditExhausted, ProviderError, RateLimited
from luxx.providers.failures import failure, from_response, read_body, redacted
from luxx.providers.gemini.values import as_object, decode, object_at, objects, objects_at, text_at

_LONGEST_WAIT_S = 24 * 3600.0
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)s")
_WAIT = re.compile(r"retry in (\d+(?:\.\d+)?)s", re.IGNORECASE)
_NOTHING_LEFT = re.compile(
    r"\blimit: 0\b|credits? (?:are |is |balance )?(?:\w+ )?(?:depleted|exhausted|used up)|prepa(?:id|yment)"
    r"|spend(?:ing)? (?:cap|limit)|insufficient|billing (?:account )?(?:is )?(?:disabled|not enabled|not active)",
    re.IGNORECASE,
)


def from_answer(status: int, headers: Mapping[str, str], body: bytes, secrets: Iterable[str] = ()) -> ProviderError:
    """Return the error that an HTTP answer other than 2xx means."""
    error = from_response(status, headers, body, secrets)
    limit = from_response(status, headers, b"")
    return _settled(error, body, secrets, limit.retry_after if isinstance(limit, RateLimited) else None)


def from_stream(body: bytes, secrets: Iterable[str] = ()) -> ProviderError:
    """Return the error that an error object within a stream means."""
    return _settled(failure(read_body(body), secrets=secrets), body, secrets, None)


def _settled(error: ProviderError, body: bytes, secrets: Iterable[str], wait: float | None) -> ProviderError:
    """Tell a limit that passes from a quota that is used up; the limit's own figures say how long it lasts."""
    if not isinstance(error, RateLimited) or error.status == 402:
        return error
    said = redacted(read_body(body).text, secrets)
    number = f" ({error.status})" if error.status else ""
    reason = f": {said}" if said else ""
    if not said.endswith((".", "!", "?")):
        reason += "."
    details = _details(body)
    if _NOTHING_LEFT.search(said):
        return CreditExhausted(f"The provider wants payment{number}{reason} Check your account there.", error.status)
    if any("PerDay" in text_at(v, "quotaId") for d in details for v in objects_at(d, "violations")):
        hint = "The quota of this day is used up: choose another model, or see your plan there."
        return CreditExhausted(f"The provider limits requests{number}{reason} {hint}", error.status)
    wait = _wait(details, said) if wait is None else wait
    hint = f"Try again in {math.ceil(wait)} s." if wait else "Try again a little later."
    return RateLimited(f"The provider limits requests{number}{reason} {hint}", error.status, wait)


def _wait(details: list[dict[str, object]], said: str) -> float | None:
    delays = [_SECONDS.fullmatch(text_at(detail, "retryDelay")) for detail in details]
    found = next((delay for delay in delays if delay), None) or _WAIT.search(said)
    return min(float(found[1]), _LONGEST_WAIT_S) if found else None


def _details(body: bytes) -> list[dict[str, object]]:
    try:
        value = decode(body)
    except ValueError:
        return []
    fields = as_object(value) or (objects(value) or [{}])[0]
    return objects_at(object_at(fields, "error") or fields, "details")
