"""generateContent, as the conformance list asks for it."""

import json

from luxx.core.ports import Endpoint as Provider
from luxx.providers.gemini.model import GeminiModel
from luxx.providers.transport import Transport
from tests.providers.conformance.parts import Call, Part, Text, Thinking
from tests.providers.generate_content import call, event, said


class GenerateContent:
    """The words of Google's native format; it sends calls whole."""

    name = "gemini"

    def provider(self, base_url: str, key: str | None, transport: Transport) -> Provider:
        return GeminiModel(base_url, key, transport)

    def begin(self, *parts: Part) -> list[bytes]:
        pieces: list[bytes] = []
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
        spent = None
        if usage:
            prompt, made = usage
            spent = {"promptTokenCount": prompt, "candidatesTokenCount": made, "totalTokenCount": prompt + made}
        return [*self.begin(*parts), said({"text": ""}, finish="STOP", usage=spent)]

    def failure(self, message: str) -> bytes:
        return event({"error": {"code": 500, "message": message, "status": "INTERNAL"}})

    def refusal(self, message: str) -> bytes:
        return json.dumps({"error": {"message": message, "status": "FAILED_PRECONDITION"}}).encode()
