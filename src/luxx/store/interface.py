"""What every store offers; SQLite stands behind it, and PostgreSQL will.

All methods are safe to call from many tasks at once and never block the event loop. Writes are group-committed: those
that wait for the writer share one transaction, and each returns after its commit. `owner` is in every query that a person
causes: another person's row is as absent as one that does not exist (NotFound).
"""

from typing import Protocol

from luxx.store.records import (
    Appended,
    Branch,
    ClientRequest,
    Conversation,
    ConversationChange,
    ConversationPage,
    ConversationSettings,
    LogPage,
    Message,
    NewProvider,
    NewTurn,
    Provider,
    ProviderChange,
    StartedTurn,
    Stopped,
    Turn,
    TurnBatch,
)


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
        parent of the wrong role, or a client request with another body), Conflict ``turn_running`` (the parent is an answer
        in progress and `on_busy` is reject), ``queue_full`` (10 turns wait already).
        """
        ...

    async def append(self, batches: tuple[TurnBatch, ...], retry: bool = False) -> Appended:
        """Write the batches of many turns in one transaction, each fenced by this node and its epoch.

        A batch with an end sets the turn's outcome, frees it, and starts the turn queued behind it (after ``done``) or
        cancels the queue. With `retry` an existing row counts as written if epoch and data are equal; anything else is
        refused. Raises StorageError when the outcome is unknown: call again with the same batches and `retry`.
        """
        ...

    async def claim(self) -> tuple[Turn, ...]:
        """Take all active turns that nobody owns: they get this node and the next epoch. Oldest first."""
        ...

    async def get(self, owner: str, turn_id: str) -> Turn:
        """Return a turn. Raises NotFound."""
        ...

    async def unfinished(self, owner: str, conversation_id: str) -> tuple[Turn, ...]:
        """Return a conversation's turns that have not ended, oldest first."""
        ...

    async def log(self, turn_id: str, after: int, limit: int) -> LogPage:
        """Return up to `limit` entries with a seq above `after`, and the turn, of one snapshot. Raises NotFound."""
        ...

    async def request_cancel(self, owner: str, turn_id: str) -> Stopped:
        """Mark a turn as to be stopped; a queued one ends at once, with those queued behind it, an ended one stays as it is.

        Raises NotFound.
        """
        ...

    async def compact(self, ended_before: str) -> int:
        """Compact logs of turns that ended before that time, and purge conversations deleted before it whose turns have ended.

        Does a bounded part of it and returns how many turns and conversations that were; 0 when nothing is left.
        """
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

    async def list(self, owner: str, limit: int, cursor: str | None, query: str | None) -> ConversationPage:
        """Return a page, newest activity first; `query` looks in titles and texts. Raises InvalidRequest for a bad cursor."""
        ...

    async def change(self, owner: str, conversation_id: str, change: ConversationChange) -> Conversation:
        """Change fields. Raises NotFound, InvalidRequest (a leaf of another conversation, an unknown provider)."""
        ...

    async def retitle(self, conversation_id: str, title: str) -> bool:
        """Give a better automatic title, if a person has not given one; tell whether it was taken."""
        ...

    async def delete(self, owner: str, conversation_id: str) -> tuple[str, ...]:
        """Mark as deleted (it is gone for every reader); return the ids of its unfinished turns. Raises NotFound."""
        ...

    async def message(self, owner: str, message_id: str) -> Message:
        """Return one message. Raises NotFound."""
        ...

    async def branch(
        self, owner: str, conversation_id: str, leaf: str | None, before: str | None, limit: int
    ) -> Branch:
        """Return the last `limit` messages of the branch that ends in `leaf` (default: the leaf shown), or of what is before
        the message `before`. One snapshot. Raises NotFound.
        """
        ...

    async def history(self, message_id: str) -> tuple[Message, ...]:
        """Return the whole path from the root to a message, oldest first, with model calls; `siblings` and `log` are left empty.

        Raises NotFound.
        """
        ...


class ProviderStore(Protocol):
    """Providers and their keys."""

    async def create(self, owner: str, new: NewProvider) -> Provider:
        """Store a provider; the first becomes the default. Raises InvalidRequest for a name that is taken."""
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
        """Change fields. Raises NotFound, InvalidRequest."""
        ...

    async def delete(self, owner: str, provider_id: str) -> None:
        """Delete; conversations that chose it fall back to the default, which may pass to the oldest left. Raises NotFound."""
        ...

    async def api_key(self, provider_id: str) -> str | None:
        """Return the decrypted key. Raises StorageError if the secret key does not fit."""
        ...


class Store(Protocol):
    """A store that is open."""

    @property
    def turns(self) -> TurnStore: ...
    @property
    def conversations(self) -> ConversationStore: ...
    @property
    def providers(self) -> ProviderStore: ...
    @property
    def owner(self) -> str:
        """The user id of the person at this machine."""
        ...

    @property
    def node(self) -> str:
        """The id of this process in the store; new at every start."""
        ...

    async def ping(self) -> None:
        """Make sure that the store can be written. Raises StorageError."""
        ...

    async def close(self) -> None:
        """Free this node's turns, end the threads and let the data directory go."""
        ...
