"""Framing: the events in the bytes of a generateContent stream, cut anywhere, in the ways in which it is really sent."""

import re
from typing import Literal

from luxx.core.sse import EventTooLarge, ServerEvent, SSEParser

# An answer may hold images, of which each comes in one event.
_LARGEST_EVENT = 96 * 1024 * 1024
_LONGEST_TAIL = 8 * 1024
_BOM = b"\xef\xbb\xbf"
_STRUCTURE = re.compile(rb'["{}\[\]]')
_IN_STRING = re.compile(rb'["\\]')


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
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self._held: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[ServerEvent]:
        """Return the objects that these bytes complete. Raises EventTooLarge."""
        found: list[ServerEvent] = []
        start = at = 0
        while at < len(data):
            if self._in_string:
                at = self._pass_string(data, at)
                continue
            sign = _STRUCTURE.search(data, at)
            if sign is None:
                break
            at = sign.end()
            if self._depth == 0 and sign[0] == b"{":
                start = at - 1
            if self._note(sign[0]):
                found.append(ServerEvent(b"".join((*self._held, data[start:at]))))
                self._held.clear()
                self._size = 0
        if self._depth:
            self._hold(data[start:])
        return found

    def _note(self, sign: bytes) -> bool:
        """Follow a structural character; return whether it ends an object of the outermost level."""
        if self._depth == 0 and sign != b"{":
            self.closed = self.closed or sign == b"]"
            return False
        if sign == b'"':
            self._in_string = True
        else:
            self._depth += 1 if sign in (b"{", b"[") else -1
        return self._depth == 0

    def _pass_string(self, data: bytes, at: int) -> int:
        if self._escaped:
            self._escaped = False
            return at + 1
        sign = _IN_STRING.search(data, at)
        if sign is None:
            return len(data)
        self._escaped = sign[0] == b"\\"
        self._in_string = self._escaped
        return sign.end()

    def _hold(self, rest: bytes) -> None:
        self._held.append(rest)
        self._size += len(rest)
        if self._size > _LARGEST_EVENT:
            raise EventTooLarge(f"an event is larger than {_LARGEST_EVENT} bytes")
