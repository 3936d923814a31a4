"""Effort: how a model is told how much to think, or not to; what a host or a model does not know is found out by refusals."""

import re
from collections.abc import Collection
from typing import Any, Literal

from luxx.core.prompts import ModelRequest, Thinking
from luxx.providers.failures import Report
from luxx.providers.openai.reasoning import refuses_thoughts

EffortQuirk = Literal["no_effort", "no_none", "no_minimal", "no_low", "no_medium", "no_high", "no_switch"]
"""No effort at all, a level, or the host's own switch that is not taken."""

_Level = Literal["none", "minimal", "low", "medium", "high"]

_LEVELS: dict[Thinking, tuple[_Level, ...]] = {
    "off": ("none", "minimal", "low"),
    "low": ("low",),
    "medium": ("medium",),
    "high": ("high",),
}
_QUIRKS: dict[_Level, EffortQuirk] = {
    "none": "no_none",
    "minimal": "no_minimal",
    "low": "no_low",
    "medium": "no_medium",
    "high": "no_high",
}
_NOTHING: dict[str, Any] = {}
_DISABLED = {"thinking": {"type": "disabled"}}
# Hosts whose models think unless they are told not to, with a field of their own. Source: their makers' documentation.
_SWITCHES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("api.deepseek.com", _DISABLED),
    ("api.moonshot.ai", _DISABLED),
    ("api.moonshot.cn", _DISABLED),
    ("api.z.ai", _DISABLED),
    ("open.bigmodel.cn", _DISABLED),
    ("aliyuncs.com", {"enable_thinking": False}),
)
_VALUE = re.compile(r"value|variant|\benum|one of|\bexpected|should be|must be|does not support ['\"`]", re.IGNORECASE)
_NO_FIELD = re.compile(
    r"argument|extra_forbidden|unsupported parameter|unknown (?:parameter|field|name)|extra inputs", re.IGNORECASE
)
_REFUSED = "unsupported|unknown|unrecognized|unexpected|invalid"
_KIND = r"(?:parameter|argument|field|name|key|property|value|option|type)s?"
_THINKING = r"(?<![-\w])[`'\"]?thinking\b[`'\"]?"
# A refusal of the switch names it, or says that thinking is not to be asked for. What is refused "in thinking mode" is another thing.
_SWITCH = re.compile(
    r"\benable_thinking\b|\bthinking[. ]type\b"
    rf"|\b(?:{_REFUSED}|not permitted,)(?: (?:request |input )?{_KIND})?(?: (?:for|of|in|supplied|provided))?:? "
    rf"{_THINKING}(?! (?:mode|block|part|chunk|content))"
    rf"|{_THINKING}(?: {_KIND})?(?: is| are| was)?:? (?:{_REFUSED}|not (?:supported|allowed|permitted|recognized|valid)|extra inputs)\b"
    r"(?! (?:with|while|when|if|together|alongside|in|for tool))"
    rf"|{_THINKING}(?: mode)? (?:must|cannot|can't|can not|can only|has to) be (?:enabled|disabled|turned off)"
    rf"|\bmodel\b.{{0,60}}(?:not|n't) support (?:the |disabling |turning off )?{_THINKING}",
    re.IGNORECASE,
)


def effort_fields(thinking: Thinking | None, origin: str, quirks: Collection[str]) -> dict[str, Any]:
    """Return the fields that ask for an amount of thinking; none is the model's own. `origin` is the host with its port."""
    if thinking == "off" and "no_switch" not in quirks and (switch := _switch(origin)):
        return switch
    level = _level(thinking, quirks)
    return {"reasoning_effort": level} if level else {}


def effort_quirk(report: Report, request: ModelRequest, origin: str, quirks: Collection[str]) -> EffortQuirk | None:
    """Return what a refusal says about the amount of thinking that was asked for, None if that is not what it is about."""
    said = f"{report.param} {report.text}".lower()
    fields = effort_fields(request.thinking, origin, quirks)
    if fields and "reasoning_effort" not in fields:
        return "no_switch" if _refuses_switch(report, fields) else None
    level = _level(request.thinking, quirks)
    if level is None or not ("reasoning" in said and "effort" in said):
        return None
    words = f"{report.text} {' '.join(report.words)}"
    return _QUIRKS[level] if _VALUE.search(words) and not _NO_FIELD.search(words) else "no_effort"


def _refuses_switch(report: Report, fields: Collection[str]) -> bool:
    if refuses_thoughts(report) or "reasoning_content" in report.text:
        return False
    return any(name in report.param.split(".") for name in fields) or _SWITCH.search(report.text) is not None


def _level(thinking: Thinking | None, quirks: Collection[str]) -> _Level | None:
    if thinking is None or "no_effort" in quirks:
        return None
    return next((level for level in _LEVELS[thinking] if _QUIRKS[level] not in quirks), None)


def _switch(origin: str) -> dict[str, Any]:
    host = origin.rpartition(":")[0]
    found = (fields for name, fields in _SWITCHES if host == name or host.endswith(f".{name}"))
    return next(found, _NOTHING)
