"""Views: a turn's events, shown as they come: on a terminal, as plain text in a pipe, or as lines of JSON."""

import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from luxx.cli.console import Screen, Style
from luxx.cli.safetext import fit, safe_line
from luxx.core.endings import ending, without_edit
from luxx.core.events import (
    Approval,
    Cancelled,
    Done,
    Event,
    Failed,
    LogEntry,
    ProcessStep,
    Recovered,
    StepDelta,
    ToolProgress,
    TurnStarted,
)
from luxx.core.steps import File, Notice, Source, Step, Summary, Text, Thinking, ToolCall, ToolResult

_CALL_WORDS = {"approved": "allowed", "denied": "denied", "expired": "nobody decided in time"}
_QUESTION_WORDS = {"approved": "answered", "denied": "declined", "expired": "nobody answered in time"}
_PATIENCE_S = 0.3
_PATIENCE_IN_TEXT_S = 2.0
"""So long a text may stand still before the model is said to be waited for."""


class View(Protocol):
    """Shows one turn."""

    def show(self, entry: LogEntry, event: Event | None) -> None:
        """Show a log entry; `event` is None if this version does not know it."""
        ...

    def tick(self) -> None:
        """Refresh what changes with time; called a few times a second."""
        ...

    def notice(self, text: str) -> None:
        """Show a line that is not of the turn."""
        ...

    def close(self) -> None:
        """Leave the screen tidy: called once, after the last event or when the reader goes."""
        ...


class JsonView:
    """Each event as one line of JSON: ``{"seq", "event", "data"}``."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def show(self, entry: LogEntry, event: Event | None) -> None:
        """Write the entry as it came."""
        line = {"seq": entry.seq, "event": entry.name, "data": msgspec.Raw(entry.data)}
        self._screen.write(msgspec.json.encode(line).decode() + "\n")

    def tick(self) -> None:
        """Do nothing."""

    def notice(self, text: str) -> None:
        """Do nothing: only events are written."""

    def close(self) -> None:
        """Do nothing."""


class TextView:
    """The answer's text alone, for pipes and files.

    What was written cannot be taken back, but a restart of the server may void an answer that had not ended: text is
    written once that can no longer happen, when its model call has ended or a tool call after it has begun to run.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._steps: dict[int, Text] = {}
        self._pieces: dict[int, list[str]] = {}
        self._last = "\n"

    def show(self, entry: LogEntry, event: Event | None) -> None:
        """Take an event in, and write what it makes certain."""
        match event:
            case ProcessStep(step=Text() as step):
                self._settle(lambda text: text.call < step.call)
                self._steps[step.index] = step
                self._pieces.pop(step.index, None)
            case ProcessStep(step=ToolResult() as step):
                claimed = _index_of(step.id_ref, step.index)
                self._settle(lambda text: text.call < step.call or text.index < claimed)
            case ProcessStep(step=step):
                self._settle(lambda text: text.call < step.call)
            case StepDelta(index=index, text=text):
                if index in self._steps:
                    self._pieces.setdefault(index, []).append(text)
            case Recovered(discarded=discarded):
                for index in discarded:
                    self._steps.pop(index, None)
                    self._pieces.pop(index, None)
            case Done() | Failed() | Cancelled():
                self._settle(lambda text: True)
            case _:
                pass

    def tick(self) -> None:
        """Do nothing."""

    def notice(self, text: str) -> None:
        """Do nothing: only the answer is written."""

    def close(self) -> None:
        """End the last line."""
        if self._last != "\n":
            self._screen.write("\n")

    def _settle(self, certain: Callable[[Text], bool]) -> None:
        for index in sorted(self._steps):
            if certain(step := self._steps[index]):
                del self._steps[index]
                self._put(step.content + "".join(self._pieces.pop(index, ())))

    def _put(self, text: str) -> None:
        if text:
            self._screen.write(text)
            self._last = text[-1]


