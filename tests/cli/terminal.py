"""Output streams for tests: one that says that it is a terminal, and one that says that it is not; and what a terminal would show."""

import io
import re

from luxx.cli.console import Screen
from luxx.cli.views import View
from luxx.core.events import LogEntry, decode


class Terminal(io.StringIO):
    """A terminal that keeps what is written to it."""

    def isatty(self) -> bool:
        """Say that it is one."""
        return True


def terminal() -> tuple[Terminal, Screen]:
    """Return a terminal without colours and cursor, and its screen."""
    stream = Terminal()
    return stream, Screen(stream, colour=False, cursor=False)


def pipe() -> tuple[io.StringIO, Screen]:
    """Return a stream that is no terminal, and its screen."""
    stream = io.StringIO()
    return stream, Screen(stream)


def play(view: View, entries: list[LogEntry]) -> None:
    """Show entries in a view and close it."""
    for entry in entries:
        view.show(entry, decode(entry.name, entry.data))
    view.close()


class _Glass:
    """The lines of a terminal, and where its cursor stands."""

    def __init__(self, width: int, height: int) -> None:
        self.lines = [" " * width] * height
        self._width = width
        self._row, self._column = 0, 0
        self._kept = (0, 0)
        self._signs = {
            "\r": lambda: self._go(self._row, 0),
            "\n": lambda: (self._down(), self._go(self._row, 0)),
            "\x1bD": self._down,
            "\x1b[A": lambda: self._go(max(self._row - 1, 0), self._column),
            "\x1b[B": lambda: self._go(min(self._row + 1, len(self.lines) - 1), self._column),
            "\x1b7": self._keep,
            "\x1b8": lambda: self._go(*self._kept),
            "\x1b[2K": self._clear,
        }

    def take(self, sign: str) -> None:
        """Do what a sign says, or show it."""
        if sign in self._signs:
            self._signs[sign]()
            return
        assert len(sign) == 1, repr(sign)
        if self._column == self._width:
            self._down()
            self._column = 0
        line = self.lines[self._row]
        self.lines[self._row] = line[: self._column] + sign + line[self._column + 1 :]
        self._column += 1

    def _go(self, row: int, column: int) -> None:
        self._row, self._column = row, column

    def _keep(self) -> None:
        self._kept = (self._row, self._column)

    def _clear(self) -> None:
        self.lines[self._row] = " " * self._width

    def _down(self) -> None:
        if self._row < len(self.lines) - 1:
            self._row += 1
        else:
            self.lines = [*self.lines[1:], " " * self._width]


def seen(written: str, width: int = 20, height: int = 3) -> list[str]:
    """Return the lines that a terminal shows in the end, as far as it knows what is written to it."""
    glass = _Glass(width, height)
    for sign in re.findall(r"\x1b(?:\[\d*[A-Z]|[78D])|.", written, re.DOTALL):
        glass.take(sign)
    return [line.rstrip() for line in glass.lines]
