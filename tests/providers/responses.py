"""Responses streams, built by hand."""

import json
from typing import Any

from luxx.providers.responses.answer import AnswerDecoder
from tests.providers.told import Told, decode_with

Json = dict[str, Any]


def event(kind: str, **fields: object) -> bytes:
    """Return one event of this type."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def data(**fields: object) -> bytes:
    """Return one event without its name."""
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def added(index: int, item: Json) -> bytes:
    """Return the event that announces an item."""
    return event("response.output_item.added", output_index=index, item=item)


def done(index: int, item: Json) -> bytes:
    """Return the event that gives a whole item."""
    return event("response.output_item.done", output_index=index, item=item)


def text_delta(piece: str, index: int = 0, **more: object) -> bytes:
    """Return a piece of a message."""
    fields = {"output_index": index, "item_id": f"msg_{index}", "content_index": 0, **more}
    return event("response.output_text.delta", delta=piece, **fields)


def message(*parts: str | Json, id: str = "msg_0", **more: object) -> Json:
    """Return a message item with these texts, or parts."""
    content = [
        {"type": "output_text", "text": part, "annotations": [], "logprobs": []} if isinstance(part, str) else part
        for part in parts
    ]
    return {"type": "message", "id": id, "role": "assistant", "status": "completed", "content": content, **more}


def reasoning(*summary: str, id: str = "rs_0", **more: object) -> Json:
    """Return a reasoning item with these parts of a summary."""
    parts = [{"type": "summary_text", "text": text} for text in summary]
    return {"type": "reasoning", "id": id, "summary": parts, **more}


def call(call_id: str = "call_a", name: str = "f", arguments: str = "{}", id: str = "fc_0", **more: object) -> Json:
    """Return a function call item."""
    fields = {"call_id": call_id, "name": name, "arguments": arguments, "status": "completed"}
    return {"type": "function_call", "id": id, **fields, **more}


def completed(*output: Json, kind: str = "completed", **more: object) -> bytes:
    """Return the end of a response with these items."""
    return event(f"response.{kind}", response={"id": "resp", "status": kind, "output": list(output), **more})


def only_done(*items: Json) -> bytes:
    """Return a stream that tells each item when it is done, up to its end."""
    return b"".join(done(place, item) for place, item in enumerate(items)) + completed(*items)


def decode(*pieces: bytes) -> Told:
    """Decode a body; an error is kept in `error`."""
    return decode_with(AnswerDecoder(), [b"".join(pieces)])
