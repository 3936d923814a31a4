"""A table for a terminal: columns as wide as they need to be, the last one cut to the width."""

from collections.abc import Sequence

from luxx.cli.console import Console
from luxx.cli.safetext import columns, fit

_GAP = 2
_WIDEST = 48


def table(header: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Return the lines of a table; `width` 0 cuts nothing."""
    cells = [
        [fit(cell, _WIDEST) if width and position < len(row) - 1 else cell for position, cell in enumerate(row)]
        for row in (header, *rows)
    ]
    widths = [max(columns(row[position]) for row in cells) for position in range(len(header))]
    lines = [
        "".join(_padded(cell, widths[position] + _GAP) for position, cell in enumerate(row)).rstrip() for row in cells
    ]
    return [fit(line, width) if width else line for line in lines]


def shown_table(console: Console, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table to standard output, cut to the width of the terminal if it is one."""
    for line in table(header, rows, console.out.width if console.out.is_terminal else 0):
        console.line(line)


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - columns(cell))
