"""Bounded: the stream of a server's messages, with floods cut off and tool lists mended before the SDK looks at them."""

import contextlib
import time
from contextvars import Context
from types import TracebackType
from typing import Any, Self, cast

import anyio
import msgspec
from mcp.client._transport import ReadStream
from mcp.shared.message import SessionMessage
from mcp_types import ContentBlock, JSONRPCResponse
from pydantic import TypeAdapter, ValidationError

from luxx.tools.mcp.listing import mended_schema
from luxx.tools.mcp.wire import Bounds, Watcher

Item = SessionMessage | Exception

_MOST_TOOLS = 1_000
"""Of one page: the SDK takes a quarter of a millisecond for each, in the event loop."""
GIVEN = "luxx:given"
"""Where a tool's schema has itself as the server gave it: what the SDK takes for valid has less in it."""
LISTED = "luxx:listed"
"""Where the notes (``_meta``) of a page of tools say how many there were on it."""
_TOOL_TEXTS = ("title", "description")
_HINTS = ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")
_OF_CALLS = frozenset({"structuredContent", "isError"})
"""What only the result of a call has."""
_CONTENT_KEYS = frozenset({"type", "text", "data", "mimeType", "resource", "uri", "name", "description"})
_content: TypeAdapter[ContentBlock] = TypeAdapter(ContentBlock)


class Flooded(Exception):
    """A server sends more than it may."""


class Gauge:
    """Counts what a server sends in windows of some seconds; raises Flooded when it is more than `limit`."""

    def __init__(self, limit: int, window_s: float, what: str) -> None:
        self._limit = limit
        self._window_s = window_s
        self._what = what
        self._since = time.monotonic()
        self._count = 0

    def add(self, amount: int = 1) -> None:
        """Count more. Raises Flooded."""
        now = time.monotonic()
        if now - self._since > self._window_s:
            self._since, self._count = now, 0
        self._count += amount
        if self._count > self._limit:
            raise Flooded(f"it floods: more than {self._limit:,} {self._what} in {self._window_s:g} s")


class BoundedStream:
    """A read stream as the SDK takes it, over that of a transport; ends when the server floods."""

    def __init__(self, stream: ReadStream[Item], bounds: Bounds, watcher: Watcher) -> None:
        self._stream = stream
        self._gauge = Gauge(bounds.flood_messages, bounds.flood_s, "messages")
        self._watcher = watcher

    @property
    def last_context(self) -> Context | None:
        """The context of who sent the request that the last message belongs to, where the transport knows it."""
        return getattr(self._stream, "last_context", None)

    async def receive(self) -> Item:
        """Return the next message. Raises anyio.EndOfStream when there is none, or were too many."""
        try:
            item = await self._stream.receive()
            self._gauge.add()
        except Flooded as flooded:
            self._watcher.ended(str(flooded))
            raise anyio.EndOfStream from None
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            self._watcher.ended("it closed the connection")
            raise
        if isinstance(item, SessionMessage) and isinstance(item.message, JSONRPCResponse):
            mend(item.message.result)
        return item

    async def aclose(self) -> None:
        """Close the stream."""
        await self._stream.aclose()

    def __aiter__(self) -> "BoundedStream":
        return self

    async def __anext__(self) -> Item:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> bool | None:
        await self.aclose()
        return None


def mend(result: dict[str, Any]) -> None:
    """Make a result such that one bad tool or piece of content does not make the SDK refuse all of it."""
    if isinstance(tools := result.get("tools"), list):
        listed = cast("list[object]", tools)
        result["tools"] = [mended for tool in listed[:_MOST_TOOLS] if (mended := _mended_tool(tool))]
        result["_meta"] = {LISTED: len(listed)}
    if result.get("content") is None and not _OF_CALLS.isdisjoint(result):
        result["content"] = []
    if "isError" in result and result["isError"] is None:
        result["isError"] = False
    if isinstance(content := result.get("content"), list):
        result["content"] = [_mended_content(part) for part in cast("list[object]", content)]


def _mended_tool(tool: object) -> dict[str, Any] | None:
    if not isinstance(tool, dict):
        return None
    given = cast("dict[str, Any]", tool)
    if not isinstance(name := given.get("name"), str):
        return None
    made: dict[str, Any] = {"name": name}
    made |= {key: given[key] for key in _TOOL_TEXTS if isinstance(given.get(key), str)}
    schema: object = given.get("inputSchema")
    made["inputSchema"] = {**mended_schema(schema), GIVEN: schema}
    output: object = given.get("outputSchema")
    if isinstance(output, dict) and isinstance(cast("dict[str, object]", output).get("properties", {}), dict):
        made["outputSchema"] = {"type": "object", **cast("dict[str, object]", output)}
    if isinstance(given.get("annotations"), dict):
        notes: dict[str, Any] = given["annotations"]
        made["annotations"] = {hint: notes[hint] for hint in _HINTS if isinstance(notes.get(hint), bool)}
    return made


def _mended_content(part: object) -> object:
    """Return a piece of content that the SDK takes: itself, what counts of it, or else its JSON as a text."""
    if isinstance(part, dict) and "type" in part:
        given = cast("dict[str, object]", part)
        kept = {key: value for key, value in given.items() if key in _CONTENT_KEYS}
        for attempt in (given, kept, {"mimeType": "", **kept}):
            with contextlib.suppress(ValidationError):
                _content.validate_python(attempt, by_name=False)
                return attempt
    return {"type": "text", "text": msgspec.json.encode(part).decode()}
