"""Calls: tool calls put together from the pieces in which providers send them."""

from collections.abc import Callable

from luxx.core.deltas import Delta, ToolCallDelta, ToolCallDone
from luxx.core.text import storable
from luxx.providers.arguments import ArgumentsMender, arguments_text, is_object
from luxx.providers.nesting import Closing
from luxx.providers.openai.chunks import CallPiece
from luxx.providers.openai.reasoning import Attached

_EMPTY = "{}"


class _Call:
    """One call in the making. What was not sent on yet waits in `new_id`, `new_name` and `new_arguments`."""

    def __init__(self, index: int | None) -> None:
        self.index = index
        self.slot: int | None = None
        self.id = ""
        self.name = ""
        self.extra: object = None
        self.done = False
        self.new_id = ""
        self.new_name = ""
        self._mender = ArgumentsMender()
        self._begin_arguments()

    def _begin_arguments(self) -> None:
        self.new_arguments = ""
        self._arguments: list[str] = []
        self._size = 0
        self._unread: list[str] = []
        self._closing = Closing()
        self._whole: bool | None = None

    @property
    def begun(self) -> bool:
        """Whether any arguments came."""
        return bool(self._arguments)

    @property
    def arguments(self) -> str:
        """The arguments so far."""
        if len(self._arguments) > 1:
            self._arguments = ["".join(self._arguments)]
        return self._arguments[0] if self._arguments else ""

    def is_whole(self) -> bool:
        """Whether the arguments are a complete JSON object."""
        if self._unread:
            self._closing.feed("".join(self._unread))
            self._unread.clear()
        if not self._closing.closed:
            return False
        if self._whole is None:  # white space that follows changes nothing
            self._whole = is_object(self.arguments)
        return self._whole

    def is_empty(self) -> bool:
        """Whether the arguments are an empty object so far."""
        return self._size == len(_EMPTY) and self.arguments == _EMPTY

    def add_id(self, new: str) -> None:
        if not (self.id or self.done):
            self.id = self.new_id = new

    def add_name(self, piece: str) -> None:
        """Add a fragment; a name said again is the same name, and once there are arguments it is complete."""
        if not piece or piece == self.name or self.done or (self.name and self.begun):
            return
        more = piece.removeprefix(self.name)
        self.name += more
        self.new_name += more

    def add_arguments(self, piece: str) -> None:
        """Add a fragment. An empty object that comes first is a placeholder if a real one follows."""
        if not piece or self.done:
            return
        if piece[0] == "{" and self.is_whole():
            if piece == self.arguments != _EMPTY:
                return
            if self.is_empty() and self.new_arguments == _EMPTY != piece.rstrip():
                self._begin_arguments()
        self._take(self._mender.feed(piece))

    def news(self, last: bool = False) -> list[Delta]:
        """Return what was not sent on yet; the arguments ``{}`` wait until they are the last word."""
        if self.slot is None:
            return []
        if last:
            self._take(self._mender.flush())
        arguments = "" if self.new_arguments == _EMPTY and self.is_empty() and not last else self.new_arguments
        if not (self.new_id or self.new_name or arguments):
            return []
        delta = ToolCallDelta(slot=self.slot, id=self.new_id, name=self.new_name, arguments=arguments)
        self.new_id = self.new_name = ""
        self.new_arguments = self.new_arguments[len(arguments) :]
        return [delta]

    def _take(self, piece: str) -> None:
        if piece:
            self._arguments.append(piece)
            self._unread.append(piece)
            self._size += len(piece)
            self.new_arguments += piece


