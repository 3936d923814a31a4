"""Quirks: what an endpoint refused of a request, and what is to be left out or put otherwise in the next."""

import re

import msgspec

from luxx.core.prompts import ModelRequest
from luxx.providers.anthropic.traits import Mode, Off
from luxx.providers.failures import Report

_MAX_TOKENS = re.compile(
    r"max_tokens\W+(?:\d+\W+>\W+)(?P<a>\d+)"
    r"|max_tokens.{0,80}?(?:less than(?: or equal to)?|at most|maximum(?: allowed)?(?: value)?(?: is| of)?|<=|≤)\W*(?P<b>\d+)"
    r"|range of max_tokens is \[\d+,\s*(?P<c>\d+)\]"
    r"|exceeds? the model limit of (?P<d>\d+)",
    re.IGNORECASE,
)
_ROOM = re.compile(r"exceed context limit:\s*(?P<input>\d+)\s*\+\s*\d+\s*>\s*(?P<window>\d+)", re.IGNORECASE)
_SAFETY_MARGIN = 64
_FEWEST_TOKENS = 256
_UNSUPPORTED = re.compile(
    r"support|deprecat|not permitted|not allowed|unrecognized|unknown|unexpected|invalid|may only be set|extra inputs|must be"
    r"|does not match any of the expected|cannot be (?:specified|used|set)|not available",
    re.IGNORECASE,
)
_OUT_OF_RANGE = re.compile(r"range: 0|less than|greater than|between 0|at most|at least", re.IGNORECASE)
_HISTORY = re.compile(
    r"signature|blocks? in the latest assistant message cannot be modified|bound to a different (?:conversation|model|account)"
    r"|messages\.\d+\.content\.\d+.{0,120}(?:does not match any of the expected tags|redacted_thinking|thinking\.)"
    r"|expected `?(?:thinking|redacted_thinking)|unexpected `?tool_use_id|encrypted_(?:content|index)|server_tool_use"
    r"|_tool_result|container",
    re.IGNORECASE,
)
_BAD_TYPE = re.compile(
    r"input tag '(?P<tag>\w+)' found|thinking\.type\.(?P<type>\w+)\W{1,4}(?:is )?not supported"
    r"|(?P<mode>adaptive) thinking.{0,30}not (?:supported|available)"
)
_BAD_FILE = re.compile(
    r"could not process (?:image|pdf|document)|image exceeds|image dimensions|(?:pdf|document).{0,40}(?:password|not valid|pages)"
    r"|not match the provided media type|invalid (?:image|pdf|base64)",
    re.IGNORECASE,
)
_NO_FILES = re.compile(
    r"(?:image|document|pdf|media).{0,60}(?:not support|unsupported|does ?n[o']t support|not allowed|not available)"
    r"|(?:not support|unsupported).{0,40}(?:image|document|pdf|vision)|input tag '(?:image|document)' found",
    re.IGNORECASE,
)


class Quirks(msgspec.Struct, frozen=True, kw_only=True):
    """What an endpoint does not take of a model's requests. `mode` and `off` replace those of the model's traits."""

    mode: Mode | None = None
    off: Off | None = None
    max_tokens: int | None = None
    no_temperature: bool = False
    no_display: bool = False
    no_effort: bool = False
    no_cache: bool = False
    no_files: bool = False


class Relief(msgspec.Struct, frozen=True, kw_only=True):
    """What helps with a refusal: for all requests for the model, for its conversation, or for this request only.

    `left_out` says how often files are to be left out, the newest first.
    """

    quirks: Quirks
    plain: bool = False
    left_out: int = 0
    room: int | None = None


def relief_for(report: Report, request: ModelRequest, known: Relief) -> Relief | None:
    """Return what to do about a refusal (400, 413 or 422) in addition to what is known, None if nothing would help."""
    said = f"{report.param} {report.text}"
    lower = said.lower()
    if room := _room(said):
        return msgspec.structs.replace(known, room=room) if room != known.room else None
    if limit := _limit(said):
        lower_limit = limit if known.quirks.max_tokens is None else min(limit, known.quirks.max_tokens - 1)
        return _quirk(known, max_tokens=lower_limit) if lower_limit >= _FEWEST_TOKENS else None
    if _BAD_FILE.search(said) or report.has(("request_too_large",)):
        return msgspec.structs.replace(known, left_out=known.left_out + 1)
    if not _UNSUPPORTED.search(said) and not _HISTORY.search(said):
        return None
    if "temperature" in lower and request.temperature is not None:
        return None if _OUT_OF_RANGE.search(said) else _quirk(known, no_temperature=True)
    if "cache_control" in lower:
        return _quirk(known, no_cache=True)
    if _NO_FILES.search(said):
        return _quirk(known, no_files=True)
    if _is_about_history(lower):
        return None if known.plain else msgspec.structs.replace(known, plain=True)
    return _about_thinking(lower, known)


def _is_about_history(lower: str) -> bool:
    return "messages" in lower and _HISTORY.search(lower) is not None


def _about_thinking(lower: str, known: Relief) -> Relief | None:
    if "display" in lower:
        return _quirk(known, no_display=True)
    if "effort" in lower and "thinking.type" not in lower:
        return _quirk(known, no_effort=True)
    if "thinking" not in lower:
        return None
    found = _BAD_TYPE.search(lower)
    match found and (found["tag"] or found["type"] or found["mode"]):
        case "disabled" if "between_tools" in lower and known.quirks.off is None:
            return _quirk(known, off="between_tools")
        case "disabled" | "between_tools":
            return _quirk(known, off="low" if known.quirks.off != "low" else "omit")
        case "enabled" if known.quirks.mode is None:
            return _quirk(known, mode="adaptive")
        case "adaptive" if known.quirks.mode is None:
            return _quirk(known, mode="budget")
        case _:
            return _quirk(known, mode="none", off="omit")


def _quirk(known: Relief, **fields: object) -> Relief | None:
    quirks = msgspec.structs.replace(known.quirks, **fields)
    return None if quirks == known.quirks else msgspec.structs.replace(known, quirks=quirks)


def _limit(said: str) -> int | None:
    found = _MAX_TOKENS.search(said)
    return int(next(group for group in found.groups() if group)[:12]) if found else None


def _room(said: str) -> int | None:
    """Return the tokens that are left for an answer, which older models do not work out for themselves."""
    found = _ROOM.search(said)
    room = int(found["window"][:12]) - int(found["input"][:12]) - _SAFETY_MARGIN if found else 0
    return room if room >= _FEWEST_TOKENS else None
