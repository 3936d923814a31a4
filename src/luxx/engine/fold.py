"""Fold: turn the deltas of one answer into steps and their events; no await."""

import time
from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from luxx.core import steps
from luxx.core.deltas import (
    Delta,
    FileDelta,
    Finish,
    NoticeDelta,
    SourceDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallDone,
    UsageDelta,
    VerbatimDelta,
)
from luxx.core.events import Event, ProcessStep, StepDelta
from luxx.core.files import FileRef
from luxx.core.ids import step_id
from luxx.core.steps import File, Notice, Source, Step, Text, Thinking, ToolCall
from luxx.core.usage import Usage
from luxx.engine.estimate import grown

_EMPTY = {
    "stop": "The model gave an empty answer.",
    "length": "The model reached the greatest length of an answer before it said anything.",
    "content_filter": "The provider held the answer back.",
    "refusal": "The model refused to answer.",
}
"""What is said of an answer with nothing in it, by its finish reason."""


class _Growing:
    """A text or thinking step that is being written, since a moment in seconds."""

    __slots__ = ("pieces", "since", "step")

    def __init__(self, step: Text | Thinking, since: float) -> None:
        self.step = step
        self.since = since
        self.pieces: list[str] = []

    def ended(self, now: float) -> Text | Thinking:
        whole = replace(self.step, state="complete", content="".join(self.pieces))
        return replace(whole, duration_ms=round((now - self.since) * 1000)) if isinstance(whole, Thinking) else whole


class _Calling:
    """A tool call that is being written; it is shown from its first argument on, when its name is whole."""

    __slots__ = ("arguments", "id", "index", "name", "shown", "step")

    def __init__(self, index: int) -> None:
        self.index = index
        self.id = ""
        self.name = ""
        self.arguments: list[str] = []
        self.shown = False
        self.step: ToolCall | None = None

    def started(self, call: int) -> ToolCall:
        return steps.tool_call(self.index, call, self.id, self.name)

    def ended(self, call: int, state: steps.State) -> ToolCall:
        return replace(self.started(call), state=state, arguments="".join(self.arguments))


