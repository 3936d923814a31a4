"""Contents: the files that prompts name, loaded for the models that can see them."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence

from luxx.core.errors import NotFound, ProviderOverloaded
from luxx.core.files import FileRef, Files
from luxx.core.prompts import Prompt

MOST_BYTES = 48 * 1024 * 1024
"""How much is sent along with one request; the newest files come first. Providers take less."""
MOST_HELD = 256 * 1024 * 1024
"""How much all model calls of a process hold at once, in bytes of files."""


_IN_LINE_S = 10.0
_PATIENCE_S = 120.0


class Held:
    """The files of one call, by id, and the room that they take."""

    def __init__(self, contents: "Contents") -> None:
        self.files: dict[str, bytes] = {}
        self._contents = contents
        self._size = 0

    async def load(self, named: Sequence[FileRef], files: Files) -> None:
        """Wait for room and read the files. Raises ProviderOverloaded, StorageError."""
        size = sum(file.size for file in named)
        await self._contents.take(size)
        self._size = size
        for file in named:
            with contextlib.suppress(NotFound):
                self.files[file.id] = await files.read(file.id)

    def give_back(self) -> None:
        """Forget the files: nobody will ask for them again."""
        if self._size:
            self.files.clear()
            self._contents.free(self._size)
            self._size = 0


class Contents:
    """Owns the memory for the files of all model calls that wait for their answer: `most` bytes together; a call that wants more waits.

    It waits in line, else those that want little would keep out one that wants much; but after `in_line_s` it goes as soon as there is
    enough for itself. Nothing is held between two calls: to read a file again takes some 2 ms for each MB, no more than to encode it
    for a provider.
    """

    def __init__(
        self, most: int = MOST_HELD, *, in_line_s: float = _IN_LINE_S, patience_s: float = _PATIENCE_S
    ) -> None:
        self._free = max(most, MOST_BYTES)
        self._in_line_s = in_line_s
        self._patience_s = patience_s
        self._line: list[object] = []
        self._moved = asyncio.Event()

    @contextlib.asynccontextmanager
    async def of(self, prompts: Sequence[Prompt], files: Files) -> AsyncGenerator[Held]:
        """Hold the contents of the files that prompts name, no longer than to the end of the context; one that is gone is left out.

        Raises ProviderOverloaded if there is no room for too long, StorageError.
        """
        held = Held(self)
        try:
            if named := _chosen(prompts):
                await held.load(named, files)
            yield held
        finally:
            held.give_back()

    async def take(self, size: int) -> None:
        """Wait for so much room. Raises ProviderOverloaded."""
        place = object()
        self._line.append(place)
        try:
            async with asyncio.timeout(self._patience_s):
                try:
                    async with asyncio.timeout(self._in_line_s):
                        await self._until(lambda: self._line[0] is place and size <= self._free)
                except TimeoutError:
                    await self._until(lambda: size <= self._free)
            self._free -= size
        except TimeoutError:
            raise ProviderOverloaded("Too many files are on their way to models at once: try again later.") from None
        finally:
            self._line.remove(place)
            self._moved.set()

    def free(self, size: int) -> None:
        """Give room back."""
        self._free += size
        self._moved.set()

    async def _until(self, ready: Callable[[], bool]) -> None:
        while not ready():
            self._moved.clear()
            await self._moved.wait()


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
