"""Answer: the bytes of a generateContent stream, cut anywhere, turned into deltas."""

from collections.abc import Iterable, Mapping
from typing import Any

from luxx.core.deltas import Delta, FileDelta, Finish, NoticeDelta, TextDelta, ThinkingDelta
from luxx.core.errors import AnswerIncomplete, ProviderError, ProviderOverloaded, ProviderRejected
from luxx.core.sse import EventTooLarge, ServerEvent
from luxx.core.text import storable
from luxx.providers.attachments import decode_base64, unreadable
from luxx.providers.early import Early
from luxx.providers.failures import failure, read_body, redacted
from luxx.providers.gemini.calls import Calls
from luxx.providers.gemini.framing import Frames
from luxx.providers.gemini.returned import Returned
from luxx.providers.gemini.sources import Sources, work_of
from luxx.providers.gemini.spent import Spent
from luxx.providers.gemini.values import decode, get, object_at, objects_at, text_at
from luxx.providers.speech import Kind, Speech
from luxx.providers.values import as_object, objects

_REASONS = {
    "STOP": "stop",
    **dict.fromkeys(("MAX_TOKENS", "CONTINUATION"), "length"),
    **dict.fromkeys(
        (
            "SAFETY",
            "RECITATION",
            "LANGUAGE",
            "BLOCKLIST",
            "PROHIBITED_CONTENT",
            "SPII",
            "MODEL_ARMOR",
            "JAILBREAK",
            "IMAGE_SAFETY",
            "IMAGE_PROHIBITED_CONTENT",
            "IMAGE_RECITATION",
            "ESCALATION",
            "PUP_LIMITED_DISABLED",
        ),
        "content_filter",
    ),
}
_NO_REASON = ("", "FINISH_REASON_UNSPECIFIED")
_BAD_CALLS = {
    **dict.fromkeys(
        ("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"), "The model wrote a tool call that is not valid."
    ),
    "TOO_MANY_TOOL_CALLS": "The model used the provider's own tools too often.",
    "MALFORMED_RESPONSE": "The model wrote an answer that the provider could not read.",
}
_KNOWN = ("candidates", "usageMetadata", "promptFeedback", "modelVersion", "responseId")
_LONGEST_REASON = 40
_NOT_GEMINI = "The address answers with something other than Gemini's generateContent. Check this provider's base URL."


