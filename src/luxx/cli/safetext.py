"""Text from models, tools and servers, made safe for a terminal: it may not move the cursor, colour or reorder anything."""

import unicodedata

_BIDI = (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x061C, 0x200E, 0x200F)
_TABLE: dict[int, str | None] = {
    **{code: chr(0x2400 + code) for code in range(0x20) if code not in (0x09, 0x0A)},
    0x0D: None,
    0x7F: "\u2421",
    **dict.fromkeys(range(0x80, 0xA0), "\ufffd"),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
    **dict.fromkeys(_BIDI, "\ufffd"),
    0x2028: "\n",
    0x2029: "\n",
}
_LINE_TABLE: dict[int, str | None] = {**_TABLE, 0x09: " ", 0x0A: "\u23ce", 0x2028: "\u23ce", 0x2029: "\u23ce"}


def safe(text: str) -> str:
    """Make control characters visible; lines and tabs stay. It works piece by piece: every character stands for itself."""
    return text.translate(_TABLE)


def safe_line(text: str) -> str:
    """Make control characters visible, line ends too."""
    return text.translate(_LINE_TABLE)


def columns(line: str) -> int:
    """Return how many columns of a terminal a safe line takes."""
    return len(line) if line.isascii() else sum(map(_width, line))


def column_after(column: int, text: str, width: int) -> int:
    """Return where a terminal's cursor stands when safe text was written at a column; `width` is behind the last one, before the next line."""
    _, end, line = text.rpartition("\n")
    column = 0 if end else column
    if line.isascii() and "\t" not in line:
        return (column + len(line) - 1) % width + 1 if line else column
    for character in line:
        if character == "\t":
            column = min(column // 8 * 8 + 8, width - 1)
            continue
        taken = _width(character)
        column = taken if column + taken > width else column + taken
    return column


def fit(text: str, width: int) -> str:
    """Return a safe line cut to so many columns."""
    line = safe_line(text[: max(width, 0) * 4 + 4])
    if columns(line) <= width and len(text) <= len(line):
        return line
    while line and columns(line) > width - 1:
        line = line[: max(width - 1, 0)] if len(line) >= width > 0 and line.isascii() else line[:-1]
    return f"{line}…" if width > 0 else ""


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
