"""Records: what a server answers, as frozen types. Times are RFC 3339 strings in UTC.

Fields that a newer server adds are ignored; words from open sets (a status, a format) are plain strings for the same reason.
"""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from luxx.core.events import Approval
from luxx.core.files import FileRef
from luxx.core.prices import Price
from luxx.core.rules import ToolRule
from luxx.core.steps import Step
from luxx.core.usage import Usage

UNFINISHED = frozenset({"queued", "active", "waiting"})


class TurnRef(msgspec.Struct, frozen=True, kw_only=True):
    """A turn that has not ended, as its conversation or message lists it; `seq` is its last event so far.

    `approvals` are those that wait for a person.
    """

    id: str
    status: str
    seq: int
    message_id: str
    approvals: tuple[Approval, ...] = ()


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation with its settings; None means the provider's default."""

    id: str
    title: str
    title_source: str = "auto"
    system_prompt: str | None = None
    provider_id: str | None = None
    model: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    tools_enabled: bool = True
    thinking: str | None = None
    rules: tuple[ToolRule, ...] = ()
    leaf_id: str | None = None
    pinned: bool = False
    unread: bool = False
    created_at: str = ""
    updated_at: str = ""
    turns: tuple[TurnRef, ...] = ()


class ConversationPage(msgspec.Struct, frozen=True):
    """A page of conversations, newest activity first; `next_cursor` is opaque."""

    items: tuple[Conversation, ...]
    next_cursor: str | None = None


class MessageError(msgspec.Struct, frozen=True):
    """Why an answer failed; `retry_after` is how many seconds from its end on the provider wants to be left alone."""

    code: str
    content: str
    retry_after: float | None = None


class _StepType(msgspec.Struct, frozen=True):
    type: str


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a conversation; `attachments` came with it from a person, the fields from `status` on are those of an answer."""

    id: str
    conversation_id: str
    parent_id: str | None = None
    role: str
    text: str
    created_at: str = ""
    siblings: tuple[str, ...] = ()
    attachments: tuple[FileRef, ...] = ()
    raw_steps: tuple[msgspec.Raw, ...] = msgspec.field(name="steps", default=())
    status: str | None = None
    provider: str | None = None
    model: str | None = None
    finish_reason: str | None = None
    token_count: int | None = None
    usage: Usage | None = None
    error: MessageError | None = None
    turn: TurnRef | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of types that this version knows, in order."""
        return tuple(step for raw in self.raw_steps if (step := _known_step(raw)))


class MessagePage(msgspec.Struct, frozen=True):
    """A part of a branch, oldest message first."""

    items: tuple[Message, ...]
    has_more: bool = False


class StartedTurn(msgspec.Struct, frozen=True, kw_only=True):
    """What a POST that starts a turn answers."""

    turn_id: str
    message_id: str
    user_message_id: str
    events_url: str


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """The making of one answer."""

    id: str
    conversation_id: str
    message_id: str
    user_message_id: str
    status: str
    seq: int
    epoch: int = 1
    provider: str = ""
    model: str = ""
    created_at: str = ""
    ended_at: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen in it."""
        return self.status not in UNFINISHED


class OpenApproval(msgspec.Struct, frozen=True, kw_only=True):
    """Something that waits for a person."""

    turn_id: str
    conversation_id: str
    approval: Approval


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint that serves models; its key never leaves the server. `tools` says whether its models may call tools.

    `fallback_id` is the provider that answers when this one fails, `prices` are those that were entered. `notice` comes only from adding it, and says why it has no
    default model.
    """

    id: str
    name: str
    format: str
    base_url: str | None = None
    default_model: str | None = None
    is_default: bool = False
    has_key: bool = False
    tools: bool = True
    preset: str | None = None
    fallback_id: str | None = None
    prices: dict[str, Price] = {}
    created_at: str = ""
    notice: str | None = None


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """A well-known provider. `base_url` None: it is to be given; `key` is ``needed``, ``optional`` or ``none``, `key_url` where to get one."""

    id: str
    name: str
    format: str
    base_url: str | None = None
    key: str = "needed"
    key_url: str | None = None
    default_model: str | None = None
    own: bool = False
    hint: str | None = None


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """A server that is alive."""

    status: str
    version: str
    store: str = ""
    node: str = ""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a message and its files may have; sizes are in bytes. `media_types` are those that models can be shown."""

    message_chars: int
    message_files: int
    file_bytes: int
    conversation_files_bytes: int
    media_types: tuple[str, ...] = ()


class _Fields(msgspec.Struct, frozen=True, kw_only=True):
    """A body whose fields are all optional: UNSET leaves a field out, None clears it."""

    def body(self) -> dict[str, Any]:
        """Return what is set."""
        return msgspec.to_builtins(self)


class Overrides(_Fields, frozen=True, kw_only=True):
    """What a turn shall use in place of its conversation's settings."""

    provider_id: str | UnsetType | None = UNSET
    model: str | UnsetType | None = UNSET
    temperature: float | UnsetType | None = UNSET
    max_tokens: int | UnsetType | None = UNSET
    tools_enabled: bool | UnsetType = UNSET
    thinking: str | UnsetType | None = UNSET


class ConversationFields(_Fields, frozen=True, kw_only=True):
    """The fields of a conversation to make or to change; `leaf_id` is for changes only."""

    title: str | UnsetType | None = UNSET
    system_prompt: str | UnsetType | None = UNSET
    provider_id: str | UnsetType | None = UNSET
    model: str | UnsetType | None = UNSET
    temperature: float | UnsetType | None = UNSET
    max_tokens: int | UnsetType | None = UNSET
    tools_enabled: bool | UnsetType = UNSET
    thinking: str | UnsetType | None = UNSET
    rules: tuple[ToolRule, ...] | UnsetType | None = UNSET
    leaf_id: str | UnsetType | None = UNSET


class ProviderFields(_Fields, frozen=True, kw_only=True):
    """The fields of a provider to make or to change; a new `base_url` deletes the stored key unless one comes with it.

    `preset` and `format` are for making one only. A change of `prices` concerns the models named; None takes a price away.
    """

    preset: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    format: str | UnsetType = UNSET
    base_url: str | UnsetType | None = UNSET
    api_key: str | UnsetType | None = UNSET
    default_model: str | UnsetType | None = UNSET
    is_default: bool | UnsetType = UNSET
    fallback_id: str | UnsetType | None = UNSET
    prices: dict[str, Price | None] | UnsetType = UNSET


def _known_step(raw: msgspec.Raw) -> Step | None:
    """Return the step, or None if its type is from a newer version."""
    try:
        return _step_decoder.decode(raw)
    except msgspec.ValidationError:
        _type_decoder.decode(raw)
        return None


_step_decoder: msgspec.json.Decoder[Step] = msgspec.json.Decoder(Step)
_type_decoder = msgspec.json.Decoder(_StepType)
