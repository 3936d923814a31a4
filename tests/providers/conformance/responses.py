"""The Responses format, as the conformance list asks for it."""

import json
from typing import Any

from luxx.core.ports import Endpoint as Provider
from luxx.providers.responses.model import ResponsesModel
from luxx.providers.transport import Transport
from tests.providers.conformance.parts import Call, Part, Text, Thinking
from tests.providers.responses import Json, added, call, done, event, message, reasoning


class Responses:
    """The words of Responses."""

    name = "responses"
    tells_early = False

    def provider(self, base_url: str, key: str | None, transport: Transport) -> Provider:
        return ResponsesModel(base_url, key, transport)

    def begin(self, *parts: Part, usage: tuple[int, int] = (0, 0)) -> list[bytes]:
        pieces = [event("response.created", response={"id": "resp", "status": "in_progress", "output": []})]
        for index, part in enumerate(parts):
            pieces += [piece for piece in _events(index, part) if b"output_item.done" not in piece]
        return pieces

    def whole(self, *parts: Part, usage: tuple[int, int] | None = None) -> list[bytes]:
        pieces = [event("response.created", response={"id": "resp", "status": "in_progress", "output": []})]
        for index, part in enumerate(parts):
            pieces += _events(index, part)
        response: Json = {"status": "completed", "output": [_item(index, part) for index, part in enumerate(parts)]}
        if usage:
            response["usage"] = {"input_tokens": usage[0], "output_tokens": usage[1], "total_tokens": sum(usage)}
        return [*pieces, event("response.completed", response=response)]

    def failure(self, message: str) -> bytes:
        return event("error", code="server_error", message=message, param=None)

    def refusal(self, message: str) -> bytes:
        return json.dumps({"error": {"message": message, "type": "error", "code": None}}).encode()

    def schemas(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        return [tool["parameters"] for tool in body["tools"]]


def _events(index: int, part: Part) -> list[bytes]:
    item = _item(index, part)
    place = {"output_index": index, "item_id": item["id"]}
    match part:
        case Text(pieces=pieces):
            empty = {**item, "content": []}
            deltas = [event("response.output_text.delta", content_index=0, delta=piece, **place) for piece in pieces]
        case Thinking(pieces=pieces):
            empty = {**item, "summary": []}
            name = "response.reasoning_summary_text.delta"
            deltas = [event(name, summary_index=0, delta=piece, **place) for piece in pieces]
        case Call(arguments=pieces):
            empty = {**item, "arguments": ""}
            name = "response.function_call_arguments"
            deltas = [event(f"{name}.delta", delta=piece, **place) for piece in pieces]
            deltas.append(event(f"{name}.done", arguments=item["arguments"], **place))
    return [added(index, empty), *deltas, done(index, item)]


def _item(index: int, part: Part) -> Json:
    match part:
        case Text(pieces=pieces):
            return message("".join(pieces), id=f"msg_{index}")
        case Thinking(pieces=pieces):
            return reasoning("".join(pieces), id=f"rs_{index}", encrypted_content="gAAA")
        case Call(id=id, name=name, arguments=pieces):
            return call(id, name, "".join(pieces), id=f"fc_{index}")
