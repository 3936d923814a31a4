"""How each wire format writes what the conformance list asks of it; a new format is a module here and a place in FORMATS."""

from typing import Any, Protocol

from luxx.core.ports import Endpoint as Provider
from luxx.providers.transport import Transport
from tests.providers.conformance.anthropic_messages import AnthropicMessages
from tests.providers.conformance.gemini import GenerateContent
from tests.providers.conformance.openai_chat import OpenAIChat
from tests.providers.conformance.parts import Part
from tests.providers.conformance.responses import Responses

Json = dict[str, Any]


class Format(Protocol):
    """The words of a wire format. A stream is a list of pieces, each one event or more."""

    name: str
    tells_early: bool
    """Whether providers of this format tell of the usage before the end of the answer."""

    def provider(self, base_url: str, key: str | None, transport: Transport) -> Provider:
        """Return the model at an address."""
        ...

    def begin(self, *parts: Part, usage: tuple[int, int] = (0, 0)) -> list[bytes]:
        """Return an answer of these parts that goes on, or breaks off, after the last of them; as far as it tells early of the usage."""
        ...

    def whole(self, *parts: Part, usage: tuple[int, int] | None = None) -> list[bytes]:
        """Return a whole answer of these parts, with input and output tokens."""
        ...

    def failure(self, message: str) -> bytes:
        """Return an error of the provider's own within the stream."""
        ...

    def refusal(self, message: str) -> bytes:
        """Return the body of an HTTP error."""
        ...

    def schemas(self, body: Json) -> list[Json]:
        """Return the schemas of the tools in a request."""
        ...


FORMATS: tuple[Format, ...] = (OpenAIChat(), AnthropicMessages(), Responses(), GenerateContent())
