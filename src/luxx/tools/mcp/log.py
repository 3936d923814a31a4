"""Log: the last that a server's program said on standard error, and texts of servers without the secrets that they were given."""

from collections import deque
from collections.abc import Iterable

from luxx.core.text import storable

MAX_LINES = 200
MAX_LINE_CHARS = 500
_SHORTEST_SECRET = 6
_HIDDEN = "[secret]"


class ServerLog:
    """The last lines of a server, bounded; known secrets are hidden in them."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        parts = {part for secret in secrets for part in (secret, *secret.split())}
        self._secrets = sorted((part for part in parts if len(part) >= _SHORTEST_SECRET), key=len, reverse=True)
        self._lines: deque[str] = deque(maxlen=MAX_LINES)
        self._partial = b""

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines, oldest first, with one that has not ended yet."""
        return (*self._lines, self._shown(self._partial)) if self._partial else tuple(self._lines)

    def feed(self, data: bytes) -> None:
        """Take what was written, cut anywhere."""
        *lines, partial = (self._partial + data).split(b"\n")
        self._partial = partial[: MAX_LINE_CHARS * 4]
        self._lines.extend(shown for line in lines[-MAX_LINES:] if (shown := self._shown(line)))

    def note(self, text: str) -> None:
        """Add a line of Luxx's own, once where it would be said again at once."""
        line = self.hidden(text)[:MAX_LINE_CHARS]
        if not self._lines or self._lines[-1] != line:
            self._lines.append(line)

    def hidden(self, text: str) -> str:
        """Return a text of the server with the known secrets hidden."""
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return text

    def _shown(self, line: bytes) -> str:
        text = storable(line[: MAX_LINE_CHARS * 4].decode(errors="replace")).rstrip()
        return self.hidden(text)[:MAX_LINE_CHARS]
