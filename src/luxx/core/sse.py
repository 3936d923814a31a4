"""Server-Sent Events: an incremental parser over bytes, by the rules of the WHATWG HTML standard (section 9.2)."""

import msgspec

_BOM = b"\xef\xbb\xbf"
_DEFAULT_LIMIT = 16 * 1024 * 1024


class EventTooLarge(ValueError):
    """An event is larger than the parser's limit."""


class ServerEvent(msgspec.Struct, frozen=True):
    """One event. `data` is as it came on the wire: UTF-8 by the standard, which is not checked here."""

    data: bytes
    event: str = "message"
    id: str = ""


class SSEParser:
    """Turns bytes, cut anywhere, into events; a line ends with LF, CR or CRLF and with nothing else.

    `limit` bounds, in bytes, the data of an event and a line that has not ended. `last_event_id` and `retry_ms` are what
    the stream last said about them.
    """

    def __init__(self, limit: int = _DEFAULT_LIMIT) -> None:
        self.last_event_id = ""
        self.retry_ms: int | None = None
        self._limit = limit
        self._head: bytes | None = b""
        self._after_cr = False
        self._line: list[bytes] = []
        self._line_size = 0
        self._data: list[bytes] = []
        self._data_size = 0
        self._event = ""
        self._id = ""

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """Return the events that this chunk completes. Raises EventTooLarge."""
        if self._head is not None:
            chunk = self._without_bom(self._head + chunk)
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n") if chunk[0] == 0x0A else chunk
        if not chunk:
            return []
        lines = chunk.splitlines()
        rest = b"" if chunk[-1] in b"\r\n" else lines.pop()
        self._after_cr = chunk[-1] == 0x0D
        if self._line and lines:
            lines[0] = b"".join((*self._line, lines[0]))
            self._line.clear()
            self._line_size = 0
        events = self._take(lines)
        if rest:
            self._hold(rest)
        return events

    def remainder(self) -> ServerEvent | None:
        """Return the event that the end of the stream cut off before its blank line.

        The standard drops it; it may be looked at by a reader that can tell by its content whether it is whole.
        """
        if self._line:
            self._field(b"".join(self._line))
            self._line.clear()
        return self._dispatch()

    def _without_bom(self, head: bytes) -> bytes:
        if len(head) < len(_BOM) and _BOM.startswith(head):
            self._head = head
            return b""
        self._head = None
        return head.removeprefix(_BOM)

    def _hold(self, rest: bytes) -> None:
        self._line.append(rest)
        self._line_size += len(rest)
        if self._line_size + self._data_size > self._limit:
            raise EventTooLarge(f"an event is larger than {self._limit} bytes")

    def _take(self, lines: list[bytes]) -> list[ServerEvent]:
        events: list[ServerEvent] = []
        for line in lines:
            if line:
                self._field(line)
            elif event := self._dispatch():
                events.append(event)
        return events

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if value[:1] == b" ":
            value = value[1:]
        if name == b"data":
            self._data.append(value)
            self._data_size += len(value) + 1
            if self._data_size > self._limit:
                raise EventTooLarge(f"an event is larger than {self._limit} bytes")
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"id":
            if b"\0" not in value:
                self._id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit() and len(value) <= 9:
            self.retry_ms = int(value)

    def _dispatch(self) -> ServerEvent | None:
        data, name = self._data, self._event
        self.last_event_id = self._id
        self._event = ""
        if not data:
            return None
        self._data = []
        self._data_size = 0
        return ServerEvent(data[0] if len(data) == 1 else b"\n".join(data), name or "message", self._id)
