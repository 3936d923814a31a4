"""Contents: the files that prompts name, loaded for the models that can see them."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence

from luxx.core.errors import NotFound
from luxx.core.files import FileRef, Files
from luxx.core.prompts import Prompt

MOST_BYTES = 48 * 1024 * 1024
"""How much is sent along with one request; the newest files come first. Providers take less."""
MOST_HELD = 256 * 1024 * 1024
"""How much all model calls of a process hold at once, in bytes of files."""


class Contents:
    """Owns the memory for the files of all model calls that are under way: `most` bytes together; a call that wants more waits.

    Nothing is held between two calls: to read a file again takes some 2 ms for each MB, no more than to encode it for a provider.
    """

    def __init__(self, most: int = MOST_HELD) -> None:
        self._free = max(most, MOST_BYTES)
        self._turn = asyncio.Lock()
        self._freed = asyncio.Event()

    @contextlib.asynccontextmanager
    async def of(self, prompts: Sequence[Prompt], files: Files) -> AsyncGenerator[Mapping[str, bytes]]:
        """Hold the contents of the files that prompts name; one that is gone is left out. Raises StorageError."""
        named = _chosen(prompts)
        if not named:
            yield {}
            return
        size = sum(file.size for file in named)
        await self._take(size)
        try:
            yield await _read(named, files)
        finally:
            self._free += size
            self._freed.set()

    async def _take(self, size: int) -> None:
        """Wait until there is so much room. One after the other: else those that want little would keep out one that wants much."""
        async with self._turn:
            while size > self._free:
                self._freed.clear()
                await self._freed.wait()
            self._free -= size


async def _read(named: Iterable[FileRef], files: Files) -> Mapping[str, bytes]:
    contents: dict[str, bytes] = {}
    for file in named:
        with contextlib.suppress(NotFound):
            contents[file.id] = await files.read(file.id)
    return contents


def _chosen(prompts: Sequence[Prompt]) -> list[FileRef]:
    """Return the files to send along, newest first, as many as fit."""
    room = MOST_BYTES
    chosen: dict[str, FileRef] = {}
    for prompt in reversed(prompts):
        for file in prompt.files:
            if file.id not in chosen and file.size <= room and (file.is_image or file.is_pdf or file.is_text):
                room -= file.size
                chosen[file.id] = file
    return list(chosen.values())
