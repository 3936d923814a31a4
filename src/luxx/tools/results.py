"""Results: whatever a tool returns, as text that a model can read."""

from typing import Any

import msgspec

from luxx.core.ports import ToolOutcome
from luxx.core.text import storable, storable_within
from luxx.tools.errors import ToolError

_NOTHING = "Done; the tool gave no result."


def outcome_of(value: object, max_chars: int) -> ToolOutcome:
    """Return a tool's result as an outcome: text as it is, anything else as JSON, cut at `max_chars` characters.

    Raises ToolError for a value that is neither.
    """
    if isinstance(value, ToolOutcome):
        content = cut(storable(value.content), max_chars)
        return msgspec.structs.replace(value, content=content, parts=_plain(value.parts) if value.parts else ())
    return ToolOutcome(content=cut(storable(_text_of(value)), max_chars))


def cut(text: str, max_chars: int) -> str:
    """Return the text, or its first `max_chars` characters and a note on how many were left out."""
    left_out = len(text) - max_chars
    return text if left_out <= 0 else f"{text[:max_chars]}\n[{left_out:,} of {len(text):,} characters left out]"


def shorten(text: str, max_chars: int) -> str:
    """Return the text on one line, with an ellipsis in place of what is beyond `max_chars` characters."""
    line = " ".join(text[: max_chars + 1].split())
    return line if len(text) <= max_chars else line[: max_chars - 1] + "…"


def _text_of(value: object) -> str:
    match value:
        case str():
            return value
        case None:
            return _NOTHING
        case bytes() | bytearray() | memoryview():
            raise ToolError("The tool ran, but it gave bytes, which cannot be shown as text.")
        case _:
            return _json_of(value)


def _json_of(value: object) -> str:
    try:
        try:
            return msgspec.json.encode(value).decode()
        except UnicodeEncodeError:
            return msgspec.json.encode(storable_within(msgspec.to_builtins(value, str_keys=True))).decode()
    except (TypeError, ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise ToolError(f"The tool ran, but its result cannot be shown as JSON: {error}") from error


def _plain(parts: object) -> tuple[dict[str, Any], ...]:
    """Return the parts of a tool's own outcome as the JSON that is stored, whatever the tool put there."""
    try:
        encoded = msgspec.json.encode(storable_within(msgspec.to_builtins(parts, str_keys=True)))
        return msgspec.json.decode(encoded, type=tuple[dict[str, Any], ...])
    except (TypeError, ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise ToolError(f"The tool ran, but the parts of its result cannot be shown as JSON: {error}") from error
