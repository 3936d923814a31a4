"""The player: shows turns from the main thread, through Ctrl-C, questions and the end of a server that was only passing."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from luxx.cli.asking import Asker
from luxx.cli.background import Background
from luxx.cli.chat_session import Asked, ChatSession, Shown
from luxx.cli.servers import Server
from luxx.client import ApiError, ClientError, Unreachable

T = TypeVar("T")

_ENDING = ("starting", "draining")
"""The reasons of a server that takes no turns."""


class Player:
    """Runs the calls of a session. The first Ctrl-C stops a turn, the second raises KeyboardInterrupt.

    What a turn asks of a person goes to the `asker`.
    """

    def __init__(self, background: Background, server: Server, session: ChatSession, asker: Asker) -> None:
        self.session = session
        self._asker = asker
        self._background = background
        self._server = server

    def play(self, begin: Callable[[], Coroutine[Any, Any, Shown]]) -> Shown:
        """Show a turn to its end, or to a question that nobody answers now.

        `begin` is called again where the server ended before there was a turn.
        """
        self.session.leave_waiting()
        work = begin()
        while True:
            try:
                shown = self._background.run(work, self.session.cancel)
                if not isinstance(shown, Asked) or not self._settle(shown):
                    return shown
            except ClientError as error:
                if not _has_gone(error) or not self.moved():
                    raise
            work = self.session.resume() if self.session.interrupted else begin()

    def _settle(self, asked: Asked) -> bool:
        """Have it decided, asking until the decision is taken; return whether it was, or the turn was stopped instead."""
        decided = False
        while not decided:
            try:
                decision = self._asker(asked.approval)
            except KeyboardInterrupt:
                self.run(self.session.cancel())
                return True
            if decision is None:
                self.session.leave_waiting()
                return False
            decided = self.run(self.session.decide(asked, decision))
        return True

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a call that shows nothing."""
        return self._background.run(work)

    def insist(self, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a call that shows nothing and may be made again, with another server if this one has ended."""
        while True:
            try:
                return self.run(call())
            except Unreachable:
                if not self.moved():
                    raise

    def moved(self) -> bool:
        """Whether the session's server was one that ends with its command, and another was found or started instead."""
        if not self._server.replace():
            return False
        self.session.client = self._server.client
        return True


def _has_gone(error: ClientError) -> bool:
    return isinstance(error, Unreachable) or (isinstance(error, ApiError) and error.reason in _ENDING)
