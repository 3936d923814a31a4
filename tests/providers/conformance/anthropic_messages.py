"""The Messages API, as the conformance list asks for it."""

import json
from typing import Any

from luxx.core.ports import Endpoint as Provider
from luxx.providers.anthropic.model import AnthropicModel
from luxx.providers.transport import Transport
from tests.providers import messages
from tests.providers.conformance.parts import Call, Part, Text, Thinking


class AnthropicMessages:
    """The words of the Messages API."""

    name = "anthropic"
    tells_early = True

    def provider(self, base_url: str, key: str | None, transport: Transport) -> Provider:
        return AnthropicModel(base_url, key, transport)

    def begin(self, *parts: Part, usage: tuple[int, int] = (0, 0)) -> list[bytes]:
        return self._content(parts, usage)

    def whole(self, *parts: Part, usage: tuple[int, int] | None = None) -> list[bytes]:
        tools = any(isinstance(part, Call) for part in parts)
        last = messages.end("tool_use" if tools else "end_turn", output_tokens=usage[1] if usage else 0)
        return [*self._content(parts, (usage[0], min(1, usage[1])) if usage else (0, 0)), last]

    def failure(self, message: str) -> bytes:
        return messages.event("error", error={"type": "api_error", "message": message})

    def refusal(self, message: str) -> bytes:
        return json.dumps({"type": "error", "error": {"type": "some_error", "message": message}}).encode()

    def schemas(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        return [tool["input_schema"] for tool in body["tools"]]

    def _content(self, parts: tuple[Part, ...], usage: tuple[int, int]) -> list[bytes]:
        pieces = [messages.begin(input_tokens=usage[0], output_tokens=usage[1])]
        for place, part in enumerate(parts):
            match part:
                case Text():
                    pieces.append(messages.start(place, type="text", text=""))
                    pieces += [messages.piece(place, "text_delta", text=said) for said in part.pieces]
                case Thinking():
                    pieces.append(messages.start(place, type="thinking", thinking="", signature=""))
                    pieces += [messages.piece(place, "thinking_delta", thinking=said) for said in part.pieces]
                case Call():
                    pieces.append(messages.start(place, type="tool_use", id=part.id, name=part.name, input={}))
                    pieces += [messages.piece(place, "input_json_delta", partial_json=said) for said in part.arguments]
            pieces.append(messages.stop(place))
        return pieces
