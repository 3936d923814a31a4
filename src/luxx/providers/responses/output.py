"""Output: the output items of one answer told as deltas, each thing once."""

from luxx.core.deltas import Delta, FileDelta, TextDelta, ThinkingDelta, ToolCallDone
from luxx.providers.citations import Citations
from luxx.providers.responses.asides import asides_of
from luxx.providers.responses.calls import Calls
from luxx.providers.responses.events import Event, Json, number_of, text_within
from luxx.providers.responses.items import Channel, Group, Item, Items, Shown, whole_text
from luxx.providers.responses.returned import LARGEST, Returned, kept, may_still_come, says_more
from luxx.providers.speech import Speech
from luxx.providers.values import fields_of, objects
from luxx.providers.verbatim import Verbatim

_MOST_ITEMS = 2000
_BETWEEN_THOUGHTS = "\n\n"
_TEXTS = ("response.output_text", "response.refusal")
_THOUGHTS = {
    "response.reasoning_text": "content",
    "response.reasoning": "content",
    "response.reasoning_summary_text": "summary",
    "response.reasoning_summary": "summary",
}
_PARTS = ("response.content_part", "response.reasoning_part", "response.reasoning_summary_part")


class Output:
    """What one answer told so far."""

    def __init__(self) -> None:
        self.calls = Calls()
        self.refused = False
        self._items = Items()
        self._citations = Citations()
        self._verbatim = Verbatim[Json](Returned, LARGEST)
        self._says_more = False
        self._speech = Speech()
        self._thought: tuple[Item, Channel] | None = None

    def take(self, name: str, event: Event) -> list[Delta]:
        """Take an event; one that is not known brings nothing."""
        about, _, what = name.rpartition(".")
        if about in _TEXTS or about in _THOUGHTS:
            return self._take_text(about, what, event)
        if about in _PARTS:
            return self._take_part(event)
        match name:
            case "response.output_item.added":
                return self._begin(event)
            case "response.output_item.done":
                item = self._items.finished(event)
                return self._finish(item, fields_of(event.item)) if item else []
            case "response.function_call_arguments.delta":
                item = self._items.of(event, "function_call")
                return self._aside() + self.calls.more(item, text_within(event.delta))
            case "response.function_call_arguments.done":
                item = self._items.of(event, "function_call")
                return self._aside() + self.calls.whole(item, event.arguments)
            case "response.output_text.annotation.added":
                return self._citations.cite(event.annotation)
            case "response.image_generation_call.partial_image":
                if isinstance(event.partial_image_b64, str):
                    self._items.of(event, "image_generation_call").partial_image = event.partial_image_b64
            case _:
                pass
        return []

    @property
    def is_endless(self) -> bool:
        """Whether there are more items than an answer can have."""
        return len(self._items.all) > _MOST_ITEMS

    def all_done(self) -> bool:
        """Whether there are items, and each was said to be done."""
        return bool(self._items.all) and all(item.whole is not None for item in self._items.all)

    def reconcile(self, output: list[dict[str, object]]) -> list[Delta]:
        """Take the whole response's items: what of them was not told yet."""
        pairs, groups = self._items.pairs(output[:_MOST_ITEMS])
        deltas: list[Delta] = []
        told: list[Item] = []
        for known, fields in pairs:
            item = known or self._items.new(fields)
            told.append(item)
            if item.whole is None:
                deltas += self._finish(item, fields)
            else:
                deltas += self._rest(item, fields)
                if fields.get("encrypted_content") and not item.whole.get("encrypted_content"):
                    item.whole = fields
        for group in groups:
            deltas += self._rest_of_group(group)
        self._items.arrange(told)
        return deltas

    def end(self, whole: bool, cut: bool) -> list[Delta]:
        """Return what waited for more; `whole` says that the response ended, `cut` that it did so before it was complete."""
        deltas = self._aside()
        deltas += self.calls.finish(cut) if whole else self.calls.abandon()
        return deltas + self._hand_over(last=True)

    def _hand_over(self, last: bool = False) -> list[Delta]:
        """Return the items that go back as they came: in order, so that one that is not whole holds those after it up to the `last`."""
        deltas: list[Delta] = []
        for place, item in enumerate(self._items.all):
            if item.handed_over:
                continue
            fields = item.whole if self._is_whole(item) else None
            in_order = item.index in (None, place)
            if not last and not (in_order and fields and not may_still_come(fields)):
                break
            item.handed_over = fields is not None
            if fields and (item.kind != "image_generation_call" or item.drew) and (own := kept(fields)):
                self._says_more = self._says_more or says_more(own)
                deltas += self._verbatim.add(own, plain=not self._says_more)
        return deltas

    def _is_whole(self, item: Item) -> bool:
        return item.kind != "function_call" or self.calls.is_done(item)

    def _take_text(self, about: str, what: str, event: Event) -> list[Delta]:
        thought = about in _THOUGHTS
        item = self._items.of(event, "reasoning" if thought else "message")
        channel = _THOUGHTS[about] if thought else "text"
        index = number_of(event.summary_index if channel == "summary" else event.content_index) or 0
        part = item.part(channel, index)
        if part is None:
            return []
        if about == "response.refusal":
            self.refused = True
        if what == "delta":
            return self._show(item, (channel, index), part.add(text_within(event.delta)))
        return self._show(item, (channel, index), part.complete(text_within(event.text) or text_within(event.refusal)))

    def _take_part(self, event: Event) -> list[Delta]:
        fields = fields_of(event.part)
        kind = fields.get("type")
        channel = {"summary_text": "summary", "reasoning_text": "content"}.get(str(kind), "text")
        if kind not in ("summary_text", "reasoning_text", "output_text", "refusal"):
            return []
        item = self._items.of(event, "message" if channel == "text" else "reasoning")
        index = number_of(event.summary_index if channel == "summary" else event.content_index) or 0
        part = item.part(channel, index)
        self.refused |= kind == "refusal"
        told = text_within(fields) or text_within(fields.get("refusal"))
        deltas = self._show(item, (channel, index), part.complete(told)) if part and told else []
        return deltas + [source for note in objects(fields.get("annotations")) for source in self._citations.cite(note)]

    def _begin(self, event: Event) -> list[Delta]:
        item = self._items.added(event)
        if item.kind != "function_call":
            return []
        return self._aside() + self.calls.begin(item, fields_of(event.item))

    def _finish(self, item: Item, fields: dict[str, object]) -> list[Delta]:
        """Take an item that is done."""
        item.whole = fields
        if item.kind == "function_call":
            deltas = self._aside() + self.calls.finished(item, fields)
            done = deltas[-1:] if deltas and isinstance(deltas[-1], ToolCallDone) else []
            return [*deltas[: len(deltas) - len(done)], *self._hand_over(), *done]
        told = asides_of(item, fields)
        item.drew = any(isinstance(delta, FileDelta) and not delta.name.endswith(".svg") for delta in told)
        return [*self._rest(item, fields), *(self._aside() if told else ()), *self._hand_over(), *told]

    def _rest(self, item: Item, fields: dict[str, object]) -> list[Delta]:
        """Return what an item's whole has beyond what was told of it."""
        if item.kind == "function_call":
            return self.calls.whole(item, fields.get("arguments"))
        deltas: list[Delta] = []
        for channel, text in item.missing(fields):
            part = item.part(*channel) or Shown()
            deltas += self._show(item, channel, part.add(text))
        if item.kind == "message":
            parts = objects(fields.get("content"))
            self.refused |= any(part.get("type") == "refusal" and bool(part.get("refusal")) for part in parts)
            deltas += self._cited_in(fields)
        return deltas

    def _cited_in(self, message: dict[str, object]) -> list[Delta]:
        parts = objects(message.get("content"))
        notes = [note for part in parts for note in objects(part.get("annotations"))]
        return [source for note in notes for source in self._citations.cite(note)]

    def _rest_of_group(self, group: Group) -> list[Delta]:
        known, wholes = group
        shown = Shown()
        shown.add("".join(item.shown for item in known))
        last = known[-1]
        deltas = self._show(
            last, (last.channel or "text", -1), shown.complete("".join(whole_text(fields) for fields in wholes))
        )
        return deltas + [source for fields in wholes for source in self._cited_in(fields)]

    def _show(self, item: Item, channel: Channel, text: str) -> list[Delta]:
        if not text:
            return []
        item.began(channel[0])
        kind = ThinkingDelta if item.kind == "reasoning" else TextDelta
        if kind is TextDelta:
            self._thought = None
            return self._speech.tell(kind, text)
        between = _BETWEEN_THOUGHTS if self._thought not in (None, (item, channel)) else ""
        self._thought = (item, channel)
        return self._speech.tell(kind, between + text)

    def _aside(self) -> list[Delta]:
        """Something begins that is neither text nor thinking."""
        self._thought = None
        return self._speech.end()
