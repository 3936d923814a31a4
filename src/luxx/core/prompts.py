"""Prompts: what a model is asked, whatever the provider's wire format."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from luxx.core.files import FileRef

Thinking = Literal["off", "low", "medium", "high"]
"""How much a model is to think before it answers."""

Effect = Literal["read", "idempotent", "unsafe"]
"""What running a tool twice does: nothing, the same thing (by its idempotency key), or harm."""


class ToolSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A tool as the model sees it; `parameters` is a JSON schema of an object."""

    name: str
    description: str
    parameters: dict[str, Any]


class UserPrompt(msgspec.Struct, frozen=True, tag="user"):
    """What a person wrote, with the files that came with it.

    What Luxx says in the person's place is not `by_person`: a model may have written it, and nothing in it is the person's word.
    """

    text: str
    files: tuple[FileRef, ...] = ()
    by_person: bool = True


class CallPrompt(msgspec.Struct, frozen=True, kw_only=True):
    """A tool call that the model made earlier. `id` is unique within the request, `arguments` JSON text of an object."""

    id: str
    name: str
    arguments: str


class AnswerPrompt(msgspec.Struct, frozen=True, kw_only=True, tag="answer"):
    """An earlier answer of a model, one for each model call.

    `raw` is what the provider's format asked to get back, a line for each part (see VerbatimDelta); it is there only for the provider
    that it came from, in the same format, and empty otherwise. What it does not tell of `text` and `calls` follows it. `model` is the
    model that made the answer, `files` are images that it made.
    """

    text: str = ""
    thinking: str = ""
    calls: tuple[CallPrompt, ...] = ()
    model: str = ""
    raw: bytes = b""
    files: tuple[FileRef, ...] = ()


class ResultPrompt(msgspec.Struct, frozen=True, kw_only=True, tag="result"):
    """The result of a tool call; every call of an AnswerPrompt is followed by its result. `files` are images to be seen."""

    id: str
    name: str
    content: str
    failed: bool = False
    files: tuple[FileRef, ...] = ()


Prompt = UserPrompt | AnswerPrompt | ResultPrompt


class ModelRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One model call. Without `tools` the model must not be told of any.

    `files` has the contents of the files that the prompts name, by their ids; one that is missing is gone for good and is to be
    told of in words. `conversation_id` is the same for all calls of a conversation, which helps a provider's prompt cache.
    """

    model: str
    prompts: tuple[Prompt, ...]
    system: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    tools: tuple[ToolSpec, ...] = ()
    thinking: Thinking | None = None
    conversation_id: str = ""
    files: Mapping[str, bytes] = {}
