"""Telling: what this node says to the others, beside the turns; that it arrives is not certain, and nothing depends on it."""

import structlog

from luxx.core.errors import InvalidRequest, StorageError
from luxx.store.interface import Nodes
from luxx.turns.background import Background
from luxx.turns.words import Word, write_word

_log = structlog.get_logger()


class Telling:
    """Says words to the other nodes, if there can be any."""

    def __init__(self, nodes: Nodes, background: Background) -> None:
        self._nodes = nodes
        self._background = background

    def tell(self, word: Word) -> None:
        """Say a word, without waiting for it."""
        if self._nodes.shared:
            self._background.spawn(self._say(word))

    async def _say(self, word: Word) -> None:
        try:
            await self._nodes.tell(write_word(word))
        except (StorageError, InvalidRequest) as error:
            _log.warning("other nodes were not told", error=error.message)
