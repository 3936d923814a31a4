"""Talks: conversations with a provider that a test plays, on servers that come and go."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import Any, Literal, Self

from luxx.client import Client, ConversationFields, Message, Overrides, ProviderFields, TurnHandle
from luxx.engine.summing import SYSTEM
from tests.e2e.picture_tools import PICTURE
from tests.e2e.voices import Saying, Voice
from tests.providers.endpoint import Answer, Asked, Endpoint, json_answer

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
NOTES = "They spoke of bees."
THOUGHTS = 2_000
FILES = (("photo.png", PICTURE), ("paper.pdf", PDF), ("notes.txt", "Näheres in den Notizen.".encode()))

_ENDS = MappingProxyType[str, Literal["cut", "hold"]]({"off": "cut", "hold": "hold"})


class Speaker(Endpoint):
    """A provider that says these things in order. What it is asked must keep the rules of its format.

    A request of more than `most` bytes is refused as too long; one for notes on a conversation is kept in `notes`, and answered.
    After `failing_after` requests all fail.
    """

    def __init__(self, voice: Voice, sayings: Iterable[Saying] = (), *, window: int | None = None) -> None:
        super().__init__(Answer(), listing=voice.listing(window))
        self.voice = voice
        self.sayings = list(sayings)
        self.broken: list[str] = []
        self.most: int | None = None
        self.failing_after: int | None = None
        self.refused = 0
        self.notes: list[Asked] = []

    def answer(self, asked: Asked) -> Answer:
        """See Endpoint."""
        try:
            self.voice.check(asked.json)
        except (AssertionError, ValueError, KeyError, IndexError) as error:
            self.broken.append(f"{error!r}: {asked.body.decode()}")
        if SYSTEM[:40] in asked.body.decode():
            self.notes.append(asked)
            if not self._is_too_long(asked):
                return Answer(pieces=[self.voice.says(self._noted(asked))])
        if self._is_too_long(asked):
            self.refused += 1
            return self.voice.overflow(len(asked.body) // 4, (self.most or 0) // 4)
        if self.failing_after is not None and len(self.asked) > self.failing_after:
            return json_answer({"error": {"message": "Out of order."}}, 503)
        saying = self.sayings.pop(0) if self.sayings else Saying(text="Nothing more to say.")
        return Answer(pieces=[self.voice.says(saying)], end=_ENDS.get(saying.cut, "whole"))

    def _noted(self, asked: Asked) -> Saying:
        """The notes come after two thousand tokens of thoughts."""
        limit = self.voice.limit(asked.json)
        if limit is not None and limit <= THOUGHTS:
            return Saying(thinking="What was it?", cut="length")
        return Saying(thinking="What was it?", text=NOTES)

    def _is_too_long(self, asked: Asked) -> bool:
        return self.most is not None and len(asked.body) > self.most

    @property
    def last(self) -> str:
        """The last request, with all text in it as it is."""
        return json.dumps(self.asked[-1].json, ensure_ascii=False)


class Talk:
    """A conversation; `client` may be changed for that of another node."""

    def __init__(self, client: Client, id: str) -> None:
        self.client = client
        self.id = id

    @classmethod
    async def begin(cls, client: Client, speaker: Speaker, name: str = "", **fields: Any) -> Self:  # noqa: ANN401 - fields of a conversation
        provider = await add_provider(client, speaker, name)
        conversation = await client.create_conversation(ConversationFields(provider_id=provider, **fields))
        return cls(client, conversation.id)

    async def ask(self, text: str, *, files: bool = False, overrides: Overrides | None = None) -> TurnHandle:
        """Say something, and return its turn."""
        attached = [(await self.client.upload_file(*file)).id for file in FILES] if files else []
        return await self.client.post_message(self.id, text, overrides, attachments=attached)

    async def say(self, text: str, *, files: bool = False, overrides: Overrides | None = None) -> list[str]:
        """Say something, and return the names of its turn's events when it has ended."""
        return await followed(await self.ask(text, files=files, overrides=overrides))

    async def last(self) -> Message:
        """Return the last answer."""
        return (await self.client.messages(self.id)).items[-1]


async def add_provider(client: Client, speaker: Speaker, name: str = "") -> str:
    """Set a provider up, and return its id."""
    voice = speaker.voice
    fields = ProviderFields(
        name=name or voice.format,
        format=voice.format,
        base_url=speaker.url,
        api_key="sk-test",
        default_model=voice.model,
    )
    return (await client.create_provider(fields)).id


async def followed(handle: TurnHandle) -> list[str]:
    """Return the names of a turn's events when it has ended."""
    return [entry.name async for entry in handle.follow()]


async def all_say(talks: Sequence[Talk], text: str, *, files: bool = False) -> None:
    """Say something in all talks at once; each turn ends well."""
    ended = await asyncio.gather(*(talk.say(text, files=files) for talk in talks))
    assert [names[-1] for names in ended] == ["done"] * len(talks)
