"""Messages streams, built by hand."""

import json
from typing import Any

from luxx.providers.anthropic.answer import AnswerDecoder
from tests.providers.endpoint import Answer, json_answer
from tests.providers.told import Told, decode_with


def event(kind: str, **fields: object) -> bytes:
    """Return one event."""
    return f"event: {kind}\n".encode() + b"data: " + json.dumps({"type": kind, **fields}).encode() + b"\n\n"


def begin(**usage: int) -> bytes:
    """Return the start of a message."""
    message = {"id": "msg", "type": "message", "role": "assistant", "content": [], "model": "m", "stop_reason": None}
    return event("message_start", message={**message, "usage": usage or {"input_tokens": 0, "output_tokens": 0}})


def start(index: int, **block: object) -> bytes:
    """Return the start of a block."""
    return event("content_block_start", index=index, content_block=block)


def piece(index: int, kind: str, **fields: object) -> bytes:
    """Return a piece of a block."""
    return event("content_block_delta", index=index, delta={"type": kind, **fields})


def stop(index: int) -> bytes:
    """Return the end of a block."""
    return event("content_block_stop", index=index)


def text(index: int, *pieces: str) -> bytes:
    """Return a whole block of text."""
    said = b"".join(piece(index, "text_delta", text=part) for part in pieces)
    return start(index, type="text", text="") + said + stop(index)


def thinking(index: int, *pieces: str, signature: str = "") -> bytes:
    """Return a whole block of thoughts."""
    said = b"".join(piece(index, "thinking_delta", thinking=part) for part in pieces)
    signed = piece(index, "signature_delta", signature=signature) if signature else b""
    return start(index, type="thinking", thinking="", signature="") + said + signed + stop(index)


def call(index: int, id: str, name: str, *arguments: str, kind: str = "tool_use", **more: object) -> bytes:
    """Return a whole call."""
    said = b"".join(piece(index, "input_json_delta", partial_json=part) for part in arguments)
    return start(index, type=kind, id=id, name=name, input={}, **more) + said + stop(index)


def block(index: int, **fields: object) -> bytes:
    """Return a block that comes in one piece."""
    return start(index, **fields) + stop(index)


def end(reason: str = "end_turn", details: dict[str, Any] | None = None, **usage: object) -> bytes:
    """Return the end of a message."""
    delta = {"stop_reason": reason, "stop_sequence": None, **({"stop_details": details} if details else {})}
    return event("message_delta", delta=delta, usage=usage) + event("message_stop")


def message(*blocks: bytes, reason: str = "end_turn") -> bytes:
    """Return a whole message of these blocks."""
    return begin() + b"".join(blocks) + end(reason)


def decode(*pieces: bytes) -> Told:
    """Decode a body that comes in these pieces."""
    return decode_with(AnswerDecoder(), pieces)


def raw(told: Told) -> list[dict[str, Any]]:
    """Return the blocks that an answer wants back."""
    return told.raw_items("content")


def refusal(message: str, status: int = 400, kind: str = "invalid_request_error") -> Answer:
    """Return a refusal of a request."""
    return json_answer({"type": "error", "error": {"type": kind, "message": message}}, status)
