"""Results: whatever a tool returns, as text that a model can read."""

import re
from collections.abc import Iterable, Mapping
from typing import cast

import msgspec

from luxx.core.ports import ToolOutcome
from luxx.tools.errors import ToolError

_UNFIT = re.compile("[\x00\ud800-\udfff]")
_NOTHING = "Done; the tool gave no result."


def outcome_of(value: object, max_chars: int) -> ToolOutcome:
    """Return a tool's result as an outcome: text as it is, anything else as JSON, cut at `max_chars` characters.

    Raises ToolError for a value that is neither.
    """
    if isinstance(value, ToolOutcome):
        return msgspec.structs.replace(value, content=cut(clean(value.content), max_chars))
    return ToolOutcome(content=cut(clean(_text_of(value)), max_chars))


def clean(text: str) -> str:
    """Join surrogate pairs and replace lone surrogates and U+0000, which UTF-8 and databases refuse, by U+FFFD."""
    if not _UNFIT.search(text):
        return text
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return joined.replace("\x00", "\ufffd")


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
            return msgspec.json.encode(_clean_within(msgspec.to_builtins(value, str_keys=True))).decode()
    except (TypeError, ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise ToolError(f"The tool ran, but its result cannot be shown as JSON: {error}") from error


def _clean_within(value: object) -> object:
    match value:
        case str():
            return clean(value)
        case dict():
            members = cast("Mapping[object, object]", value)
            return {_clean_within(key): _clean_within(member) for key, member in members.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean_within(member) for member in cast("Iterable[object]", value)]
        case _:
            return value
