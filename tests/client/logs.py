"""Logs of turns for tests."""

from luxx.core import steps
from luxx.core.events import Done, Event, LogEntry, ProcessStep, StepDelta, TurnStarted, encode
from luxx.core.steps import Text, Thinking, ToolCall, ToolResult
from luxx.core.usage import Usage

STARTED = TurnStarted(
    turn_id="t", message_id="m", user_message_id="u", conversation_id="c", provider="scripted", model="demo"
)
DONE = Done(message_id="m", token_count=7, usage=Usage(output_tokens=7, total_tokens=7), finish_reason="stop")


def log(*events: Event) -> list[LogEntry]:
    """Number events from 1."""
    return [LogEntry(seq, event.name, encode(event)) for seq, event in enumerate(events, 1)]


def thinking(index: int, content: str) -> Thinking:
    """A whole thinking step."""
    return Thinking(id=f"step-{index}", index=index, state="complete", content=content)


def text(index: int, content: str, call: int = 1) -> Text:
    """A whole text step."""
    return Text(id=f"step-{index}", index=index, state="complete", content=content, call=call)


def call(index: int, name: str, arguments: str) -> ToolCall:
    """A whole tool call."""
    return ToolCall(id=f"step-{index}", index=index, state="complete", id_ref="x", name=name, arguments=arguments)


def result(index: int, of: int, name: str, content: str, state: steps.State = "complete") -> ToolResult:
    """A result with the state given."""
    return ToolResult(
        id=f"step-{index}", index=index, state=state, id_ref=f"step-{of}", name=name, content=content, duration_ms=12
    )


TOOL_TURN = log(
    STARTED,
    ProcessStep(steps.thinking(0, 1)),
    StepDelta(0, "Let me add."),
    ProcessStep(thinking(0, "Let me add.")),
    ProcessStep(steps.tool_call(1, 1, "x", "calculator")),
    StepDelta(1, '{"expression": "2+2"}'),
    ProcessStep(call(1, "calculator", '{"expression": "2+2"}')),
    ProcessStep(result(2, 1, "calculator", "", "running")),
    ProcessStep(result(2, 1, "calculator", "4")),
    ProcessStep(steps.text(3, 2)),
    StepDelta(3, "It is "),
    StepDelta(3, "four ✓."),
    ProcessStep(text(3, "It is four ✓.", 2)),
    DONE,
)
