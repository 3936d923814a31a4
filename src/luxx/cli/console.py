"""The console: the only writer to standard output and standard error."""

import io
import shutil
import sys
from typing import Literal, TextIO

from luxx.cli import environment
from luxx.cli.safetext import column_after, safe

Style = Literal["plain", "bold", "dim", "red", "green", "yellow", "cyan"]

_CODES: dict[Style, str] = {
    "plain": "",
    "bold": "\x1b[1m",
    "dim": "\x1b[2m",
    "red": "\x1b[31m",
    "green": "\x1b[32m",
    "yellow": "\x1b[33m",
    "cyan": "\x1b[36m",
}
_RESET = "\x1b[0m"
_CLEAR = "\r\x1b[2K"
_GO_BELOW = "\x1bD\x1b[A\x1b7\x1b[B"
"""Make sure of a line below, which may move all lines up, and go there from a place that is kept."""
_GO_BACK = "\x1b8"


class Screen:
    """One output stream. Text is made safe on a terminal and written as it is elsewhere."""

    def __init__(self, stream: TextIO, *, colour: bool = True, cursor: bool = True) -> None:
        self.is_terminal = stream.isatty()
        self.has_cursor = self.is_terminal and cursor
        self._colour = self.is_terminal and colour
        self._stream = stream
        self._column = 0
        self._status = False
        self._below = False
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")

    @property
    def width(self) -> int:
        """The columns of the terminal."""
        return shutil.get_terminal_size((100, 24)).columns

    def write(self, text: str, style: Style = "plain") -> None:
        """Write text at once, without a line end."""
        if self._status:
            self.status("")
        if self.is_terminal:
            shown = safe(text)
            self._column = column_after(self._column, shown, self.width)
            self._stream.write(self._styled(shown, style))
        else:
            self._stream.write(text)
        self._stream.flush()

    def line(self, text: str = "", style: Style = "plain") -> None:
        """Write a line."""
        self.write(text, style)
        self.write("\n")

    def status(self, text: str) -> None:
        """Show a line that the next output replaces, below a line that has not ended. Only on a terminal.

        Nothing is shown below a line that is full: a terminal that is about to begin the next one would forget that.
        """
        if not self.has_cursor or not (text or self._status):
            return
        if not self._status:
            if self._column >= self.width:
                return
            self._below = self._column > 0
        begin = _GO_BELOW if self._below and not self._status else ""
        end = _GO_BACK if self._below and not text else ""
        self._stream.write(begin + _CLEAR + self._styled(text, "dim") + end)
        self._stream.flush()
        self._status = bool(text)

    def _styled(self, text: str, style: Style) -> str:
        if not self._colour or style == "plain" or not text:
            return text
        return _CODES[style] + text + _RESET


class Console:
    """Standard output, which carries what was asked for, and standard error, which carries everything else."""

    def __init__(self, out: TextIO, err: TextIO, *, colour: bool = True, cursor: bool = True) -> None:
        self.out = Screen(out, colour=colour, cursor=cursor)
        self.err = Screen(err, colour=colour, cursor=cursor)

    def line(self, text: str = "", style: Style = "plain") -> None:
        """Write a line to standard output."""
        self.out.line(text, style)

    def note(self, text: str) -> None:
        """Tell a person something by the way; nothing is written where nobody watches."""
        if self.err.is_terminal:
            self.err.line(text, "dim")

    def error(self, text: str) -> None:
        """Say what went wrong."""
        self.err.write("luxx: ", "red")
        self.err.line(text)


def process_console() -> Console:
    """Return the console of this process, with its streams as they are now."""
    return Console(sys.stdout, sys.stderr, colour=not environment.wants_no_colour(), cursor=not environment.is_dumb())
