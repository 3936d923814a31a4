"""A provider of chat completions that plays parts."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from dev.gallery.parts import DONE, ROLES, Part, Role

_PIECE = 6
"""Characters in a piece of an answer."""


class Model:
    """The provider, on a port of its own; use it as a context manager."""

    def __init__(self) -> None:
        self.closing = threading.Event()
        """Set when streams that stay open shall end."""
        model = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                _send_json(self, 200, {"object": "list", "data": [{"id": "north-large"}, {"id": "north-small"}]})

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                _answer(self, request["messages"], model.closing)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> "Model":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.closing.set()
        self._server.shutdown()


def _answer(handler: BaseHTTPRequestHandler, messages: list[dict[str, Any]], closing: threading.Event) -> None:
    asked = max(i for i, message in enumerate(messages) if message["role"] == "user")
    number = sum(message["role"] == "assistant" for message in messages[asked:])
    parts = ROLES.get(_text(messages[asked]["content"]), Role()).parts
    part = parts[number] if number < len(parts) else Part(text=DONE)
    if part.refusal:
        _send_json(handler, part.refusal, {"error": {"message": "Incorrect API key provided: nk-••••7f2a."}})
        return
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.end_headers()
    for chunk in _chunks(part):
        handler.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
    handler.wfile.flush()
    if part.stays:
        closing.wait()
    handler.wfile.write(b"data: [DONE]\n\n")


def _text(content: str | list[dict[str, Any]]) -> str:
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def _chunks(part: Part) -> Iterator[dict[str, Any]]:
    for delta in _deltas(part):
        yield {"model": "north-large", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    if not part.stays:
        reason = "tool_calls" if part.calls else "stop"
        yield {"model": "north-large", "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
        yield {"choices": [], "usage": {"prompt_tokens": 412, "completion_tokens": 168}}


def _deltas(part: Part) -> Iterator[dict[str, Any]]:
    for piece in _pieces(part.thinking):
        yield {"reasoning_content": piece}
    for piece in _pieces(part.text):
        yield {"content": piece}
    for index, (name, arguments) in enumerate(part.calls):
        function = {"name": name, "arguments": json.dumps(arguments)}
        yield {"tool_calls": [{"index": index, "id": f"call_{index}", "type": "function", "function": function}]}


def _pieces(text: str) -> Iterator[str]:
    return (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))


def _send_json(handler: BaseHTTPRequestHandler, status: int, body: dict[str, Any]) -> None:
    data = json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)
