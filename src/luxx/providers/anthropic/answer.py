"""Answer: the bytes of a Messages stream, cut anywhere, turned into deltas."""

from collections.abc import Iterable, Mapping
from typing import Any

from luxx.core.deltas import Delta, Finish
from luxx.core.errors import AnswerIncomplete, ProviderError, ProviderOverloaded, ProviderRejected
from luxx.core.sse import ServerEvent
from luxx.core.text import storable
from luxx.core.usage import Usage
from luxx.providers.anthropic.aside import refusal_notice
from luxx.providers.anthropic.blocks import Blocks
from luxx.providers.anthropic.wire import Block, decode_object
from luxx.providers.early import Early
from luxx.providers.failures import failure, read_body
from luxx.providers.framing import Framing
from luxx.providers.prices import told_cost
from luxx.providers.values import fields_of, objects, text_of, tokens_of

PAUSED = "pause_turn"
"""The finish reason of an answer that goes on when it is sent back as it is."""

_LONGEST_REASON = 40
_REASONS = {
    **dict.fromkeys(("end_turn", "stop_sequence", "stop"), "stop"),
    **dict.fromkeys(("max_tokens", "model_context_window_exceeded", "length"), "length"),
    **dict.fromkeys(("tool_use", "tool_calls"), "tool_calls"),
    "content_filtered": "content_filter",
    "content_filter": "content_filter",
    "guardrail_intervened": "content_filter",
    "compaction": PAUSED,
}
_WRITTEN = "cache_creation_input_tokens"
_INPUT = ("input_tokens", "cache_read_input_tokens", _WRITTEN)
_CUT = ("length", "content_filter", "refusal")


