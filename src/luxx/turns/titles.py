"""Titles: a model's better name for a conversation, asked for once, after its first answer; failing silently."""

import asyncio

import structlog

from luxx.core.deltas import TextDelta
from luxx.core.errors import LuxxError
from luxx.core.prompts import ModelRequest, UserPrompt
from luxx.store.interface import Store
from luxx.store.records import Branch, Message, Turn
from luxx.turns.endpoints import Endpoints
from luxx.turns.starting import TITLE_CHARACTERS

_log = structlog.get_logger()
PROMPT = "Name this conversation in at most six words, in its own language. Answer with the name alone.\n\n"
EXCERPT = 2_000
TIME_LIMIT = 30.0


class Titles:
    """Names conversations with the model that answered, where `enabled`; else their first words stay."""

    def __init__(self, store: Store, endpoints: Endpoints, enabled: bool) -> None:
        self._store = store
        self._endpoints = endpoints
        self._enabled = enabled

    async def improve(self, turn: Turn) -> None:
        """Ask for a title if the turn was the conversation's first and nobody has named it."""
        if not self._enabled:
            return
        try:
            async with asyncio.timeout(TIME_LIMIT):
                await self._improve(turn)
        except (LuxxError, TimeoutError) as error:
            _log.info("no title", conversation_id=turn.conversation_id, error=str(error))

    async def _improve(self, turn: Turn) -> None:
        conversation = await self._store.conversations.get(turn.owner_id, turn.conversation_id)
        if conversation.title_source != "auto":
            return
        first = await self._store.conversations.branch(
            turn.owner_id, turn.conversation_id, turn.message_id, None, 2, _first
        )
        if first is None:
            return
        text = "\n\n".join(f"{message.role}: {_excerpt(message)}" for message in first)
        model = await self._endpoints.get(turn.owner_id, turn.settings.provider_id)
        request = ModelRequest(model=turn.settings.model, prompts=(UserPrompt(PROMPT + text),), max_tokens=200)
        said: list[str] = []
        async for deltas in model.stream(request):
            said += [delta.text for delta in deltas if isinstance(delta, TextDelta)]
        title = " ".join("".join(said).split()).strip("\"'.*# ")[:TITLE_CHARACTERS]
        if title:
            await self._store.conversations.retitle(turn.owner_id, turn.conversation_id, title)


def _excerpt(message: Message) -> str:
    """Return the beginning of a message; of its files only the names."""
    return " ".join([message.text[:EXCERPT], *(f"[{file.name}]" for file in message.files)])


def _first(branch: Branch) -> tuple[Message, ...] | None:
    """Return the messages of a branch that has no more than these."""
    return None if branch.has_more else branch.items
