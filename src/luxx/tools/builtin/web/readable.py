"""Readable: an HTML page as text with the marks of Markdown, as far as a reader needs them."""

import re
from collections.abc import Callable, Iterable

import msgspec
from yarl import URL

from luxx.tools.builtin.web.markup import Tag, tokens

_UNSEEN = frozenset(
    {"script", "style", "template", "svg", "iframe", "noembed", "noframes", "object", "select", "dialog"}
)
_FURNITURE = frozenset({"nav", "footer", "aside", "button", "noscript", "menu"})
_CONTENT = frozenset({"main", "article"})
_BLOCKS = frozenset(
    {
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "details",
        "dialog",
        "div",
        "dl",
        "dt",
        "fieldset",
    }
    | {
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "legend",
        "li",
    }
    | {"main", "nav", "ol", "option", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul"}
)
_ENOUGH_CHARS = 200
_MAX_LEVEL = 8
_MAX_URL_CHARS = 2_000
_ALL_URL_CHARS = 2_000_000
"""Of all addresses on a page: a long base and many short links would make far more text than there is."""

_GAPS = re.compile(r"\n{3,}")


class Readable(msgspec.Struct, frozen=True):
    """A page for reading; `whole` says that menus and margins are in it, since without them there was nearly nothing."""

    title: str
    text: str
    whole: bool = False


def readable(page: str, url: str) -> Readable:
    """Return what a page says: its main part if it marks one, else all but menus and margins, else everything.

    To lose a part of the text is worse than to keep a menu: nothing is judged by its length, its class or its style.
    """
    writer = _Writer(url)
    left_out = _write(writer, page, _UNSEEN | _FURNITURE)
    if len(writer.main_text) >= _ENOUGH_CHARS:
        return Readable(writer.title, writer.main_text)
    if len(writer.text) >= _ENOUGH_CHARS or not left_out & _FURNITURE:
        return Readable(writer.title, writer.text)
    whole = _Writer(url)
    _write(whole, page, _UNSEEN)
    is_more = len(whole.text) > len(writer.text)
    return Readable(whole.title, whole.text if is_more else writer.text, whole=is_more)


def _write(writer: "_Writer", page: str, skipped: frozenset[str]) -> set[str]:
    """Write a page without the parts in these tags; return those that there were."""
    skipping, depth = "", 0
    left_out: set[str] = set()
    for token in tokens(page):
        if isinstance(token, str):
            if not skipping:
                writer.say(token)
            continue
        if skipping and skipping not in _UNSEEN and token.name in (*_CONTENT, "body"):
            skipping = ""  # a menu that was never closed
        if skipping:
            depth += 0 if token.name != skipping else -1 if token.closes else 1
            skipping = skipping if depth else ""
        elif token.name in skipped:
            skipping, depth = ("", 0) if token.closes or token.rest.endswith("/") else (token.name, 1)
            left_out.add(token.name)
        else:
            writer.tag(token)
    writer.end()
    return left_out


class _Writer:
    """Writes lines from tags and text. Tags that are not closed, or never were opened, cost formatting and no text."""

    def __init__(self, url: str) -> None:
        self.title = ""
        self.text = ""
        self.main_text = ""
        self._base = URL(url)
        self._has_base = False
        self._url_chars_left = _ALL_URL_CHARS
        self._lines: list[tuple[str, bool]] = []
        self._inline: list[str] = []
        self._prefix = ""
        self._in_main = 0
        self._in_title = False
        self._pre = 0
        self._quotes = 0
        self._lists: list[int | None] = []
        self._href = ""
        self._link_from = 0
        self._cells: list[str] | None = None
        self._rows = 0

    def say(self, text: str) -> None:
        """Add text to the line."""
        if self._in_title:
            self.title = self.title or " ".join(text.split())
        else:
            self._inline.append(text)

    def tag(self, tag: Tag) -> None:
        """Take a tag, for what it means to the text."""
        if tag.name in _BLOCKS and self._cells is None:
            self._flush()
        handler: Callable[[Tag], None] | None = getattr(self, f"_tag_{tag.name}", None)
        if handler:
            handler(tag)
        elif len(tag.name) == 2 and tag.name[0] == "h" and tag.name[1] in "123456":
            self._prefix = "" if tag.closes else "#" * int(tag.name[1]) + " "
            self._blank()
        elif tag.name in _BLOCKS:
            self._blank() if self._cells is None else self._inline.append(" ")

    def end(self) -> None:
        """Finish the text."""
        self._tag_table(Tag("table", True, ""))
        self._flush()
        self.text = _joined(line for line, _ in self._lines)
        self.main_text = _joined(line for line, in_main in self._lines if in_main)

    def _tag_title(self, tag: Tag) -> None:
        self._in_title = not tag.closes

    def _tag_base(self, tag: Tag) -> None:
        href = tag.attributes.get("href")
        if href is not None and not self._has_base:
            self._has_base = True
            self._base = URL(self._absolute(href) or self._base)

    def _tag_main(self, tag: Tag) -> None:
        self._in_main = max(0, self._in_main + (-1 if tag.closes else 1))
        self._blank()

    _tag_article = _tag_main

    def _tag_a(self, tag: Tag) -> None:
        self._end_link()
        self._href = "" if tag.closes else self._absolute(tag.attributes.get("href", ""))
        self._link_from = len(self._inline)

    def _tag_img(self, tag: Tag) -> None:
        attributes = tag.attributes
        if alt := " ".join(attributes.get("alt", "").split()):
            self._inline.append(f"![{alt}]({self._absolute(attributes.get('src', ''))})")

    def _tag_br(self, _tag: Tag) -> None:
        if self._pre:
            self._inline.append("\n")
        elif self._cells is None:
            self._flush()
        else:
            self._inline.append(" ")

    def _tag_hr(self, _tag: Tag) -> None:
        self._add("---")

    def _tag_code(self, _tag: Tag) -> None:
        if not self._pre:
            self._inline.append("`")

    def _tag_pre(self, tag: Tag) -> None:
        if self._cells is not None:
            return
        if not tag.closes:
            self._pre += 1
            self._add("```")
        elif self._pre:
            self._pre -= 1
            self._add("```")
            self._blank()

    def _tag_blockquote(self, tag: Tag) -> None:
        self._quotes = max(0, self._quotes + (-1 if tag.closes else 1))
        self._blank()

    def _tag_ul(self, tag: Tag) -> None:
        if not tag.closes:
            self._lists.append(None if tag.name == "ul" else 0)
        elif self._lists:
            self._lists.pop()
        if not self._lists:
            self._prefix = ""
            self._blank()

    _tag_ol = _tag_ul

    def _tag_li(self, tag: Tag) -> None:
        self._prefix = ""
        if tag.closes or self._cells is not None:
            return
        number = self._lists[-1] if self._lists else None
        if number is not None:
            self._lists[-1] = number + 1
        self._prefix = "- " if number is None else f"{number + 1}. "

    def _tag_dd(self, tag: Tag) -> None:
        self._prefix = "" if tag.closes else ": "

    def _tag_tr(self, tag: Tag) -> None:
        self._end_row()
        if not tag.closes:
            self._cells = []

    def _tag_td(self, tag: Tag) -> None:
        self._end_cell()
        if not tag.closes and self._cells is None:
            self._flush()
            self._cells = []

    _tag_th = _tag_td

    def _tag_table(self, _tag: Tag) -> None:
        self._end_row()
        self._rows = 0
        self._blank()

    def _end_cell(self) -> None:
        if self._cells is not None and (self._inline or self._cells):
            self._end_link()
            text = " ".join("".join(self._inline).split()).replace("|", "\\|")
            self._inline.clear()
            if text:
                self._cells.append(text)

    def _end_row(self) -> None:
        self._end_cell()
        if self._cells:
            self._add("| " + " | ".join(self._cells) + " |")
            if self._rows == 0:
                self._add("|" + " --- |" * len(self._cells))
            self._rows += 1
        self._cells = None

    def _end_link(self) -> None:
        if self._href and (text := " ".join("".join(self._inline[self._link_from :]).split())):
            self._inline[self._link_from :] = [
                f" [{text}]({self._href})" if self._link_from else f"[{text}]({self._href})"
            ]
        self._link_from = 0

    def _flush(self) -> None:
        self._end_link()
        text = "".join(self._inline)
        self._inline.clear()
        if self._pre:
            for line in text.strip("\n").split("\n") if text.strip() else ():
                self._add(line.rstrip())
        elif text := " ".join(text.split()):
            self._add(self._prefix + text)
            self._prefix = "  " if self._prefix and self._lists else ""

    def _add(self, line: str) -> None:
        level = min(len(self._lists), _MAX_LEVEL)
        indent = "  " * (level - 1) if not self._pre else ""
        self._lines.append(("> " * min(self._quotes, _MAX_LEVEL) + indent + line, self._in_main > 0))

    def _blank(self) -> None:
        blank = ("", self._in_main > 0)
        if not self._lists and not self._pre and self._lines[-1:] != [blank]:
            self._lines.append(blank)

    def _absolute(self, href: str) -> str:
        href = href.strip()
        if not href or href.startswith("#") or len(href) > _MAX_URL_CHARS or self._url_chars_left <= 0:
            return ""
        try:
            url = self._base.join(URL(href))
        except (ValueError, TypeError, IndexError):
            return ""
        address = str(url) if url.scheme in ("http", "https") else ""
        self._url_chars_left -= len(address)
        return address


def _joined(lines: Iterable[str]) -> str:
    return _GAPS.sub("\n\n", "\n".join(lines)).strip()