class Fold:
    """The steps of one answer, as far as it was read.

    `indexes` numbers the steps; it is shared with whoever makes the results. `steps` are those that have ended, in the
    order of their ends; `finish` is set when the answer is whole. `verbatim` is what goes back to the provider with each step that has
    ended, by its index; `rest` is what came after the last of them.
    """

    def __init__(self, call: int, indexes: Iterator[int], clock: Callable[[], float] = time.monotonic) -> None:
        self.call = call
        self.steps: list[Step] = []
        self.finish: Finish | None = None
        self.verbatim: dict[int, bytes] = {}
        self.rest = b""
        self.characters = 0
        self._indexes = indexes
        self._clock = clock
        self._growing: _Growing | None = None
        self._calls: dict[int, _Calling] = {}
        self._next_call = 0
        self._sources: dict[str, SourceDelta] = {}
        self._cited: set[str] = set()
        self._things = 0
        self._spent: tuple[Usage, int] | None = None

    @property
    def spent(self) -> Usage | None:
        """What an answer has cost so far that has no end, if the provider told of it; what was written since then is estimated."""
        if self.finish or self._spent is None:
            return None
        usage, told_at = self._spent
        return grown(usage, self.characters - told_at)

    @property
    def started(self) -> bool:
        """Whether any of the answer came; what came is never asked for again."""
        return bool(self.characters or self._calls or self._things)

    def feed(self, deltas: Sequence[Delta | FileRef]) -> list[Event]:
        """Take deltas, files as they are kept, and return the events that they make."""
        events: list[Event] = []
        for delta in deltas:
            match delta:
                case TextDelta(text=text):
                    self._grow(Text, text, events)
                case ThinkingDelta(text=text):
                    self._grow(Thinking, text, events)
                case ToolCallDelta():
                    self._call(delta, events)
                case ToolCallDone(slot=slot):
                    self._end_call(slot, "complete", events)
                case SourceDelta() | UsageDelta():
                    self._note(delta)
                case FileRef() | FileDelta() | NoticeDelta():
                    self._place(delta, events)
                case VerbatimDelta(raw=raw):
                    self.rest = b"\n".join(filter(None, (self.rest, raw)))
                case Finish():
                    events += self.close()
                    self._explain(delta, events)
                    self.finish = delta
        return events

    def close(self) -> list[Event]:
        """End what is open in an answer that was cut: texts stay as they are, calls without an end have failed."""
        events: list[Event] = []
        self._end_growing(events)
        self._end_calls(events)
        self._cite(events)
        return events

    def begin_again(self) -> None:
        """The answer is asked for once more, as nothing of it was shown."""
        self.rest = b""
        self._spent = None
        self._sources.clear()

    def ready_calls(self) -> list[ToolCall]:
        """Return the calls that became complete since the last time, in call order: none before an earlier one."""
        ready: list[ToolCall] = []
        for calling in list(self._calls.values())[self._next_call :]:
            if calling.step is None:
                break
            self._next_call += 1
            if calling.step.state == "complete":
                ready.append(calling.step)
        return ready

    def _grow(self, kind: type[Text] | type[Thinking], text: str, events: list[Event]) -> None:
        growing = self._growing
        if growing is None or type(growing.step) is not kind:
            self._end_growing(events)
            index = next(self._indexes)
            step = steps.text(index, self.call) if kind is Text else steps.thinking(index, self.call)
            self._growing = growing = _Growing(step, self._clock())
            events.append(ProcessStep(step))
        growing.pieces.append(text)
        self.characters += len(text)
        events.append(StepDelta(growing.step.index, text))

    def _end_growing(self, events: list[Event]) -> None:
        if self._growing is not None:
            step = self._growing.ended(self._clock())
            self._growing = None
            self._add(step, events)
            self._cite(events)

    def _note(self, told: SourceDelta | UsageDelta) -> None:
        if isinstance(told, UsageDelta):
            self._spent = told.usage, self.characters
        elif told.url not in self._cited:
            self._sources.setdefault(told.url, told)

    def _place(self, thing: FileRef | FileDelta | NoticeDelta, events: list[Event]) -> None:
        """Add what comes whole."""
        if isinstance(thing, FileDelta):
            raise TypeError("A file is kept before it is shown.")
        self._end_growing(events)
        self._things += 1
        index = next(self._indexes)
        if isinstance(thing, NoticeDelta):
            step = Notice(
                id=step_id(index), index=index, state="complete", call=self.call, kind=thing.kind, content=thing.text
            )
        else:
            step = File(
                id=step_id(index),
                index=index,
                state="complete",
                call=self.call,
                file_id=thing.id,
                name=thing.name,
                media_type=thing.media_type,
                size=thing.size,
            )
        self._add(step, events)

    def _explain(self, finish: Finish, events: list[Event]) -> None:
        """Say so if there is nothing to be seen of an answer, and no word why."""
        if not any(_is_seen(step) for step in self.steps):
            said = _EMPTY.get(finish.reason, f"The model gave an empty answer ({finish.reason}).")
            self._place(NoticeDelta(kind="empty_answer", text=said), events)

    def _cite(self, events: list[Event]) -> None:
        """Add the sources that came with a text after it: in its middle they would tear it apart."""
        sources, self._sources = self._sources, {}
        for source in sources.values():
            self._cited.add(source.url)
            index = next(self._indexes)
            step = Source(
                id=step_id(index),
                index=index,
                state="complete",
                call=self.call,
                url=source.url,
                title=source.title,
                content=source.quote,
            )
            self._add(step, events)

    def _add(self, step: Step, events: list[Event]) -> None:
        if self.rest:
            self.verbatim[step.index], self.rest = self.rest, b""
        self.steps.append(step)
        events.append(ProcessStep(step))

    def _call(self, delta: ToolCallDelta, events: list[Event]) -> None:
        self._end_growing(events)
        calling = self._calls.get(delta.slot)
        if calling is None:
            calling = self._calls[delta.slot] = _Calling(next(self._indexes))
        if calling.step is not None:
            return
        calling.id += delta.id
        calling.name += delta.name
        self.characters += len(delta.arguments)
        if delta.arguments:
            calling.arguments.append(delta.arguments)
        if calling.shown and delta.arguments:
            events.append(StepDelta(calling.index, delta.arguments))
        elif calling.name and calling.arguments and not calling.shown:
            self._show(calling, events)

    def _show(self, calling: _Calling, events: list[Event]) -> None:
        calling.shown = True
        events.append(ProcessStep(calling.started(self.call)))
        if calling.arguments:
            events.append(StepDelta(calling.index, "".join(calling.arguments)))

    def _end_call(self, slot: int, state: steps.State, events: list[Event]) -> None:
        calling = self._calls.get(slot)
        if calling is None or calling.step is not None:
            return
        if not calling.shown:
            self._show(calling, events)
        step = calling.step = calling.ended(self.call, state)
        self._add(step, events)

    def _end_calls(self, events: list[Event]) -> None:
        for slot in self._calls:
            self._end_call(slot, "failed", events)


def _is_seen(step: Step) -> bool:
    """Whether a step answers, or says why there is no answer."""
    return bool(step.content.strip()) if isinstance(step, Text) else not isinstance(step, Thinking | Source)
