"""Reasoning: what a provider wants to get back verbatim with an answer that called tools."""

import re
from typing import Any

import msgspec

from luxx.core.text import storable, storable_within
from luxx.providers.failures import Report
from luxx.providers.openai.chunks import Piece, objects

NO_REASONING = " "
"""In the place of reasoning that is not to be had: an empty text is refused."""

_WANTED = re.compile(
    r"reasoning_content.{0,40}(?:missing|must be passed|required)|missing.{0,4}reasoning_content", re.IGNORECASE
)


class Returned(msgspec.Struct, frozen=True, kw_only=True):
    """The content of Finish.raw: fields for the assistant message, and for its calls by id.

    `origin` is the host that made them: another would refuse fields that it does not know, and signatures not its own.
    """

    origin: str
    fields: dict[str, Any]
    calls: list[tuple[str, Any]] = []


class Reasoning:
    """Collects the reasoning fields of one answer, each under the name under which it came."""

    def __init__(self) -> None:
        self._content: list[str] = []
        self._plain: list[str] = []
        self._details: list[dict[str, object]] = []

    def note(self, piece: Piece, text: str) -> None:
        """Take the reasoning of a piece; `text` is what is shown of it."""
        if text and piece.reasoning_content:
            self._content.append(text)
        elif text and piece.reasoning:
            self._plain.append(text)
        for detail in objects(piece.reasoning_details):
            self._add(detail)

    def raw(self, origin: str, calls: list[tuple[str, object]]) -> bytes:
        """Return it as JSON (a Returned), or nothing if there is nothing to send back."""
        fields: dict[str, Any] = {}
        if self._content:
            fields["reasoning_content"] = storable("".join(self._content))
        if self._plain:
            fields["reasoning"] = storable("".join(self._plain))
        if self._details:
            fields["reasoning_details"] = self._details
        if not fields and not calls:
            return b""
        returned = Returned(origin=origin, fields=fields, calls=calls)
        try:
            try:
                return msgspec.json.encode(returned)
            except UnicodeEncodeError:
                return msgspec.json.encode(storable_within(msgspec.to_builtins(returned)))
        except RecursionError:
            return b""

    def _add(self, detail: dict[str, object]) -> None:
        """A text comes in pieces, one block under one index; anything else (encrypted blocks) comes whole."""
        last = self._details[-1] if self._details else None
        kind = detail.get("type")
        name = {"reasoning.text": "text", "reasoning.summary": "summary"}.get(str(kind))
        if not last or not name or (last.get("type"), last.get("index")) != (kind, detail.get("index")):
            self._details.append(dict(detail))
            return
        joined = _text(last.get(name)) + _text(detail.get(name))
        last.update({key: value for key, value in detail.items() if value is not None})
        last[name] = joined


def wants_reasoning(report: Report) -> bool:
    """Whether a refusal says that an answer was sent back without its reasoning; DeepSeek and Moonshot want it of all of them."""
    return _WANTED.search(report.text) is not None


def returned(raw: bytes, origin: str) -> Returned | None:
    """Return what an earlier answer wants back, if this host made it."""
    try:
        found = msgspec.json.decode(raw, type=Returned)
    except (msgspec.DecodeError, UnicodeError):
        return None
    return found if found.origin == origin else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
