"""Ids: call ids and tool names in the characters that chat-completions endpoints take. They come from any provider."""

import hashlib
import re
from itertools import count

from luxx.providers.failures import Report

_FITS = re.compile(r"[!-~]{1,40}")
_FITS_SHORT = re.compile(r"[a-zA-Z0-9]{9}")
_WANTS_SHORT = re.compile(r"tool[ _-]?calls?[ _-]?ids?\b.{0,400}\blength (?:of )?9\b", re.IGNORECASE | re.DOTALL)
_NO_NAME = re.compile(r"[^a-zA-Z0-9_-]")
_LONGEST_NAME = 64


class CallIds:
    """The ids of one request's calls: the same for the same id, each for one call only, `short` for Mistral's models."""

    def __init__(self, *, short: bool = False) -> None:
        self._short = short
        self._fits = _FITS_SHORT if short else _FITS
        self._given: dict[str, str] = {}
        self._taken: set[str] = set()

    def of(self, id: str, *, own: bool = False) -> str:
        """Return an id that the endpoint takes. What is its `own` made it, and may be said elsewhere in the answer."""
        given = self._given.get(id)
        if given is None:
            fits = self._fits.fullmatch(id) or (own and not self._short)
            given = id if fits and id not in self._taken else self._made(id)
            self._given[id] = given
            self._taken.add(given)
        return given

    def _made(self, id: str) -> str:
        made = (_hashed(id, place, short=self._short) for place in count())
        return next(id for id in made if id not in self._taken)


def fit_name(name: str) -> str:
    """Return a name within the format's alphabet: that of a tool is, but models have called tools that there are not."""
    return _NO_NAME.sub("_", name)[:_LONGEST_NAME] or "unknown"


def wants_short_ids(report: Report) -> bool:
    """Whether a refusal says that ids have to be nine letters and digits, as Mistral's models want them."""
    return _WANTS_SHORT.search(report.text) is not None


def _hashed(id: str, place: int, *, short: bool) -> str:
    text = f"{id}\0{place}" if place else id
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return digest[:9] if short else f"call_{digest[:32]}"
