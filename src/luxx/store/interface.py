"""What every store offers; SQLite stands behind it for one process, and PostgreSQL for many.

All methods are safe to call from many tasks at once and never block the event loop. Writes are group-committed: those
that wait for the writer share one transaction, and each returns after its commit. `owner` is in every query that a person
causes: another person's row is as absent as one that does not exist (NotFound).

Where a method takes `read`, that function is called in the store's thread with what was found, and the method returns its result:
what grows with the length of a conversation is then done beside the event loop. It must be pure, for it may be called twice.
"""

from collections.abc import AsyncIterator, Callable, Container, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from luxx.core.events import LogEntry
from luxx.core.files import FileRef
from luxx.core.ports import Decision
from luxx.core.rules import ToolRule
from luxx.core.tool_servers import ToolServerStore
from luxx.store.archive import ArchiveStore
from luxx.store.news import News
from luxx.store.records import (
    Appended,
    Branch,
    ClientRequest,
    Conversation,
    ConversationChange,
    ConversationPage,
    ConversationSettings,
    Decided,
    FileLimits,
    LogPage,
    Message,
    NewProvider,
    NewTurn,
    OpenApproval,
    Owned,
    Provider,
    ProviderChange,
    StartedTurn,
    Stopped,
    Turn,
    TurnBatch,
)

T = TypeVar("T")


class TurnStore(Protocol):
    """Turns and their logs."""

    async def replayed(self, owner: str, request: ClientRequest) -> StartedTurn | None:
        """Return the turn that an earlier POST with this client request made, or None.

        Raises InvalidRequest if that POST had another body.
        """
        ...

    async def start(self, owner: str, new: NewTurn) -> StartedTurn:
        """Store the user message, the assistant message, the turn with its ``turn`` event (seq 1) and the new leaf, at once.

        This node owns the turn unless it is queued. Raises NotFound (conversation, parent or message), InvalidRequest (a
        parent of the wrong role, a file that cannot be attached, or a client request with another body), Conflict ``turn_running`` (the parent is an answer
        in progress and `on_busy` is reject, or one that waits itself and it is interrupt), ``queue_full`` (10 turns wait already), Fenced (this node has lost its lease).
        """
        ...

    async def append(self, batches: tuple[TurnBatch, ...], retry: bool = False) -> Appended:
        """Write the batches of many turns in one transaction, each fenced by this node and its epoch.

        A batch with an end sets the turn's outcome, frees it, and starts the turn queued behind it (after ``done``, or
        if it steers) or cancels the queue. With `retry` an existing row counts as written if epoch and data are equal; anything else is
        refused. Raises StorageError when the outcome is unknown: call again with the same batches and `retry`.
        """
        ...

    async def claim(self, limit: int | None = None) -> tuple[Turn, ...]:
        """Take turns that nobody owns, up to `limit` or all: they get this node and the next epoch. Oldest first.

        Those are active ones, and waiting ones for which something was decided, whose time is up, or that are to be stopped.
        No turn is given to two nodes. A node that has lost its lease gets none.
        """
        ...

    async def reclaim(self, turn_ids: Iterable[str]) -> tuple[Turn, ...]:
        """Take up turns that this node owns already, but that nobody works on: they get the next epoch, as in `claim`.

        Those of others are left out. Raises Fenced if this node has lost its lease.
        """
        ...

    async def owned(self) -> tuple[Owned, ...]:
        """Return the turns in progress that are this node's by their rows, to be compared with its tasks; oldest first."""
        ...

    async def cancelled(self) -> tuple[str, ...]:
        """Return the ids of this node's turns that are to be stopped, whoever asked for it."""
        ...

    async def get(self, owner: str, turn_id: str) -> Turn:
        """Return a turn. Raises NotFound."""
        ...

    async def unfinished(self, owner: str, *conversation_ids: str) -> tuple[Turn, ...]:
        """Return the turns of these conversations that have not ended, oldest first."""
        ...

    async def log(self, owner: str, turn_id: str, after: int, limit: int, most_bytes: int | None = None) -> LogPage:
        """Return up to `limit` entries with a seq above `after`, and the turn, of one snapshot. Raises NotFound."""
        ...

    async def logs(self, after: Mapping[str, int], limit: int) -> dict[str, tuple[LogEntry, ...]]:
        """Return up to `limit` entries of each turn named above the seq given for it, all of one snapshot, in one query.

        Turns without such entries, or that are gone, are left out. Each log is read until its last event by who follows it.
        This is the node's own look at logs of many people: it names turns that `log` has given to their owners before.
        """
        ...

    async def request_cancel(self, owner: str, turn_id: str) -> Stopped:
        """Mark a turn as to be stopped; a queued one ends and those behind it move up, an ended one stays. Raises NotFound."""
        ...

    async def steer(self, owner: str, turn_id: str) -> str | None:
        """Let a queued turn start after any end of the one before it, and return that one's id, None if it does not wait.
        Raises NotFound, Conflict ``turn_running`` (that one waits itself)."""
        ...

    async def stop_call(self, owner: str, turn_id: str, index: int) -> None:
        """Note in a turn's settings that the call of this index is not to be run again; for one that has ended there is nothing to note."""
        ...

    async def compact(self, ended_before: str) -> int:
        """Compact logs of turns that ended before that time, and purge conversations deleted before it whose turns have ended.

        Does a bounded part of it and returns how many turns and conversations that were; 0 when nothing is left.
        """
        ...


