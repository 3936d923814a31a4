"""Messages: what a server sent as JSON-RPC, mended where that can be done; an answer that is none ends its call at once."""

import asyncio
import json
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar, cast

from mcp_types import ErrorData, JSONRPCError, JSONRPCMessage, JSONRPCResponse, jsonrpc_message_adapter
from pydantic import ValidationError

from luxx.core.text import storable_within

OURS = uuid.uuid4().hex
"""What errors of our own have as their data, so that none that a server sends can be taken for one."""
IN_DOUBT = -32_053
"""The code of an error that the server did not send: what it sent is no answer, or it broke off after it had taken the request."""

MAX_DEPTH = 180
"""The SDK reads nothing that is nested more than 200 deep."""
_LARGE_BYTES = 100_000
_SHOWN_CHARS = 300
T = TypeVar("T")
# A string without an end is one up to the end: so a text is read once, whatever it is.
_TOKENS = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?|[\[\]{}]', re.DOTALL)


async def read(reader: Callable[[bytes], T], data: bytes) -> T:
    """Return what a function below makes of a text; a large one is read in a thread."""
    return reader(data) if len(data) < _LARGE_BYTES else await asyncio.to_thread(reader, data)


def messages_of(data: bytes) -> list[JSONRPCMessage]:
    """Return the messages in a text: one, or those of a batch; none if it is no JSON-RPC at all.

    Text that UTF-8 cannot hold is mended, and what is nested too deep is cut. An answer to a known request that is not valid is
    returned as an error of our own.
    """
    try:
        return [jsonrpc_message_adapter.validate_json(data, by_name=False)]
    except (ValidationError, RecursionError):
        pass
    try:
        parsed: object = storable_within(json.loads(shallow(data).decode(errors="replace")))
    except (ValueError, RecursionError):
        return []
    parts = cast("list[object]", parsed) if isinstance(parsed, list) else [parsed]
    return [message for part in parts if (message := _message(part)) is not None]


def answer_of(messages: Iterable[JSONRPCMessage], data: bytes, request_id: int | str) -> JSONRPCResponse | JSONRPCError:
    """Return what a request was answered with over HTTP, where an answer needs no id to be told what it answers.

    `messages` are those in `data`, all of the answer's body.
    """
    for message in messages:
        if isinstance(message, JSONRPCResponse | JSONRPCError):
            message.id = request_id
            return message
    text = " ".join(data[:_SHOWN_CHARS].decode(errors="replace").split())
    return failure(request_id, f"its answer is not valid: {text}" if text else "its answer is empty")


def failure(request_id: int | str, words: str, code: int = IN_DOUBT) -> JSONRPCError:
    """Return an error of our own as if it were the server's."""
    return JSONRPCError(jsonrpc="2.0", id=request_id, error=ErrorData(code=code, message=words, data=OURS))


def shallow(data: bytes) -> bytes:
    """Return JSON text with null in the place of what is nested deeper than MAX_DEPTH."""
    if data.count(b"{") + data.count(b"[") <= MAX_DEPTH:
        return data
    return b"".join(_cut(data))


def _cut(data: bytes) -> Iterator[bytes]:
    depth = kept_to = 0
    for token in _TOKENS.finditer(data):
        match token[0]:
            case b"{" | b"[":
                depth += 1
                if depth == MAX_DEPTH + 1:
                    yield data[kept_to : token.start()] + b"null"
            case b"}" | b"]":
                depth -= 1
                if depth == MAX_DEPTH:
                    kept_to = token.end()
            case _:
                pass
    if depth <= MAX_DEPTH:
        yield data[kept_to:]


def _message(part: object) -> JSONRPCMessage | None:
    try:
        return jsonrpc_message_adapter.validate_python(part, by_name=False)
    except (ValidationError, RecursionError):
        pass
    if not isinstance(part, dict):
        return None
    members = cast("dict[str, Any]", part)
    request_id = members.get("id")
    if "method" in members or not isinstance(request_id, (int, str)) or isinstance(request_id, bool):
        return None
    return failure(request_id, f"its answer is not valid: {json.dumps(part)[:_SHOWN_CHARS]}")
