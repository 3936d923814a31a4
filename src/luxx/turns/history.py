"""History: the earlier messages of a branch as prompts, and a turn's own steps as they stand in its log."""

from collections.abc import Sequence

import msgspec

from luxx.core.prompts import Prompt, UserPrompt
from luxx.core.replay import Replay
from luxx.core.steps import Step
from luxx.engine.transcript import Transcript
from luxx.store.interface import TurnStore
from luxx.store.records import Message

_steps = msgspec.json.Decoder(Step)
PAGE = 2_000


def prompts(messages: Sequence[Message], transcript: Transcript) -> tuple[Prompt, ...]:
    """Return what a model is told of the messages of a branch, oldest first."""
    told: list[Prompt] = []
    for message in messages:
        if message.role == "user":
            told.append(UserPrompt(message.text))
        else:
            told += transcript.answers(complete_steps(message), message.calls)
    return tuple(told)


def complete_steps(message: Message) -> list[Step]:
    """Return the steps of a stored answer; types that this version does not know are left out."""
    known: list[Step] = []
    for raw in message.steps:
        try:
            known.append(_steps.decode(raw))
        except msgspec.ValidationError:
            continue
    return known


async def replay(store: TurnStore, turn_id: str) -> Replay:
    """Fold a turn's whole log."""
    folded = Replay()
    while True:
        page = await store.log(turn_id, folded.seq, PAGE)
        for entry in page.entries:
            folded.apply(entry)
        if len(page.entries) < PAGE:
            return folded
