"""Markup: HTML as a stream of tags and text, in one pass and in linear time, whatever the page is made of.

Parsers that build a tree take seconds to minutes on pages made to hold them up (deep nesting, unclosed tags), and those written in
C hold the whole process up meanwhile.
"""

import html
import re
from collections.abc import Iterator

import msgspec

_TOKEN = re.compile(
    r"""<(?:
        !--.*?(?:--!?>|\Z)                                                       # a comment
      | (?P<close>/?)(?P<name>[a-zA-Z][^\s/>]{0,40})(?P<rest>(?:[^"'>]+|"[^"]*(?:"|\Z)|'[^']*(?:'|\Z))*)(?:>|\Z)
      | [!?/][^>]*(?:>|\Z)                                                       # a doctype, an instruction, a bogus comment
    )""",
    re.S | re.X,
)
_ATTRIBUTE = re.compile(r"""([^\s"'=/<>]{1,100})(?:\s*=\s*("[^"]*"?|'[^']*'?|[^\s"'>]+))?""")
_RAW = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.I)
    for name in ("script", "style", "textarea", "title", "iframe", "noembed", "noframes", "xmp")
}
_ENDLESS = re.compile(r"&#[0-9]{100,};?")
_MAX_ATTRIBUTES = 50


class Tag(msgspec.Struct, frozen=True):
    """A tag: `name` in lower case, and its attributes as far as they were written well."""

    name: str
    closes: bool
    rest: str

    @property
    def attributes(self) -> dict[str, str]:
        """The attributes, their names in lower case; of two with one name the first counts."""
        found: dict[str, str] = {}
        for match in _ATTRIBUTE.finditer(self.rest):
            found.setdefault(match[1].lower(), _unescaped((match[2] or "").strip("\"'")))
            if len(found) == _MAX_ATTRIBUTES:
                break
        return found


def tokens(page: str) -> Iterator[Tag | str]:
    """Yield the tags and texts of a page in order. What stands in scripts and styles is one text before the closing tag."""
    at = 0
    while at < len(page):
        start = page.find("<", at)
        match = _TOKEN.match(page, start) if start >= 0 else None
        end = start if match else (start + 1 if start >= 0 else len(page))
        if end > at:
            yield _unescaped(page[at:end])
        at = end
        if match is None:
            continue
        at = match.end()
        if not match["name"]:
            continue
        tag = Tag(match["name"].lower(), bool(match["close"]), match["rest"])
        yield tag
        raw = None if tag.closes else _RAW.get(tag.name)
        if raw is not None:
            close = raw.search(page, at)
            stop = close.start() if close else len(page)
            if stop > at:
                yield page[at:stop] if tag.name in ("script", "style") else _unescaped(page[at:stop])
            at = stop


def _unescaped(text: str) -> str:
    """Return text with its character references read; a number beyond all characters, however long, is none of them."""
    return html.unescape(_ENDLESS.sub("\ufffd", text)) if "&" in text else text
