"""The client's part for keeping conversations elsewhere and bringing them in."""

from collections.abc import AsyncGenerator
from typing import BinaryIO

import msgspec

from luxx.client.transport import Transport


class ImportProblem(msgspec.Struct, frozen=True):
    """Why a conversation was not taken."""

    title: str
    reason: str


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file: `found` conversations are `imported`, `skipped` (here already) or `refused`.

    `left_out` counts what could not be taken, `mended` what had to be made up, by kind.
    """

    found: int
    imported: int
    skipped: int
    refused: int
    messages: int
    sources: dict[str, int]
    left_out: dict[str, int]
    mended: dict[str, int]
    problems: tuple[ImportProblem, ...]
    conversation_ids: tuple[str, ...]


class Archive:
    """Exports and imports of a server. All methods raise ClientError; none is repeated by itself."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def export(self, conversation_id: str, format: str = "markdown", contents: bool = False) -> AsyncGenerator[bytes]:
        """Yield a conversation as Markdown (the branch shown) or JSON (all of it), `contents` with those of its files."""
        params = {"format": format, "contents": _word(contents)}
        return self._transport.download(f"api/conversations/{conversation_id}/export", params)

    def export_all(self, contents: bool = False) -> AsyncGenerator[bytes]:
        """Yield all conversations as JSON lines."""
        return self._transport.download("api/export", {"contents": _word(contents)})

    async def import_file(self, file: BinaryIO) -> ImportReport:
        """Import a file of any format that the server knows; one that is sent twice is taken once."""
        return await self._transport.send_file("api/imports", ImportReport, file)


def _word(value: bool) -> str:
    return "true" if value else "false"
