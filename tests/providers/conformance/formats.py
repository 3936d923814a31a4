"""How each wire format writes what the conformance list asks of it; a new format is a class here and a place in FORMATS."""

import json
from collections.abc import Sequence
from typing import Protocol

from luxx.core.ports import Endpoint as Provider
from luxx.providers.openai.model import OpenAIModel
from luxx.providers.transport import Transport
from tests.providers.chat import DONE, call, delta, event


class Format(Protocol):
    """The words of a wire format. A stream is a list of pieces, each one event or more."""

    name: str

    def provider(self, base_url: str, key: str | None, transport: Transport) -> Provider:
        """Return the model at an address."""
        ...

    def text(self, piece: str) -> bytes:
        """Return a piece of text; it may hold half a surrogate pair."""
        ...

    def thinking(self, piece: str) -> bytes:
        """Return a piece of reasoning."""
        ...

    def call(self, place: int, id: str, name: str, arguments: Sequence[str]) -> list[bytes]:
        """Return a tool call whose arguments come in pieces."""
        ...

    def end(self, tools: bool = False, usage: tuple[int, int] | None = None) -> list[bytes]:
        """Return the end of an answer, with input and output tokens."""
        ...

    def failure(self, message: str) -> bytes:
        """Return an error of the provider's own within the stream."""
        ...

    def refusal(self, message: str) -> bytes:
        """Return the body of an HTTP error."""
        ...


class OpenAIChat:
    """Chat completions."""

    name = "openai"

    def provider(self, base_url: str, key: str | None, transport: Transport) -> Provider:
        return OpenAIModel(base_url, key, transport)

    def text(self, piece: str) -> bytes:
        return delta(content=piece)

    def thinking(self, piece: str) -> bytes:
        return delta(reasoning_content=piece)

    def call(self, place: int, id: str, name: str, arguments: Sequence[str]) -> list[bytes]:
        begin = delta(tool_calls=[call(place, id, name, "")])
        return [begin, *(delta(tool_calls=[call(place, arguments=piece)]) for piece in arguments)]

    def end(self, tools: bool = False, usage: tuple[int, int] | None = None) -> list[bytes]:
        spent = []
        if usage:
            prompt, completion = usage
            fields = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
            spent = [event({"choices": [], "usage": fields})]
        return [delta("tool_calls" if tools else "stop"), *spent, DONE]

    def failure(self, message: str) -> bytes:
        return event({"error": {"message": message, "type": "server_error"}})

    def refusal(self, message: str) -> bytes:
        return json.dumps({"error": {"message": message, "type": "error", "code": None}}).encode()


FORMATS: tuple[Format, ...] = (OpenAIChat(),)
