"""What a stream of deltas told, put together as a reader does; it holds the rules of the delta types."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from luxx.core.deltas import (
    Delta,
    FileDelta,
    Finish,
    NoticeDelta,
    SourceDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallDone,
    UsageDelta,
    VerbatimDelta,
)
from luxx.core.errors import ProviderError
from luxx.core.usage import Usage
from luxx.providers.openai.answer import AnswerDecoder


class Decoder(Protocol):
    """What turns the bytes of one answer into deltas, whatever the wire format."""

    @property
    def ended(self) -> bool: ...
    def feed(self, data: bytes) -> list[Delta]: ...
    def end(self) -> list[Delta]: ...
    def finish(self) -> Finish: ...


class Told:
    """Folds deltas and asserts their contract on the way."""

    def __init__(self, deltas: Iterable[Delta] = ()) -> None:
        self.text = ""
        self.reasoning = ""
        self.calls: list[list[str]] = []
        self.done: set[int] = set()
        self.files: list[FileDelta] = []
        self.sources: list[SourceDelta] = []
        self.notices: list[NoticeDelta] = []
        self.parts: list[bytes] = []
        self.spent: Usage | None = None
        self.finish: Finish | None = None
        self.error: ProviderError | None = None
        for delta in deltas:
            self.take(delta)

    def take(self, delta: Delta) -> None:
        assert self.finish is None, "something came after the Finish"
        match delta:
            case TextDelta(text):
                assert text.encode()
                self.text += text
            case ThinkingDelta(text):
                assert text.encode()
                self.reasoning += text
            case ToolCallDelta(slot=slot):
                assert slot <= len(self.calls)
                assert slot not in self.done, "something was added to a call that is done"
                if slot == len(self.calls):
                    self.calls.append(["", "", ""])
                for place, piece in enumerate((delta.id, delta.name, delta.arguments)):
                    assert piece.encode() is not None
                    self.calls[slot][place] += piece
            case ToolCallDone(slot):
                assert slot < len(self.calls)
                assert slot not in self.done
                self.done.add(slot)
            case VerbatimDelta(raw):
                assert raw
                assert b"\n" not in raw
                self.parts.append(raw)
            case UsageDelta(usage):
                assert usage != self.spent
                self.spent = usage
            case Finish():
                self.finish = delta
            case _:
                self._take_aside(delta)

    def _take_aside(self, delta: FileDelta | SourceDelta | NoticeDelta) -> None:
        match delta:
            case FileDelta():
                assert delta.data
                self.files.append(delta)
            case SourceDelta():
                assert delta.url.encode()
                assert (delta.title + delta.quote).encode() is not None
                self.sources.append(delta)
            case NoticeDelta():
                assert delta.kind
                assert delta.text.encode()
                self.notices.append(delta)

    @property
    def raw(self) -> bytes:
        """What the answer wants back, as a prompt has it."""
        return b"\n".join(self.parts)

    def raw_items(self, name: str) -> list[dict[str, Any]]:
        """What the answer wants back under this name of the format."""
        return [item for part in self.parts for item in json.loads(part)[name]]

    @property
    def tools(self) -> list[tuple[str, str, str]]:
        return [(call[0], call[1], call[2]) for call in self.calls]

    @property
    def reason(self) -> str | None:
        return self.finish.reason if self.finish else None

    @property
    def whole_tools(self) -> list[tuple[str, str, str]]:
        """The calls that are complete: those that run, and that later requests tell of."""
        return [tool for slot, tool in enumerate(self.tools) if slot in self.done]

    def same_as(self, other: "Told") -> bool:
        return self._all() == other._all()

    def _all(self) -> tuple[object, ...]:
        said = (self.text, self.reasoning, self.calls, self.done, self.files, self.sources, self.notices)
        return (*said, self.parts, self.finish, type(self.error))


def decode(pieces: Sequence[bytes]) -> Told:
    """Decode a chat-completions body that comes in these pieces; an error is kept in `error`."""
    return decode_with(AnswerDecoder(), pieces)


def decode_with(decoder: Decoder, pieces: Sequence[bytes]) -> Told:
    """Decode a body that comes in these pieces; an error is kept in `error`."""
    told = Told()
    for piece in pieces:
        if decoder.ended:
            break
        for delta in decoder.feed(piece):
            told.take(delta)
    for delta in decoder.end():
        told.take(delta)
    try:
        told.take(decoder.finish())
    except ProviderError as error:
        told.error = error
    return told
