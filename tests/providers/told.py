"""What a stream of deltas told, put together as a reader does; it holds the rules of the delta types."""

from collections.abc import Iterable, Sequence

from luxx.core.deltas import Delta, Finish, TextDelta, ThinkingDelta, ToolCallDelta, ToolCallDone
from luxx.core.errors import ProviderError
from luxx.providers.openai.answer import AnswerDecoder


class Told:
    """Folds deltas and asserts their contract on the way."""

    def __init__(self, deltas: Iterable[Delta] = ()) -> None:
        self.text = ""
        self.reasoning = ""
        self.calls: list[list[str]] = []
        self.done: set[int] = set()
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
            case Finish():
                self.finish = delta

    @property
    def tools(self) -> list[tuple[str, str, str]]:
        return [(call[0], call[1], call[2]) for call in self.calls]

    @property
    def reason(self) -> str | None:
        return self.finish.reason if self.finish else None

    def same_as(self, other: "Told") -> bool:
        return (self.text, self.reasoning, self.calls, self.done, self.finish) == (
            other.text,
            other.reasoning,
            other.calls,
            other.done,
            other.finish,
        )


def decode(pieces: Sequence[bytes]) -> Told:
    """Decode a chat-completions body that comes in these pieces; an error is kept in `error`."""
    decoder = AnswerDecoder()
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
