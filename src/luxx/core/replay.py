"""Replay: fold a turn's events back into its steps, as any reader does."""

import msgspec

from luxx.core.events import (
    END_NAMES,
    Approval,
    Cancelled,
    Done,
    End,
    Event,
    Failed,
    LogEntry,
    ProcessStep,
    Recovered,
    StepDelta,
    ToolProgress,
    TurnStarted,
    decode,
)
from luxx.core.steps import Step, Summary, Text, Thinking, ToolCall


class Replay:
    """The state of a turn after the events applied so far.

    `approvals` has the last approval event of each index, `recovered` the places of takeovers: the highest index of a step that had ended and was kept, -1 for none; `remade` are those of them where steps were made void. Pieces of a growing step are kept apart and joined when `steps` is asked for, so that a long answer costs linear time.
    """

    def __init__(self) -> None:
        self.seq = 0
        self.started: TurnStarted | None = None
        self.end: End | None = None
        self.approvals: dict[int, Approval] = {}
        self.recovered: list[int] = []
        self.remade: list[int] = []
        self._steps: dict[int, Step] = {}
        self._pieces: dict[int, list[str]] = {}

    def apply(self, entry: LogEntry) -> Event | None:
        """Apply one log entry and return its event; entries already seen and unknown names change nothing."""
        if entry.seq <= self.seq:
            return None
        event = decode(entry.name, entry.data)
        self.seq = entry.seq
        match event:
            case TurnStarted():
                self.started = event
            case ProcessStep(step=step):
                self._steps[step.index] = step
                self._pieces.pop(step.index, None)
            case StepDelta(index=index, text=text):
                self._pieces.setdefault(index, []).append(text)
            case Recovered(discarded=discarded):
                self._take_over(discarded)
            case Done() | Failed() | Cancelled():
                self.end = event
            case Approval():
                self.approvals[event.index] = event
            case ToolProgress() | None:
                pass
        return event

    @property
    def ended(self) -> bool:
        """Whether the turn's last event was seen."""
        return self.end is not None

    @property
    def highest_index(self) -> int:
        """The highest index ever shown, that of void steps and of questions included; -1 before the first."""
        return max((*self._steps, *self.approvals), default=-1)

    def steps(self) -> tuple[Step, ...]:
        """Return the steps in order, void ones left out."""
        for index in list(self._pieces):
            self._join(index)
        return tuple(step for _, step in sorted(self._steps.items()) if step.state != "void")

    def _join(self, index: int) -> None:
        text = "".join(self._pieces.pop(index))
        match self._steps.get(index):
            case Thinking(content=content) | Text(content=content) | Summary(content=content) as step:
                self._steps[index] = msgspec.structs.replace(step, content=content + text)
            case ToolCall(arguments=arguments) as step:
                self._steps[index] = msgspec.structs.replace(step, arguments=arguments + text)
            case _:
                pass

    def _take_over(self, discarded: tuple[int, ...]) -> None:
        for index in discarded:
            self._void(index)
        kept = (index for index, step in self._steps.items() if step.state in ("complete", "failed"))
        self.recovered.append(max(kept, default=-1))
        if discarded:
            self.remade.append(self.recovered[-1])

    def _void(self, index: int) -> None:
        self._pieces.pop(index, None)
        if step := self._steps.get(index):
            self._steps[index] = msgspec.structs.replace(step, state="void")
        if asked := self.approvals.get(index):
            self.approvals[index] = msgspec.structs.replace(asked, state="expired")


def is_end(entry: LogEntry) -> bool:
    """Whether an entry is the last of its turn."""
    return entry.name in END_NAMES
