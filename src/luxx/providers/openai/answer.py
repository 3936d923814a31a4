"""Answer: the bytes of a chat-completions stream, cut anywhere, turned into deltas."""

import json
from collections.abc import Iterable

import msgspec

from luxx.core.deltas import Delta, Finish, TextDelta, ThinkingDelta
from luxx.core.errors import AnswerIncomplete, ProviderError, ProviderOverloaded, ProviderRejected
from luxx.core.sse import ServerEvent
from luxx.core.text import storable
from luxx.core.usage import Usage
from luxx.providers.citations import Citations
from luxx.providers.early import Early
from luxx.providers.failures import failure, read_body, read_error
from luxx.providers.framing import Framing
from luxx.providers.openai.calls import Calls
from luxx.providers.openai.chunks import (
    CallPiece,
    Choice,
    Chunk,
    FunctionPiece,
    NotAChunk,
    Piece,
    decode_chunk,
    parts_of,
    reasoning_of,
    usage_of,
)
from luxx.providers.openai.images import Images
from luxx.providers.openai.reasoning import Attached, Reasoning, Returned
from luxx.providers.openai.work import Work
from luxx.providers.speech import Kind, Speech
from luxx.providers.values import fields_of, objects
from luxx.providers.verbatim import Verbatim

_REASONS = {
    **dict.fromkeys(("stop", "eos", "eos_token", "end_turn", "stop_sequence", "end", "complete", "completed"), "stop"),
    **dict.fromkeys(
        ("length", "max_tokens", "model_length", "max_output_tokens", "max_length", "incomplete"), "length"
    ),
    **dict.fromkeys(("tool_calls", "tool_call", "tool_use", "function_call", "function_calls"), "tool_calls"),
    **dict.fromkeys(
        ("content_filter", "content-filter", "safety", "sensitive", "recitation", "prohibited_content", "blocklist"),
        "content_filter",
    ),
    "refusal": "refusal",
}
_BROKEN = ("error", "network_error", "insufficient_system_resource", "abort", "aborted", "cancelled", "timeout")
_CUT = ("length", "content_filter")
_LONGEST_REASON = 40


