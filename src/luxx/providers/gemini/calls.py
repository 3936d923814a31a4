"""Calls: the function calls of an answer, which come whole, or in pieces on Vertex."""

from collections.abc import Mapping
from typing import Any

from luxx.core.deltas import Delta, ToolCallDelta, ToolCallDone
from luxx.core.text import storable
from luxx.providers.gemini.arguments import Arguments, arguments_text
from luxx.providers.gemini.returned import Returned
from luxx.providers.gemini.values import get, object_at, objects_at, text_at

_NAMESPACES = ("default_api:", "default_api.")
_SIGNATURE = "thoughtSignature"


class _Call:
    """A call whose arguments come in pieces."""

    def __init__(self, slot: int, part: dict[str, Any], id: str, name: str) -> None:
        self.slot = slot
        self.part = part
        self.id = id
        self.name = name
        self.arguments = Arguments()


class Calls:
    """The function calls of one answer. `names` says which tools the names on the wire mean; `returned` gets the parts.

    A piece without a name goes on with the call that is open; one that will not be continued ends it.
    """

    def __init__(self, names: Mapping[str, str], returned: Returned) -> None:
        self._names = names
        self._returned = returned
        self._open: _Call | None = None
        self._slots = 0
        self._whole: set[tuple[str, str, str]] = set()

    def __bool__(self) -> bool:
        return self._slots > 0

    @property
    def all_whole(self) -> bool:
        """Whether there are calls, and none of them waits for more."""
        return self._slots > 0 and self._open is None

    def add(self, part: dict[str, Any]) -> list[Delta]:
        """Take a part with a function call, or with more of one."""
        piece = object_at(part, "functionCall")
        id, name = storable(text_at(piece, "id")), storable(text_at(piece, "name"))
        if self._open and self._goes_on(self._open, piece, id, name):
            return self._continue(self._open, part, piece)
        if not (id or name or get(piece, "args") or get(piece, "partialArgs")):
            return []
        deltas = self._end_open()
        if get(piece, "willContinue") or get(piece, "partialArgs"):
            return deltas + self._begin(part, piece, id, name)
        arguments = arguments_text(get(piece, "args"))
        if id and (id, name, arguments) in self._whole:
            return deltas  # the last event is sometimes sent twice
        self._whole.add((id, name, arguments))
        told = self._tell(id, name)
        return [*deltas, *told, *self._returned.add_call(part), *self._arguments(self._slots - 1, arguments)]

    def finish(self, cut: bool) -> list[Delta]:
        """Nothing more comes: end the call that is open, unless the answer was `cut` in it."""
        return [] if cut else self._end_open()

    def _begin(self, part: dict[str, Any], piece: Mapping[str, object], id: str, name: str) -> list[Delta]:
        deltas = self._tell(id, name)
        self._open = _Call(self._slots - 1, part, id, name)
        return deltas + self._continue(self._open, part, piece)

    def _tell(self, id: str, name: str) -> list[Delta]:
        self._slots += 1
        return [ToolCallDelta(slot=self._slots - 1, id=id, name=self._tool(name))]

    def _tool(self, name: str) -> str:
        """Return the tool that is meant: the models know the tools as functions of a module, whose name some of them add."""
        if name in self._names:
            return self._names[name]
        for namespace in _NAMESPACES:
            bare = name.removeprefix(namespace)
            if bare in self._names:
                return self._names[bare]
        return name

    def _goes_on(self, call: _Call, piece: Mapping[str, object], id: str, name: str) -> bool:
        if id and id != call.id:
            return False
        return not name or (name == call.name and (bool(id) or bool(get(piece, "partialArgs"))))

    def _continue(self, call: _Call, part: dict[str, Any], piece: Mapping[str, object]) -> list[Delta]:
        call.arguments.start(object_at(piece, "args"))
        call.arguments.add(objects_at(piece, "partialArgs"))
        if not get(call.part, _SIGNATURE) and (signature := get(part, _SIGNATURE)):
            call.part = {**call.part, _SIGNATURE: signature}
        return [] if get(piece, "willContinue") else self._end_open()

    def _end_open(self) -> list[Delta]:
        call, self._open = self._open, None
        if call is None:
            return []
        values = call.arguments.values()
        whole = {"name": call.name, "args": values}
        part = {**call.part, "functionCall": {"id": call.id, **whole} if call.id else whole}
        return [*self._returned.add_call(part), *self._arguments(call.slot, arguments_text(values))]

    def _arguments(self, slot: int, arguments: str) -> list[Delta]:
        return [ToolCallDelta(slot=slot, arguments=arguments), ToolCallDone(slot)]
