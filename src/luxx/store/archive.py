"""What the store offers to who looks for messages, keeps conversations elsewhere, brings them in, or shows them to others."""

from typing import Protocol

import msgspec

from luxx.core.archive import ArchivedConversation, ShareInclude, Source
from luxx.store.records import Role


class Mark(msgspec.Struct, frozen=True):
    """A place in a snippet, counted in UTF-16 units as JavaScript does."""

    start: int
    end: int


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A message, or a title (`message_id` None), in which all that was looked for was found.

    `marks` are the places in `snippet` where it stands.
    """

    conversation_id: str
    title: str
    message_id: str | None
    role: Role | None
    snippet: str
    marks: tuple[Mark, ...]
    created_at: str


class HitPage(msgspec.Struct, frozen=True):
    """A page of hits, the best first; `next_cursor` is opaque."""

    items: tuple[Hit, ...]
    next_cursor: str | None


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen copy of a branch that who knows its token can read."""

    id: str
    conversation_id: str
    title: str
    include: tuple[ShareInclude, ...]
    created_at: str


class TakenIn(msgspec.Struct, frozen=True):
    """What became of an imported conversation: its id here, and whether it was here before; how many files were left out."""

    conversation_id: str
    known: bool
    files_left_out: int = 0


class ArchiveStore(Protocol):
    """Whole conversations, and looking through all of them."""

    async def search(self, owner: str, query: str, limit: int, cursor: str | None) -> HitPage:
        """Return messages and titles that hold all words of the query, or all texts that it has in double quotes.

        Titles come first, then messages with the query as it stands, at the start of a word before others, the newest first.
        Raises InvalidRequest for a bad cursor.
        """
        ...

    async def index(self) -> int:
        """Bring some messages that are not in the index yet into it; return how many, 0 when none is left.

        They are found without it, only slower.
        """
        ...

    async def whole(self, owner: str, conversation_id: str) -> ArchivedConversation:
        """Return a whole conversation as it is at this moment, with its files but without their contents. Raises NotFound.

        An answer in progress is there with the steps that are complete.
        """
        ...

    async def ids(self, owner: str, after: str | None, limit: int) -> tuple[str, ...]:
        """Return the ids of conversations in the order of their ids, after one of them."""
        ...

    async def take_in(self, owner: str, source: Source, conversation: ArchivedConversation) -> TakenIn:
        """Store an imported conversation, all or nothing, unless the same one of that source is here.

        Its tree must be whole: a message's parent comes before it and has the other role, and answers have parents.
        Raises InvalidRequest for one that cannot be stored.
        """
        ...

    async def share(
        self,
        owner: str,
        conversation_id: str,
        title: str,
        include: tuple[ShareInclude, ...],
        token_hash: bytes,
        body: bytes,
    ) -> Share:
        """Store a frozen copy. Raises NotFound, LimitReached for too many of them."""
        ...

    async def shares(self, owner: str) -> tuple[Share, ...]:
        """Return all shares, newest first; those of deleted conversations are gone."""
        ...

    async def unshare(self, owner: str, share_id: str) -> None:
        """Take a share back, at once. Raises NotFound."""
        ...

    async def shared(self, token_hash: bytes) -> bytes:
        """Return the body of the share with this token, whoever asks. Raises NotFound."""
        ...
