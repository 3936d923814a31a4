"""Arguments: the JSON text of a tool call's arguments, as models really write it."""

import json
import re

import msgspec

from luxx.core.text import Mender

_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(u[dD][89a-fA-F][\da-fA-F]{2})|.)", re.DOTALL
)
"""An escape: two halves of a surrogate pair, half a pair alone (the group), or any other."""
_UNFINISHED = re.compile(r"(?<!\\)(?:\\\\)*((?:\\u[dD][89abAB][\da-fA-F]{2})?(?:\\(?:u[\da-fA-F]{0,3})?)?)\Z")
"""At the end of a piece: an escape that may go on in the next, or the first half of a pair."""


class ArgumentsMender:
    """Makes arguments that come in pieces storable: half a surrogate pair becomes U+FFFD, whether it is escaped or not.

    Models are cut within a pair at times, and JSON readers refuse the whole text for it.
    """

    def __init__(self) -> None:
        self._mender = Mender()
        self._held = ""

    def feed(self, piece: str) -> str:
        """Return what is certain by now; an escape at the end waits for what follows."""
        return self._certain(self._mender.feed(piece))

    def flush(self) -> str:
        """Return what still waited."""
        rest = self._certain(self._mender.flush()) + _mended(self._held)
        self._held = ""
        return rest

    def _certain(self, piece: str) -> str:
        text = self._held + piece
        if "\\" not in text:
            return text
        unfinished = _UNFINISHED.search(text)
        end = unfinished.start(1) if unfinished else len(text)
        self._held = text[end:]
        return _mended(text[:end])


def is_object(text: str) -> bool:
    """Whether a text is a complete JSON object."""
    return _is_object(text) or ("\\" in text and _is_object(_mended(text)))


def object_text(text: str) -> str:
    """Return arguments as they can be sent: many endpoints refuse the whole conversation for one call that a model got wrong."""
    if _is_object(text):
        return text
    mended = _mended(text)
    return mended if _is_object(mended) else "{}"


def arguments_text(value: object) -> str:
    """Return arguments as their JSON text; a gateway may send the object itself."""
    if not isinstance(value, (dict, list)):
        return value if isinstance(value, str) else ""
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return ""


def _is_object(text: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False


def _mended(text: str) -> str:
    return _ESCAPE.sub(lambda found: r"\ufffd" if found[1] else found[0], text)
