"""Whole steps: a turn's events for readers that do not know ``step_delta`` (``?deltas=false``)."""

from collections.abc import Callable

from luxx.core.events import LogEntry, ProcessStep, Recovered, StepDelta, encode
from luxx.core.replay import Replay, is_end
from luxx.core.steps import Step, Text, Thinking, ToolCall
from luxx.http.streams.sse import KEEP_ALIVE, frame

INTERVAL = 0.25
"""Seconds between two events of the same growing step, at least."""
GROWTH = 10
"""A growing step is sent again when it grew by a part of this many of what was last sent."""


class _Growing:
    """How large a step is, how much of it was sent, in characters, and when."""

    __slots__ = ("sent_at", "sent_size", "size")

    def __init__(self, size: int, sent_size: int) -> None:
        self.size = size
        self.sent_size = sent_size
        self.sent_at = float("-inf")

    def due(self, now: float) -> bool:
        """Whether it is time to send the step again."""
        grown = self.size - self.sent_size
        return grown > 0 and grown * GROWTH >= self.sent_size and now - self.sent_at >= INTERVAL


class WholeSteps:
    """Folds ``step_delta`` events into whole steps; everything else is passed on as it is.

    It must be given the log from its start, and is silent up to the seq `after`. A growing step is sent under the last seq
    folded, at most every `INTERVAL` and after it grew by a tenth; the first time after a start or a resume at once. `clock`
    gives seconds; after `heartbeat` seconds in which it held everything back it says that it is alive.
    """

    def __init__(self, after: int, clock: Callable[[], float], heartbeat: float) -> None:
        self._after = after
        self._clock = clock
        self._heartbeat = heartbeat
        self._replay = Replay()
        self._growing: dict[int, _Growing] = {}
        self._spoke_at = clock()

    def frames(self, entries: tuple[LogEntry, ...]) -> bytes:
        """Return what to send for entries that follow those of the call before, in the wire's form; may be nothing."""
        now = self._clock()
        out: list[bytes] = []
        for entry in entries:
            if is_end(entry):
                out += self._whole(lambda growing: growing.size > growing.sent_size, now)
            if not self._fold(entry) and entry.seq > self._after:
                out.append(frame(entry))
        if self._replay.seq > self._after:
            out += self._whole(lambda growing: growing.due(now), now)
        if not entries or (not out and now - self._spoke_at >= self._heartbeat):
            out.append(KEEP_ALIVE)
        if out:
            self._spoke_at = now
        return b"".join(out)

    def _fold(self, entry: LogEntry) -> bool:
        """Fold an entry; tell whether it is a delta, which is not passed on."""
        match self._replay.apply(entry):
            case StepDelta(index=index, text=text):
                self._growing.setdefault(index, _Growing(0, 0)).size += len(text)
                return True
            case ProcessStep(step=step) if step.state == "running":
                size = _size(step)
                self._growing[step.index] = _Growing(size, size if entry.seq > self._after else 0)
            case ProcessStep(step=step):
                self._growing.pop(step.index, None)
            case Recovered(discarded=discarded):
                for index in discarded:
                    self._growing.pop(index, None)
            case _:
                pass
        return False

    def _whole(self, wanted: Callable[[_Growing], bool], now: float) -> list[bytes]:
        chosen = {index for index, growing in self._growing.items() if wanted(growing)}
        if not chosen:
            return []
        out: list[bytes] = []
        for step in self._replay.steps():
            if step.index in chosen:
                growing = self._growing[step.index]
                growing.sent_at, growing.sent_size = now, growing.size
                out.append(frame(LogEntry(self._replay.seq, ProcessStep.name, encode(ProcessStep(step)))))
        return out


def _size(step: Step) -> int:
    match step:
        case Thinking(content=content) | Text(content=content) | ToolCall(arguments=content):
            return len(content)
        case _:
            return 0
