"""Questions: what a server asks the person in mid-call, checked and bounded before it is shown, and the answer for the server."""

from typing import Any, Literal, cast
from urllib.parse import urlsplit

from luxx.tools.mcp.listing import mended_schema
from luxx.tools.mcp.wire import CallHooks, Question

Action = Literal["accept", "decline", "cancel"]
Answer = str | int | float | bool | list[str] | None

_MAX_MESSAGE_CHARS = 2_000
_MAX_URL_CHARS = 2_000
_MAX_FIELDS = 50
_KINDS = frozenset({"string", "number", "integer", "boolean", "array"})


async def answer_to(question: Question, hooks: CallHooks) -> tuple[Action, dict[str, Answer] | None]:
    """Ask the person and return what the server is told. What must not be shown is declined without asking.

    A form that was accepted has the defaults of the fields that were left out (SEP-1034).
    """
    message = question.message[:_MAX_MESSAGE_CHARS]
    if question.url is not None:
        if not _can_be_opened(question.url):
            return "decline", None
        reply = await hooks.ask(Question(message=message, url=question.url))
        return ("cancel" if reply.action == "expired" else reply.action), None
    schema = _flat(question.schema)
    if schema is None:
        return "decline", None
    reply = await hooks.ask(Question(message=message, schema=schema))
    if reply.action != "accept":
        return ("cancel" if reply.action == "expired" else "decline"), None
    fields = cast("dict[str, dict[str, Any]]", schema["properties"])
    defaults = {name: field["default"] for name, field in fields.items() if field.get("default") is not None}
    return "accept", {**defaults, **reply.content}


def _can_be_opened(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= _MAX_URL_CHARS
    return plain and parts.scheme in ("http", "https") and bool(parts.hostname)


def _flat(schema: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the schema if it is a form: an object of simple fields."""
    form = mended_schema(schema)
    fields = cast("dict[str, dict[str, Any]]", form.get("properties", {}))
    asked: object = (schema or {}).get("properties", {})
    if not isinstance(asked, dict) or len(fields) > _MAX_FIELDS or len(fields) != len(cast("dict[str, object]", asked)):
        return None
    if any(not isinstance(field.get("type"), str) or field["type"] not in _KINDS for field in fields.values()):
        return None
    return form
