"""How the recordings of each wire format are read and compared; a new format is a module here and a place in WIRES."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from luxx.core.ports import Endpoint as Provider
from luxx.core.prompts import AnswerPrompt, ModelRequest
from luxx.providers.transport import Transport
from tests.providers import cassettes
from tests.providers.recorded.anthropic_messages import AnthropicMessages
from tests.providers.recorded.gemini import GenerateContent
from tests.providers.recorded.openai_chat import OpenAIChat
from tests.providers.recorded.responses import Responses
from tests.providers.told import Decoder


class Wire(Protocol):
    """A wire format, as its recordings have it.

    `kind` is its name there, and `otherwise` replaces expectations that are not what is right.
    """

    kind: str
    otherwise: Mapping[str, cassettes.Expected]

    def end_of(self, stream: cassettes.Stream) -> int | None:
        """Return where in its body begins what tells the end of the answer, None if nothing does."""
        ...

    def decoder(self) -> Decoder:
        """Return a decoder for one answer."""
        ...

    def provider(self, base_url: str, transport: Transport) -> Provider:
        """Return the model at an address, with some key."""
        ...

    def reason(self, word: str) -> str:
        """Return the finish reason that a recorded one means."""
        ...

    def loops(self) -> list[cassettes.Loop]:
        """Return the recorded loops that Luxx can play."""
        ...

    def request(self, recorded: dict[str, Any], answers: Sequence[AnswerPrompt]) -> ModelRequest:
        """Return a recorded request: its prompts and results, and the answers as they were told to us.

        A call without an id in the answers has one made up; the results follow the calls in their order.
        """
        ...

    def compare(self, ours: dict[str, Any], theirs: dict[str, Any], loop: str) -> None:
        """Assert that what was sent says what the recorded request of this loop says."""
        ...


WIRES: tuple[Wire, ...] = (OpenAIChat(), AnthropicMessages(), Responses(), GenerateContent())