class ApprovalStore(Protocol):
    """Calls that wait for a person, and the rules that spare the question."""

    async def decide(self, owner: str, turn_id: str, index: int, decision: Decision) -> Turn:
        """Store a decision, with `always` as a rule of the conversation too; return the turn, whose owner is to be told.

        The same decision again changes nothing. Raises NotFound, Conflict ``already_decided`` (or expired) and ``turn_ended``.
        """
        ...

    async def decisions(self, node: str) -> tuple[Decided, ...]:
        """Return what was decided for turns of a node and is not in their logs yet."""
        ...

    async def open(self, owner: str) -> tuple[OpenApproval, ...]:
        """Return all that waits for a person, oldest first."""
        ...

    async def rules(self, owner: str) -> tuple[ToolRule, ...]:
        """Return a person's rules for all conversations."""
        ...

    async def set_rules(self, owner: str, rules: Sequence[ToolRule]) -> None:
        """Replace a person's rules. Raises InvalidRequest for too many."""
        ...


class ConversationStore(Protocol):
    """Conversations and their messages."""

    async def create(
        self, owner: str, title: str | None, settings: ConversationSettings, request: ClientRequest | None = None
    ) -> Conversation:
        """Store a new conversation; with a client request, the one that it made before. Raises InvalidRequest."""
        ...

    async def get(self, owner: str, conversation_id: str) -> Conversation:
        """Return a conversation. Raises NotFound."""
        ...

    async def list(
        self, owner: str, limit: int, cursor: str | None, query: str | None, pinned: bool | None = None
    ) -> ConversationPage:
        """Return a page, newest activity first; `query` looks in titles and texts. Raises InvalidRequest for a bad cursor.

        With `pinned`, only those that are pinned, or only those that are not.
        """
        ...

    async def change(self, owner: str, conversation_id: str, change: ConversationChange) -> Conversation:
        """Change fields. Raises NotFound, InvalidRequest (a leaf of another conversation, an unknown provider)."""
        ...

    async def retitle(self, owner: str, conversation_id: str, title: str) -> bool:
        """Give a better automatic title, if a person has not given one; tell whether it was taken."""
        ...

    async def delete(self, owner: str, conversation_id: str) -> tuple[str, ...]:
        """Mark as deleted (it is gone for every reader); return the ids of its unfinished turns. Raises NotFound."""
        ...

    async def message(self, owner: str, message_id: str) -> Message:
        """Return one message. Raises NotFound."""
        ...

    async def branch(
        self,
        owner: str,
        conversation_id: str,
        leaf: str | None,
        before: str | None,
        limit: int,
        read: Callable[[Branch], T],
        *,
        after: str | None = None,
        around: str | None = None,
    ) -> T:
        """Read the last `limit` messages of the branch that ends in `leaf` (default: the leaf shown), or of what is before
        the message `before`. One snapshot. Raises NotFound.

        `after` reads those behind that message (the first of all if empty), `around` those around it; one of the three at most.
        """
        ...

    async def history(
        self, owner: str, message_id: str, read: Callable[[tuple[Message, ...]], T], known: Container[str] = frozenset()
    ) -> T:
        """Read the path to a message, oldest first, with model calls; `siblings`, `turn` and `log` are left empty.

        The path begins at the root, or right after the nearest ancestor whose id is `known`. The message itself is always there.
        Raises NotFound.
        """
        ...


class ProviderStore(Protocol):
    """Providers and their keys."""

    async def create(self, owner: str, new: NewProvider) -> Provider:
        """Store a provider; the first becomes the default. Raises InvalidRequest for a name that is taken or an unknown fallback."""
        ...

    async def get(self, owner: str, provider_id: str) -> Provider:
        """Return a provider. Raises NotFound."""
        ...

    async def list(self, owner: str) -> tuple[Provider, ...]:
        """Return all providers, oldest first."""
        ...

    async def default(self, owner: str) -> Provider | None:
        """Return the default provider."""
        ...

    async def change(self, owner: str, provider_id: str, change: ProviderChange) -> Provider:
        """Change fields. Raises NotFound, InvalidRequest (also for a fallback that leads back to the provider)."""
        ...

    async def delete(self, owner: str, provider_id: str) -> None:
        """Delete; conversations that chose it fall back to the default, which may pass to the oldest left that has a model. Raises NotFound.

        It is nobody's fallback any more.
        """
        ...

    async def credentials(self, owner: str, provider_id: str) -> tuple[Provider, str | None]:
        """Return a provider with its decrypted key, of one moment. Raises NotFound, ConfigurationError if the secret key does not fit."""
        ...


