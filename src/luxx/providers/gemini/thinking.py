"""Thinking: how a model is told how much to think, and to show it, which differs from family to family."""

import re
from typing import Any

from luxx.core.prompts import Thinking

_VERSION = re.compile(r"gemini-(\d+)(?:\.(\d+))?(?=-|$)")
_CANNOT = re.compile(
    r"gemini-(?:1\b|2(?:\.0)?(?:-|$)|pro(?:-vision)?$)|gemma-[123]|embedding|-tts|-live|native-audio|imagen|learnlm"
)
_LEVELS = {"low": "LOW", "medium": "MEDIUM", "high": "HIGH"}
# Those that Google's own chat-completions layer gives these words.
_BUDGETS = {"low": 1024, "medium": 8192, "high": 24576}
_LEAST_PRO_BUDGET = 128


def thinking_config(
    model: str, wanted: Thinking | None, *, coarse: bool = False, shown_only: bool = False
) -> dict[str, Any] | None:
    """Return the thinkingConfig for a model, None for one that cannot think.

    Gemini 2.5 takes a budget of tokens, later families a level; models that make images can only be asked to show it. `coarse`
    is for those that know no more than low and high. Source: Google's guide to thinking.
    """
    name = model.lower().rpartition("/")[2]
    version = _version(name)
    if _CANNOT.search(name) or (version < (3, 0) and "image" in name):
        return None
    shown = {} if wanted == "off" else {"includeThoughts": True}
    if wanted is None or shown_only or "image" in name:
        return shown or None
    if version < (3, 0):
        return {**shown, "thinkingBudget": _budget(name, wanted)}
    return {**shown, "thinkingLevel": _level(name, version, wanted, coarse)}


def keeps_signatures(model: str) -> bool:
    """Whether a model refuses calls of its history that have no signature: Gemini 3 and later."""
    name = model.lower().rpartition("/")[2]
    return name.startswith("gemini-") and _version(name) >= (3, 0) and not _CANNOT.search(name)


def sees_images_in_results(model: str) -> bool:
    """Whether the results of a model's calls can have images within them: Gemini 3 and later."""
    return keeps_signatures(model)


def _version(name: str) -> tuple[int, int]:
    """Return a model's version; a name that does not tell is one that always means the latest."""
    found = _VERSION.search(name)
    return (int(found[1]), int(found[2] or 0)) if found else (99, 0)


def _budget(name: str, wanted: Thinking) -> int:
    if wanted != "off":
        return _BUDGETS[wanted]
    return _LEAST_PRO_BUDGET if "pro" in name else 0


def _level(name: str, version: tuple[int, int], wanted: Thinking, coarse: bool) -> str:
    """No model of these can be kept from thinking: the least that it takes comes next to it."""
    if wanted == "off":
        minimal = not coarse and "pro" not in name and (version < (3, 7) or "lite" in name)
        return "MINIMAL" if minimal else "LOW"
    if wanted == "medium" and (coarse or name.startswith("gemini-3-pro")):
        return "HIGH"
    return _LEVELS[wanted]
