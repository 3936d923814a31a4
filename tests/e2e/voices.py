"""Voices: what a provider of each wire format answers in a conversation, and what it asks of every request."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from tests.providers import (
    chat,
    chat_rules,
    generate_content,
    generate_content_rules,
    messages,
    messages_rules,
    responses,
    responses_rules,
)
from tests.providers.endpoint import Answer, json_answer


class Call(msgspec.Struct, frozen=True):
    """A call in an answer."""

    id: str
    name: str
    arguments: Mapping[str, Any]

    @property
    def text(self) -> str:
        return json.dumps(self.arguments)


class Saying(msgspec.Struct, frozen=True, kw_only=True):
    """An answer before a format writes it. One that is `strange` has parts that Luxx does not know."""

    text: str = ""
    thinking: str = ""
    calls: Sequence[Call] = ()
    strange: bool = False
    cut: Literal["", "length", "off", "hold"] = ""
    """Whether the answer ends at its greatest length, breaks off, or never goes on."""


class Voice(Protocol):
    """A provider of one wire format."""

    format: str
    model: str

    def says(self, saying: Saying) -> bytes:
        """Return the body of an answer. Thoughts are signed, as far as the format has signatures."""
        ...

    def check(self, body: dict[str, Any]) -> None:
        """Assert that a request keeps the rules of the format."""
        ...

    def limit(self, body: dict[str, Any]) -> int | None:
        """Return how many tokens a request lets the model write, its thoughts included."""
        ...

    def listing(self, window: int | None) -> Answer:
        """Return the list of models, with the model's window."""
        ...

    def overflow(self, tokens: int, window: int) -> Answer:
        """Return the refusal of a request of so many tokens."""
        ...


class Chat:
    """Chat completions, with reasoning as several gateways give it."""

    format = "openai"
    model = "reasoner"

    def says(self, saying: Saying) -> bytes:
        pieces: list[bytes] = []
        if saying.thinking:
            pieces.append(chat.delta(reasoning_content=saying.thinking))
            detail = {"type": "reasoning.encrypted", "data": f"SIGNED {saying.thinking}", "index": 0}
            pieces.append(chat.delta(reasoning_details=[detail]))
        if saying.strange:
            pieces.append(chat.delta(mystery={"kept": "no"}))
        if saying.text:
            pieces.append(chat.delta(content=saying.text))
        calls = [chat.call(place, call.id, call.name, call.text) for place, call in enumerate(saying.calls)]
        pieces += [chat.delta(tool_calls=[call]) for call in calls]
        if saying.cut in ("off", "hold"):
            return b"".join(pieces)
        reason = "length" if saying.cut else "tool_calls" if calls else "stop"
        return b"".join([*pieces, chat.delta(reason), chat.DONE])

    def check(self, body: dict[str, Any]) -> None:
        chat_rules.check(body)

    def limit(self, body: dict[str, Any]) -> int | None:
        return body.get("max_tokens")

    def listing(self, window: int | None) -> Answer:
        return json_answer({"data": [{"id": self.model, "context_length": window}]})

    def overflow(self, tokens: int, window: int) -> Answer:
        message = (
            f"This model's maximum context length is {window} tokens. However, your messages have {tokens} tokens."
        )
        fields = {"type": "invalid_request_error", "param": "messages", "code": "context_length_exceeded"}
        return json_answer({"error": {"message": message, **fields}}, 400)


class Claude:
    """The Messages API."""

    format = "anthropic"
    model = "claude-sonnet-4-5"

    def says(self, saying: Saying) -> bytes:
        blocks: list[bytes] = []
        if saying.thinking:
            blocks.append(messages.thinking(len(blocks), saying.thinking, signature=f"SIGNED {saying.thinking}"))
            blocks.append(messages.block(len(blocks), type="redacted_thinking", data="REDACTED"))
        if saying.strange:
            blocks.append(messages.block(len(blocks), type="mystery", secret={"kept": ["yes", 1.5]}))
        if saying.text:
            blocks.append(messages.text(len(blocks), saying.text))
        for call in saying.calls:
            id = "".join(c if c.isalnum() else "_" for c in call.id)  # it gives ids of its own alphabet only
            blocks.append(messages.call(len(blocks), id, call.name, call.text))
        whole = messages.begin() + b"".join(blocks)
        if saying.cut in ("off", "hold"):
            return whole
        return whole + messages.end("max_tokens" if saying.cut else "tool_use" if saying.calls else "end_turn")

    def check(self, body: dict[str, Any]) -> None:
        messages_rules.check(body)

    def limit(self, body: dict[str, Any]) -> int | None:
        return body["max_tokens"]

    def listing(self, window: int | None) -> Answer:
        model = {"id": self.model, "type": "model", "max_input_tokens": window, "max_tokens": 64_000}
        return json_answer({"data": [model], "has_more": False})

    def overflow(self, tokens: int, window: int) -> Answer:
        return messages.refusal(f"prompt is too long: {tokens} tokens > {window} maximum")


