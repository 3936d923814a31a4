"""History: the earlier messages of a branch as prompts, and a turn's own steps as they stand in its log."""

import sys
from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from luxx.core.prompts import AnswerPrompt, Prompt, ResultPrompt, UserPrompt
from luxx.core.replay import Replay
from luxx.core.steps import Step
from luxx.engine.context import Context, Mark
from luxx.engine.transcript import Transcript
from luxx.store.interface import ConversationStore, TurnStore
from luxx.store.records import Message, Turn

_steps = msgspec.json.Decoder(Step)
PAGE = 2_000
KEPT_BYTES = 64 * 1024 * 1024
_OVERHEAD = 256
"""About what a message takes in memory besides its texts, in bytes."""


class History(NamedTuple):
    """What a turn begins with: the messages before its own as prompts, with the places where they can be cut, the transcript that goes
    on after them, and its message.
    """

    prompts: tuple[Prompt, ...]
    marks: tuple[Mark, ...]
    transcript: Transcript
    own: Message


class _Reach(msgspec.Struct, frozen=True, gc=False):
    """How much is told up to and with a message: how many prompts, and about how many bytes of memory they take."""

    prompts: int
    size: int


class _Past(msgspec.Struct, frozen=True):
    """What a model is told of the messages of a path from the root on.

    `reaches` has the path's messages in order, from the last one on that has a summary: of what is before that, another branch is
    told otherwise. `marks` are where the prompts can be cut.
    """

    prompts: tuple[Prompt, ...] = ()
    marks: tuple[Mark, ...] = ()
    reaches: dict[str, _Reach] = {}

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        return next(reversed(self.reaches.values())).size if self.reaches else 0

    def until(self, message_id: str | None) -> "_Past":
        """Return what is told up to and with a message of the path; None stands for what is before the root."""
        if message_id is None:
            return _Past()
        reaches: dict[str, _Reach] = {}
        for known, reach in self.reaches.items():
            reaches[known] = reach
            if known == message_id:
                break
        end = reaches[message_id].prompts
        return _Past(self.prompts[:end], tuple(mark for mark in self.marks if mark.prompts <= end), reaches)

    def then(self, messages: Iterable[Message], transcript: Transcript) -> "_Past":
        """Return what is told with these messages, which follow; `transcript` goes on after the prompts."""
        context, reaches, size = Context(self.prompts, self.marks), dict(self.reaches), self.size
        for message in messages:
            before = len(context.prompts)
            if message.role == "user":
                context.ask(UserPrompt(message.text, message.files))
            elif context.answer(complete_steps(message), message.calls, transcript, message.id):
                before, size, reaches = 0, 0, {}
            size += _OVERHEAD + sum(map(_size, context.prompts[before:]))
            reaches[message.id] = _Reach(len(context.prompts), size)
        return _Past(tuple(context.prompts), tuple(context.marks), reaches)


class Histories:
    """Owns what models were told in the conversations asked last, so that a turn's start reads only what is new since then.

    Nothing of it can become wrong: a turn starts when all messages before it have ended, and those never change. For each
    conversation, provider and format the last path is kept, those used last up to `limit` bytes together.
    """

    def __init__(self, store: ConversationStore, limit: int = KEPT_BYTES) -> None:
        self._store = store
        self._limit = limit
        self._size = 0
        self._kept: OrderedDict[tuple[str, str, str], _Past] = OrderedDict()

    async def read(self, turn: Turn, provider: str, format: str) -> History:
        """Return what a turn begins with, for a model of the provider with this id, in a wire format. Raises NotFound."""
        key = (turn.conversation_id, provider, format)
        known = self._kept.get(key, _Past())

        def told(messages: tuple[Message, ...]) -> tuple[_Past, Transcript, Message]:
            *new, own = messages
            before = known.until(messages[0].parent_id)
            transcript = Transcript(provider, format, before.prompts)
            return before.then(new, transcript), transcript, own

        past, transcript, own = await self._store.history(turn.owner_id, turn.message_id, told, known.reaches)
        self._keep(key, past)
        return History(past.prompts, past.marks, transcript, own)

    def _keep(self, key: tuple[str, str, str], past: _Past) -> None:
        if old := self._kept.pop(key, None):
            self._size -= old.size
        self._kept[key] = past
        self._size += past.size
        while self._size > self._limit:
            self._size -= self._kept.popitem(last=False)[1].size


def complete_steps(message: Message) -> list[Step]:
    """Return the steps of a stored answer; types that this version does not know are left out."""
    known: list[Step] = []
    for raw in message.steps:
        try:
            known.append(_steps.decode(raw))
        except msgspec.ValidationError:
            continue
    return known


async def replay(store: TurnStore, owner: str, turn_id: str) -> Replay:
    """Fold a turn's whole log."""
    folded = Replay()
    while True:
        page = await store.log(owner, turn_id, folded.seq, PAGE)
        for entry in page.entries:
            folded.apply(entry)
        if page.whole:
            return folded


def _size(prompt: Prompt) -> int:
    match prompt:
        case UserPrompt():
            texts = (prompt.text,)
        case AnswerPrompt():
            calls = (text for call in prompt.calls for text in (call.id, call.name, call.arguments))
            texts = (prompt.text, prompt.thinking, prompt.raw, *calls)
        case ResultPrompt():
            texts = (prompt.id, prompt.name, prompt.content)
    named = (text for file in prompt.files for text in (file.id, file.name, file.media_type))
    return sum(map(sys.getsizeof, (*texts, *named)))
