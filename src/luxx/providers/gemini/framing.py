"""Framing: the events in the bytes of a generateContent stream, cut anywhere, in the ways in which it is really sent."""

from typing import Literal

from luxx.core.sse import EventTooLarge, ServerEvent, SSEParser
from luxx.providers.nesting import Nesting

# An answer may hold images, of which each comes in one event.
_LARGEST_EVENT = 96 * 1024 * 1024
_LONGEST_TAIL = 8 * 1024
_BOM = b"\xef\xbb\xbf"


class Frames:
    """Tells by the first character how a stream is framed, and returns its events.

    With ``alt=sse`` it is an event stream; gateways that overlook it send one JSON array of the same objects, which grows, or one
    object. `kind` is empty until it is known. `closed` says that the array has ended.
    """

    def __init__(self) -> None:
        self.kind: Literal["", "events", "objects", "page"] = ""
        self._start = b""
        self._events = SSEParser(_LARGEST_EVENT)
        self._objects = _Objects()
        self._tail = b""

    @property
    def closed(self) -> bool:
        """Whether the JSON array has come to its end."""
        return self._objects.closed

    def feed(self, data: bytes) -> list[ServerEvent]:
        """Return the events that these bytes complete. Raises EventTooLarge."""
        if not self.kind:
            self._start += data
            if not self._look_at_start():
                return []
            data, self._start = self._start, b""
        if self.kind == "events":
            self._tail = (self._tail + data)[-_LONGEST_TAIL:]
            return self._events.feed(data)
        return self._objects.feed(data) if self.kind == "objects" else []

    def remainder(self) -> ServerEvent | None:
        """Return the event that lacks its empty line at the end of the stream, which may be cut in its middle."""
        return self._events.remainder() if self.kind == "events" else None

    def bare_error(self) -> bytes | None:
        """Return the JSON at the end of an event stream that is in no event: so Google tells of errors in mid-stream."""
        start = self._tail.replace(b"\r", b"\n").rfind(b"\n{") + 1
        tail = self._tail[start:]
        return tail.strip() if tail.startswith(b"{") else None

    def _look_at_start(self) -> bool:
        bare = self._start.removeprefix(_BOM).lstrip()
        if not bare or (self._start == _BOM[: len(self._start)]):
            self._start = self._start[:16]
            return False
        if bare[:1] in (b"{", b"["):
            self.kind = "objects"
        else:
            self.kind = "page" if bare[:1] == b"<" else "events"
        return True


class _Objects:
    """Cuts the objects out of a JSON array, or out of JSON objects one after another."""

    def __init__(self) -> None:
        self.closed = False
        self._nesting = Nesting()
        self._held: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[ServerEvent]:
        """Return the objects that these bytes complete. Raises EventTooLarge."""
        found: list[ServerEvent] = []
        start = 0
        for sign, end in self._nesting.outermost(data):
            match sign:
                case b"{":
                    start = end - 1
                case b"}":
                    found.append(ServerEvent(b"".join((*self._held, data[start:end]))))
                    self._held.clear()
                    self._size = 0
                case b"]":
                    self.closed = True
                case _:
                    pass
        if self._nesting.depth:
            self._hold(data[start:])
        return found

    def _hold(self, rest: bytes) -> None:
        self._held.append(rest)
        self._size += len(rest)
        if self._size > _LARGEST_EVENT:
            raise EventTooLarge(f"an event is larger than {_LARGEST_EVENT} bytes")
