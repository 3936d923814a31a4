"""Deltas: what a provider's stream says, whatever its wire format."""

import msgspec

from luxx.core.usage import Usage


class TextDelta(msgspec.Struct, frozen=True):
    """More of the answer; never empty."""

    text: str


class ThinkingDelta(msgspec.Struct, frozen=True):
    """More of the reasoning; never empty."""

    text: str


class FileDelta(msgspec.Struct, frozen=True, kw_only=True):
    """A whole file that the model made, such as an image."""

    data: bytes
    name: str = ""


class SourceDelta(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the answer cites; `quote` is the passage, where the provider gives it."""

    url: str
    title: str = ""
    quote: str = ""


class NoticeDelta(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the provider did by itself and that is no part of the answer, such as a search of its own.

    `kind` is a short stable word (``web_search``), `text` says it to a person.
    """

    kind: str
    text: str


class ToolCallDelta(msgspec.Struct, frozen=True, kw_only=True):
    """More of the tool call in a slot. `id`, `name` and `arguments` are pieces to append.

    Slots are numbered from 0 in the order in which the calls began; the format's own quirks (missing or repeated
    indexes, ids and names) are settled before this.
    """

    slot: int
    id: str = ""
    name: str = ""
    arguments: str = ""


class ToolCallDone(msgspec.Struct, frozen=True):
    """The call in a slot is complete: nothing will be appended to it."""

    slot: int


class VerbatimDelta(msgspec.Struct, frozen=True):
    """A part of the answer that the format wants back verbatim in later requests, as soon as it is complete.

    Such are reasoning with its signature and blocks that Luxx does not know. `raw` is JSON on one line; the parts of an answer that was
    cut are worth sending back without the rest. What belongs to a call comes before its ToolCallDone.
    """

    raw: bytes


class UsageDelta(msgspec.Struct, frozen=True):
    """What the answer has cost so far, as the provider tells before the end; the last one counts if no Finish comes."""

    usage: Usage


class Finish(msgspec.Struct, frozen=True, kw_only=True):
    """The end of an answer; always the last delta of a stream, and exactly one.

    `reason` is stop, length, tool_calls, content_filter or refusal; a word that Luxx does not know is passed on.
    """

    reason: str
    usage: Usage | None = None


Delta = (
    TextDelta
    | ThinkingDelta
    | ToolCallDelta
    | ToolCallDone
    | FileDelta
    | SourceDelta
    | NoticeDelta
    | VerbatimDelta
    | UsageDelta
    | Finish
)
