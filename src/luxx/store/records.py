"""Records: what the store gives and takes, as frozen types. Times are RFC 3339 strings in UTC with microseconds."""

from typing import Literal

import msgspec

from luxx.core.events import Approval, End, LogEntry
from luxx.core.files import FileRef
from luxx.core.ports import Decision, ModelCall
from luxx.core.prices import Price
from luxx.core.prompts import Thinking
from luxx.core.rules import ToolRule
from luxx.core.steps import Summary
from luxx.core.usage import Usage

Status = Literal["queued", "active", "waiting", "done", "failed", "cancelled"]
OnBusy = Literal["reject", "queue", "interrupt"]
Role = Literal["user", "assistant"]
TitleSource = Literal["auto", "user"]

UNFINISHED: tuple[Status, ...] = ("queued", "active", "waiting")


class ClientRequest(msgspec.Struct, frozen=True):
    """A client's own id for a POST, which makes it safe to repeat.

    `target` is what was posted to (such as ``conversations/ID/messages``), `body_hash` a hash of the body. The same id on
    the same target with another hash is refused.
    """

    id: str
    target: str
    body_hash: bytes


class ConversationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a person chose for a conversation; None means the provider's default. `rules` come before the person's own."""

    system_prompt: str | None = None
    provider_id: str | None = None
    model: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    tools_enabled: bool = True
    thinking: Thinking | None = None
    rules: tuple[ToolRule, ...] = ()


class SettingsChange(msgspec.Struct, frozen=True, kw_only=True):
    """The settings to change; UNSET leaves one as it is."""

    system_prompt: str | msgspec.UnsetType | None = msgspec.UNSET
    provider_id: str | msgspec.UnsetType | None = msgspec.UNSET
    model: str | msgspec.UnsetType | None = msgspec.UNSET
    temperature: float | msgspec.UnsetType | None = msgspec.UNSET
    max_tokens: int | msgspec.UnsetType | None = msgspec.UNSET
    tools_enabled: bool | msgspec.UnsetType = msgspec.UNSET
    thinking: Thinking | msgspec.UnsetType | None = msgspec.UNSET
    rules: tuple[ToolRule, ...] | msgspec.UnsetType = msgspec.UNSET


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A tree of messages with its settings. `leaf_id` ends the branch shown, `person_rules` are those of its owner.

    `unread` if an answer has ended that nobody has looked at; whoever shows it takes the mark away.
    """

    id: str
    title: str
    title_source: TitleSource
    settings: ConversationSettings
    leaf_id: str | None
    created_at: str
    updated_at: str
    pinned: bool = False
    unread: bool = False
    person_rules: tuple[ToolRule, ...] = ()


class ConversationChange(msgspec.Struct, frozen=True, kw_only=True):
    """The fields to change; UNSET leaves a field as it is."""

    title: str | msgspec.UnsetType = msgspec.UNSET
    title_source: TitleSource | msgspec.UnsetType = msgspec.UNSET
    settings: SettingsChange = SettingsChange()
    leaf_id: str | msgspec.UnsetType | None = msgspec.UNSET
    pinned: bool | msgspec.UnsetType = msgspec.UNSET
    unread: bool | msgspec.UnsetType = msgspec.UNSET


class ConversationPage(msgspec.Struct, frozen=True):
    """A page of conversations, newest activity first; `next_cursor` is opaque."""

    items: tuple[Conversation, ...]
    next_cursor: str | None


class TurnSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a turn runs with, frozen when it starts.

    `provider` is the provider's name at that time, `price` what the model cost if that was known, `tools` the names of the tools offered, `targets` marks what these lead to by their
    sources (None in a turn of an older version). `kept` is the message whose
    steps a continued turn begins with, `kept_calls` the number of its last model call; `summary` is one that the person wrote.
    What changes later: `stopped` are the calls that the person stopped, by their indexes; `steers` says that a turn that waits starts
    when the answer before it has ended in whatever way.
    """

    provider_id: str
    provider: str
    model: str
    price: Price | None = None
    system_prompt: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    thinking: Thinking | None = None
    tools: tuple[str, ...] = ()
    targets: dict[str, str] | None = None
    summary: Summary | None = None
    max_iterations: int = 10
    kept: str | None = None
    kept_calls: int = 0
    stopped: tuple[int, ...] = ()
    steers: bool = False


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """The making of one assistant message.

    `epoch` counts its owners; `takeovers` counts those that died on it since its last completed step (a server that was shut down did
    not die). `woken` if it was claimed because a person has decided, not because its owner was gone. `retry_after` is how many seconds the
    provider wanted to be left alone when it failed.
    """

    id: str
    owner_id: str
    conversation_id: str
    message_id: str
    user_message_id: str
    status: Status
    epoch: int
    seq: int
    cancel: bool
    takeovers: int
    settings: TurnSettings
    created_at: str
    ended_at: str | None = None
    finish_reason: str | None = None
    token_count: int | None = None
    usage: Usage | None = None
    error_code: str | None = None
    error_content: str | None = None
    retry_after: float | None = None
    compacted: bool = False
    woken: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing more will be appended to its log."""
        return self.status not in UNFINISHED


class FileLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of one file and of all files of a conversation, files of one message.

    What a person uploaded and did not send may have as many bytes as a conversation.
    """

    file_bytes: int = 20_000_000
    conversation_bytes: int = 200_000_000
    per_message: int = 10


class NewUserMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message to store. `parent_id` UNSET means the end of the branch shown, None a new root. `files` are ids."""

    id: str
    text: str
    parent_id: str | msgspec.UnsetType | None = msgspec.UNSET
    files: tuple[str, ...] = ()


class NewTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A turn to start: either for a new user message (`user`) or as another answer to an old one (`answer_to`).

    `title` names the conversation if it has no title yet.
    """

    id: str
    conversation_id: str
    message_id: str
    settings: TurnSettings
    user: NewUserMessage | None = None
    answer_to: str | None = None
    title: str | None = None
    on_busy: OnBusy = "reject"
    request: ClientRequest | None = None


class StartedTurn(msgspec.Struct, frozen=True):
    """The turn that a POST made; `replayed` if an earlier one with the same client request did."""

    turn: Turn
    replayed: bool


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a conversation.

    `steps` are an answer's complete steps as JSON, void ones left out, in order. For an answer in progress `log` holds its
    whole log up to now, of the same snapshot; for one that has ended `approvals` has what a person decided about it, and `recovered` the indexes of the last steps before each
    takeover, -1 for one before the first, `remade` those of them where steps were made void. `files` came with it from a person. `siblings` are the ids of the messages with the same parent and role, in order.
    """

    id: str
    conversation_id: str
    parent_id: str | None
    role: Role
    text: str
    created_at: str
    siblings: tuple[str, ...] = ()
    files: tuple[FileRef, ...] = ()
    turn: Turn | None = None
    steps: tuple[msgspec.Raw, ...] = ()
    calls: tuple[ModelCall, ...] = ()
    log: tuple[LogEntry, ...] = ()
    approvals: tuple[Approval, ...] = ()
    recovered: tuple[int, ...] = ()
    remade: tuple[int, ...] = ()


class Branch(msgspec.Struct, frozen=True):
    """A part of a branch, oldest message first; `has_more` if older ones exist, `has_newer` if newer ones do."""

    items: tuple[Message, ...]
    has_more: bool
    has_newer: bool = False


class StepRow(msgspec.Struct, frozen=True):
    """A step to write; `body` is the whole step as JSON."""

    index: int
    call: int
    type: str
    state: str
    body: bytes


class NewEntry(msgspec.Struct, frozen=True):
    """A log entry to write, with the step that it brings, if it is a ``process_step``.

    The log row of a step that has ended holds no data: it refers to the step's row.
    """

    seq: int
    name: str
    data: bytes
    step: StepRow | None = None


