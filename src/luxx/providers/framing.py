"""Framing: the events of a reply, which is a stream of them, a JSON body of a gateway that does not stream, or no answer at all."""

from luxx.core.errors import ProviderOverloaded, ProviderRejected
from luxx.core.sse import EventTooLarge, ServerEvent, SSEParser

LARGEST_EVENT = 64 * 1024 * 1024
"""An event may hold images, and so may a body."""

_BOM = b"\xef\xbb\xbf"
_LONGEST_BLANK = 16


class Framing:
    """Tells by its first character what a reply is. `is_body` says that it is JSON, which is whole at its end only."""

    def __init__(self) -> None:
        self.is_body = False
        self._events = SSEParser(LARGEST_EVENT)
        self._start: bytes | None = b""
        self._body: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[ServerEvent]:
        """Return the events that these bytes complete. Raises ProviderError for what is no answer, or too large to be one."""
        if self._start is not None:
            data = self._look_at_start(self._start + data)
        if self.is_body:
            self._keep(data)
            return []
        try:
            return self._events.feed(data)
        except EventTooLarge as error:
            said = "The provider sent an event that is too large to be an answer's."
            raise ProviderOverloaded(said) from error

    def body(self) -> bytes:
        """Return the body, when no more bytes come."""
        return b"".join(self._body).removeprefix(_BOM).strip()

    def remainder(self) -> ServerEvent | None:
        """Return the event that lacks its empty line at the end of the stream, which may be cut in its middle."""
        return self._events.remainder()

    def _look_at_start(self, start: bytes) -> bytes:
        bare = start.removeprefix(_BOM).lstrip()
        if not bare:
            self._start = start[:_LONGEST_BLANK]
            return b""
        self._start = None
        self.is_body = bare[:1] in (b"{", b"[")
        if bare[:1] == b"<":
            raise ProviderRejected(
                "The address answers with a web page, not with a model's answer. Check this provider's base URL."
            )
        return start

    def _keep(self, data: bytes) -> None:
        self._body.append(data)
        self._size += len(data)
        if self._size > LARGEST_EVENT:
            raise ProviderOverloaded("The provider sent a body that is too large to be an answer.")
