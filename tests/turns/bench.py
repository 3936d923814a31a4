"""A supervisor on the real store with a fake model, and what tests of turns do with it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from luxx.core.events import LogEntry
from luxx.core.ports import Check, Endpoint, ModelInfo
from luxx.core.replay import Replay
from luxx.core.steps import ToolResult, answer_text
from luxx.engine.plan import RunLimits
from luxx.store.interface import Store
from luxx.store.records import ConversationSettings, NewProvider, StartedTurn
from luxx.store.secrets import SecretBox
from luxx.store.sqlite.store import open_sqlite
from luxx.turns.endpoints import Endpoints
from luxx.turns.requests import AssistantMessageView, PostMessage
from luxx.turns.starting import Starter
from luxx.turns.supervisor import Supervisor
from luxx.turns.titles import Titles
from tests.engine.fakes import FakeModel, FakeToolbox, Tool

KEY = "A" * 43 + "="


class FakeEndpoint(FakeModel):
    """A fake model that can be set up as a provider."""

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """List none."""
        return ()

    async def check(self) -> Check:
        """Say that all is well."""
        return Check(ok=True, detail="fine")


class Bench:
    """A supervisor on a real store with a fake model; what tests do with it."""

    def __init__(self, store: Store, supervisor: Supervisor, conversation_id: str) -> None:
        self.store = store
        self.supervisor = supervisor
        self.conversation_id = conversation_id

    async def post(self, text: str = "hi", **fields: object) -> StartedTurn:
        """Post a message to the conversation."""
        post = PostMessage(conversation_id=self.conversation_id, text=text)
        return await self.supervisor.post(self.store.owner, msgspec.structs.replace(post, **fields))

    async def follow(self, turn_id: str, after: int = 0) -> list[LogEntry]:
        """Read a turn to its end."""
        return [
            entry async for entries in self.supervisor.follow(self.store.owner, turn_id, after) for entry in entries
        ]

    async def answer(self, turn_id: str) -> str:
        """Read a turn to its end and return its text."""
        return answer_text(replay(await self.follow(turn_id)).steps())

    async def last(self) -> AssistantMessageView:
        """Return the last answer as the API shows it."""
        page = await self.supervisor.messages(self.store.owner, self.conversation_id, leaf=None, before=None, limit=50)
        view = page.items[-1]
        assert isinstance(view, AssistantMessageView)
        return view


def replay(entries: list[LogEntry]) -> Replay:
    folded = Replay()
    for entry in entries:
        folded.apply(entry)
    return folded


@asynccontextmanager
async def bench(
    path: Path,
    model: Endpoint,
    box: FakeToolbox | None = None,
    conversation_id: str = "",
    max_active: int = 100,
    on_death: Callable[[], None] = lambda: None,
    limits: RunLimits | None = None,
    others: Mapping[str, Endpoint] | None = None,
) -> AsyncIterator[Bench]:
    """Put a supervisor on the store in a folder; `others` are the models of further providers, by their names."""
    async with asyncio.timeout(30):
        store = await open_sqlite(path, SecretBox([KEY]))
        named = others or {}
        endpoints = Endpoints(store.providers, {"fake": lambda provider, key: named.get(provider.name, model)})
        tools = box or FakeToolbox()
        starter = Starter(store, endpoints, tools, max_iterations=3)
        supervisor = Supervisor(
            store,
            endpoints,
            tools,
            starter,
            Titles(store, endpoints, enabled=False),
            limits=limits or RunLimits(attempts=1),
            max_active=max_active,
            heartbeat=15,
            compact_after=300,
            on_death=on_death,
        )
        if not conversation_id:
            await store.providers.create(store.owner, NewProvider(name="p", format="fake", default_model="m"))
            settings = ConversationSettings(system_prompt="Be kind.")
            conversation_id = (await store.conversations.create(store.owner, None, settings)).id
        await supervisor.start_up()
        try:
            yield Bench(store, supervisor, conversation_id)
        finally:
            await supervisor.close()
            await store.close()


async def until(at: Bench, turn_id: str, wanted: Callable[[Replay], bool]) -> Replay:
    """Follow a turn until its folded state is as wanted."""
    folded = Replay()
    async for entries in at.supervisor.follow(at.store.owner, turn_id, 0):
        for entry in entries:
            folded.apply(entry)
        if wanted(folded):
            return folded
    raise AssertionError("the turn ended before that")


def has_result(folded: Replay) -> bool:
    return any(isinstance(step, ToolResult) and step.state == "complete" for step in folded.steps())


def hang_after(started: asyncio.Event) -> Tool:
    async def hang(arguments: str) -> str:
        started.set()
        await asyncio.Event().wait()
        return ""

    return hang


async def quick(arguments: str) -> str:
    return "quick"
