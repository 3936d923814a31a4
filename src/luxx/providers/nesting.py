"""Nesting: where the outermost objects of JSON begin and end that comes in pieces, cut anywhere; each byte is looked at once."""

import re
from collections.abc import Iterator

_STRUCTURE = re.compile(rb'["{}\[\]]')
_IN_STRING = re.compile(rb'["\\]')


class Nesting:
    """Follows how deep JSON is nested. `depth` is that at the end of what came so far."""

    def __init__(self) -> None:
        self.depth = 0
        self._in_string = False
        self._escaped = False

    def outermost(self, data: bytes) -> Iterator[tuple[bytes, int]]:
        """Yield, with the place after it, what stands at the outermost level: the braces of objects, and the end of a list around them."""
        at = 0
        while at < len(data):
            if self._in_string:
                at = self._pass_string(data, at)
                continue
            found = _STRUCTURE.search(data, at)
            if found is None:
                return
            sign, at = found[0], found.end()
            if self.depth == 0 and sign != b"{":
                if sign == b"]":
                    yield sign, at
            elif sign == b'"':
                self._in_string = True
            elif sign in (b"{", b"["):
                self.depth += 1
                if self.depth == 1:
                    yield sign, at
            else:
                self.depth -= 1
                if self.depth == 0:
                    yield b"}", at

    def _pass_string(self, data: bytes, at: int) -> int:
        if self._escaped:
            self._escaped = False
            return at + 1
        found = _IN_STRING.search(data, at)
        if found is None:
            return len(data)
        self._escaped = found[0] == b"\\"
        self._in_string = self._escaped
        return found.end()


class Closing:
    """Tells whether a text that comes in pieces has come to the end of one object, with nothing but white space after it."""

    def __init__(self) -> None:
        self._nesting = Nesting()
        self._ended = False
        self._goes_on = False

    @property
    def closed(self) -> bool:
        """Whether it has; what it is an object of is not looked at."""
        return self._ended and not self._goes_on

    def feed(self, piece: str) -> None:
        """Take a piece."""
        data, rest = piece.encode("utf-8", "surrogatepass"), 0
        for sign, place in self._nesting.outermost(data):
            self._goes_on = self._goes_on or self._ended
            self._ended, rest = sign == b"}", place
        if self._ended and data[rest:].strip():
            self._goes_on = True
