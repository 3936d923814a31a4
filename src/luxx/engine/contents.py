"""Contents: the files that the prompts of a turn name, loaded for the models that can see them."""

from collections.abc import Iterable, Mapping, Sequence

from luxx.core.errors import NotFound
from luxx.core.files import FileRef, Files
from luxx.core.prompts import AnswerPrompt, Prompt, ResultPrompt, UserPrompt

MOST_BYTES = 48 * 1024 * 1024
"""How much is sent along with one request; the newest files come first. Providers take less."""


class Contents:
    """Loads each file of a conversation once in a turn."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._loaded: dict[str, bytes] = {}

    async def of(self, prompts: Sequence[Prompt]) -> Mapping[str, bytes]:
        """Return the contents of the files that the prompts name. Raises StorageError."""
        room = MOST_BYTES
        contents: dict[str, bytes] = {}
        for file in _named(reversed(prompts)):
            if file.id in contents or file.size > room or not (file.is_image or file.is_pdf or file.is_text):
                continue
            content = self._loaded.get(file.id)
            if content is None:
                try:
                    content = await self._files.read(file.id)
                except NotFound:
                    continue
            room -= len(content)
            contents[file.id] = content
        self._loaded = contents
        return contents


def _named(prompts: Iterable[Prompt]) -> Iterable[FileRef]:
    for prompt in prompts:
        match prompt:
            case UserPrompt(files=files) | AnswerPrompt(files=files) | ResultPrompt(files=files):
                yield from files
