"""Chat completions, as the conformance list asks for them."""

import json
from typing import Any

from luxx.core.ports import Endpoint as Provider
from luxx.providers.openai.model import OpenAIModel
from luxx.providers.transport import Transport
from tests.providers.chat import DONE, call, delta, event
from tests.providers.conformance.parts import Call, Part, Text, Thinking


class OpenAIChat:
    """The words of chat completions."""

    name = "openai"
    tells_early = True

    def provider(self, base_url: str, key: str | None, transport: Transport) -> Provider:
        return OpenAIModel(base_url, key, transport)

    def begin(self, *parts: Part, usage: tuple[int, int] = (0, 0)) -> list[bytes]:
        pieces = [_spent(usage)] if any(usage) else []
        calls = 0
        for part in parts:
            match part:
                case Text():
                    pieces += [delta(content=piece) for piece in part.pieces]
                case Thinking():
                    pieces += [delta(reasoning_content=piece) for piece in part.pieces]
                case Call():
                    pieces.append(delta(tool_calls=[call(calls, part.id, part.name, "")]))
                    pieces += [delta(tool_calls=[call(calls, arguments=piece)]) for piece in part.arguments]
                    calls += 1
        return pieces

    def whole(self, *parts: Part, usage: tuple[int, int] | None = None) -> list[bytes]:
        spent = [_spent(usage)] if usage else []
        tools = any(isinstance(part, Call) for part in parts)
        return [*self.begin(*parts), delta("tool_calls" if tools else "stop"), *spent, DONE]

    def failure(self, message: str) -> bytes:
        return event({"error": {"message": message, "type": "server_error"}})

    def refusal(self, message: str) -> bytes:
        return json.dumps({"error": {"message": message, "type": "error", "code": None}}).encode()

    def schemas(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        return [tool["function"]["parameters"] for tool in body["tools"]]


def _spent(usage: tuple[int, int]) -> bytes:
    prompt, completion = usage
    fields = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return event({"choices": [], "usage": fields})