class Responses:
    """The Responses format, with encrypted reasoning."""

    format = "responses"
    model = "gpt-5"

    def says(self, saying: Saying) -> bytes:
        items: list[dict[str, Any]] = []
        if saying.thinking:
            signed = f"SIGNED {saying.thinking}"
            items.append(responses.reasoning(saying.thinking, id=f"rs_{len(items)}", encrypted_content=signed))
        if saying.strange:
            items.append({"type": "mystery", "id": "my_1", "secret": {"kept": ["yes", 1.5]}})
        if saying.text:
            items.append(responses.message(saying.text, id=f"msg_{len(items)}", phase="commentary"))
        for call in saying.calls:
            items.append(responses.call(call.id, call.name, call.text, id=f"fc_{len(items)}"))
        told = b"".join(responses.done(place, item) for place, item in enumerate(items))
        if saying.cut in ("off", "hold"):
            return told
        if saying.cut:
            return told + responses.completed(
                *items, kind="incomplete", incomplete_details={"reason": "max_output_tokens"}
            )
        return told + responses.completed(*items)

    def check(self, body: dict[str, Any]) -> None:
        responses_rules.check(body)

    def limit(self, body: dict[str, Any]) -> int | None:
        return body.get("max_output_tokens")

    def listing(self, window: int | None) -> Answer:
        return json_answer({"data": [{"id": self.model, "context_window": window}]})

    def overflow(self, tokens: int, window: int) -> Answer:
        message = "Your input exceeds the context window of this model. Please adjust your input and try again."
        fields = {"type": "invalid_request_error", "param": "input", "code": "context_length_exceeded"}
        return json_answer({"error": {"message": message, **fields}}, 400)


class Gemini:
    """generateContent, of a model that refuses calls without their signatures."""

    format = "gemini"
    model = "gemini-3-pro-preview"

    def says(self, saying: Saying) -> bytes:
        parts: list[dict[str, Any]] = []
        if saying.thinking:
            parts.append({"text": saying.thinking, "thought": True})
        if saying.strange:
            parts.append({"mystery": {"kept": ["yes", 1.5]}})
        if saying.text:
            parts.append({"text": saying.text})
        for place, call in enumerate(saying.calls):
            signature = None if place else f"SIGNED {saying.thinking}"
            parts.append(generate_content.call(call.name, call.arguments, id=call.id, signature=signature))
        if saying.thinking and not saying.calls:
            parts.append({"text": "", "thoughtSignature": f"SIGNED {saying.thinking}"})
        events = b"".join(generate_content.said(part) for part in parts)
        if saying.cut in ("off", "hold"):
            return events
        return events + generate_content.said(finish="MAX_TOKENS" if saying.cut else "STOP")

    def check(self, body: dict[str, Any]) -> None:
        generate_content_rules.check(body, signed=True)

    def limit(self, body: dict[str, Any]) -> int | None:
        return body.get("generationConfig", {}).get("maxOutputTokens")

    def listing(self, window: int | None) -> Answer:
        model = {"name": f"models/{self.model}", "inputTokenLimit": window, "outputTokenLimit": 65_536}
        return json_answer({"models": [model]})

    def overflow(self, tokens: int, window: int) -> Answer:
        message = f"The input token count ({tokens}) exceeds the maximum number of tokens allowed ({window})."
        return json_answer({"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}, 400)


VOICES: tuple[Voice, ...] = (Chat(), Claude(), Responses(), Gemini())
