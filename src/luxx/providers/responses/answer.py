"""Answer: the bytes of a Responses stream, cut anywhere, turned into deltas."""

from collections.abc import Iterable

from luxx.core.deltas import Delta, Finish
from luxx.core.errors import AnswerIncomplete, ProviderError, ProviderOverloaded, ProviderRejected
from luxx.core.sse import ServerEvent
from luxx.core.text import storable
from luxx.core.usage import Usage
from luxx.providers.failures import Report, failure, read_body, read_error
from luxx.providers.framing import Framing
from luxx.providers.responses.events import NotAnEvent, decode_event, decode_object, usage_of
from luxx.providers.responses.output import Output
from luxx.providers.values import fields_of, objects

# Made of events that are as large as they may be: a response tells all its items once more at its end, with the images among them.
_LARGEST_ANSWER = 256 * 1024 * 1024
_LONGEST_REASON = 40
_ENDS = {
    "response.completed": "completed",
    "response.done": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
    "response.cancelled": "cancelled",
    "response.canceled": "cancelled",
}
_STATUSES = ("completed", "incomplete", "failed", "cancelled")
_REASONS = {"max_output_tokens": "length", "max_tokens": "length", "length": "length", "": "length"}
# Codes of failures that the request itself is to blame for; the word for them is not the HTTP API's.
_REFUSED = ("invalid", "image", "content", "policy", "unsupported", "not_found", "mismatch")
_FOREIGN = "The address answers with something other than responses. Check this provider's base URL and format."


class AnswerDecoder:
    """Decodes one answer. It does no I/O and raises from `finish` only, so that what came before a failure is kept.

    `secrets` are taken out of the provider's error texts.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = tuple(secrets)
        self._framing = Framing()
        self._size = 0
        self._done = False
        self._failure: ProviderError | None = None
        self._reason: str | None = None
        self._usage: Usage | None = None
        self._output = Output()
        self.refusal: Report | None = None
        """What the provider said of a failure within the stream."""

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be read: the response ended, or a failure came."""
        return self._done or self._failure is not None

    @property
    def has_reason(self) -> bool:
        """Whether the response's end was told, whatever it was."""
        return self._done

    def feed(self, data: bytes) -> list[Delta]:
        """Return what these bytes bring."""
        self._size += len(data)
        if self._size > _LARGEST_ANSWER:
            self._failure = ProviderOverloaded("The provider sent more than an answer can be.")
            return []
        try:
            events = self._framing.feed(data)
        except ProviderError as error:
            self._failure = error
            return []
        return [delta for event in events if not self.ended for delta in self._take(event)]

    def end(self) -> list[Delta]:
        """Return what is left when no more bytes come: before `finish`, once."""
        deltas: list[Delta] = []
        if self._framing.is_body and not self.ended:
            deltas += self._take_body(self._framing.body())
        elif not self.ended and (event := self._framing.remainder()):
            deltas += self._take_remainder(event)
        return deltas + self._output.end(whole=self._reason is not None and not self._failure, cut=self._is_cut())

    def finish(self) -> Finish:
        """Return the end of the answer. Raises AnswerIncomplete if it has none, or the failure that came."""
        if self._failure:
            raise self._failure
        reason = self._reason
        if reason is None:
            raise AnswerIncomplete("The provider's stream ended before the response did: the answer may be cut.")
        if reason == "stop":
            reason = "tool_calls" if self._output.calls else "refusal" if self._output.refused else "stop"
        return Finish(reason=reason, usage=self._usage)

    def _is_cut(self) -> bool:
        return self._reason is not None and self._reason != "stop"

    def _take_body(self, body: bytes) -> list[Delta]:
        """A gateway that does not stream answers with the response itself."""
        try:
            fields = decode_object(body)
        except NotAnEvent:
            self._failure = ProviderRejected(_FOREIGN)
            return []
        fields = fields_of(fields.get("response")) or fields
        if not isinstance(fields.get("output"), list):
            refused = fields.get("error") or fields.get("message") or fields.get("detail")
            self._failure = self._failed(read_error(fields)) if refused else ProviderRejected(_FOREIGN)
            return []
        return self._close(fields, "" if fields.get("status") in ("queued", "in_progress") else "completed")

    def _take_remainder(self, event: ServerEvent) -> list[Delta]:
        """A stream may lack its last empty line; an event cut in its middle is no JSON."""
        try:
            decode_event(event.data)
        except NotAnEvent:
            return self._take(event) if event.data.strip() == b"[DONE]" else []
        return self._take(event)

    def _take(self, event: ServerEvent) -> list[Delta]:
        data = event.data.strip()
        if not data:
            return []
        if data == b"[DONE]":
            return self._end_mark()
        try:
            found = decode_event(data)
        except NotAnEvent:
            self._take_foreign(event, data)
            return []
        name = found.type if isinstance(found.type, str) and found.type else event.event
        if name in ("error", "response.error") or (not name.startswith("response.") and found.error):
            self._failure = self._failed(read_body(data))
            return []
        if name in _ENDS:
            return self._close(fields_of(found.response), _ENDS[name])
        deltas = self._output.take(name, found)
        if self._output.is_endless:
            self._failure = ProviderOverloaded("The provider sent more than an answer can be.")
        return deltas

    def _end_mark(self) -> list[Delta]:
        """Some gateways end with the mark of chat completions only: enough, if every item was said to be done."""
        self._done = True
        if self._output.all_done():
            self._reason = "stop"
        return []

    def _take_foreign(self, event: ServerEvent, data: bytes) -> None:
        if data[:1] in b"{[":
            self._failure = AnswerIncomplete(
                "The provider sent something in mid-answer that is not JSON. The answer is cut."
            )
        elif event.event in ("message", "error"):
            self._failure = self._failed(read_body(data))

    def _close(self, response: dict[str, object], said: str) -> list[Delta]:
        """Take the end of the response: what it is, by its own status or else by the event's name."""
        status = response.get("status")
        status = status if status in _STATUSES else said
        self._usage = usage_of(response.get("usage")) or self._usage
        deltas = self._output.reconcile(objects(response.get("output")))
        self._done = True
        if status in ("failed", "cancelled") or (status == "completed" and response.get("error")):
            self._failure = self._broken(response, str(status))
        elif status == "incomplete":
            word = fields_of(response.get("incomplete_details")).get("reason")
            word = storable(word[:_LONGEST_REASON]) if isinstance(word, str) else ""
            self._reason = _REASONS.get(word, word)
        elif status:
            self._reason = "stop"
        return deltas

    def _broken(self, response: dict[str, object], status: str) -> ProviderError:
        report = read_error(response.get("error"))
        if report.text or report.words:
            return self._failed(report)
        return ProviderOverloaded(f"The provider broke the answer off ({status}). Try again later.")

    def _failed(self, report: Report) -> ProviderError:
        self.refusal = report
        words = tuple(word for word in report.words if word != "error")
        if any(part in word for word in words for part in _REFUSED):
            words = (*words, "invalid_request")
        return failure(
            Report(text=report.text, words=words, param=report.param, status=report.status), None, self._secrets
        )
