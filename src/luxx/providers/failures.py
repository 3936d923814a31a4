"""Failures: what a provider's refusal means, and what a person can do about it."""

import email.utils
import html
import json
import math
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from typing import cast

import msgspec

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

_LONGEST_TEXT = 500
_SHORTEST_SECRET = 6
_LONGEST_WAIT_S = 24 * 3600.0

_OVERFLOW_CODES = (
    "context_length_exceeded",
    "exceed_context_size",
    "context_window",
    "model_max_prompt_tokens_exceeded",
    "tokens_limit_reached",
)
_OVERFLOW = re.compile(
    r"context[ _-]?(?:length|window|size)|maximum context|max(?:imum)? (?:prompt|input|sequence) length"
    r"|(?:prompt|input|request|message|conversation)s? (?:\w+ ){0,3}too (?:long|large)|too many (?:input )?tokens"
    r"|token count .{0,40}exceeds|exceeds? the (?:maximum|available|model'?s) .{0,30}tokens?|exceed.{0,30}max_model_len"
    r"|tokens in (?:request|prompt).{0,40}exceed|reduce (?:the|your) (?:length|message size|prompt)"
    r"|(?:prompt|input) (?:tokens?|length) .{0,40}exceed|(?:prompt|input) exceeds|exceed(?:ed|s)? model token limit"
    r"|(?:number of|total) tokens.{0,40}exceed|longer than the maximum model length|message size .{0,20}exceeds limit|range of input length"
    r"|`?inputs`?(?: tokens \+ `?\w+`?)? must (?:be <=|have less than) ",
    re.IGNORECASE,
)
_CREDIT_CODES = ("insufficient_quota", "insufficient_balance", "billing", "credit", "payment_required")
_CREDIT = re.compile(
    r"insufficient (?:balance|credit|quota|funds)|exceeded your current quota|credit balance|out of credits?"
    r"|more credits|payment required|billing",
    re.IGNORECASE,
)
# Google speaks of plans and billing even where a minute's wait helps; this is what it says when it does not.
_NOTHING_LEFT = re.compile(
    r"\blimit: 0\b|credits? (?:are |is |balance )?(?:\w+ )?(?:depleted|exhausted|used up)|prepa(?:id|yment)"
    r"|spend(?:ing)? (?:cap|limit)|insufficient|billing (?:account )?(?:is )?(?:disabled|not enabled|not active)",
    re.IGNORECASE,
)
_KEY = re.compile(
    r"(?:invalid|incorrect|missing|wrong|expired) (?:\w+ ){0,2}(?:api[ _-]?key|authentication)|api[ _-]?key (?:\w+ ){0,3}"
    r"(?:invalid|not valid|missing|expired|required)|unauthorized|authentication fail",
    re.IGNORECASE,
)
_KEY_CODES = ("invalid_api_key", "api_key_invalid", "authentication", "unauthorized", "unauthenticated", "permission")
_LIMIT_CODES = ("rate_limit", "ratelimit", "too_many_requests", "resource_exhausted", "throttl")
_FAULT_CODES = ("overloaded", "server_error", "api_error", "internal", "unavailable", "engine", "bad_gateway")
_REFUSAL_CODES = ("invalid_request", "invalid_argument", "not_found", "bad_request", "tool_use_failed", "unsupported")
_NO_MODEL = re.compile(
    r"model.{0,80}(?:not (?:found|exist)|does ?n[o']t exist|unknown|deprecated|invalid|not a valid|no access|decommission)"
    r"|(?:no such|unknown|invalid) model|model_not_found",
    re.IGNORECASE | re.DOTALL,
)
_NO_TOOLS = re.compile(
    r"(?:not support|unsupported|does ?n[o']t support|no endpoints found that support).{0,20}(?:tool|function)"
    r"|tool(?:s| use| calling).{0,30}not supported|auto.{0,5}tool choice requires",
    re.IGNORECASE,
)
_WAIT = re.compile(
    r"(?:try again|retry) (?:in|after) (?:(\d+)m(?!s))?(?:([\d.]+) ?(ms|s\b|sec|second)?)?", re.IGNORECASE
)
_DELAY = re.compile(r"(\d+(?:\.\d+)?)s")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\s]+")
# What it looks for ends at the next tag, so that a page of tags without an end is read once.
_TITLE = re.compile(r"<(?:title|h1)\b[^<>]*>\s*([^<\s][^<]*)", re.IGNORECASE)

