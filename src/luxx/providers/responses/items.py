"""Items: what is known of each output item, so that nothing of it is lost or told twice.

Providers tell an item up to four times: in deltas, in the `done` of its parts, in its own `done` and in the whole response at the
end; gateways leave out any of these. What a later telling has beyond what was shown is shown then. If it says something else, the
deltas stand.
"""

from itertools import zip_longest

from luxx.providers.responses.events import Event, number_of, text_within
from luxx.providers.values import fields_of, objects

Channel = tuple[str, int]
"""A part of an item: ``text``, ``summary`` or ``content`` (of reasoning), and its index."""

TEXT_KINDS = ("message", "reasoning")
_OUTPUT_TEXT = ("output_text", "text", "refusal")


class Shown:
    """A text as far as it was shown; pieces are joined when it is asked for, so that a long one costs linear time."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    @property
    def begun(self) -> bool:
        """Whether there is any text."""
        return bool(self._pieces)

    @property
    def text(self) -> str:
        """The text so far."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def add(self, piece: str) -> str:
        """Take a piece and return it."""
        if piece:
            self._pieces.append(piece)
        return piece

    def complete(self, whole: str) -> str:
        """Return, and take, what the whole text has beyond what was shown."""
        shown = self.text
        return self.add(whole[len(shown) :]) if whole.startswith(shown) else ""


class Item:
    """An output item.

    `whole` is it as it was when it was done, `slot` that of a function call, `channel` where its text is shown from. `handed_over` says
    that it is kept to be sent back, `drew` that an image came of it.
    """

    def __init__(self, kind: str, index: int | None) -> None:
        self.kind = kind
        self.index = index
        self.id = ""
        self.whole: dict[str, object] | None = None
        self.partial_image = ""
        self.drew = False
        self.handed_over = False
        self.slot: int | None = None
        self._parts: dict[Channel, Shown] = {}
        self.channel = ""

    def part(self, name: str, index: int) -> Shown | None:
        """Return a part; None for one that says again what another channel shows (reasoning and its summary)."""
        if self.channel not in ("", name):
            return None
        return self._parts.setdefault((name, index), Shown())

    def began(self, name: str) -> None:
        """A text was shown of this channel."""
        self.channel = name

    @property
    def shown(self) -> str:
        """All of its text that was shown."""
        parts = sorted(self._parts.items(), key=lambda entry: entry[0])
        return "".join(part.text for (name, _), part in parts if name == self.channel)

    def missing(self, whole: dict[str, object]) -> list[tuple[Channel, str]]:
        """Return what was not shown of the item's text, by part."""
        parts = _parts_of(whole, self.channel)
        rest = Shown()
        rest.add(self.shown)
        beyond = rest.complete("".join(text for _, text in parts))
        found: list[tuple[Channel, str]] = []
        for channel, text in reversed(parts):
            if not beyond:
                break
            own = text[-min(len(text), len(beyond)) :] if text else ""
            beyond = beyond[: len(beyond) - len(own)]
            found.append((channel, own))
        return [(channel, text) for channel, text in reversed(found) if text]


Pair = tuple[Item | None, dict[str, object]]
"""A known item, None for a new one, and what the whole response says of it."""

Group = tuple[list[Item], list[dict[str, object]]]
"""Items of one kind that cannot be told apart: the known ones, and those of the whole response."""


