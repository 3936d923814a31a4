"""Output streams for tests: one that says that it is a terminal, and one that says that it is not."""

import io

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
