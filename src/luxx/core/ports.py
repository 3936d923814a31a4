"""The three ports of the engine: who answers, who acts, who writes."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from luxx.core.deltas import Delta
from luxx.core.events import Event
from luxx.core.files import FileRef, Files
from luxx.core.prices import Price
from luxx.core.prompts import Effect, ModelRequest, Prompt, ToolSpec
from luxx.core.steps import Unfinished
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


Ability = Literal["tools", "images", "files", "thinking"]
"""What a model can: call tools, see images, read PDFs, think."""


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A model that a provider serves, as far as the provider tells; sizes are in tokens, `abilities` and `price` None where nobody says."""

    id: str
    name: str | None = None
    context_window: int | None = None
    max_output_tokens: int | None = None
    abilities: tuple[Ability, ...] | None = None
    price: Price | None = None


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What a try-out of a provider found, in words for a person; `models` is how many it lists."""

    ok: bool
    detail: str
    models: int | None = None


class Unlisted(Check, frozen=True, kw_only=True):
    """What was found is an address that has no list of models, which is no fault if a model answers there."""


class Endpoint(Model, Protocol):
    """A model's provider as a person sets it up: it can also be asked what it serves, and tried out."""

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """Return the models served. Raises ProviderError."""
        ...

    async def check(self) -> Check:
        """Try the address and the key; never raises."""
        ...


class ToolInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A tool as a person sees it. `asks` says whether a person is asked before it runs; `source` is who brought it."""

    name: str
    description: str
    effect: Effect
    timeout_s: float
    parameters: dict[str, Any]
    asks: Literal["always", "never", "depends"] = "never"
    source: str = "luxx"


class ToolOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool gave, as the model and the reader see it. `failed` says that it did not do what was asked, `unfinished` why it did not
    end by itself.

    `files` are files of the conversation that it made; the model sees the images among them. `data` is structured content.
    """

    content: str
    failed: bool = False
    files: tuple[FileRef, ...] = ()
    data: dict[str, Any] | None = None
    duration_ms: int = 0
    unfinished: Unfinished | None = None


Progress = Callable[[str, float | None, float | None], None]
"""Takes a tool's message, its progress and the total (either may be None); callable from any thread."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a person answered to a tool's question; `content` fits its schema if it was accepted."""

    action: Literal["accept", "decline", "expired"]
    content: dict[str, Any] = {}


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What a person decided about a call, or answered to a question; `arguments` None: those that were asked for.

    With `always` the tool runs without asking in this conversation from now on.
    """

    state: Literal["approved", "denied", "expired"]
    arguments: dict[str, Any] | None = None
    always: bool = False


class CallContext(Protocol):
    """What surrounds one tool call.

    `key` is its idempotency key: the same when it is run again after a crash. `files` are those of the conversation.
    """

    @property
    def key(self) -> str: ...
    @property
    def owner(self) -> str: ...
    @property
    def conversation_id(self) -> str: ...
    @property
    def files(self) -> Files: ...

    def progress(self, message: str, progress: float | None, total: float | None) -> None:
        """Tell the reader how far the tool is; callable from any thread."""
        ...

    def prompts(self) -> Sequence[Prompt]:
        """Return what the model has been told in this conversation up to the answer that made the call."""
        ...

    async def ask(self, message: str, schema: dict[str, Any] | None = None, url: str | None = None) -> Reply:
        """Ask the person something and wait for the reply; the time does not count as the tool's."""
        ...


STOP_CALL = "stop this call"
"""The message of a task's cancel() that stops one tool call and lets the turn go on."""


class Toolbox(Protocol):
    """The tools that a turn may use."""

    def specs(self) -> tuple[ToolSpec, ...]:
        """Return the tools as the model sees them, always in the same order."""
        ...

    def effect(self, name: str) -> Effect:
        """Return a tool's effect; ``read`` for a name that is not there (its call does nothing)."""
        ...

    async def must_ask(self, name: str, arguments: str, context: CallContext) -> bool:
        """Whether a person is to be asked before this call runs, unless a rule of theirs says something else; never raises.

        False for a call that would fail anyway.
        """
        ...

    def misfit(self, name: str, arguments: str) -> str | None:
        """Return why a call would be refused for its arguments, in words; None if they fit, or if nobody here can tell."""
        ...

    async def run(self, name: str, arguments: str, context: CallContext) -> ToolOutcome:
        """Run a tool; `arguments` is the JSON text that the model wrote, or that a person made of it.

        Never raises but CancelledError: an unknown tool, bad arguments, a time-out or a failing tool is an outcome with
        `failed` set and a text that a model can act on. A cancelled run stops the tool where it can be stopped; one that was
        cancelled with the message STOP_CALL ends with an outcome that says so.
        """
        ...


class Tools(Protocol):
    """All tools of a person."""

    async def offered(self, owner: str) -> tuple[ToolInfo, ...]:
        """Return the tools that the person's turns may use, always in the same order. Raises StorageError."""
        ...

    async def targets(self, owner: str) -> dict[str, str]:
        """Return a mark of what each source of the person's tools leads to, for those that can be changed. Raises StorageError."""
        ...

    async def box(self, owner: str, names: tuple[str, ...], targets: Mapping[str, str] | None = None) -> Toolbox:
        """Return the tools of these names, in their own order; unknown ones are left out. Raises StorageError.

        Those whose source leads elsewhere than in `targets` only say so when they are called.
        """
        ...


BROKEN_OFF = "broken_off"
"""The finish reason in the record of what an answer has cost that has no end."""


class ModelCall(msgspec.Struct, frozen=True, kw_only=True):
    """The record of a model call that ended; it is committed with the end of its answer and shown to nobody.

    `provider` is the provider's id: another one under the same name cannot read what this one signed. `raw` is what is to go back to it
    verbatim (see AnswerPrompt.raw).

    A record whose `n` is not a call's, which count from 1, is a part of one: it is committed with the step of the index ``-n`` and has
    what goes back with that, so that it outlives an answer that is cut. The record of the call has only what came after its steps. A part
    has no usage, but for one with the finish reason BROKEN_OFF: that is what an answer has cost that was cut, as far as it is known. No
    step has its index.
    """

    n: int
    provider: str
    model: str
    format: str
    finish_reason: str
    usage: Usage
    raw: bytes = b""

    @property
    def counts(self) -> bool:
        """Whether its usage is a part of the turn's."""
        return self.n > 0 or self.finish_reason == BROKEN_OFF


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
