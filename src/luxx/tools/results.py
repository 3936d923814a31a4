"""Results: whatever a tool returns, as text that a model can read, and the files that come with it."""

from collections.abc import Iterable
from typing import Any, cast

import msgspec

from luxx.core.files import FileRef
from luxx.core.ports import ToolOutcome
from luxx.core.steps import Unfinished
from luxx.core.text import storable, storable_within
from luxx.tools.errors import ToolError

_NOTHING = "Done; the tool gave no result."


class ToolFile(msgspec.Struct, frozen=True):
    """A file that a tool returns, alone or in a list with text: it is kept with the conversation, and shown if it is an image."""

    name: str
    data: bytes


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool returned, taken apart: `made` are files that are still to be kept, `files` such as are; `unfinished`: see ToolOutcome."""

    text: str
    failed: bool = False
    made: tuple[ToolFile, ...] = ()
    files: tuple[FileRef, ...] = ()
    data: dict[str, Any] | None = None
    unfinished: Unfinished | None = None


def result_of(value: object, tool: str) -> Result:
    """Return what a tool returned: text as it is, bytes as a file, anything else as JSON.

    Raises ToolError for a value that is none of it.
    """
    match value:
        case ToolOutcome():
            plain = None if value.data is None else _plain(value.data)
            return Result(text=storable(value.content), failed=value.failed, files=tuple(value.files), data=plain)
        case ToolFile():
            return Result(text="", made=(value,))
        case bytes() | bytearray() | memoryview():
            data = bytes(cast("bytes", value))  # any of the three; a memoryview's type is not known further
            return Result(text="", made=(ToolFile(f"{tool}-output", data),))
        case list() | tuple() if any(isinstance(part, ToolFile) for part in cast("Iterable[object]", value)):
            parts = list(cast("Iterable[object]", value))
            made = tuple(part for part in parts if isinstance(part, ToolFile))
            texts = (storable(_text_of(part)) for part in parts if not isinstance(part, ToolFile))
            return Result(text="\n".join(texts), made=made)
        case _:
            return Result(text=storable(_text_of(value)))


def cut(text: str, max_chars: int, rest: str = "") -> str:
    """Return the text, or its first `max_chars` characters and a note on how many were left out; `rest` says where they are."""
    left_out = len(text) - max_chars
    return text if left_out <= 0 else f"{text[:max_chars]}\n[{left_out:,} of {len(text):,} characters left out{rest}]"


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


def _plain(data: object) -> dict[str, Any]:
    """Return the data of a tool's own outcome as the JSON that is stored, whatever the tool put there."""
    try:
        encoded = msgspec.json.encode(storable_within(msgspec.to_builtins(data, str_keys=True)))
        return msgspec.json.decode(encoded, type=dict[str, Any])
    except (TypeError, ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise ToolError(f"The tool ran, but the data of its result cannot be shown as JSON: {error}") from error
