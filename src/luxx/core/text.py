"""Text that JSON, UTF-8 and databases can hold, whatever a provider, a tool or a caller sent."""

import re
from collections.abc import Iterable, Mapping
from typing import cast

_UNFIT = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """Return the text with surrogate pairs joined, and with lone surrogates and U+0000 as U+FFFD."""
    if (text.isascii() and "\0" not in text) or not _UNFIT.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\0", "\ufffd")


def storable_within(value: object) -> object:
    """Return a value made of what JSON knows with all its texts storable, its keys too; sets and tuples become lists."""
    match value:
        case str():
            return storable(value)
        case dict():
            members = cast("Mapping[object, object]", value)
            return {storable_within(key): storable_within(member) for key, member in members.items()}
        case list() | tuple() | set() | frozenset():
            return [storable_within(member) for member in cast("Iterable[object]", value)]
        case _:
            return value


class Mender:
    """Makes one text that comes in pieces storable.

    JSON can escape half a surrogate pair, and a provider can send the other half in its next chunk: halves are joined.
    """

    def __init__(self) -> None:
        self._half = ""

    def feed(self, text: str) -> str:
        """Return the text that is certain by now; the first half of a pair at its end waits for what follows."""
        if self._half:
            text = self._half + text
            self._half = ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            self._half = text[-1]
            text = text[:-1]
        return storable(text)

    def flush(self) -> str:
        """Return what still waited: a lone half, as U+FFFD."""
        half, self._half = self._half, ""
        return storable(half)