class AnswerDecoder:
    """Decodes one answer. It does no I/O and raises from `finish` only, so that what came before a failure is kept.

    `secrets` are taken out of the provider's error texts; `origin` says in what goes back verbatim whose reasoning it is.
    """

    def __init__(self, secrets: Iterable[str] = (), origin: str = "") -> None:
        self._secrets = tuple(secrets)
        self._origin = origin
        self._framing = Framing()
        self._done = False
        self._failure: ProviderError | None = None
        self._reason: str | None = None
        self._refused = False
        self._usage: Usage | None = None
        self._early = Early()
        self._verbatim = Verbatim(self._wrapped)
        self._calls = Calls(lambda attached: self._verbatim.add(attached, plain=False))
        self._reasoning = Reasoning()
        self._citations = Citations()
        self._images = Images()
        self._work = Work(self._citations, self._images)
        self._speech = Speech()

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be read: the end mark came, or a failure."""
        return self._done or self._failure is not None

    @property
    def has_reason(self) -> bool:
        """Whether the finish reason came; only usage and the end mark can follow."""
        return self._reason is not None

    def feed(self, data: bytes) -> list[Delta]:
        """Return what these bytes bring."""
        try:
            return self._take(self._framing.feed(data))
        except ProviderError as error:
            self._failure = error
            return []

    def end(self) -> list[Delta]:
        """Return what is left when no more bytes come: before `finish`, once."""
        deltas: list[Delta] = []
        if self._framing.is_body and not self.ended:
            deltas += self._take_body(self._framing.body())
        elif not self.ended and (event := self._framing.remainder()):
            deltas += self._take_remainder(event)
        return [*deltas, *self._speech.end(), *self._finish_calls()]

    def finish(self) -> Finish:
        """Return the end of the answer. Raises AnswerIncomplete if it has none, or the failure that came."""
        if self._failure:
            raise self._failure
        reason = self._reason or ("tool_calls" if self._whole_without_reason() else None)
        if reason is None:
            raise AnswerIncomplete("The provider's stream ended without a finish reason: the answer may be cut.")
        if self._calls and reason == "stop":
            reason = "tool_calls"
        elif not self._calls and reason == "tool_calls":
            reason = "stop"
        if self._refused and reason == "stop":
            reason = "refusal"
        return Finish(reason=reason, usage=self._usage)

    def _take_body(self, body: bytes) -> list[Delta]:
        try:
            chunk = decode_chunk(body)
        except NotAChunk:
            self._failure = ProviderRejected(
                "The address answers with something other than chat completions. Check this provider's base URL."
            )
            return []
        if not chunk.choices:
            self._fail(body)
            return []
        self._done = True
        return self._take_chunk(chunk, body)

    def _take_remainder(self, event: ServerEvent) -> list[Delta]:
        """A stream may lack its last empty line; an event cut in its middle is no JSON."""
        try:
            decode_chunk(event.data)
        except NotAChunk:
            self._done = event.data.strip() == b"[DONE]"
            return []
        return self._take([event])

    def _take(self, events: list[ServerEvent]) -> list[Delta]:
        deltas: list[Delta] = []
        for event in events:
            if self.ended:
                break
            deltas += self._take_event(event)
        return deltas

    def _take_event(self, event: ServerEvent) -> list[Delta]:
        data = event.data
        if data[:1] != b"{":
            data = data.strip()
            if data == b"[DONE]":
                self._done = True
                return []
        if not data:
            return []
        try:
            chunk = decode_chunk(data)
        except NotAChunk:
            if event.event not in ("message", "error"):
                return []
            chunk = None
        if chunk is None or event.event == "error":
            self._fail(data)
            return self._recovered(data)
        return self._take_chunk(chunk, data)

    def _take_chunk(self, chunk: Chunk, data: bytes) -> list[Delta]:
        groq = fields_of(chunk.x_groq)
        if chunk.usage or groq:
            self._note_usage(chunk.usage or groq.get("usage"))
        if chunk.error or chunk.object == "error":
            self._fail(data)
            return self._recovered(data)
        deltas: list[Delta] = []
        if chunk.search_results or chunk.citations:
            deltas += self._citations.found(chunk.search_results, chunk.citations)
        for choice in chunk.choices or ():
            if not choice.index or choice.index == "0":
                deltas += self._take_choice(choice)
        if groq.get("error") and self._reason is None:
            self._failure = failure(read_error(groq.get("error")), secrets=self._secrets)
        return deltas if self.has_reason else [*deltas, *self._early.news(self._usage)]

    def _take_choice(self, choice: Choice) -> list[Delta]:
        if choice.usage:
            self._note_usage(choice.usage)
        piece = choice.delta or choice.message
        deltas = self._take_piece(piece) if piece else []
        if choice.finish_reason and isinstance(choice.finish_reason, str):
            self._note_reason(storable(choice.finish_reason[:_LONGEST_REASON]))
            deltas += self._finish_calls()
        return deltas

    def _take_piece(self, piece: Piece) -> list[Delta]:
        deltas: list[Delta] = []
        if thinking := reasoning_of(piece):
            self._reasoning.note(piece, thinking)
            deltas += self._say(ThinkingDelta, thinking)
        elif piece.reasoning_details or piece.thinking_blocks:
            self._reasoning.note(piece, "")
        if isinstance(piece.content, str):
            deltas += self._say_text(piece.content)
        elif piece.content:
            self._reasoning.note_chunks(piece.content)
            for kind, text in parts_of(piece.content):
                deltas += self._say_text(text) if kind == "text" else self._say(ThinkingDelta, text)
        if piece.refusal and isinstance(piece.refusal, str):
            self._refused = True
            deltas += self._say(TextDelta, piece.refusal)
        deltas += self._take_asides(piece)
        if piece.tool_calls or piece.function_call:
            deltas += [*self._speech.end(), *self._hand_over()]
            for call in piece.tool_calls or ():
                deltas += self._calls.add(call)
            if piece.function_call:
                deltas += self._calls.add(CallPiece(index=0, function=piece.function_call))
        return deltas

    def _take_asides(self, piece: Piece) -> list[Delta]:
        """Take what an answer has besides its text: images, and what it cites."""
        cited = [source for note in objects(piece.annotations) for source in self._citations.cite(note)]
        worked = self._work.take(piece.executed_tools) if piece.executed_tools else []
        images = self._images.take(piece.images)
        return [*self._speech.end(), *worked, *images, *cited] if images or worked else cited

    def _say_text(self, text: str) -> list[Delta]:
        before = self._hand_over() if text and self._reasoning.has_chunks else []
        return [*before, *self._say(TextDelta, text)]

    def _say(self, kind: Kind, text: str) -> list[Delta]:
        turns = bool(text) and kind is not self._speech.kind
        deltas = self._speech.tell(kind, text)
        return [*self._calls.settle(), *deltas] if turns else deltas

    def _finish_calls(self) -> list[Delta]:
        if not self._calls:
            return []
        reasoning = self._hand_over()
        if self._failure or not (self._reason or self._whole_without_reason()):
            return [*reasoning, *self._calls.abandon()]
        return [*reasoning, *self._calls.finish(cut=self._reason in _CUT)]

    def _hand_over(self) -> list[Delta]:
        """Hand over the reasoning, which is wanted back with calls only."""
        fields = self._reasoning.take()
        return self._verbatim.hand_over(Returned(origin=self._origin, fields=fields)) if fields else []

    def _wrapped(self, attached: list[Attached]) -> Returned:
        return Returned(origin=self._origin, fields={}, attached=attached)

    def _whole_without_reason(self) -> bool:
        """Marked as ended, and complete calls at its end: nothing was cut, though the reason is missing."""
        return self._done and self._calls.all_whole()

    def _note_usage(self, value: object) -> None:
        self._usage = usage_of(value) or self._usage

    def _note_reason(self, word: str) -> None:
        if word.lower() in _BROKEN:
            self._failure = self._failure or ProviderOverloaded(
                f"The provider broke the answer off ({word}). Try again later."
            )
        elif self._reason in (None, "stop"):
            self._reason = _REASONS.get(word.lower(), word)

    def _fail(self, data: bytes) -> None:
        """Note a failure; what comes after the finish reason is no failure of this answer."""
        if self._reason is not None:
            return
        if data[:1] in b"{[" and not _is_json(data):
            self._failure = AnswerIncomplete(
                "The provider sent something in mid-answer that is not JSON. The answer is cut."
            )
        else:
            self._failure = failure(read_body(data), secrets=self._secrets)

    def _recovered(self, data: bytes) -> list[Delta]:
        """Groq refuses a call that does not fit the tool's schema, and says which: let the tool say what is wrong."""
        call = _refused_call(data)
        if call is None or self._reason is not None:
            return []
        self._failure = None
        self._done = True
        self._reason = "tool_calls"
        return [*self._calls.add(CallPiece(function=call)), *self._finish_calls()]


def _refused_call(data: bytes) -> FunctionPiece | None:
    try:
        error = json.loads(data)["error"]
        if "tool_use_failed" not in read_error(error).words:
            return None
        call = msgspec.json.decode(error["failed_generation"], type=FunctionPiece)
    except (ValueError, TypeError, KeyError):
        return None
    return call if isinstance(call.name, str) and call.name else None


def _is_json(data: bytes) -> bool:
    try:
        msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True