class Items:
    """The output items of one answer, in the order in which they were first told of."""

    def __init__(self) -> None:
        self.all: list[Item] = []
        self._by_index: dict[int, Item] = {}
        self._by_id: dict[str, Item] = {}

    def added(self, event: Event) -> Item:
        """Return the new item that an event announces."""
        fields = fields_of(event.item)
        known = self._found(event, kind_of(fields), _id(fields))
        if known and known.whole is None and known.id in ("", _id(fields)):
            return self._named(known, _id(fields))
        return self._new(kind_of(fields), number_of(event.output_index), _id(fields))

    def of(self, event: Event, kind: str) -> Item:
        """Return the item of this kind that an event tells more of; a new one where none fits."""
        identity = event.item_id if isinstance(event.item_id, str) else ""
        if found := self._found(event, kind, identity):
            return found
        last = self.all[-1] if self.all else None
        if number_of(event.output_index) is None and last and last.kind == kind and last.whole is None:
            return last
        return self._new(kind, number_of(event.output_index), identity)

    def finished(self, event: Event) -> Item | None:
        """Return the item that an event says is done; None if it was done before."""
        fields = fields_of(event.item)
        kind, identity = kind_of(fields), _id(fields)
        known = self._found(event, kind, identity)
        if known is None and number_of(event.output_index) is None:
            known = next((item for item in self.all if item.kind == kind and item.whole is None), None)
        if known is None or (known.whole is not None and not _same(known.whole, fields)):
            known = self._new(kind, number_of(event.output_index), identity)
        return None if known.whole is not None else self._named(known, identity)

    def pairs(self, output: list[dict[str, object]]) -> tuple[list[Pair], list[Group]]:
        """Pair the items of the whole response with the known ones: by their ids, else in order within a kind.

        A kind of text whose items are not as many as the known ones (gateways join them) is returned as a group.
        """
        found: dict[int, Item | None] = {}
        left = list(self.all)
        for place, fields in enumerate(output):
            if item := next((item for item in left if item.kind == kind_of(fields) and _is(item, fields)), None):
                found[place] = item
                left.remove(item)
        groups: list[Group] = []
        for kind in dict.fromkeys(kind_of(fields) for fields in output):
            known = [item for item in left if item.kind == kind]
            places = [p for p, fields in enumerate(output) if p not in found and kind_of(fields) == kind]
            if known and len(known) != len(places) and kind in TEXT_KINDS:
                groups.append((known, [output[place] for place in places]))
            else:
                found.update(zip_longest(places, known[: len(places)]))
        return [(found[place], fields) for place, fields in enumerate(output) if place in found], groups

    def arrange(self, told: list[Item]) -> None:
        """Put the items into the order in which the whole response tells them, else into that of their own indexes."""
        indexes = {item.index for item in self.all}
        if told:
            self.all = told + [item for item in self.all if item not in told]
        elif None not in indexes and len(indexes) == len(self.all):
            self.all.sort(key=lambda item: item.index or 0)

    def new(self, fields: dict[str, object]) -> Item:
        """Return a new item for one that only the whole response has."""
        return self._new(kind_of(fields), None, _id(fields))

    def _found(self, event: Event, kind: str, identity: str) -> Item | None:
        index = number_of(event.output_index)
        at_index = self._by_index.get(index) if index is not None else None
        for item in (at_index if at_index and at_index.id == identity else None, self._by_id.get(identity), at_index):
            if item and item.kind == kind:
                return item
        return None

    def _new(self, kind: str, index: int | None, identity: str) -> Item:
        item = Item(kind, index)
        self.all.append(item)
        if index is not None:
            self._by_index[index] = item
        return self._named(item, identity)

    def _named(self, item: Item, identity: str) -> Item:
        if identity:
            item.id = identity
            self._by_id[identity] = item
        return item


def whole_text(fields: dict[str, object]) -> str:
    """Return the text of a message, refusals included, or of reasoning."""
    return "".join(text for _, text in _parts_of(fields, ""))


def _parts_of(fields: dict[str, object], channel: str) -> list[tuple[Channel, str]]:
    """Return the texts of an item; of reasoning those of one channel, its own words before a summary of them."""
    if fields.get("type") == "reasoning":
        for name in (channel,) if channel else ("content", "summary"):
            found = [((name, i), text_within(part)) for i, part in enumerate(objects(fields.get(name)))]
            if any(text for _, text in found):
                return found
        return []
    content = fields.get("content")
    if isinstance(content, str):
        return [(("text", 0), content)]
    return [(("text", i), _part_text(part)) for i, part in enumerate(objects(content))]


def _part_text(part: dict[str, object]) -> str:
    if part.get("type") not in _OUTPUT_TEXT:
        return ""
    return text_within(part) or text_within(part.get("refusal"))


def kind_of(fields: dict[str, object]) -> str:
    """Return an item's type; a gateway may leave that of a message out."""
    kind = fields.get("type")
    return kind if isinstance(kind, str) and kind else "message" if fields.get("role") else ""


def _id(fields: dict[str, object]) -> str:
    identity = fields.get("id")
    return identity if isinstance(identity, str) else ""


def _is(item: Item, fields: dict[str, object]) -> bool:
    """Whether a known item is this one: function calls are told apart by their call id, which gateways keep."""
    if item.whole is not None and _same(item.whole, fields):
        return True
    return bool(item.id) and item.id == _id(fields)


def _same(one: dict[str, object], other: dict[str, object]) -> bool:
    for name in ("call_id", "id"):
        if isinstance(one.get(name), str) and one.get(name):
            return one.get(name) == other.get(name)
    return one == other
