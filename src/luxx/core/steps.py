"""Steps: the parts of an assistant message, in order."""

from typing import Any, Literal

import msgspec

from luxx.core.ids import step_id

State = Literal["running", "complete", "failed", "void"]


class _Step(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What every step has.

    `index` orders the steps of a message and is never reused; `call` is the model call (from 1) that the step belongs to.
    """

    id: str
    index: int
    state: State = "running"
    call: int = 1


class Thinking(_Step, frozen=True, kw_only=True, tag="thinking"):
    """The model's reasoning, as far as the provider shows it."""

    content: str = ""


class Text(_Step, frozen=True, kw_only=True, tag="text"):
    """A part of the answer."""

    content: str = ""


class ToolCall(_Step, frozen=True, kw_only=True, tag="tool_call"):
    """The model asks for a tool. `arguments` is JSON text as the model wrote it, `id_ref` the provider's id of the call."""

    id_ref: str = ""
    name: str = ""
    arguments: str = ""


class ToolResult(_Step, frozen=True, kw_only=True, tag="tool_result"):
    """What a tool gave. `id_ref` is the step id of its call, `parts` holds images and files, `duration_ms` how long it took."""

    id_ref: str
    name: str
    content: str = ""
    parts: tuple[dict[str, Any], ...] = ()
    duration_ms: int | None = None


Step = Thinking | Text | ToolCall | ToolResult
"""A step that this version makes; readers ignore types that they do not know."""


def thinking(index: int, call: int) -> Thinking:
    """Start a thinking step."""
    return Thinking(id=step_id(index), index=index, call=call)


def text(index: int, call: int) -> Text:
    """Start a text step."""
    return Text(id=step_id(index), index=index, call=call)


def tool_call(index: int, call: int, id_ref: str, name: str) -> ToolCall:
    """Start a tool call."""
    return ToolCall(id=step_id(index), index=index, call=call, id_ref=id_ref, name=name)


def tool_result(index: int, of: ToolCall) -> ToolResult:
    """Start the result of a call: its claim."""
    return ToolResult(id=step_id(index), index=index, call=of.call, id_ref=of.id, name=of.name)


def answer_text(steps: tuple[Step, ...]) -> str:
    """Return the answer's text: the content of the text steps that are not void, joined."""
    return "".join(step.content for step in steps if isinstance(step, Text) and step.state != "void")
