"""Bodies: what a client may post, and the short answer that anything else gets."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import mcp_types as types
import msgspec
from mcp_types import jsonrpc_message_adapter
from msgspec import UNSET, UnsetType
from pydantic import ValidationError
from starlette.types import Message, Send

MOST_IN_BATCH = 50
_BATCHING = ("2025-03-26", None)
"""The one version that has batches; it is what a client speaks that names none (2025-11-25, transports, protocol version header)."""
_INITIALIZE = "initialize"


class _Named(msgspec.Struct, frozen=True):
    id: msgspec.Raw | UnsetType = UNSET


class BadBody(Exception):
    """A body is no message; the text says why, `code` is that of JSON-RPC, `id` that of the request, where it has one."""

    def __init__(self, words: str, code: int = types.INVALID_REQUEST, request_id: int | str | None = None) -> None:
        super().__init__(words)
        self.code = code
        self.id = request_id

    def answer(self) -> bytes:
        """Return the JSON-RPC error."""
        error = {"code": self.code, "message": str(self)}
        return msgspec.json.encode({"jsonrpc": "2.0", "id": self.id, "error": error})


def messages_in(body: bytes, version: str | None) -> Sequence[bytes] | None:
    """Return the messages of a batch, or None for a body that is one message. Raises BadBody for what is neither."""
    if _is_message(body):
        return None
    decoded = _decoded(body)
    if not isinstance(decoded, list):
        raise _misfit(decoded)
    return _batch(cast("list[object]", decoded), version)


def check_in_batch(message: bytes) -> None:
    """Check one message of a batch. Raises BadBody."""
    if not _is_message(message):
        raise _misfit(_decoded(message))
    members = cast("dict[str, Any]", _decoded(message))
    if members.get("method") == _INITIALIZE:
        raise BadBody("`initialize` cannot be part of a batch.", request_id=members.get("id"))


async def answer(send: Send, status: int, body: bytes) -> None:
    """Send a whole answer."""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())] if body else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def answered(serve: Callable[[Send], Awaitable[None]]) -> bytes:
    """Return the body of what is answered."""
    pieces: list[bytes] = []

    async def send(message: Message) -> None:
        pieces.append(message.get("body", b""))

    await serve(send)
    return b"".join(pieces)


def _is_message(body: bytes) -> bool:
    try:
        message = jsonrpc_message_adapter.validate_json(body, by_name=False)
    except (ValidationError, RecursionError):
        return False
    # A request whose id is not valid looks like a notification, and its client would wait for ever.
    return not isinstance(message, types.JSONRPCNotification) or msgspec.json.decode(body, type=_Named).id is UNSET


def _batch(parts: list[object], version: str | None) -> Sequence[bytes]:
    if version not in _BATCHING:
        raise BadBody("Batches are no part of MCP since 2025-06-18: send each message on its own.")
    if not 0 < len(parts) <= MOST_IN_BATCH:
        raise BadBody(f"A batch has 1 to {MOST_IN_BATCH} messages.")
    return [msgspec.json.encode(part) for part in parts]


def _decoded(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except RecursionError:
        raise BadBody("The message is nested too deep.") from None
    except (msgspec.MsgspecError, UnicodeError):
        raise BadBody("The body is no JSON.", types.PARSE_ERROR) from None


def _misfit(decoded: object) -> BadBody:
    """Return what is wrong with a body that is JSON, but no message."""
    if not isinstance(decoded, dict):
        return BadBody("A JSON-RPC message is an object.")
    members = cast("dict[str, Any]", decoded)
    request_id = members.get("id")
    if "id" in members and (isinstance(request_id, bool) or not isinstance(request_id, (int, str))):
        return BadBody("The `id` of a message is a text or a whole number.")
    if members.get("jsonrpc") != "2.0":
        return BadBody('A message has "jsonrpc": "2.0".', request_id=request_id)
    if "method" in members and not isinstance(members["method"], str):
        return BadBody("The `method` of a message is a text.", request_id=request_id)
    if "method" in members and not isinstance(members.get("params"), dict | None):
        return BadBody("The `params` of a message are an object.", request_id=request_id)
    if "method" in members:
        return BadBody("The message cannot be read: is it nested too deep?", request_id=request_id)
    return BadBody("A message is a request, a notification, or the answer to a request.", request_id=request_id)
