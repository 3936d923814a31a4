"""Scratch: what surrounds a tool that an MCP client calls, which belongs to no turn."""

import hashlib
from collections.abc import Sequence
from typing import Any

from luxx.core.errors import NotFound
from luxx.core.files import FileRef
from luxx.core.ports import Reply
from luxx.core.prompts import Prompt
from luxx.http.mcp_server.calls import Progress
from luxx.store.interface import Store
from luxx.store.records import ClientRequest, ConversationSettings
from luxx.turns.files import ConversationFiles

TITLE = "Files of MCP clients"

_TARGET = "mcp/scratch"
_BODY = hashlib.sha256(TITLE.encode()).digest()
_TRIES = 100
"""More conversations of this kind than anybody deletes between two purges."""


class ScratchFiles:
    """The files of the conversation that a person's MCP clients share, which is made when the first of them needs it."""

    def __init__(self, store: Store, owner: str) -> None:
        self._store = store
        self._owner = owner

    async def keep(self, name: str, data: bytes) -> FileRef:
        """See Files."""
        return await (await self._files()).keep(name, data)

    async def list(self) -> tuple[FileRef, ...]:
        """See Files."""
        return await (await self._files()).list()

    async def read(self, file_id: str) -> bytes:
        """See Files."""
        return await (await self._files()).read(file_id)

    async def _files(self) -> ConversationFiles:
        """Return the files; all nodes find the same conversation, for it is made under a client request of its own.

        One that the person deleted is not come back to: the next number is taken.
        """
        for number in range(1, _TRIES):
            request = ClientRequest(f"scratch-{number}", _TARGET, _BODY)
            try:
                made = await self._store.conversations.create(self._owner, TITLE, ConversationSettings(), request)
            except NotFound:
                continue
            return ConversationFiles(self._store.files, self._owner, made.id)
        raise NotFound("There is no conversation for the files of MCP clients.")


class ClientCall:
    """See luxx.core.ports.CallContext. There is no conversation that a model was told, and nobody whom the tool could ask."""

    conversation_id = ""

    def __init__(self, key: str, store: Store, owner: str, progress: Progress) -> None:
        self.key = key
        self.owner = owner
        self.files = ScratchFiles(store, owner)
        self._progress = progress

    def progress(self, message: str, progress: float | None, total: float | None) -> None:
        """See CallContext."""
        self._progress.report(message, progress, total)

    def prompts(self) -> Sequence[Prompt]:
        """See CallContext."""
        return ()

    async def ask(self, message: str, schema: dict[str, Any] | None = None, url: str | None = None) -> Reply:
        """See CallContext."""
        return Reply(action="decline")
