"""Events: the entries of a turn's log, which are also what readers get. Names and shapes are public API."""

from typing import Any, ClassVar, Literal, get_args

import msgspec

from luxx.core.errors import LuxxError, RateLimited
from luxx.core.steps import Step
from luxx.core.usage import Usage


class TurnStarted(msgspec.Struct, frozen=True, kw_only=True):
    """The first event of every turn, seq 1."""

    name: ClassVar[str] = "turn"
    turn_id: str
    message_id: str
    user_message_id: str
    conversation_id: str
    provider: str
    model: str


class ProcessStep(msgspec.Struct, frozen=True):
    """A whole step: when it starts, and when it has ended."""

    name: ClassVar[str] = "process_step"
    step: Step


class StepDelta(msgspec.Struct, frozen=True):
    """Text to append to a step's content, or to a tool call's arguments."""

    name: ClassVar[str] = "step_delta"
    index: int
    text: str


class ToolProgress(msgspec.Struct, frozen=True, kw_only=True):
    """A running tool reports how far it is; `total` is in the tool's own unit."""

    name: ClassVar[str] = "tool_progress"
    index: int
    message: str = ""
    progress: float | None = None
    total: float | None = None


ApprovalState = Literal["requested", "approved", "denied", "expired"]


class Question(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a running tool asks a person: to fill in a form (`schema`, a flat JSON schema) or to open `url`.

    `call` is the index of the tool call that asks.
    """

    call: int
    message: str
    schema: dict[str, Any] | None = None
    url: str | None = None


class Approval(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A tool call waits for a person, or got its decision.

    `index` is that of the tool call, or for the `question` of a running tool one of its own. `arguments` are those that were asked
    for, or that were approved; for a question, what was answered. `expires_at` is when it is too late (RFC 3339).
    """

    name: ClassVar[str] = "approval"
    index: int
    tool: str = msgspec.field(name="name")
    arguments: dict[str, Any]
    state: ApprovalState
    expires_at: str | None = None
    question: Question | None = None


class Recovered(msgspec.Struct, frozen=True):
    """The first event after a takeover; the steps named are void."""

    name: ClassVar[str] = "recovered"
    epoch: int
    discarded: tuple[int, ...]


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """The last event of a turn that succeeded."""

    name: ClassVar[str] = "done"
    message_id: str
    token_count: int
    usage: Usage
    finish_reason: str


class Failed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last event of a turn that failed; what was made so far is saved.

    `retry_after` is how many seconds the provider wants to be left alone, where it said so.
    """

    name: ClassVar[str] = "error"
    content: str
    code: str
    message_id: str
    retry_after: float | None = None

    @classmethod
    def of(cls, error: LuxxError, message_id: str) -> "Failed":
        """Return the end that an error is to a turn."""
        wait = error.retry_after if isinstance(error, RateLimited) else None
        return cls(content=error.message, code=error.code, message_id=message_id, retry_after=wait)


class Cancelled(msgspec.Struct, frozen=True):
    """The last event of a turn that was stopped; what was made so far is saved."""

    name: ClassVar[str] = "cancelled"
    message_id: str


End = Done | Failed | Cancelled
Event = TurnStarted | ProcessStep | StepDelta | ToolProgress | Approval | Recovered | End

END_NAMES = frozenset({Done.name, Failed.name, Cancelled.name})

_BY_NAME: dict[str, type[Event]] = {
    kind.name: kind
    for kind in (TurnStarted, ProcessStep, StepDelta, ToolProgress, Approval, Recovered, Done, Failed, Cancelled)
}
_STEP_TYPES = frozenset(str(kind.__struct_config__.tag) for kind in get_args(Step))


class _Typed(msgspec.Struct):
    type: str


class _AnyStep(msgspec.Struct):
    step: _Typed


_encoder = msgspec.json.Encoder()
_decoders = {name: msgspec.json.Decoder(kind) for name, kind in _BY_NAME.items()}


class LogEntry(msgspec.Struct, frozen=True):
    """One committed entry of a turn's log: `name` and `data` (JSON) are what a reader gets under `seq`."""

    seq: int
    name: str
    data: bytes


def encode(event: Event) -> bytes:
    """Return the event's data as JSON."""
    return _encoder.encode(event)


def decode(name: str, data: bytes | str) -> Event | None:
    """Return the event, or None for a name or a type of step that this version does not know.

    Raises msgspec.DecodeError if the data does not fit the name.
    """
    decoder = _decoders.get(name)
    if decoder is None:
        return None
    try:
        return decoder.decode(data)
    except msgspec.ValidationError:
        if name == ProcessStep.name and _step_type(data) not in _STEP_TYPES:
            return None
        raise


def _step_type(data: bytes | str) -> str:
    return msgspec.json.decode(data, type=_AnyStep).step.type
