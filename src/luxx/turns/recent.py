"""Recent: the last committed entries of a log, for those who read along."""

from collections import deque
from collections.abc import Iterable

from luxx.core.events import LogEntry, TurnStarted, encode
from luxx.store.records import Turn

RECENT_BYTES = 24_576
"""How much of a log is kept in memory; older entries are read from the store."""


def begin(turn: Turn) -> "Recent":
    """Return the end of a turn's log: nothing, but for a new turn, all of whose log is known."""
    if turn.seq != 1:
        return Recent(turn.seq)
    started = TurnStarted(
        turn_id=turn.id,
        message_id=turn.message_id,
        user_message_id=turn.user_message_id,
        conversation_id=turn.conversation_id,
        provider=turn.settings.provider,
        model=turn.settings.model,
    )
    recent = Recent(0)
    recent.publish([LogEntry(1, started.name, encode(started))])
    return recent


class Recent:
    """The end of one log up to its last committed entry."""

    def __init__(self, seq: int) -> None:
        self.committed_seq = seq
        self._entries: deque[LogEntry] = deque()
        self._bytes = 0

    def publish(self, entries: Iterable[LogEntry]) -> None:
        """Make committed entries readable; they follow those before them without a gap."""
        for entry in entries:
            self._entries.append(entry)
            self._bytes += len(entry.data)
            self.committed_seq = entry.seq
        while self._bytes > RECENT_BYTES and len(self._entries) > 1:
            self._bytes -= len(self._entries.popleft().data)

    def since(self, seq: int) -> tuple[LogEntry, ...] | None:
        """Return the entries after a seq, or None if some of them are no longer in memory."""
        missing = self.committed_seq - seq
        if missing <= 0:
            return ()
        if missing > len(self._entries):
            return None
        if missing == 1:
            return (self._entries[-1],)
        return tuple(self._entries)[-missing:]
