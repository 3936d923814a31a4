"""Steps: the parts of an assistant message, in order."""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from luxx.core.ids import step_id
from luxx.core.prompts import Effect

State = Literal["running", "complete", "failed", "void"]

Unfinished = Literal["denied", "expired", "forbidden", "limit", "off", "missing", "cancelled", "unknown"]
"""Why a call was not run to its end: a person said no, or said nothing in time; a rule denies the tool; the calls of the answer are used up;
no tools can be used, or there is none of this name; a person stopped it, or its turn; or it was begun, is unsafe, and nobody knows whether
it has taken effect."""


class _Step(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What every step has.

    `index` orders the steps of a message and is never reused; `call` is the model call (from 1) that the step belongs to.
    """

    id: str
    index: int
    state: State = "running"
    call: int = 1


class Thinking(_Step, frozen=True, kw_only=True, tag="thinking"):
    """The model's reasoning, as far as the provider shows it. `duration_ms` is how long it took, once it is complete."""

    content: str = ""
    duration_ms: int | None = None


class Text(_Step, frozen=True, kw_only=True, tag="text"):
    """A part of the answer."""

    content: str = ""


class ToolCall(_Step, frozen=True, kw_only=True, tag="tool_call"):
    """The model asks for a tool. `arguments` is JSON text as the model wrote it, `id_ref` the provider's id of the call."""

    id_ref: str = ""
    name: str = ""
    arguments: str = ""


class ToolResult(_Step, frozen=True, kw_only=True, tag="tool_result"):
    """What a tool gave. `id_ref` is the step id of its call, `effect` that of the tool when it was claimed, `duration_ms` how long it
    took. `unfinished` is set for a failed one that the tool itself did not end.

    `parts` holds what is no text: ``{"type": "file", "id", "name", "media_type", "size"}`` for a file of the conversation,
    ``{"type": "json", "value"}`` for structured content.
    """

    id_ref: str
    name: str
    content: str = ""
    parts: tuple[dict[str, Any], ...] = ()
    effect: Effect | None = None
    duration_ms: int | None = None
    unfinished: Unfinished | None = None


class File(_Step, frozen=True, kw_only=True, tag="file"):
    """A file that the model made."""

    file_id: str
    name: str
    media_type: str
    size: int


class Source(_Step, frozen=True, kw_only=True, tag="source"):
    """Something that the answer cites; `content` is the passage."""

    url: str
    title: str = ""
    content: str = ""


class Notice(_Step, frozen=True, kw_only=True, tag="notice"):
    """Something that a person should know and that no model is told; `kind` is a stable word."""

    kind: str
    content: str


class Summary(_Step, frozen=True, kw_only=True, tag="summary"):
    """What a model is told instead of the conversation up to and with the message `until`.

    Without `until`, that is all before its own message and of that up to and with the call `until_call`; the person's message before it
    stays.
    """

    content: str = ""
    until: str = ""
    until_call: int = 0


Step = Thinking | Text | ToolCall | ToolResult | File | Source | Notice | Summary
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


def tool_result(index: int, of: ToolCall, effect: Effect | None = None) -> ToolResult:
    """Start the result of a call: its claim."""
    return ToolResult(id=step_id(index), index=index, call=of.call, id_ref=of.id, name=of.name, effect=effect)


def answer_text(steps: Iterable[Step]) -> str:
    """Return the answer's text: the content of the text steps that are not void, joined."""
    return "".join(step.content for step in steps if isinstance(step, Text) and step.state != "void")


def whole_texts(steps: Iterable[Step]) -> list[Step]:
    """Return the steps that are not void, each text with those that go on with it.

    A text goes on with the last one if its model call is a later one, and neither that of the last one nor any since has called tools.
    """
    made: list[Step] = []
    place, with_tool = 0, 0
    for step in steps:
        if step.state == "void":
            continue
        if isinstance(step, ToolCall | ToolResult):
            with_tool = step.call
        elif isinstance(step, Text) and step.content:
            before = made[place] if made else None
            if isinstance(before, Text) and with_tool < before.call < step.call:
                made[place] = msgspec.structs.replace(before, call=step.call, content=before.content + step.content)
                continue
            place = len(made)
        made.append(step)
    return made
