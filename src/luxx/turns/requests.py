"""Requests: what a person asks of the supervisor, and what comes back as messages."""

import msgspec

from luxx.core.events import Approval
from luxx.core.files import FileRef
from luxx.core.prompts import Thinking
from luxx.core.usage import Usage
from luxx.store.records import ClientRequest, OnBusy, Role, Status


class Overrides(msgspec.Struct, frozen=True, kw_only=True):
    """Settings for one turn; UNSET means the conversation's."""

    provider_id: str | msgspec.UnsetType | None = msgspec.UNSET
    model: str | msgspec.UnsetType | None = msgspec.UNSET
    temperature: float | msgspec.UnsetType | None = msgspec.UNSET
    max_tokens: int | msgspec.UnsetType | None = msgspec.UNSET
    tools_enabled: bool | msgspec.UnsetType = msgspec.UNSET
    thinking: Thinking | msgspec.UnsetType | None = msgspec.UNSET


class PostMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A new user message. `parent_id` UNSET is the end of the branch shown, None a new root. `attachments` are ids of files."""

    conversation_id: str
    text: str
    attachments: tuple[str, ...] = ()
    parent_id: str | msgspec.UnsetType | None = msgspec.UNSET
    on_busy: OnBusy = "reject"
    overrides: Overrides = Overrides()
    request: ClientRequest | None = None


class AnswerAgain(msgspec.Struct, frozen=True, kw_only=True):
    """Another answer beside (or, to continue, after the kept part of) the message.

    `summary` is what the model is told instead of the one that the message holds.
    """

    message_id: str
    summary: str | None = None
    overrides: Overrides = Overrides()
    request: ClientRequest | None = None


class TurnInProgress(msgspec.Struct, frozen=True, kw_only=True):
    """Where an unfinished turn is: its events after `seq` continue what was read.

    `approvals` are those that wait for a person; `recovered` is that of the message.
    """

    id: str
    status: Status
    seq: int
    message_id: str
    approvals: tuple[Approval, ...] = ()
    recovered: tuple[int, ...] = ()


class ErrorView(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a turn failed. `retry_after` is how many seconds from its end on the provider wants to be left alone, where it said so."""

    code: str
    content: str
    retry_after: float | None = None


class UserMessageView(msgspec.Struct, frozen=True, kw_only=True):
    """A user message as the API shows it."""

    id: str
    conversation_id: str
    parent_id: str | None
    role: Role
    text: str
    attachments: tuple[FileRef, ...]
    created_at: str
    siblings: tuple[str, ...]


class AssistantMessageView(msgspec.Struct, frozen=True, kw_only=True):
    """An assistant message as the API shows it; `steps` are JSON, folded to exactly `turn.seq` while in progress.

    `approvals` are what was decided; those that wait are in `turn`. `recovered` are the indexes of the last steps before each restart of
    the server, -1 for one before the first; `remade` are those of them where steps that had been shown were taken away, to be made again.
    """

    id: str
    conversation_id: str
    parent_id: str | None
    role: Role
    text: str
    created_at: str
    ended_at: str | None = None
    siblings: tuple[str, ...]
    steps: tuple[msgspec.Raw, ...]
    approvals: tuple[Approval, ...] = ()
    recovered: tuple[int, ...] = ()
    remade: tuple[int, ...] = ()
    status: Status
    provider: str
    model: str
    finish_reason: str | None = None
    token_count: int | None = None
    usage: Usage | None = None
    error: ErrorView | None = None
    turn: TurnInProgress | None = None


MessageView = UserMessageView | AssistantMessageView


class MessagePage(msgspec.Struct, frozen=True):
    """A part of a branch, oldest message first; `has_more` if older ones exist, `has_newer` if newer ones do."""

    items: tuple[MessageView, ...]
    has_more: bool
    has_newer: bool


class Notice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that a page showing other conversations wants to know.

    `kind` is turn_started, turn_ended, approvals_changed, conversation_changed or conversation_deleted.
    """

    kind: str
    conversation_id: str
    turn_id: str | None = None
    status: Status | None = None
