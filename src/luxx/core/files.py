"""Files: what people attach, what models make, and what tools leave; their contents lie in the store."""

from typing import Protocol

import msgspec


class FileRef(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a conversation. `media_type` was found by its content, not by its name; `size` is in bytes."""

    id: str
    name: str
    media_type: str
    size: int

    @property
    def is_image(self) -> bool:
        """Whether it can be looked at."""
        return self.media_type.startswith("image/")

    @property
    def is_pdf(self) -> bool:
        """Whether it is a PDF document."""
        return self.media_type == "application/pdf"

    @property
    def is_text(self) -> bool:
        """Whether it is text in UTF-8."""
        return self.media_type.startswith("text/")


class Files(Protocol):
    """The files of one conversation, as its tools and its models have them."""

    async def keep(self, name: str, data: bytes) -> FileRef:
        """Store a file; the same content is stored once. Raises InvalidRequest for one that is too large, StorageError."""
        ...

    async def list(self) -> tuple[FileRef, ...]:
        """Return all files of the conversation, oldest first. Raises StorageError."""
        ...

    async def read(self, file_id: str) -> bytes:
        """Return a file's content. Raises NotFound for one that is not of this conversation, StorageError."""
        ...
