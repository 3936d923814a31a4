"""Files: those of one conversation, as its turns have them (luxx.core.files.Files)."""

from luxx.core.files import FileRef
from luxx.store.interface import FileStore


class ConversationFiles:
    """The files of one conversation and of no other."""

    def __init__(self, store: FileStore, owner: str, conversation_id: str) -> None:
        self._store = store
        self._owner = owner
        self._conversation_id = conversation_id

    async def keep(self, name: str, data: bytes) -> FileRef:
        """See Files."""
        return await self._store.keep(self._owner, self._conversation_id, name, data)

    async def list(self) -> tuple[FileRef, ...]:
        """See Files."""
        return await self._store.list(self._owner, self._conversation_id)

    async def read(self, file_id: str) -> bytes:
        """See Files."""
        return await self._store.read(self._owner, file_id, self._conversation_id)
