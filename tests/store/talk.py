"""A conversation in a store, with short words for what tests do in it, and for the entries of logs."""

from typing import TypeVar

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from luxx.core import steps
from luxx.core.events import Cancelled, Done, End, Event, Failed, LogEntry, ProcessStep, StepDelta, encode
from luxx.core.ids import new_id
from luxx.core.ports import ModelCall
from luxx.core.steps import Step
from luxx.core.usage import Usage
from luxx.store.interface import Store
from luxx.store.records import (
    Appended,
    ClientRequest,
    Conversation,
    ConversationSettings,
    NewEntry,
    NewTurn,
    NewUserMessage,
    OnBusy,
    StartedTurn,
    StepRow,
    Turn,
    TurnBatch,
    TurnSettings,
)

T = TypeVar("T")

SETTINGS = TurnSettings(provider_id="p1", provider="Acme", model="m1", temperature=0.5, tools=("clock",))
USAGE = Usage(input_tokens=3, output_tokens=4, total_tokens=7)
ALL = 10_000


class Talk:
    """One conversation."""

    def __init__(self, store: Store, conversation: Conversation) -> None:
        self.store = store
        self.id = conversation.id
        self.owner = store.owner

    @classmethod
    async def begin(cls, store: Store) -> "Talk":
        return cls(store, await store.conversations.create(store.owner, None, ConversationSettings()))

    async def say(
        self,
        text: str = "hello",
        parent: str | UnsetType | None = UNSET,
        on_busy: OnBusy = "reject",
        title: str | None = None,
        request: ClientRequest | None = None,
        files: tuple[str, ...] = (),
    ) -> StartedTurn:
        """Post a user message."""
        new = NewTurn(
            id=new_id(),
            conversation_id=self.id,
            message_id=new_id(),
            settings=SETTINGS,
            user=NewUserMessage(id=new_id(), text=text, parent_id=parent, files=files),
            title=title,
            on_busy=on_busy,
            request=request,
        )
        return await self.store.turns.start(self.owner, new)

    async def answer_again(
        self, user_message_id: str, kept: str | None = None, on_busy: OnBusy = "reject"
    ) -> StartedTurn:
        """Make another answer to a user message, beginning with what `kept` has."""
        new = NewTurn(
            id=new_id(),
            conversation_id=self.id,
            message_id=new_id(),
            settings=replace(SETTINGS, kept=kept),
            answer_to=user_message_id,
            on_busy=on_busy,
        )
        return await self.store.turns.start(self.owner, new)

    async def answered(self, text: str, answer: str, parent: str | UnsetType | None = UNSET) -> Turn:
        """Post a user message and let it be answered."""
        turn = (await self.say(text, parent)).turn
        step = steps.text(0, 1)
        await self.append(batch(turn, 2, step, ended(step, answer), done(turn)))
        return await self.get(turn)

    async def append(self, *batches: TurnBatch, retry: bool = False) -> Appended:
        return await self.store.turns.append(batches, retry)

    async def get(self, turn: Turn) -> Turn:
        return await self.store.turns.get(self.owner, turn.id)

    async def log(self, turn: Turn, after: int = 0, limit: int = ALL) -> tuple[LogEntry, ...]:
        return (await self.store.turns.log(self.owner, turn.id, after, limit)).entries

    async def told(self, turn: Turn) -> list[tuple[int, str]]:
        """Return the seqs and names of a turn's log."""
        return [(entry.seq, entry.name) for entry in await self.log(turn)]


def whole(found: T) -> T:
    """Read what the store found as it is."""
    return found


def batch(turn: Turn, first: int, *items: Event | Step | ModelCall, void: tuple[int, ...] = ()) -> TurnBatch:
    """Seal what is appended under the seqs from `first`."""
    events = [
        ProcessStep(item) if isinstance(item, Step) else item for item in items if not isinstance(item, ModelCall)
    ]
    return TurnBatch(
        turn_id=turn.id,
        epoch=turn.epoch,
        entries=tuple(entry(first + place, event) for place, event in enumerate(events)),
        calls=tuple(item for item in items if isinstance(item, ModelCall)),
        void=void,
        end=next((item for item in items if isinstance(item, End)), None),
    )


def entry(seq: int, event: Event) -> NewEntry:
    """Return a log entry to write, with its step."""
    row = None
    if isinstance(event, ProcessStep):
        step = event.step
        tag = str(step.__struct_config__.tag)
        row = StepRow(step.index, step.call, tag, step.state, msgspec.json.encode(step))
    return NewEntry(seq, event.name, encode(event), row)


def delta(text: str = "x", index: int = 0) -> StepDelta:
    return StepDelta(index, text)


def ended(step: Step, content: str = "", state: steps.State = "complete") -> Step:
    """Return the step as it is when it has ended."""
    if isinstance(step, steps.ToolCall):
        return replace(step, state=state, arguments=content)
    return replace(step, state=state, content=content)


def done(turn: Turn) -> Done:
    return Done(message_id=turn.message_id, token_count=7, usage=USAGE, finish_reason="stop")


def failed(turn: Turn) -> Failed:
    return Failed(content="It broke.", code="provider_error", message_id=turn.message_id)


def cancelled(turn: Turn) -> Cancelled:
    return Cancelled(turn.message_id)


def call(n: int = 1) -> ModelCall:
    return ModelCall(n=n, provider="Acme", model="m1", format="openai", finish_reason="stop", usage=USAGE, raw=b"{}")