class TurnBatch(msgspec.Struct, frozen=True, kw_only=True):
    """What one turn writes in one flush.

    `void` are the indexes of steps to void, `approvals` those among its entries, `end` its last event. With `parked` the turn waits
    for a person from now on, and is nobody's.
    """

    turn_id: str
    epoch: int
    entries: tuple[NewEntry, ...]
    calls: tuple[ModelCall, ...] = ()
    void: tuple[int, ...] = ()
    approvals: tuple[Approval, ...] = ()
    parked: bool = False
    end: End | None = None


class Appended(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a flush: all of it is committed but for the turns named.

    `fenced` turns belong to another owner, `refused` ones hit a constraint (with the reason). `released` are queued turns
    that this flush started and that this node now owns; `dropped` queued turns that it cancelled.
    """

    fenced: frozenset[str] = frozenset()
    refused: dict[str, str] = {}
    released: tuple[Turn, ...] = ()
    dropped: tuple[Turn, ...] = ()


class Owned(msgspec.Struct, frozen=True):
    """A turn in progress that this node owns, by its row; `cancel` if it is to be stopped."""

    turn_id: str
    epoch: int
    cancel: bool


class Decided(msgspec.Struct, frozen=True):
    """A decision that the turn's owner has not taken note of yet."""

    turn_id: str
    index: int
    decision: Decision


class OpenApproval(msgspec.Struct, frozen=True):
    """Something that waits for a person."""

    turn_id: str
    conversation_id: str
    approval: Approval


class Stopped(msgspec.Struct, frozen=True):
    """A turn that was asked to stop, as it is now; `dropped` are the queued turns behind it that ended with it."""

    turn: Turn
    dropped: tuple[Turn, ...] = ()


class LogPage(msgspec.Struct, frozen=True):
    """A part of a turn's log and the turn's state, of one snapshot."""

    turn: Turn
    entries: tuple[LogEntry, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing of the log comes after it."""
        return not self.entries or self.entries[-1].seq >= self.turn.seq


class Moved(msgspec.Struct, frozen=True):
    """What was copied from one engine to another: how many rows, and in how many of them a text had to be changed."""

    rows: int
    changed: int


class Inspected(msgspec.Struct, frozen=True, kw_only=True):
    """What can be told about a PostgreSQL database from outside.

    `place` is it without its password, `server` PostgreSQL's version, `revision` that of its tables (None: there are none), `wanted`
    ours: if they differ, the rest is not known. `fingerprint` is that of the secret key, `alive` and `expired` count nodes by lease.
    """

    place: str
    server: str
    revision: str | None
    wanted: str
    fingerprint: str | None = None
    alive: int = 0
    expired: int = 0


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint that serves models; its key stays in the store.

    `preset` names the preset that it was made from, `fallback_id` the provider that answers when this one fails. `prices` are those that
    its owner entered, by the names of the models; a change of them concerns the models named, and None takes one away.
    """

    id: str
    name: str
    format: str
    base_url: str | None
    default_model: str | None
    is_default: bool
    has_key: bool
    created_at: str
    preset: str | None = None
    fallback_id: str | None = None
    prices: dict[str, Price] = {}


class NewProvider(msgspec.Struct, frozen=True, kw_only=True):
    """A provider to store; `api_key` is encrypted before it is written."""

    name: str
    format: str
    base_url: str | None = None
    api_key: str | None = None
    default_model: str | None = None
    is_default: bool = False
    preset: str | None = None
    fallback_id: str | None = None
    prices: dict[str, Price] = {}


class ProviderChange(msgspec.Struct, frozen=True, kw_only=True):
    """The fields to change. A new `base_url` deletes the stored key unless a new one comes with it."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    base_url: str | msgspec.UnsetType | None = msgspec.UNSET
    api_key: str | msgspec.UnsetType | None = msgspec.UNSET
    default_model: str | msgspec.UnsetType | None = msgspec.UNSET
    is_default: bool | msgspec.UnsetType = msgspec.UNSET
    fallback_id: str | msgspec.UnsetType | None = msgspec.UNSET
    prices: dict[str, Price | None] | msgspec.UnsetType = msgspec.UNSET