Json = dict[str, object] | list[object] | str | int | float | bool | None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider said about a failure: its text, the words it classes it by (lower case), and the field it blames.

    `quotas` names the quotas that are used up and `wait_s` how long that lasts, as Google tells it.
    """

    text: str = ""
    words: tuple[str, ...] = ()
    param: str = ""
    status: int | None = None
    quotas: tuple[str, ...] = ()
    wait_s: float | None = None

    @property
    def of_the_day(self) -> bool:
        """Whether a quota of a whole day is used up."""
        return any("PerDay" in quota for quota in self.quotas)

    def has(self, words: Sequence[str]) -> bool:
        """Whether one of these is part of a class word."""
        return any(word in own for own in self.words for word in words)


def from_response(
    status: int, headers: Mapping[str, str], body: bytes, secrets: Iterable[str] = (), now: float | None = None
) -> ProviderError:
    """Return the error that an HTTP answer other than 2xx means. `now` is Unix time, for a Retry-After that is a date."""
    return failure(read_body(body), status, secrets, _retry_after(headers, time.time() if now is None else now))


def failure(
    report: Report, status: int | None = None, secrets: Iterable[str] = (), retry_after: float | None = None
) -> ProviderError:
    """Return the error that a report means; without a status (an error within a stream) its class words decide."""
    status = status or report.status
    text = redacted(report.text, secrets)
    said = f": {text}" if text else ""
    if not text.endswith((".", "!", "?")):
        said += "."
    number = f" ({status})" if status else ""
    match _kind(report, status):
        case "overflow":
            hint = "Start a new conversation, shorten the message, or choose a model with a larger window."
            return ContextOverflow(f"The conversation is too long for the model{number}{said} {hint}", status)
        case "auth":
            return ProviderAuth(f"The provider refused the API key{number}{said} Check this provider's key.", status)
        case "credit":
            if report.of_the_day:
                hint = "The quota of this day is used up: choose another model, or see your plan there."
                return CreditExhausted(f"The provider limits requests{number}{said} {hint}", status)
            return CreditExhausted(f"The provider wants payment{number}{said} Check your account there.", status)
        case "limit":
            waits = (retry_after, report.wait_s, _wait_in_text(report.text))
            retry_after = next((wait for wait in waits if wait is not None), None)
            hint = f"Try again in {_in_words(retry_after)}." if retry_after else "Try again a little later."
            return RateLimited(f"The provider limits requests{number}{said} {hint}", status, retry_after)
        case "timeout":
            return ProviderTimeout(f"The provider took too long{number}{said} Try again later.", status)
        case "fault":
            return ProviderOverloaded(f"The provider has a problem{number}{said} Try again later.", status)
        case _:
            return ProviderRejected(f"The provider refused the request{number}{said}{_hint(report, status)}", status)


def read_body(body: bytes) -> Report:
    """Return what an error body says, whatever its shape; JSON of any known form, a web page, or plain text."""
    text = body.decode("utf-8", "replace").strip()
    try:
        return read_error(cast("Json", json.loads(text)))
    except (ValueError, RecursionError):
        pass
    if text.startswith("<"):
        title = _TITLE.search(text)
        return Report(
            text=f'a web page, "{html.unescape(title[1][:_LONGEST_TEXT].rstrip())}"' if title else "a web page"
        )
    return Report(text=text)


def read_error(value: object) -> Report:
    """Return what an error object says: the value of ``error``, or a whole body that may wrap it."""
    if isinstance(value, list):
        items = cast("list[object]", value)
        return read_error(items[0]) if items else Report()
    if not isinstance(value, dict):
        return Report(text=value if isinstance(value, str) else "")
    fields = cast("dict[str, object]", value)
    for wrapper in ("error", "errors"):
        if inner := fields.get(wrapper):
            report = read_error(inner)
            if report.text or report.words:
                return report
    code = fields.get("code")
    numbers = [n for n in (fields.get("status_code"), fields.get("status"), code) if _is_status(n)]
    words = tuple(str(w).lower() for w in (fields.get("type"), code, fields.get("status")) if isinstance(w, str))
    details = _details(fields.get("details"))
    param = fields.get("param")
    return Report(
        text=_message(fields),
        words=words + tuple(reason.lower() for entry in details if isinstance(reason := entry.get("reason"), str)),
        param=param if isinstance(param, str) else "",
        status=int(str(numbers[0])) if numbers else None,
        quotas=_quotas(details),
        wait_s=next((wait for entry in details if (wait := _delay(entry.get("retryDelay"))) is not None), None),
    )


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a provider's text as one bounded line, without control characters and without the secrets."""
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    text = _CONTROL.sub(" ", text[: 20 * _LONGEST_TEXT]).encode("utf-8", "replace").decode().strip()
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def _kind(report: Report, status: int | None) -> str:
    if status == 429 or status == 402:
        return "credit" if status == 402 or _is_spent(report) else "limit"
    if status in (400, 403) and "credit balance" in report.text.lower():
        return "credit"
    if report.has(_OVERFLOW_CODES) or status == 413 or (_OVERFLOW.search(report.text) and status not in (401, 403)):
        return "overflow"
    if status == 401 or report.has(_KEY_CODES) or (status in (400, 403, None) and _KEY.search(report.text)):
        return "auth"
    if status == 403:
        return "auth" if not re.search(r"flagged|moderation|policy|region|country", report.text, re.I) else "refusal"
    if status is None:
        return _kind_by_words(report)
    if status == 408:
        return "timeout"
    return "fault" if status >= 500 else "refusal"


