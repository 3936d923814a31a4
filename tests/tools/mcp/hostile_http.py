"""An MCP server over streamable HTTP (2025-11-25), within the test's process, that misbehaves as its tools are named."""

import asyncio
import contextlib
import gzip
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from aiohttp import web

OBJECT = {"type": "object"}
JSON = "application/json"
PACKED = {"Content-Encoding": "gzip", "Content-Type": JSON}
NO_SESSION = {"jsonrpc": "2.0", "id": None, "error": {"code": -32000, "message": "No valid session"}}
NO_CUSTOMER = {"jsonrpc": "2.0", "id": None, "error": {"code": -32000, "message": "No such customer"}}
DEEP = b"[" * 20_000 + b"]" * 20_000
_ANSWERS: dict[str, Callable[[bytes], web.Response]] = {
    "fine": lambda well: web.Response(body=well, content_type=JSON),
    "status": lambda _: web.Response(status=503, text="try   later"),
    "page": lambda _: web.Response(text="<html>", content_type="text/html"),
    "packed": lambda _: web.Response(body=gzip.compress(b" " * 50_000_000), headers=PACKED),
    "large": lambda well: web.Response(body=b" " * 20_000_000 + well, content_type=JSON),
    "broken": lambda _: web.Response(body=b'{"jsonrpc": ', content_type=JSON),
    "elsewhere": lambda _: web.Response(status=307, headers={"Location": "http://169.254.169.254/"}),
    "accepted": lambda _: web.Response(status=202),
    "expression": lambda _: web.Response(status=400, text="paid, but the regular expression is invalid"),
    "session_text": lambda _: web.Response(status=400, text="paid, but no session"),
    "session_error": lambda _: web.json_response(NO_SESSION, status=400),
    "customer": lambda _: web.json_response(NO_CUSTOMER, status=404),
    "gateway": lambda _: web.Response(status=404, text="paid, but nothing more was found"),
    "said": lambda well: web.json_response(
        {"jsonrpc": "2.0", "id": json.loads(well)["id"], "error": {"code": -32600, "message": "Session terminated"}}
    ),
    "latin": lambda _: web.Response(status=400, body=b'{"jsonrpc": "2.0", "error": {"message": "\xff"}}'),
    "failing": lambda _: web.json_response(NO_CUSTOMER, status=500),
    "created": lambda _: web.Response(status=303, headers={"Location": "/elsewhere"}),
    "no_code": lambda _: web.json_response({**NO_CUSTOMER, "error": {"code": "bad", "message": "no"}}),
    "note": lambda _: web.json_response({"jsonrpc": "2.0", "method": "notifications/message", "params": {}}),
    "number": lambda _: web.json_response(42),
    "empty": lambda _: web.Response(content_type=JSON),
    "content": lambda well: web.Response(
        body=well.replace(b'[{"type"', b'{"x": [{"type"').replace(b"]", b"]}"), content_type=JSON
    ),
    "other_id": lambda well: web.json_response({**json.loads(well), "id": 4711}),
    "batch": lambda well: web.Response(body=b"[" + well + b"]", content_type=JSON),
    "deep": lambda well: web.Response(
        body=well.replace(b'"result": {', b'"result": {"x": ' + DEEP + b", "), content_type=JSON
    ),
    "deep_event": lambda well: web.Response(
        body=b"data: " + well.replace(b'"result": {', b'"result": {"x": ' + DEEP + b", ") + b"\n\n",
        content_type="text/event-stream",
    ),
    "bad_event": lambda _: web.Response(body=b'data: {"jsonrpc": \n\n', content_type="text/event-stream"),
    "others_event": lambda well: web.Response(
        body=b"data: " + _with_id(well, 4711) + b"\n\n", content_type="text/event-stream"
    ),
    "others_and_own": lambda well: web.Response(
        body=b"id: 1\ndata: "
        + _with_id(well, 4711).replace(b"well", b"bad")
        + b"\n\ndata: "
        + _with_id(well, None)
        + b"\n\n",
        content_type="text/event-stream",
    ),
    "nested": lambda _: web.Response(status=400, body=b"[" * 60_000),
    "text": lambda well: web.Response(body=well.replace(b"well", b"\\ud800"), content_type=JSON),
}
TOOLS = (*_ANSWERS, "flood", "cut", "hang", "drop", "half")


def _with_id(answer: bytes, other: int | None) -> bytes:
    """Return an answer with another id, or with its own as a text."""
    message = json.loads(answer)
    return json.dumps({**message, "id": str(message["id"]) if other is None else other}).encode()


class HostileHttp:
    """What a test sees of the server: the headers that came, and sessions, which it can forget; `refusal` is the status for all."""

    def __init__(self) -> None:
        self.url = ""
        self.headers: list[dict[str, str]] = []
        self.methods: list[str] = []
        self.sessions: set[str] = set()
        self.lost_status = 404
        self.refusal: int | None = None
        self.refusing = "<h1>Go away</h1>"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        self.headers.append(dict(request.headers))
        if self.refusal:
            return web.Response(status=self.refusal, text=self.refusing)
        session = request.headers.get("Mcp-Session-Id")
        if request.method == "DELETE":
            self.sessions.discard(session or "")
            return web.Response()
        if request.method != "POST":
            return web.Response(status=405)
        message: dict[str, Any] = await request.json()
        self.methods.append(message["method"])
        if message["method"] == "initialize":
            return self._begin(message)
        if session is not None and session not in self.sessions:
            return web.json_response(NO_SESSION, status=self.lost_status)
        return await self._answer(request, message)

    def _begin(self, message: dict[str, Any]) -> web.Response:
        session = f"s{len(self.headers)}"
        self.sessions.add(session)
        result = {
            "protocolVersion": "2025-11-25",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "h", "version": "1"},
        }
        return web.json_response(_result(message, result), headers={"Mcp-Session-Id": session})

    async def _answer(self, request: web.Request, message: dict[str, Any]) -> web.StreamResponse:
        match message["method"]:
            case "tools/list":
                tools = [{"name": name, "inputSchema": OBJECT, "annotations": {"readOnlyHint": True}} for name in TOOLS]
                return web.json_response(_result(message, {"tools": tools}))
            case "tools/call":
                return await self._behave(request, message, message["params"]["name"])
            case method if method.startswith("notifications/"):
                return web.Response(status=202)
            case _:
                error = {"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": "no such method"}}
                return web.json_response(error)

    async def _behave(self, request: web.Request, message: dict[str, Any], tool: str) -> web.StreamResponse:
        well = json.dumps(_result(message, {"content": [{"type": "text", "text": "well"}]})).encode()
        if tool in ("flood", "cut"):
            return await self._stream(request, tool)
        if tool == "hang":
            await asyncio.sleep(60)
        if tool == "half":
            response = web.StreamResponse(headers={"Content-Type": JSON, "Content-Length": "1000"})
            await response.prepare(request)
            await response.write(well[:20])
        if tool in ("drop", "half"):
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return _ANSWERS[tool](well)

    async def _stream(self, request: web.Request, tool: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        log = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x"}}
        event = f"event: message\ndata: {json.dumps(log)}\n\n".encode()
        with contextlib.suppress(ConnectionError):
            while tool == "flood":
                await response.write(event * 100)
            await response.write(event)
        return response


@contextlib.asynccontextmanager
async def hostile_http() -> AsyncIterator[HostileHttp]:
    """Serve on a free port."""
    server = HostileHttp()
    app = web.Application()
    app.router.add_route("*", "/mcp", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/mcp"
    try:
        yield server
    finally:
        await runner.cleanup()


def _result(message: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": message["id"], "result": result}
