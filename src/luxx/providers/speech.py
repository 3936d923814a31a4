"""Speech: the text and the thoughts of one answer, which take turns."""

from luxx.core.deltas import Delta, TextDelta, ThinkingDelta
from luxx.core.text import Mender

Kind = type[TextDelta] | type[ThinkingDelta]


class Speech:
    """Makes deltas of pieces. `kind` is what the last piece was, None once something else began.

    Half a surrogate pair at the end of a piece waits for more of its kind; when something else begins, nothing more can come.
    """

    def __init__(self) -> None:
        self.kind: Kind | None = None
        self._mender = Mender()

    def tell(self, kind: Kind, text: str) -> list[Delta]:
        """Take a piece and return what it brings, after what is left of the kind before."""
        if not text:
            return []
        before = [] if kind is self.kind else self.end()
        self.kind = kind
        text = self._mender.feed(text)
        return [*before, kind(text)] if text else before

    def end(self) -> list[Delta]:
        """Something else begins: return what is left."""
        kind, self.kind = self.kind, None
        rest = self._mender.flush()
        return [kind(rest)] if kind and rest else []