class AnswerDecoder:
    """Decodes one answer. It does no I/O and raises from `finish` only, so that what came before a failure is kept.

    `secrets` are taken out of the provider's error texts; `names` are the tools by their names on the wire.
    """

    def __init__(self, secrets: Iterable[str] = (), names: Mapping[str, str] | None = None) -> None:
        self._secrets = tuple(secrets)
        self._failure: ProviderError | None = None
        self._spent = Spent()
        self._early = Early()
        self._returned = Returned()
        self._calls = Calls(names or {}, self._returned)
        self._sources = Sources()
        self._files = 0
        self._speech = Speech()
        self._begin()

    def _begin(self) -> None:
        self._frames = Frames()
        self._done = False
        self._known = False
        self._foreign = False
        self._reason: str | None = None
        self._settled = False
        self._bad_call = ""
        self._token = ""
        self._is_part = False

    @property
    def continuation(self) -> str:
        """What to ask with for the rest of an answer that the provider gives in parts; empty if there is no more."""
        return self._token if self._is_part else ""

    def go_on(self) -> None:
        """Expect the stream with the next part of the answer."""
        self._spent.go_on()
        self._begin()

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be read: an end mark came, or a failure."""
        return self._done or self._failure is not None

    @property
    def has_reason(self) -> bool:
        """Whether the finish reason came, and no content after it: some models give a reason with every event."""
        return self._settled

    def feed(self, data: bytes) -> list[Delta]:
        """Return what these bytes bring."""
        if self._failure:
            return []
        try:
            events = self._frames.feed(data)
        except EventTooLarge:
            self._failure = ProviderOverloaded("The provider sent an event that is too large to be an answer's.")
            return []
        if self._frames.kind == "page":
            self._failure = ProviderRejected(
                "The address answers with a web page, not with a model's answer. Check this provider's base URL."
            )
        deltas: list[Delta] = []
        for event in events:
            if self.ended:
                break
            deltas += self._take_event(event)
        self._done = self._done or self._frames.closed
        return deltas

    def end(self) -> list[Delta]:
        """Return what is left when no more bytes come: before `finish`, once."""
        deltas: list[Delta] = []
        if not self.ended and (event := self._frames.remainder()) and (_values(event.data) or self._is_end(event.data)):
            deltas += self._take_event(event)
        if not self.ended and self._reason is None and (error := self._frames.bare_error()):
            self._take_bare(error)
        if not self._failure and self._foreign and not self._known:
            self._failure = ProviderRejected(_NOT_GEMINI)
        cut = bool(self._failure) or self._reason in (None, "length", "content_filter")
        return [*deltas, *self._turn_to(None), *self._calls.finish(cut)]

    def finish(self) -> Finish:
        """Return the end of the answer. Raises AnswerIncomplete if it has none, or the failure that came."""
        if self._failure:
            raise self._failure
        if self._bad_call and not self._calls.all_whole:
            raise ProviderOverloaded(f"{self._bad_call}Try again.")
        reason = self._reason or ("tool_calls" if self._bad_call else None)
        if reason is None:
            raise AnswerIncomplete("The provider's stream ended without a finish reason: the answer may be cut.")
        if self._calls and reason == "stop":
            reason = "tool_calls"
        return Finish(reason=reason, usage=self._spent.usage())

    def _take_event(self, event: ServerEvent) -> list[Delta]:
        data = event.data.strip()
        if not data:
            return []
        if self._is_end(data):
            self._done = True
            return []
        values = _values(data)
        if values is None:
            self._not_json(event)
            return []
        deltas: list[Delta] = []
        for fields in values:
            if event.event == "error" or get(fields, "error"):
                self._fail(data)
            if self.ended:
                break
            deltas += self._take(fields)
        return deltas

    def _is_end(self, data: bytes) -> bool:
        return data.strip() == b"[DONE]"

    def _not_json(self, event: ServerEvent) -> None:
        if event.event == "error":
            self._fail(event.data)
        elif event.event == "message" and self._reason is None:
            self._failure = AnswerIncomplete(
                "The provider sent something in mid-answer that is not JSON. The answer is cut."
            )

    def _take_bare(self, data: bytes) -> None:
        if any(get(fields, "error") for fields in _values(data) or ()):
            self._fail(data)

    def _take(self, fields: dict[str, Any]) -> list[Delta]:
        fields = as_object(fields.get("response")) or fields
        if not any(get(fields, name) is not None for name in _KNOWN):
            self._foreign = True
            return []
        self._known = True
        deltas: list[Delta] = []
        for candidate in objects_at(fields, "candidates"):
            if not candidate.get("index"):
                deltas += self._take_candidate(candidate)
        feedback = object_at(fields, "promptFeedback")
        if (blocked := text_at(feedback, "blockReason")) and self._reason is None:
            deltas += self._note_block(blocked, text_at(feedback, "blockReasonMessage"))
        self._spent.note(object_at(fields, "usageMetadata"))
        return [*deltas, *self._early.news(self._spent.usage())]

    def _take_candidate(self, candidate: dict[str, Any]) -> list[Delta]:
        deltas: list[Delta] = []
        parts = objects_at(object_at(candidate, "content"), "parts")
        if any(part.get("text") or part.keys() - {"text", "thought"} for part in parts):
            self._settled = False
        for part in parts:
            deltas += self._take_part(part)
        if new := self._sources.take(candidate):
            deltas += [*self._turn_to(None), *new]
        self._token = text_at(candidate, "continuationToken") or self._token
        word = get(candidate, "finishReason")
        if isinstance(word, str):
            deltas += self._note_reason(word.rpartition(".")[2].upper(), text_at(candidate, "finishMessage"))
        return deltas

    def _take_part(self, part: dict[str, Any]) -> list[Delta]:
        part = {key: value for key, value in part.items() if key == "text" or value not in (None, "")}
        if get(part, "functionCall") is not None:
            return [*self._turn_to(None), *self._calls.add(part)]
        if object_at(part, "inlineData"):
            return self._take_file(part)
        if isinstance(text := part.get("text"), str):
            thought = get(part, "thought") is True
            deltas, shown = self._tell(ThinkingDelta if thought else TextDelta, text)
            return [*deltas, *self._returned.add_text(part, shown)]
        notice = work_of(part)
        return [*self._turn_to(None), *self._returned.add_other(part), *([notice] if notice else [])]

    def _take_file(self, part: dict[str, Any]) -> list[Delta]:
        """Take a file of the answer; pictures that are part of its thoughts are not shown."""
        if get(part, "thought") is True:
            return []
        blob = object_at(part, "inlineData")
        data = decode_base64(text_at(blob, "data"))
        kind, _, form = storable(text_at(blob, "mimeType")).partition(";")[0].partition("/")
        if not data:
            return [*self._turn_to(None), unreadable(kind)]
        told = [*self._turn_to(None), *self._returned.add_file(part, self._files)]
        self._files += 1
        name = text_at(blob, "displayName") or f"{kind or 'file'}-{self._files}.{form.partition('+')[0] or 'bin'}"
        return [*told, FileDelta(data=data, name=storable(name))]

    def _tell(self, kind: Kind, text: str) -> tuple[list[Delta], str]:
        """Return what a piece brings, and what of it is certain by now."""
        before = self._turn_to(kind) if text else []
        deltas = self._speech.tell(kind, text)
        return [*before, *deltas], "".join(delta.text for delta in deltas if isinstance(delta, kind))

    def _turn_to(self, kind: Kind | None) -> list[Delta]:
        """Other content than before begins: what waited of the content before is complete."""
        rest = [] if kind is self._speech.kind else self._speech.end()
        for delta in rest:
            if isinstance(delta, TextDelta):
                self._returned.add_plain(delta.text)
        return rest

    def _note_block(self, word: str, message: str) -> list[Delta]:
        self._reason = self._reason or "content_filter"
        self._settled = True
        return self._filtered("blocked the request", word, message)

    def _note_reason(self, word: str, message: str) -> list[Delta]:
        """Take a finish reason; a later one wins over stop, which is sometimes given with every event."""
        if word in _NO_REASON:
            return []
        self._settled = True
        if word in _BAD_CALLS:
            text = redacted(message, self._secrets)
            self._bad_call = self._bad_call or f"{_BAD_CALLS[word]} {text or f'({word})'} "
            return []
        if word == "MISSING_THOUGHT_SIGNATURE":
            self._failure = ProviderRejected("The provider misses a signature of the model's earlier reasoning.")
            return []
        if self._reason not in (None, "stop"):
            return []
        self._is_part = word == "CONTINUATION"
        self._reason = _REASONS.get(word, storable(word[:_LONGEST_REASON].lower()))
        return self._filtered("stopped the answer", word, message) if self._reason == "content_filter" else []

    def _filtered(self, what: str, word: str, message: str) -> list[Delta]:
        said = f"The provider {what} ({storable(word[:_LONGEST_REASON])}). {redacted(message, self._secrets)}"
        return [*self._turn_to(None), NoticeDelta(kind="content_filter", text=said.rstrip())]

    def _fail(self, data: bytes) -> None:
        """Note a failure; what comes after the finish reason is no failure of this answer."""
        if self._reason is None:
            self._failure = failure(read_body(data), secrets=self._secrets)


def _values(data: bytes) -> list[dict[str, Any]] | None:
    """Return the objects in an event, one or a list of them; None if it is no JSON."""
    try:
        value = decode(data)
    except ValueError:
        return None
    single = as_object(value)
    return objects(value) if single is None else [single]
