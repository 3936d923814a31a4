"""A reader who follows a turn through whatever happens, and what is checked when it has ended."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from luxx.client import Client, ConversationFields, TurnHandle
from luxx.core.events import LogEntry
from luxx.core.replay import Replay
from luxx.core.rules import ToolRule
from luxx.core.steps import Text, ToolResult, answer_text


async def ask(client: Client, *rounds: list[dict[str, Any]], rules: tuple[ToolRule, ...] = ()) -> TurnHandle:
    scripted = next(provider for provider in await client.providers() if provider.format == "scripted")
    conversation = await client.create_conversation(ConversationFields(provider_id=scripted.id, rules=rules))
    return await client.post_message(conversation.id, json.dumps({"script": list(rounds)}))


class Reader:
    """Follows a turn through whatever happens, and keeps all that it was shown."""

    def __init__(self, handle: TurnHandle) -> None:
        self.handle = handle
        self.shown: list[LogEntry] = []
        self.replay = Replay()
        self._moved = asyncio.Event()

    async def follow(self) -> None:
        """Read to the turn's end."""
        async for entry in self.handle.follow():
            self.shown.append(entry)
            self.replay.apply(entry)
            self._moved.set()

    async def until(self, wanted: Callable[[Replay], bool]) -> None:
        """Wait until what was shown is as wanted."""
        while not wanted(self.replay):
            self._moved.clear()
            await self._moved.wait()


async def check_whole(client: Client, handle: TurnHandle, reader: Reader) -> None:
    """Check that nothing is lost or doubled, and that the saved message is what was shown."""
    assert [entry.seq for entry in reader.shown] == list(range(1, len(reader.shown) + 1))
    again = [entry async for entry in handle.follow()]
    assert again == reader.shown
    turn = await client.turn(handle.turn_id)
    saved = (await client.messages(turn.conversation_id)).items[-1]
    assert saved.steps == reader.replay.steps()
    assert saved.text == answer_text(reader.replay.steps())


def has_text(replay: Replay) -> bool:
    return any(isinstance(step, Text) and len(step.content) > 200 for step in replay.steps())


def has_first_result(replay: Replay) -> bool:
    return any(isinstance(step, ToolResult) and step.state == "complete" for step in replay.steps())