def _is_spent(report: Report) -> bool:
    if report.has(("resource_exhausted",)):
        return report.of_the_day or bool(_NOTHING_LEFT.search(report.text))
    return report.has(_CREDIT_CODES) or bool(_CREDIT.search(report.text))


def _kind_by_words(report: Report) -> str:
    if report.has(_CREDIT_CODES):
        return "credit"
    if report.has(_LIMIT_CODES) or "rate limit" in report.text.lower():
        return "limit"
    if report.has(("timeout", "timed_out")):
        return "timeout"
    return "refusal" if report.has(_REFUSAL_CODES) and not report.has(_FAULT_CODES) else "fault"


def _hint(report: Report, status: int | None) -> str:
    said = f"{report.text} {' '.join(report.words)}"
    if status is not None and 300 <= status < 400:
        return " The address redirects elsewhere: set the base URL to the address it leads to."
    if _NO_TOOLS.search(said):
        return " Turn the tools off in this conversation, or choose a model that can use them."
    if _NO_MODEL.search(report.text) or report.has(("model_not_found",)):
        return " Choose another model: the list of this provider's models shows what it serves."
    if status in (404, 405):
        return " Check this provider's base URL (it often ends in /v1) and the model's name."
    return ""


def _message(fields: dict[str, object]) -> str:
    metadata = fields.get("metadata")
    raw = cast("dict[str, object]", metadata).get("raw") if isinstance(metadata, dict) else None
    for key in ("message", "detail", "msg", "error_description", "title", "error"):
        value = fields.get(key)
        if isinstance(value, str) and value:
            return f"{value}: {raw}" if isinstance(raw, str) and raw else value
        if isinstance(value, (list, dict)) and value and key != "error":
            return _complaints(cast("Json", value))
    return ""


def _complaints(value: Json) -> str:
    """Read the ``detail`` of FastAPI servers: a list of complaints, each with the place and a message."""
    if not isinstance(value, list):
        return json.dumps(value)[: 20 * _LONGEST_TEXT]
    found: list[str] = []
    for item in value[:5]:
        fields = cast("dict[str, object]", item) if isinstance(item, dict) else {"msg": item}
        place = fields.get("loc")
        where = ".".join(str(part) for part in cast("list[object]", place)) + ": " if isinstance(place, list) else ""
        found.append(f"{where}{fields.get('msg') or fields.get('message') or ''}")
    return "; ".join(found)


def _details(value: object) -> list[dict[str, object]]:
    """Return the entries with which Google explains an error."""
    if not isinstance(value, list):
        return []
    return [cast("dict[str, object]", entry) for entry in cast("list[object]", value) if isinstance(entry, dict)]


def _quotas(details: list[dict[str, object]]) -> tuple[str, ...]:
    violations = [violation for entry in details for violation in _details(entry.get("violations"))]
    return tuple(quota for violation in violations if isinstance(quota := violation.get("quotaId"), str))


def _in_words(seconds: float) -> str:
    """Return a time to wait as a person says it, rounded up."""
    for unit, size in (("hours", 3600), ("minutes", 60)):
        if seconds > 2 * size:
            return f"{math.ceil(seconds / size)} {unit}"
    return f"{math.ceil(seconds)} s"


def _delay(value: object) -> float | None:
    found = _DELAY.fullmatch(value) if isinstance(value, str) else None
    return min(float(found[1]), _LONGEST_WAIT_S) if found else None


def _is_status(value: object) -> bool:
    if isinstance(value, str):
        return len(value) == 3 and value.isascii() and value.isdigit() and value >= "300"
    return isinstance(value, int) and 300 <= value < 600


def _retry_after(headers: Mapping[str, str], now: float) -> float | None:
    lower = {name.lower(): value.strip() for name, value in headers.items()}
    if milliseconds := _seconds(lower.get("retry-after-ms", "")):
        return milliseconds / 1000
    value = lower.get("retry-after", "")
    if (seconds := _seconds(value)) is not None:
        return seconds
    try:
        date = email.utils.parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return None
    date = date.replace(tzinfo=UTC) if date.tzinfo is None else date
    return min(max(date.timestamp() - now, 0.0), _LONGEST_WAIT_S)


def _seconds(value: str) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    return min(seconds, _LONGEST_WAIT_S) if seconds >= 0 else None


def _wait_in_text(text: str) -> float | None:
    found = _WAIT.search(text)
    if not found or not (found[1] or found[2]):
        return None
    seconds = _seconds(found[2] or "0") or 0.0
    if found[3] == "ms":
        seconds /= 1000
    elif found[2] and not found[3] and not found[1]:
        return None
    return min(int(found[1] or 0) * 60 + seconds, _LONGEST_WAIT_S)