class FileStore(Protocol):
    """Files and their contents, each content stored once. A file is loose until a message brings it into a conversation."""

    @property
    def limits(self) -> FileLimits:
        """How large files may be, and how many go with a message."""
        ...

    async def keep(self, owner: str, conversation_id: str | None, name: str, data: bytes) -> FileRef:
        """Store a file of a conversation, or a loose one; its type is found by its content.

        A conversation that has a file of this name and content already keeps that one. Raises NotFound, InvalidRequest for a file
        that is too large, alone or together with the others.
        """
        ...

    async def get(self, owner: str, file_id: str) -> FileRef:
        """Return what is known of a file. Raises NotFound."""
        ...

    async def list(self, owner: str, conversation_id: str) -> tuple[FileRef, ...]:
        """Return a conversation's files, oldest first. Raises NotFound."""
        ...

    async def read(self, owner: str, file_id: str, conversation_id: str | None = None) -> bytes:
        """Return a file's content; with `conversation_id`, only that of one of its files. Raises NotFound."""
        ...

    async def delete(self, owner: str, file_id: str) -> None:
        """Delete a loose file. Raises NotFound, Conflict ``file_in_use`` for one that belongs to a conversation."""
        ...

    async def sweep(self, uploaded_before: str) -> int:
        """Delete loose files that were uploaded before that time: a bounded number; returns how many, 0 when none are left."""
        ...


class Nodes(Protocol):
    """This process among those that work on the same database. With SQLite it is the only one, and never loses its lease.

    The lease is renewed by the store itself, in a thread of its own, as long as the event loop runs. What a supervisor does with
    it: `check` before each call of a model or a tool, and after a claim; `reap`, `TurnStore.claim` and a comparison of
    `TurnStore.owned` with its tasks every second or so, `TurnStore.cancelled` several times a second; wait for `lost`, then stop
    all tasks, and `join` when they have ended; `leave` when it is to stop.
    """

    @property
    def id(self) -> str:
        """The id of this process in the store, never used before; `join` gives it another."""
        ...

    @property
    def shared(self) -> bool:
        """Whether there can be other nodes, so that logs of foreign turns have to be read from the database."""
        ...

    def check(self) -> None:
        """Raise Fenced if the lease is lost, or was renewed so long ago that it may be by now; by this machine's clock, at once."""
        ...

    async def lost(self) -> None:
        """Return when the lease is lost: the turns of this node are others' to take."""
        ...

    async def join(self) -> None:
        """Work under a new id; only after all tasks of the old one have ended. Raises StorageError."""
        ...

    async def reap(self) -> int:
        """Free the turns of nodes whose lease has expired, and return how many nodes that were.

        It does nothing before this node has renewed its own lease without fault for a whole time to live: after the database was
        away, the others must have the chance to do so first. Raises StorageError.
        """
        ...

    def listen(self) -> AsyncIterator[News]:
        """Yield what is heard of other nodes as it comes, nothing that this node said; ends when the store is closed.

        One listener at a time. Of news that are not taken fast enough the oldest are dropped, and Missed follows.
        """
        ...

    async def tell(self, text: str) -> None:
        """Tell all other nodes something, which they get as Told.

        Raises StorageError, InvalidRequest for more than 7,800 bytes (as a string of JSON).
        """
        ...

    async def leave(self) -> None:
        """Give this node's turns up, so that others can claim them at once; nothing can be written to turns after that."""
        ...


class Store(Protocol):
    """A store that is open."""

    @property
    def turns(self) -> TurnStore: ...
    @property
    def approvals(self) -> ApprovalStore: ...
    @property
    def conversations(self) -> ConversationStore: ...
    @property
    def providers(self) -> ProviderStore: ...
    @property
    def tool_servers(self) -> ToolServerStore: ...
    @property
    def files(self) -> FileStore: ...
    @property
    def archive(self) -> ArchiveStore: ...
    @property
    def nodes(self) -> Nodes: ...
    @property
    def owner(self) -> str:
        """The user id of the person at this machine."""
        ...

    @property
    def node(self) -> str:
        """The id of this process in the store; new at every start. The same as `nodes.id`."""
        ...

    async def ping(self) -> None:
        """Make sure that the store can be written. Raises StorageError."""
        ...

    async def close(self) -> None:
        """Free this node's turns, end the threads and let the data directory go."""
        ...