class Calls:
    """The tool calls of one answer; what some formats attach to a call and want back is handed over by `attach`.

    Which call a piece belongs to: a second id on one index starts a new call, and so does a name that comes when the
    arguments so far are complete and no id says otherwise; a piece without any of these goes on with the last call. Calls
    get their slots in the order of their indexes as far as that can be known: one that begins above a gap waits, until the
    gap is filled or it grows itself.
    """

    def __init__(self, attach: Callable[[Attached], list[Delta]]) -> None:
        self._attach = attach
        self._calls: list[_Call] = []
        self._open: list[_Call] = []
        self._waiting: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._slots = 0
        self._next_index = 0

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, piece: CallPiece) -> list[Delta]:
        """Take a piece and return what it brings."""
        index = _index(piece.index)
        identity = storable(str(piece.id)) if isinstance(piece.id, (str, int)) else ""
        function = piece.function
        name = storable(function.name) if function and isinstance(function.name, str) else ""
        arguments = arguments_text(function.arguments if function else None)
        call = self._find(index, identity, name, arguments)
        deltas: list[Delta] = []
        if call is None and not (identity or name or arguments):
            return []
        if call is None:
            call = self._begin(index)
            deltas += self.settle(besides=call)
        elif call.slot is None:
            deltas += self._release_all()
        call.add_id(identity)
        call.add_name(name)
        call.add_arguments(arguments)
        call.extra = piece.extra_content or call.extra
        return deltas + (self._place(call) if call.slot is None else call.news())

    def settle(self, besides: _Call | None = None) -> list[Delta]:
        """Something else has begun: close the calls whose arguments are complete, and not an empty object."""
        deltas: list[Delta] = [] if besides else self._release_all()
        if not self._open:
            return deltas
        ready = [c for c in self._open if c is not besides and c.slot is not None and c.is_whole()]
        for call in ready:
            if not call.is_empty():
                deltas += self._close(call)
        return deltas

    def finish(self, cut: bool) -> list[Delta]:
        """Nothing more comes: close the calls. If the answer was `cut`, calls with incomplete arguments stay open."""
        deltas = self._release_all()
        for call in list(self._open):
            deltas += call.news(last=True) if cut and not call.is_whole() else self._close(call)
        return deltas

    def abandon(self) -> list[Delta]:
        """The answer broke off: show what is left of the calls, and close none."""
        deltas = self._release_all()
        for call in self._open:
            deltas += call.news(last=True)
        self._open.clear()
        return deltas

    def all_whole(self) -> bool:
        """Whether there are calls and all have complete arguments."""
        return bool(self._calls) and all(call.is_whole() for call in self._calls)

    def _find(self, index: int | None, identity: str, name: str, arguments: str) -> _Call | None:
        last = self._calls[-1] if self._calls else None
        if index is not None:
            call = self._by_index.get(index)
            if call is None:
                return last if last and not (identity or name or last.is_whole()) else None
        elif identity:
            call = next((c for c in reversed(self._calls) if c.id == identity), last)
        else:
            call = last
        if call is None or (identity and identity == call.id):
            return call
        if identity and call.id:
            # vLLM has sent a fresh id with every piece: without a name it goes on with a call that is not complete.
            return call if not name and not call.is_whole() else None
        return None if _begins_next(call, name, arguments) else call

    def _begin(self, index: int | None) -> _Call:
        call = _Call(index)
        self._calls.append(call)
        self._open.append(call)
        if index is not None:
            self._by_index[index] = call
        return call

    def _place(self, call: _Call) -> list[Delta]:
        """Give a new call its slot, or let it wait for the calls below it."""
        if call.index is not None and call.index > self._next_index:
            self._waiting.append(call)
            self._waiting.sort(key=_order)
            return []
        deltas = self._release(call)
        while self._waiting and _order(self._waiting[0]) <= self._next_index:
            deltas += self._release(self._waiting.pop(0))
        return deltas

    def _release(self, call: _Call) -> list[Delta]:
        call.slot = self._slots
        self._slots += 1
        if call.index is not None:
            self._next_index = max(self._next_index, call.index + 1)
        return call.news() or [ToolCallDelta(slot=call.slot)]

    def _release_all(self) -> list[Delta]:
        waiting, self._waiting = self._waiting, []
        return [delta for call in waiting for delta in self._release(call)]

    def _close(self, call: _Call) -> list[Delta]:
        if call.slot is None:
            return []
        self._open.remove(call)
        deltas = call.news(last=True)
        call.done = True
        if call.extra:
            deltas += self._attach(Attached(call.slot, call.id, call.extra))
        return [*deltas, ToolCallDone(call.slot)]


def _begins_next(call: _Call, name: str, arguments: str) -> bool:
    """Whether a piece with a name, but no second id, is the next call and not more of this one."""
    if not name or not call.is_whole():
        return False
    return name != call.name or bool(arguments and not call.is_empty())


def _order(call: _Call) -> int:
    return call.index or 0


def _index(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return int(value) if isinstance(value, (int, float)) and 0 <= value < 1_000_000_000 else None
