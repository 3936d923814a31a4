"""Plain words: what is left of markdown when its signs are taken away, on one line.

What a pair of signs encloses has a bound, so that signs without their other half cost no more than the text is long.
"""

import re

_FENCE = re.compile(r"^ {0,3}(?:```|~~~)", re.MULTILINE)
_RULE = re.compile(r"^\s*(?:[-*_]\s*){3,}$")
_BLOCK = re.compile(r"^\s*(?:>\s?)*(?:#{1,6}\s+|[-*+]\s+(?:\[[ xX]\]\s+)?)?")
_VERBATIM = re.compile(r"(`{1,8})(?!`)(.{1,1000}?)(?<!`)\1(?!`)|\\([!-/:-@\[-`{-~])", re.DOTALL)
_HELD = re.compile("\0(\\d+)\0")
_SIGNS = (
    (re.compile(r"!?\[([^\[\]]*)\]\((?:[^()\n]|\([^()\n]*\))*\)"), r"\1"),
    (re.compile(r"\[([^\[\]]+)\]\[[^\[\]]*\]"), r"\1"),
    (re.compile(r"<(https?://[^<>\s]+)>"), r"\1"),
    (re.compile(r"(\*\*|~~)(?=\S)(.{1,500}?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<!\w)__(?=\S)(.{1,500}?)(?<=\S)__(?!\w)"), r"\1"),
    (re.compile(r"\*(?=[^\s*])(.{1,500}?)(?<=[^\s*])\*"), r"\1"),
    (re.compile(r"(?<!\w)_(?=\S)(.{1,500}?)(?<=\S)_(?!\w)"), r"\1"),
    (re.compile(r"(?<!\w)(?:\*\*|~~)(?=\w)|(?<=[\w.,:;!?)])(?:\*\*|~~)(?!\w)"), ""),  # whose other half is cut off
)


def is_code(before: str) -> bool:
    """Whether what follows this part of a text stands in a block of code."""
    return len(_FENCE.findall(before)) % 2 == 1


def plain_words(markdown: str, *, in_code: bool = False) -> str:
    """Return the words; code stays as it is. It does not know all of markdown: what it does not know stays, too."""
    parts = _FENCE.split(markdown.replace("\0", ""))
    shown: list[str] = []
    for number, part in enumerate(parts):
        text = part if number == 0 else part.partition("\n")[2]  # without the rest of the fence
        code = in_code != (number % 2 == 1)
        shown.append(text if code else _prose(text))
    return " ".join(" ".join(shown).split())


def _prose(text: str) -> str:
    lines = (_line(line) for line in text.split("\n"))
    held: list[str] = []

    def hold(found: re.Match[str]) -> str:
        held.append(found[2] if found[1] else found[3])
        return f"\0{len(held) - 1}\0"

    words = _VERBATIM.sub(hold, "\n".join(lines))
    for sign, kept in _SIGNS:
        words = sign.sub(kept, words)
    return _HELD.sub(lambda found: held[int(found[1])], words)


def _line(line: str) -> str:
    if _RULE.match(line) or _parts_table(line):
        return ""
    words = _BLOCK.sub("", line, count=1)
    return words.strip("| ").replace("|", " ") if words.startswith("|") else words


def _parts_table(line: str) -> bool:
    """Whether a line stands between the head of a table and its rows."""
    return "-" in line and "|" in line and not line.strip(" \t\r:|-")