class TerminalView:
    """Everything as it happens: thinking dimmed, tools with their arguments, state and time, text as it comes.

    With `text` unset the answer itself is left out, because it goes elsewhere.
    """

    def __init__(self, screen: Screen, *, text: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        self._screen = screen
        self._text = text
        self._clock = clock
        self._since = clock()
        self._waiting_for = "the model"
        self._patience_s = _PATIENCE_S
        self._shown: dict[int, int] = {}
        self._styles: dict[int, Style] = {}
        self._open: int | None = None
        self._ends_line = True
        self._first = True
        self._running: dict[int, str] = {}

    def show(self, entry: LogEntry, event: Event | None) -> None:
        """Show an event."""
        match event:
            case TurnStarted():
                self._wait_for("the model")
            case ProcessStep(step=step):
                self._step(step)
            case StepDelta(index=index, text=text):
                self._grow(index, text)
            case ToolProgress():
                self._progress(event)
            case Recovered(discarded=discarded):
                self._recovered(discarded)
            case Approval():
                self._approval(event)
            case Done() | Failed() | Cancelled():
                self.close()
            case None:
                pass

    def tick(self) -> None:
        """Show for how long the model or the tools have been awaited."""
        seconds = self._clock() - self._since
        if self._waiting_for and seconds >= self._patience_s:
            self._screen.status(fit(f"… {self._waiting_for} {seconds:.0f} s", self._screen.width - 1))

    def notice(self, text: str) -> None:
        """Show a dim line."""
        self._line(text, "dim")

    def close(self) -> None:
        """End the open line and drop the status."""
        self._end_line()
        self._waiting_for = ""
        self._screen.status("")

    def _step(self, step: Step) -> None:
        match step:
            case Thinking(content=content):
                self._prose(step.index, "dim", content, ended=step.state != "running")
            case Text(content=content):
                if self._text:
                    self._prose(step.index, "plain", content, ended=step.state != "running")
            case ToolCall():
                self._call(step)
            case ToolResult():
                self._result(step)
            case File(name=name, file_id=file_id):
                self._line(f"[file {name}, {file_id}]", "cyan")
            case Source(url=url, title=title):
                self._line(f"[source {title} {url}]", "dim")
            case Notice(content=content) | Summary(content=content):
                self._line(content, "dim")

    def _prose(self, index: int, style: Style, content: str, *, ended: bool) -> None:
        self._styles[index] = style
        self._grow(index, content[self._shown.get(index, 0) :])
        if ended and self._open == index:
            if style == "dim":
                self._end_line()
            self._wait_for("the model")

    def _grow(self, index: int, text: str) -> None:
        style = self._styles.get(index)
        if not text or style is None:
            return
        if self._open != index:
            self._begin(index)
        self._shown[index] = self._shown.get(index, 0) + len(text)
        self._screen.write(text, style)
        self._ends_line = text.endswith("\n")
        self._wait_for("the model", _PATIENCE_IN_TEXT_S)

    def _begin(self, index: int) -> None:
        before = None if self._open is None else self._styles[self._open]
        if not before == self._styles[index] == "plain":  # the next text goes on with this one
            self._end_line()
            if not self._first:
                self._screen.line()
        self._first = False
        self._open = index

    def _end_line(self) -> None:
        if not self._ends_line:
            self._screen.line()
        self._ends_line = True
        self._open = None

    def _line(self, text: str, style: Style) -> None:
        self._end_line()
        self._first = False
        self._screen.line(fit(text, self._screen.width), style)

    def _call(self, step: ToolCall) -> None:
        if step.state == "running":
            self._end_line()
            self._wait_for(f"{step.name} is being called")
            return
        mark = "→" if step.state == "complete" else "✗"
        self._line(f"{mark} {step.name} {step.arguments.strip()}", "cyan" if step.state == "complete" else "red")

    def _result(self, step: ToolResult) -> None:
        if step.state == "running":
            self._end_line()
            self._running[step.index] = step.name
            self._wait_for(", ".join(self._running.values()))
            return
        self._running.pop(step.index, None)
        took = "" if step.duration_ms is None else f" {_duration(step.duration_ms)}"
        self._line(*result_line(step, took))
        self._wait_for(", ".join(self._running.values()) or "the model")

    def _approval(self, event: Approval) -> None:
        if event.state != "requested":
            words = _QUESTION_WORDS if event.question else _CALL_WORDS
            self._line(f"{event.tool}: {words[event.state]}", "yellow")
        elif event.question:
            self._end_line()
            self._screen.line(f"? {safe_line(event.tool)} asks you: {event.question.message}", "yellow")
        else:
            self._line(f"? {event.tool} asks for your permission", "yellow")

    def _progress(self, event: ToolProgress) -> None:
        name = self._running.get(event.index, "tool")
        share = f" {event.progress / event.total:.0%}" if event.progress is not None and event.total else ""
        self._waiting_for = f"{name}{share} {event.message}".strip()
        self.tick()

    def _recovered(self, discarded: tuple[int, ...]) -> None:
        for index in discarded:
            self._running.pop(index, None)
        void = any(self._shown.get(index) for index in discarded)
        what = "the part above that was not finished is made again" if void else "the answer goes on"
        self._line(f"↻ the server was restarted: {what}", "yellow")
        self._wait_for("the model")

    def _wait_for(self, what: str, patience_s: float = _PATIENCE_S) -> None:
        self._waiting_for = what
        self._patience_s = patience_s
        self._since = self._clock()


def _index_of(step_id: str, default: int) -> int:
    number = step_id.rpartition("-")[2]
    return int(number) if number.isascii() and number.isdecimal() else default


def result_line(step: ToolResult, took: str = "") -> tuple[str, Style]:
    """Return the line that tells what came of a call, and how it looks; a call that was not run to its end is no failure."""
    result = without_edit(step.content)
    said = f"{step.name}{took}{' (arguments changed)' if result != step.content else ''}"
    if step.state == "failed" and step.unfinished:
        style: Style = "yellow" if step.unfinished == "unknown" else "dim"
        return f"○ {said}: {ending(step).lower()}  {result.strip()}", style
    failed = step.state == "failed"
    return f"{'✗' if failed else '✓'} {said}  {result.strip()}", "red" if failed else "green"


def _duration(milliseconds: int) -> str:
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


class BothViews:
    """Shows the same turn twice."""

    def __init__(self, *views: View) -> None:
        self._views = views

    def show(self, entry: LogEntry, event: Event | None) -> None:
        """Show a log entry in each."""
        for view in self._views:
            view.show(entry, event)

    def tick(self) -> None:
        """Refresh each."""
        for view in self._views:
            view.tick()

    def notice(self, text: str) -> None:
        """Show a line in each."""
        for view in self._views:
            view.notice(text)

    def close(self) -> None:
        """Close each."""
        for view in self._views:
            view.close()
