"""Views: records as the API shows them."""

from typing import Literal

import msgspec

from luxx.core.events import Approval
from luxx.core.files import FileRef
from luxx.core.media import IMAGES, PDF
from luxx.core.ports import ModelInfo, ToolInfo
from luxx.core.presets import Preset
from luxx.core.prices import Price
from luxx.core.prompts import Thinking
from luxx.core.rules import ToolRule
from luxx.store.records import Conversation, FileLimits, OpenApproval, Provider, Status, TitleSource, Turn
from luxx.turns.requests import TurnInProgress
from luxx.turns.views import turn_in_progress

_WITHOUT_TOOLS = frozenset({"local"})
"""The formats whose models are never told of tools."""


class ConversationView(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation; `turns` are those that have not ended."""

    id: str
    title: str
    title_source: TitleSource
    system_prompt: str | None
    provider_id: str | None
    model: str | None
    temperature: float | None
    max_tokens: int | None
    tools_enabled: bool
    thinking: Thinking | None
    rules: tuple[ToolRule, ...]
    leaf_id: str | None
    pinned: bool
    unread: bool
    created_at: str
    updated_at: str
    turns: tuple[TurnInProgress, ...]


class ConversationList(msgspec.Struct, frozen=True):
    """A page of conversations, newest activity first; `next_cursor` is opaque."""

    items: tuple[ConversationView, ...]
    next_cursor: str | None


class TurnView(msgspec.Struct, frozen=True, kw_only=True):
    """A turn; `seq` is its last event so far."""

    id: str
    conversation_id: str
    message_id: str
    user_message_id: str
    status: Status
    seq: int
    epoch: int
    provider: str
    model: str
    created_at: str
    ended_at: str | None


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """What a POST started."""

    turn_id: str
    message_id: str
    user_message_id: str
    events_url: str


class ProviderView(msgspec.Struct, frozen=True, kw_only=True):
    """A provider; its key is never shown. `tools` says whether its models may be able to call tools.

    `fallback_id` is the provider that answers when this one fails. `prices` are those that were entered, by the names of the models, in
    US dollars for a million tokens.
    """

    id: str
    name: str
    format: str
    base_url: str | None
    default_model: str | None
    is_default: bool
    has_key: bool
    tools: bool
    preset: str | None
    fallback_id: str | None
    prices: dict[str, Price]
    created_at: str


class NewProviderView(ProviderView, frozen=True, kw_only=True, omit_defaults=True):
    """A provider that was just added; `notice` says why it has no default model, if it has none."""

    notice: str | None = None


class PresetView(msgspec.Struct, frozen=True, kw_only=True):
    """A well-known provider. `base_url` null: give the address; `key_url` is where to get a key; `own` runs on one's own machine."""

    id: str
    name: str
    format: str
    base_url: str | None
    key: Literal["needed", "optional", "none"]
    key_url: str | None
    default_model: str | None
    own: bool
    hint: str | None


class PresetList(msgspec.Struct, frozen=True):
    """All presets."""

    items: tuple[PresetView, ...]


class ProviderList(msgspec.Struct, frozen=True):
    """All providers, oldest first."""

    items: tuple[ProviderView, ...]


class ModelList(msgspec.Struct, frozen=True):
    """What a provider serves."""

    items: tuple[ModelInfo, ...]


class ApprovalView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that waits for a person; `approval` is the data of its event."""

    turn_id: str
    conversation_id: str
    approval: Approval


class ApprovalList(msgspec.Struct, frozen=True):
    """All that waits for a person, oldest first."""

    items: tuple[ApprovalView, ...]


class RuleList(msgspec.Struct, frozen=True):
    """Rules on tools; the first one that fits a tool's name counts."""

    items: tuple[ToolRule, ...]


class ToolList(msgspec.Struct, frozen=True):
    """The tools that turns may use."""

    items: tuple[ToolInfo, ...]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a message and its files may have; sizes are in bytes.

    `media_types` are those that models can be shown, as far as each of them can; of files of other types a model is told by name.
    """

    message_chars: int
    message_files: int
    file_bytes: int
    conversation_files_bytes: int
    media_types: tuple[str, ...]


class FileList(msgspec.Struct, frozen=True):
    """The files of a conversation, oldest first."""

    items: tuple[FileRef, ...]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The server is alive; `store` is the kind of store, `node` this process in it, `data` says whose data it has: another, another's."""

    status: str
    version: str
    store: str
    node: str
    data: str


class Ready(msgspec.Struct, frozen=True):
    """The server takes turns."""

    status: str


def conversation_view(conversation: Conversation, unfinished: tuple[Turn, ...]) -> ConversationView:
    """Show a conversation."""
    settings = conversation.settings
    return ConversationView(
        id=conversation.id,
        title=conversation.title,
        title_source=conversation.title_source,
        system_prompt=settings.system_prompt,
        provider_id=settings.provider_id,
        model=settings.model,
        temperature=settings.temperature,
        max_tokens=settings.max_tokens,
        tools_enabled=settings.tools_enabled,
        thinking=settings.thinking,
        rules=settings.rules,
        leaf_id=conversation.leaf_id,
        pinned=conversation.pinned,
        unread=conversation.unread,
        created_at=conversation.created_at,
        updated_at=conversation.updated_at,
        turns=tuple(turn_in_progress(turn) for turn in unfinished),
    )


def turn_view(turn: Turn) -> TurnView:
    """Show a turn."""
    return TurnView(
        id=turn.id,
        conversation_id=turn.conversation_id,
        message_id=turn.message_id,
        user_message_id=turn.user_message_id,
        status=turn.status,
        seq=turn.seq,
        epoch=turn.epoch,
        provider=turn.settings.provider,
        model=turn.settings.model,
        created_at=turn.created_at,
        ended_at=turn.ended_at,
    )


def open_approval_view(found: OpenApproval) -> ApprovalView:
    """Show what waits for a person."""
    return ApprovalView(turn_id=found.turn_id, conversation_id=found.conversation_id, approval=found.approval)


def provider_view(provider: Provider) -> ProviderView:
    """Show a provider."""
    return ProviderView(
        id=provider.id,
        name=provider.name,
        format=provider.format,
        base_url=provider.base_url,
        default_model=provider.default_model,
        is_default=provider.is_default,
        has_key=provider.has_key,
        tools=provider.format not in _WITHOUT_TOOLS,
        preset=provider.preset,
        fallback_id=provider.fallback_id,
        prices=provider.prices,
        created_at=provider.created_at,
    )


def new_provider_view(provider: Provider, notice: str | None) -> NewProviderView:
    """Show a provider that was just added."""
    return NewProviderView(**msgspec.structs.asdict(provider_view(provider)), notice=notice)


def preset_view(preset: Preset) -> PresetView:
    """Show a preset."""
    return PresetView(**{name: getattr(preset, name) for name in PresetView.__struct_fields__})


def limits_view(message_chars: int, files: FileLimits) -> Limits:
    """Show what messages may have."""
    return Limits(
        message_chars=message_chars,
        message_files=files.per_message,
        file_bytes=files.file_bytes,
        conversation_files_bytes=files.conversation_bytes,
        media_types=(*sorted(IMAGES), PDF, "text/*"),
    )


def events_url(turn_id: str) -> str:
    """Return where a turn's events are."""
    return f"/api/turns/{turn_id}/events"


def accepted(turn: Turn) -> Accepted:
    """Show what a POST started."""
    return Accepted(
        turn_id=turn.id,
        message_id=turn.message_id,
        user_message_id=turn.user_message_id,
        events_url=events_url(turn.id),
    )
