"""Live: a turn at work on this node."""

import asyncio

from luxx.core.events import Cancelled, Done, End
from luxx.store.records import Status, Turn
from luxx.turns.run import TurnRun
from luxx.turns.turn_log import TurnLog


class Live:
    """A turn at work here: its task, and what was asked of it."""

    __slots__ = ("cancelled", "log", "run", "started", "task", "turn")

    def __init__(self, turn: Turn, log: TurnLog, run: TurnRun) -> None:
        self.turn = turn
        self.log = log
        self.run = run
        self.task: asyncio.Task[None] | None = None
        self.started = False
        self.cancelled = turn.cancel

    def cancel(self) -> None:
        """Stop the turn, once; one whose task has not begun sees the mark when it does, one that ends already ends."""
        if self.cancelled or self.log.end is not None:
            return
        self.cancelled = True
        if self.started and self.task:
            self.task.cancel()


def status_of(end: End | None) -> Status:
    """Return the status of a turn by its last event."""
    match end:
        case Done():
            return "done"
        case Cancelled():
            return "cancelled"
        case _:
            return "failed"
