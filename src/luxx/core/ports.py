"""The three ports of the engine: who answers, who acts, who writes."""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, Protocol

import msgspec

from luxx.core.deltas import Delta
from luxx.core.events import Event
from luxx.core.prompts import Effect, ModelRequest, ToolSpec
from luxx.core.usage import Usage


class Model(Protocol):
    """A model behind a provider."""

    @property
    def format(self) -> str:
        """The wire format's name, such as ``openai``."""
        ...

    def stream(self, request: ModelRequest) -> AsyncGenerator[Sequence[Delta], None]:
        """Ask the model; yield what each read of the network brought, at once and never empty.

        The last delta of a whole answer is a Finish. A stream that ends otherwise raises: ProviderError and its kinds, and
        nothing else. Closing the generator or cancelling the task closes the connection at once. It does not retry.
        """
        ...


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A model that a provider serves; `context_window` is in tokens, where the provider tells."""

    id: str
    context_window: int | None = None


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What a try-out of a provider found, in words for a person."""

    ok: bool
    detail: str
    models: int | None = None


class Endpoint(Model, Protocol):
    """A model's provider as a person sets it up: it can also be asked what it serves, and tried out."""

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """Return the models served. Raises ProviderError."""
        ...

    async def check(self) -> Check:
        """Try the address and the key; never raises."""
        ...


class ToolInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A tool as a person sees it."""

    name: str
    description: str
    effect: Effect
    timeout_s: float
    parameters: dict[str, Any]


class ToolOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool gave, as the model and the reader see it. `failed` says that it did not do what was asked."""

    content: str
    failed: bool = False
    parts: tuple[dict[str, Any], ...] = ()
    duration_ms: int = 0


Progress = Callable[[str, float | None, float | None], None]
"""Takes a tool's message, its progress and the total (either may be None); callable from any thread."""


class Toolbox(Protocol):
    """The tools that a turn may use."""

    def specs(self) -> tuple[ToolSpec, ...]:
        """Return the tools as the model sees them, always in the same order."""
        ...

    def effect(self, name: str) -> Effect:
        """Return a tool's effect; ``read`` for a name that is not there (its call does nothing)."""
        ...

    async def run(self, name: str, arguments: str, key: str, progress: Progress) -> ToolOutcome:
        """Run a tool; `arguments` is the JSON text that the model wrote, `key` the call's idempotency key.

        Never raises but CancelledError: an unknown tool, bad arguments, a time-out or a failing tool is an outcome with
        `failed` set and a text that a model can act on. A cancelled run stops the tool where it can be stopped.
        """
        ...


class ModelCall(msgspec.Struct, frozen=True, kw_only=True):
    """The record of a model call that ended; it is committed with the end of its answer and shown to nobody."""

    n: int
    provider: str
    model: str
    format: str
    finish_reason: str
    usage: Usage
    raw: bytes = b""


class Emit(Protocol):
    """The writer of one turn's log. What is appended is shown only after it is committed."""

    def append(self, entry: Event | ModelCall) -> None:
        """Append in order, without waiting. An end event closes the log; nothing may follow it.

        Raises Fenced if the turn belongs to another owner by now.
        """
        ...

    async def committed(self) -> None:
        """Return when all that was appended is committed.

        Raises StorageError if it cannot be, and Fenced if by now another process may own the turn: then nothing may be called.
        """
        ...

    async def room(self) -> None:
        """Return when little enough waits for its commit to ask a provider, or to read on from it (bounded memory).

        Raises as `committed`.
        """
        ...
