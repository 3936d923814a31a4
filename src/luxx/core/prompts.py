"""Prompts: what a model is asked, whatever the provider's wire format."""

from typing import Any, Literal

import msgspec

Effect = Literal["read", "idempotent", "unsafe"]
"""What running a tool twice does: nothing, the same thing (by its idempotency key), or harm."""


class ToolSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A tool as the model sees it; `parameters` is a JSON schema of an object."""

    name: str
    description: str
    parameters: dict[str, Any]


class UserPrompt(msgspec.Struct, frozen=True, tag="user"):
    """What a person wrote."""

    text: str


class CallPrompt(msgspec.Struct, frozen=True, kw_only=True):
    """A tool call that the model made earlier. `id` is unique within the request, `arguments` JSON text of an object."""

    id: str
    name: str
    arguments: str


class AnswerPrompt(msgspec.Struct, frozen=True, kw_only=True, tag="answer"):
    """An earlier answer of a model, one for each model call.

    `raw` is what the provider's format asked to get back (see Finish.raw); it is only for a provider of the same
    `format`, empty otherwise.
    """

    text: str = ""
    thinking: str = ""
    calls: tuple[CallPrompt, ...] = ()
    format: str = ""
    raw: bytes = b""


class ResultPrompt(msgspec.Struct, frozen=True, kw_only=True, tag="result"):
    """The result of a tool call; every call of an AnswerPrompt is followed by its result."""

    id: str
    name: str
    content: str
    failed: bool = False


Prompt = UserPrompt | AnswerPrompt | ResultPrompt


class ModelRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One model call. Without `tools` the model must not be told of any."""

    model: str
    prompts: tuple[Prompt, ...]
    system: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    tools: tuple[ToolSpec, ...] = ()
