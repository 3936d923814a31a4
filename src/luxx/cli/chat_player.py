"""The player: shows turns from the main thread, through Ctrl-C and the end of a server that was only passing."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from luxx.cli.background import Background
from luxx.cli.chat_session import ChatSession
from luxx.cli.servers import Server
from luxx.client import Unreachable
from luxx.core.events import End

T = TypeVar("T")


class Player:
    """Runs the calls of a session. The first Ctrl-C stops a turn, the second raises KeyboardInterrupt."""

    def __init__(self, background: Background, server: Server, session: ChatSession) -> None:
        self.session = session
        self._background = background
        self._server = server

    def play(self, work: Coroutine[Any, Any, End | None]) -> End | None:
        """Show a turn to its end."""
        while True:
            try:
                return self._background.run(work, self.session.cancel)
            except Unreachable:
                if not self.moved():
                    raise
            work = self.session.resume()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a call that shows nothing."""
        return self._background.run(work)

    def moved(self) -> bool:
        """Whether the session's server was one that ends with its command, and another was found or started instead."""
        if not self._server.replace():
            return False
        self.session.client = self._server.client
        return True
