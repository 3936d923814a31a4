"""Chat-completions streams, built by hand."""

import json
from typing import Any

DONE = b"data: [DONE]\n\n"


def event(value: object) -> bytes:
    """Return one event with this JSON."""
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def delta(finish: str | None = None, **fields: object) -> bytes:
    """Return a chunk with this delta."""
    return event({"id": "c", "choices": [{"index": 0, "delta": fields, "finish_reason": finish}]})


def call(
    index: int | None = None,
    id: str | None = None,
    name: str | None = None,
    arguments: object = None,
    **more: object,
) -> dict[str, Any]:
    """Return a piece of a tool call with the fields that are given."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    fields = {"index": index, "id": id, "function": function or None}
    return {**{key: value for key, value in fields.items() if value is not None}, **more}


def calls(*pieces: dict[str, Any]) -> bytes:
    """Return a stream in which each piece of a tool call has its own chunk, up to its end."""
    chunks = b"".join(delta(tool_calls=[piece]) for piece in pieces)
    return chunks + delta("tool_calls") + DONE


def text(*pieces: str) -> bytes:
    """Return a stream of text, up to its end."""
    return b"".join(delta(content=piece) for piece in pieces) + delta("stop") + DONE
