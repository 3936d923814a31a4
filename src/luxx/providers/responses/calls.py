"""Calls: the function calls of one answer, from their items and the pieces of their arguments."""

from luxx.core.deltas import Delta, ToolCallDelta, ToolCallDone
from luxx.core.text import storable
from luxx.providers.arguments import ArgumentsMender, arguments_text, is_object
from luxx.providers.responses.items import Item, Shown

_EMPTY = "{}"


class _Call:
    """One call in the making.

    `held` is an empty object that may be a placeholder for the real arguments, `announced` what its item began with.
    """

    def __init__(self, slot: int) -> None:
        self.slot = slot
        self.id = ""
        self.name = ""
        self.held = ""
        self.announced = ""
        self.arguments = Shown()
        self.done = False
        self.incomplete = False
        self._mender = ArgumentsMender()

    def show(self, piece: str) -> list[Delta]:
        text = self._mender.feed(piece)
        return [ToolCallDelta(slot=self.slot, arguments=text)] if text else []

    def flush(self) -> list[Delta]:
        rest = self._mender.flush()
        return [ToolCallDelta(slot=self.slot, arguments=rest)] if rest else []


class Calls:
    """The function calls of one answer, in the order in which they began."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []

    def __bool__(self) -> bool:
        return bool(self._calls)

    def begin(self, item: Item, fields: dict[str, object]) -> list[Delta]:
        """Take what an item says of its call besides the arguments."""
        if item.slot is None:
            item.slot = len(self._calls)
            self._calls.append(_Call(item.slot))
            first = True
        else:
            first = False
        call = self._calls[item.slot]
        call.announced = call.announced or arguments_text(fields.get("arguments"))
        new_id = "" if call.id else _text(fields.get("call_id"))
        new_name = "" if call.name else _text(fields.get("name"))
        call.id = call.id or new_id
        call.name = call.name or new_name
        if not (first or new_id or new_name) or call.done:
            return []
        return [ToolCallDelta(slot=call.slot, id=new_id, name=new_name)]

    def more(self, item: Item, piece: str) -> list[Delta]:
        """Take a piece of the arguments. An empty object that comes first may be a placeholder, and waits."""
        deltas = self.begin(item, {})
        call = self._call(item)
        if call.done or not piece:
            return deltas
        if piece == _EMPTY and not call.held and not call.arguments.begun:
            call.held = piece
            return deltas
        if call.held and not piece.startswith("{"):
            piece = call.held + piece
        call.held = ""
        return [*deltas, *call.show(call.arguments.add(piece))]

    def whole(self, item: Item, arguments: object) -> list[Delta]:
        """Take the whole arguments; the call is complete if they are, and its name and id are known."""
        deltas = self.begin(item, {})
        call = self._call(item)
        text = arguments_text(arguments)
        if call.done:
            return deltas
        if text and text != call.held:
            call.held = ""
            deltas += call.show(call.arguments.complete(text))
        if call.id and call.name and is_object(call.held or call.arguments.text):
            deltas += self._close(call)
        return deltas

    def finished(self, item: Item, fields: dict[str, object]) -> list[Delta]:
        """Take an item that is done."""
        deltas = self.begin(item, fields)
        call = self._call(item)
        call.incomplete = fields.get("status") == "incomplete"
        if not call.id:
            call.id = storable(item.id)
            deltas += [ToolCallDelta(slot=call.slot, id=call.id)] if call.id else []
        return deltas + self.whole(item, fields.get("arguments"))

    def finish(self, cut: bool) -> list[Delta]:
        """Nothing more comes: close the calls, but not those that a `cut` answer left incomplete."""
        deltas: list[Delta] = []
        for call in self._calls:
            whole = is_object(call.held or call.arguments.text or call.announced) and not call.incomplete
            if not call.done:
                deltas += self._close(call) if whole or not (cut or call.incomplete) else call.flush()
        return deltas

    def abandon(self) -> list[Delta]:
        """The answer broke off: show what is left of the calls, and close none."""
        return [delta for call in self._calls if not call.done for delta in call.flush()]

    def is_done(self, item: Item) -> bool:
        """Whether an item's call is complete."""
        return item.slot is not None and self._calls[item.slot].done

    def _call(self, item: Item) -> _Call:
        assert item.slot is not None
        return self._calls[item.slot]

    def _close(self, call: _Call) -> list[Delta]:
        deltas = call.flush()
        if not call.arguments.begun:
            deltas += call.show(call.arguments.add(call.held or call.announced or _EMPTY))
        call.done = True
        return [*deltas, ToolCallDone(call.slot)]


def _text(value: object) -> str:
    return storable(value) if isinstance(value, str) else ""
