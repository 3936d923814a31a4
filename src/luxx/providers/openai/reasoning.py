"""Reasoning: what a provider wants to get back verbatim with an answer that called tools."""

import re
from typing import Any

import msgspec

from luxx.core.text import storable
from luxx.providers.failures import Report
from luxx.providers.openai.chunks import Piece, thought_chunks
from luxx.providers.values import objects, text_of
from luxx.providers.verbatim import read_parts

NO_REASONING = " "
"""In the place of reasoning that is not to be had: an empty text is refused."""

_BLOCKS = "thinking_blocks"
_CONTENT = "content"
# The blocks by their name, a part by its type or its place, and the signature of either.
_THOUGHTS = re.compile(
    r"thinking_blocks|redacted_thinking|\bthink(?:ing)?[`'\"]? ?(?:content )?(?:blocks?|parts?|chunks?)\b"
    r"|\b(?:type|value|variant|tag)[`'\"]?[:=]? ?[`'\"]?thinking\b|\bcontent\b[^\s:]{0,80}\bthinking\b"
    r"|\bthinking[`'\"._ ]{1,3}signature|signature[`'\"]? (?:in|of|for) (?:the |a )?[`'\"]?thinking\b"
    r"|reasoningContent\b.{0,40}signature|(?:invalid|corrupted) thought[ _]?signature|thought[ _]?signature is (?:not valid|invalid)",
    re.IGNORECASE,
)
_NO_THOUGHTS = re.compile(r"expected [`'\"]?thinking\b|must start with a [`'\"]?thinking\b", re.IGNORECASE)
_WANTED = re.compile(
    r"reasoning_content.{0,40}(?:missing|must be passed|required)|missing.{0,4}reasoning_content", re.IGNORECASE
)


class Attached(msgspec.Struct, frozen=True, array_like=True):
    """What came with a call; `slot` is the call's place in its answer."""

    slot: int
    id: str
    extra: Any


class Returned(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of an answer: fields for the assistant message, and for its calls.

    `origin` is the host that made them: another would refuse fields that it does not know, and signatures not its own. `calls` is in
    older answers, with the id of every call in order and what came with it.
    """

    origin: str
    fields: dict[str, Any]
    attached: list[Attached] = []
    calls: list[tuple[str, Any]] = []


class _Thoughts:
    """Blocks of thoughts that come in pieces: those that are `whole`, and the pieces of the one that is `open`."""

    def __init__(self) -> None:
        self.whole: list[dict[str, Any]] = []
        self.open: list[str] = []

    def add(self, text: str, signature: str) -> None:
        """Take a piece. A signature comes last: with nothing, with the last piece, or with the whole text once more."""
        if not signature:
            self.open += [text] if text else []
            return
        said, self.open = "".join(self.open), []
        whole = text if text.startswith(said) else said + text
        self.whole.append({"type": "thinking", "thinking": whole, "signature": signature})

    def end(self) -> None:
        """Nothing more comes: what is open has no signature."""
        if self.open:
            self.whole.append({"type": "thinking", "thinking": "".join(self.open)})
            self.open = []


class Reasoning:
    """Collects the reasoning fields of one answer, each under the name under which it came."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {}
        self._details: list[dict[str, Any]] = []
        self._blocks = _Thoughts()
        self._chunks = _Thoughts()

    @property
    def has_chunks(self) -> bool:
        """Whether there are thoughts that are a part of the message's content: they are wanted back with any answer."""
        return bool(self._chunks.whole or self._chunks.open)

    def note(self, piece: Piece, text: str) -> None:
        """Take the reasoning of a piece; `text` is what is shown of it."""
        if text and (piece.reasoning_content or piece.reasoning):
            name = "reasoning_content" if piece.reasoning_content else "reasoning"
            self._texts.setdefault(name, []).append(text)
        for detail in objects(piece.reasoning_details):
            _add(self._details, detail)
        for block in objects(piece.thinking_blocks):
            if block.get("type") == "thinking":
                self._blocks.add(text_of(block.get("thinking")), text_of(block.get("signature")))
            else:
                self._blocks.whole.append(block)

    def note_chunks(self, content: object) -> None:
        """Take the thoughts among the parts of a content."""
        for text, signature in thought_chunks(content):
            self._chunks.add(text, signature)

    def take(self) -> dict[str, Any]:
        """Return the fields of what came since the last time."""
        fields: dict[str, Any] = {
            name: storable("".join(texts)) for name, texts in sorted(self._texts.items(), reverse=True)
        }
        if self._details:
            fields["reasoning_details"] = self._details
        if self._blocks.whole:
            fields[_BLOCKS] = self._blocks.whole
        if self.has_chunks:
            self._chunks.end()
            texts = [{**thought, "thinking": [_text(thought["thinking"])]} for thought in self._chunks.whole]
            fields[_CONTENT] = texts
        self._texts, self._details, self._blocks, self._chunks = {}, [], _Thoughts(), _Thoughts()
        return fields


def _add(details: list[dict[str, Any]], detail: dict[str, Any]) -> None:
    """A text comes in pieces, one block under one index; anything else (encrypted blocks) comes whole."""
    last = details[-1] if details else None
    kind = detail.get("type")
    name = {"reasoning.text": "text", "reasoning.summary": "summary"}.get(str(kind))
    if not last or not name or (last.get("type"), last.get("index")) != (kind, detail.get("index")):
        details.append(dict(detail))
        return
    joined = text_of(last.get(name)) + text_of(detail.get(name))
    last.update({key: value for key, value in detail.items() if value is not None})
    last[name] = joined


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": storable(text)}


def wants_reasoning(report: Report) -> bool:
    """Whether a refusal says that an answer was sent back without its reasoning; DeepSeek and Moonshot want it of all of them."""
    return _WANTED.search(report.text) is not None


def refuses_thoughts(report: Report) -> bool:
    """Whether a refusal is about the form of thoughts that were sent back as blocks or parts; one that misses some is not."""
    said = f"{report.param}\n{report.text}"
    return _THOUGHTS.search(said) is not None and not _NO_THOUGHTS.search(said)


def has_thoughts(back: Returned, *, with_calls: bool) -> bool:
    """Whether what an answer gets back holds thoughts; blocks of them go with calls only."""
    return _CONTENT in back.fields or (with_calls and _BLOCKS in back.fields)


def returned(raw: bytes, origin: str, *, thoughts: bool) -> Returned | None:
    """Return what an earlier answer wants back, if this host made it; without `thoughts`, nothing that one model only can read."""
    parts = read_parts(raw, Returned)
    if not parts or any(part.origin != origin for part in parts):
        return None
    fields: dict[str, Any] = {}
    details: list[dict[str, Any]] = []
    for part in parts:
        for name, value in part.fields.items():
            if name in (_BLOCKS, _CONTENT):
                fields[name] = [*fields.get(name, []), *objects(value)] if thoughts else []
            elif name == "reasoning_details":
                for detail in objects(value):
                    _add(details, detail)
            else:
                fields[name] = text_of(fields.get(name)) + value if isinstance(value, str) else value
    if details:
        fields["reasoning_details"] = details
    fields = {name: value for name, value in fields.items() if value != []}
    older = enumerate(call for part in parts for call in part.calls)
    attached = [Attached(slot, id, extra) for slot, (id, extra) in older if extra]
    attached += [one for part in parts for one in part.attached]
    return Returned(origin=origin, fields=fields, attached=attached)
