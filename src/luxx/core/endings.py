"""Endings: how a tool call has ended, in a word for people."""

from luxx.core.steps import ToolResult, Unfinished

_WORDS: dict[Unfinished, str] = {
    "denied": "Not run",
    "expired": "Not run",
    "forbidden": "Not allowed",
    "limit": "Not run",
    "off": "Not run",
    "missing": "No such tool",
    "cancelled": "Stopped",
    "unknown": "Outcome unknown",
}
_EDITED = "[The person changed the arguments to "


def ending(result: ToolResult) -> str:
    """Return the word for a result: a call that was not run to its end has not failed."""
    if result.state != "failed":
        return "Result"
    return _WORDS[result.unfinished] if result.unfinished else "Failed"


def with_edit(content: str, arguments: str) -> str:
    """Return a result as the model reads it when a person has changed the arguments; `arguments` is JSON on one line."""
    return f"{_EDITED}{arguments}]\n{content}"


def without_edit(content: str) -> str:
    """Return the result of a call whose arguments a person has changed, without the line that says so."""
    return content.partition("\n")[2] if content.startswith(_EDITED) else content
