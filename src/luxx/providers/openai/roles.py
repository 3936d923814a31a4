"""Roles: messages for endpoints whose chat templates want the person and the model to speak in turns."""

import re
from collections.abc import Iterable
from typing import Any

from luxx.providers.failures import Report

_REFUSED = re.compile(r"roles? .{0,60}alternat|alternat.{0,60}(?:roles?|messages?)|unexpected role", re.IGNORECASE)
_BETWEEN = "(There is no answer.)"


def wants_turns(report: Report) -> bool:
    """Whether a refusal says that the roles of the messages do not alternate."""
    return _REFUSED.search(report.text) is not None


def in_turns(messages: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return messages of which none has the role of the one before it, but for results; after results comes an answer."""
    made: list[dict[str, Any]] = []
    for message in messages:
        before = made[-1] if made else {"role": ""}
        if message["role"] == before["role"] != "tool":
            made[-1] = {**before, **message, "content": _joined(before["content"], message["content"])}
            continue
        if message["role"] == "user" and before["role"] == "tool":
            made.append({"role": "assistant", "content": _BETWEEN})
        made.append(message)
    return made


def _joined(first: str | list[Any] | None, second: str | list[Any] | None) -> str | list[Any]:
    if isinstance(first, list) or isinstance(second, list):
        return [*_parts(first), *_parts(second)]
    return "\n\n".join(text for text in (first, second) if text)


def _parts(content: str | list[Any] | None) -> list[Any]:
    if isinstance(content, list):
        return content
    return [{"type": "text", "text": content}] if content else []
