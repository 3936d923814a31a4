"""generateContent, as the conformance list asks for it."""

import json
from typing import Any

from luxx.core.ports import Endpoint as Provider
from luxx.providers.gemini.model import GeminiModel
from luxx.providers.transport import Transport
from tests.providers.conformance.parts import Call, Part, Text, Thinking
from tests.providers.generate_content import call, event, said


class GenerateContent:
    """The words of Google's native format; it sends calls whole."""

    name = "gemini"
    tells_early = True

    def provider(self, base_url: str, key: str | None, transport: Transport) -> Provider:
        return GeminiModel(base_url, key, transport)

    def begin(self, *parts: Part, usage: tuple[int, int] = (0, 0)) -> list[bytes]:
        pieces = [event({"usageMetadata": _spent(usage)})] if any(usage) else []
        for part in parts:
            match part:
                case Text():
                    pieces += [said({"text": piece}) for piece in part.pieces]
                case Thinking():
                    pieces += [said({"text": piece, "thought": True}) for piece in part.pieces]
                case Call():
                    arguments = json.loads("".join(part.arguments) or "{}")
                    pieces.append(said(call(part.name, arguments, id=part.id)))
        return pieces

    def whole(self, *parts: Part, usage: tuple[int, int] | None = None) -> list[bytes]:
        return [*self.begin(*parts), said({"text": ""}, finish="STOP", usage=_spent(usage) if usage else None)]

    def failure(self, message: str) -> bytes:
        return event({"error": {"code": 500, "message": message, "status": "INTERNAL"}})

    def refusal(self, message: str) -> bytes:
        return json.dumps({"error": {"message": message, "status": "FAILED_PRECONDITION"}}).encode()

    def schemas(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        return [declared["parametersJsonSchema"] for tool in body["tools"] for declared in tool["functionDeclarations"]]


def _spent(usage: tuple[int, int]) -> dict[str, int]:
    prompt, made = usage
    return {"promptTokenCount": prompt, "candidatesTokenCount": made, "totalTokenCount": prompt + made}
