"""Characters: make the pieces of a text valid, however a provider cut and escaped them."""

import re

_BAD = re.compile("[\x00\ud800-\udfff]")


class Mender:
    """Mends one text that comes in pieces.

    JSON can escape half a surrogate pair, and a provider can send the other half in its next chunk: halves are joined, what
    stays alone and U+0000 (which databases refuse) become U+FFFD.
    """

    def __init__(self) -> None:
        self._half = ""

    def feed(self, text: str) -> str:
        """Return the text that is certain by now; the first half of a pair at its end waits for what follows."""
        if self._half:
            text = self._half + text
            self._half = ""
        if (text.isascii() and "\0" not in text) or not _BAD.search(text):
            return text
        if "\ud800" <= text[-1] <= "\udbff":
            self._half = text[-1]
            text = text[:-1]
        return mended(text)

    def flush(self) -> str:
        """Return what still waited: a lone half, as U+FFFD."""
        half, self._half = self._half, ""
        return mended(half)


def mended(text: str) -> str:
    """Return a whole text made valid."""
    if not _BAD.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\0", "\ufffd")