class AnswerDecoder:
    """Decodes one answer. It does no I/O and raises from `finish` only, so that what came before a failure is kept.

    `names` are the tools' own names by those on the wire; `secrets` are taken out of the provider's error texts.
    """

    def __init__(self, secrets: Iterable[str] = (), names: Mapping[str, str] | None = None) -> None:
        self._secrets = tuple(secrets)
        self._blocks = Blocks(names or {})
        self._spent_before: Usage | None = None
        self._failure: ProviderError | None = None
        self._early = Early()
        self._begin()

    def _begin(self) -> None:
        self._framing = Framing()
        self._done = False
        self._reason: str | None = None
        self._spent: dict[str, int] = {}
        self._compaction: list[dict[str, Any]] = []
        self._cost: float | None = None

    def go_on(self) -> list[Block]:
        """Expect the stream in which a paused answer goes on; return what it has so far, to be sent back."""
        self._spent_before = self._usage()
        self._begin()
        self._blocks.keep()
        return self._blocks.content()

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be read: the end mark came, or a failure."""
        return self._done or self._failure is not None

    @property
    def has_reason(self) -> bool:
        """Whether the stop reason came; only the end mark can follow."""
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
            deltas += self._take([event]) if decode_object(event.data) is not None else []
        if self._done and self._reason is None and not self._failure and self._blocks.calls_are_whole:
            self._reason = "tool_calls"
        return [*deltas, *self._blocks.end(cut=self._failure is not None or self._reason in (None, *_CUT))]

    def finish(self) -> Finish:
        """Return the end of the answer. Raises AnswerIncomplete if it has none, or the failure that came."""
        if self._failure:
            raise self._failure
        reason = self._reason
        if reason is None:
            raise AnswerIncomplete("The provider's stream ended without a stop reason: the answer may be cut.")
        if self._blocks.has_calls and reason in ("stop", PAUSED):
            reason = "tool_calls"
        elif not self._blocks.has_calls and reason == "tool_calls":
            reason = "stop"
        return Finish(reason=reason, usage=self._usage())

    def _take_body(self, body: bytes) -> list[Delta]:
        message = decode_object(body)
        if message is None:
            self._failure = ProviderRejected(
                "The address answers with something other than a message. Check this provider's base URL."
            )
            return []
        if not isinstance(message.get("content"), list):
            self._failure = failure(read_body(body), secrets=self._secrets)
            return []
        self._done = True
        return self._take_message(message, len(body))

    def _take(self, events: list[ServerEvent]) -> list[Delta]:
        deltas: list[Delta] = []
        for event in events:
            if self.ended:
                break
            deltas += self._take_event(event)
        return deltas

    def _take_event(self, event: ServerEvent) -> list[Delta]:
        data = event.data.strip()
        if data == b"[DONE]":
            self._done = True
            return []
        if not data:
            return []
        fields = decode_object(data)
        if fields is None:
            if self._reason is None and event.event not in ("message", "ping"):
                self._fail_unreadable(event, data)
            return []
        kind = "error" if event.event == "error" else text_of(fields.get("type")) or event.event
        return self._take_fields(kind, fields, data)

    def _take_fields(self, kind: str, fields: dict[str, Any], data: bytes) -> list[Delta]:
        index = fields.get("index")
        place = index if isinstance(index, (int, str)) else None
        if self._blocks.too_large:
            self._failure = ProviderOverloaded("The provider sent more than any answer has.")
            return []
        match kind:
            case "content_block_delta":
                return self._blocks.add(place, dict(fields_of(fields.get("delta"))), len(data))
            case "content_block_start":
                return self._blocks.start(place, dict(fields_of(fields.get("content_block"))), len(data))
            case "content_block_stop":
                return self._blocks.stop(place)
            case "message_start":
                restarted = self._blocks.restart() if self._reason is None else []
                return [*restarted, *self._take_message(dict(fields_of(fields.get("message"))), len(data))]
            case "message_delta":
                self._note_usage(fields.get("usage"))
                return self._take_end(fields_of(fields.get("delta")))
            case "message_stop":
                self._done = True
                return []
            case _:
                if (kind == "error" or (kind == "message" and fields.get("error"))) and self._reason is None:
                    self._failure = failure(read_body(data), secrets=self._secrets)
                return []

    def _take_message(self, message: dict[str, Any], size: int) -> list[Delta]:
        """Take a message: empty at the start of a stream, but whole in a body, or where calls go on from earlier ones."""
        deltas: list[Delta] = []
        for place, block in enumerate(objects(message.get("content"))):
            deltas += [*self._blocks.start(("whole", place), block, size if not place else 0)]
            deltas += self._blocks.stop(("whole", place))
        self._note_usage(message.get("usage"))
        return [*deltas, *self._early.news(self._usage()), *self._take_end(message)]

    def _take_end(self, fields: Mapping[str, Any]) -> list[Delta]:
        """Take the stop reason and what comes with it, from the message or from its last delta."""
        container = text_of(fields_of(fields.get("container")).get("id"))
        deltas = self._blocks.ran_in(storable(container)) if container else []
        word = fields.get("stop_reason")
        if not isinstance(word, str) or not word or self._reason is not None:
            return deltas
        self._reason = _REASONS.get(word, storable(word[:_LONGEST_REASON]))
        deltas += self._blocks.end(cut=self._reason in _CUT)
        notice = refusal_notice(fields.get("stop_details")) if self._reason == "refusal" else None
        return [*deltas, notice] if notice else deltas

    def _fail_unreadable(self, event: ServerEvent, data: bytes) -> None:
        if event.event == "error":
            self._failure = failure(read_body(data), secrets=self._secrets)
        else:
            self._failure = AnswerIncomplete(
                "The provider sent something in mid-answer that is not JSON. The answer is cut."
            )

    def _note_usage(self, value: object) -> None:
        """Later figures replace earlier ones; those at the end may lack the input, or give nothing but zeros for it."""
        usage = fields_of(value)
        if (cost := told_cost(usage)) is not None:
            self._cost = cost
        details = fields_of(usage.get("output_tokens_details"))
        found = {name: count for name in _INPUT if (count := tokens_of(usage.get(name))) is not None}
        by_life = fields_of(usage.get("cache_creation")).values()  # for five minutes, and for an hour
        if written := sum(tokens_of(count) or 0 for count in by_life):
            found[_WRITTEN] = max(written, found.get(_WRITTEN, 0))
        if any(found.values()):
            self._spent.update(found)
        compaction = [entry for entry in objects(usage.get("iterations")) if entry.get("type") == "compaction"]
        self._compaction = compaction or self._compaction
        for name, count in (("output", usage.get("output_tokens")), ("thinking", details.get("thinking_tokens"))):
            self._spent[name] = tokens_of(count) or self._spent.get(name, 0)

    def _usage(self) -> Usage | None:
        """Return the tokens spent.

        The API's input tokens leave out what was read from the cache or written to it, and its totals what it took to condense
        the conversation.
        """
        spent = {name: self._spent.get(name, 0) + self._condensing(name) for name in _INPUT}
        prompt = sum(spent.values())
        output = self._spent.get("output", 0) + self._condensing("output_tokens")
        if not prompt and not output:
            return self._spent_before
        usage = Usage(
            input_tokens=prompt,
            output_tokens=output,
            total_tokens=prompt + output,
            cached_tokens=spent["cache_read_input_tokens"],
            cache_write_tokens=spent[_WRITTEN],
            reasoning_tokens=min(self._spent.get("thinking", 0), output),
            cost=self._cost,
        )
        return self._spent_before + usage if self._spent_before else usage

    def _condensing(self, name: str) -> int:
        return sum(tokens_of(entry.get(name)) or 0 for entry in self._compaction)
