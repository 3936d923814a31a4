"""Notes on what a model can no longer be told: whole, in pieces that fit, and without the model where it fails."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from msgspec.structs import replace

from luxx.core.deltas import Delta, Finish, TextDelta, UsageDelta
from luxx.core.errors import ProviderRejected, ProviderUnreachable
from luxx.core.prompts import ModelRequest, UserPrompt
from luxx.core.usage import NOTHING, Usage
from luxx.engine.summing import NOTED, notes_on
from tests.engine.fakes import USAGE, Batch, FakeModel, say
from tests.engine.test_context import Bounded, Noting, past

REQUEST = ModelRequest(model="m", prompts=())
EARLY = Usage(input_tokens=70, output_tokens=1, total_tokens=71)


def uncounted(usage: Usage) -> None:
    raise AssertionError(f"nothing breaks off here that costs {usage}")


class Failing(FakeModel):
    """A fake model that writes notes so many times, and then fails."""

    def __init__(self, notes: int) -> None:
        super().__init__()
        self._notes = notes

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Sequence[Delta], None]:
        if not self._notes:
            raise ProviderUnreachable("gone")
        self._notes -= 1
        yield [TextDelta("the first notes"), Finish(reason="stop")]


class Hanging(FakeModel):
    """A fake model that tells what it has cost so far, and then nothing any more."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Sequence[Delta], None]:
        yield [UsageDelta(EARLY)]
        self.asked.set()
        await asyncio.Event().wait()


async def test_notes_that_break_off_say_what_they_leave_out() -> None:
    earlier = UserPrompt(f"{NOTED}\n\n{'Ann and Bob. ' * 50}The end.")
    prompts = [earlier, *past(20)[0]]
    notes, _ = await notes_on(prompts, Failing(1), REQUEST, 4_000, uncounted)
    assert notes.startswith("the first notes")
    assert "Ann and Bob. The end." in notes
    assert "- question 19" in notes


async def test_notes_leave_room_for_the_thoughts_before_them() -> None:
    model = Noting()
    await notes_on(past(2)[0], model, REQUEST, 200_000, uncounted)
    await notes_on(past(2)[0], model, REQUEST, 8_000, uncounted)
    assert [request.max_tokens for request in model.asked] == [8_000, 2_000]


async def test_pieces_that_are_too_long_for_the_provider_are_made_smaller() -> None:
    model = Bounded(6_000, 0)
    notes, usage = await notes_on(past(9)[0], model, REQUEST, 60_000, uncounted)
    assert notes == "the notes"
    assert usage.total_tokens == 5 * len(model.asked)
    assert 1 < model.refused < 10


async def test_what_notes_have_cost_that_break_off_is_told() -> None:
    broken: list[Usage] = []
    notes: list[Batch] = [[UsageDelta(EARLY)], [TextDelta("no")], ProviderRejected("gone", 400)]
    told, usage = await notes_on(past(2)[0], Noting(notes=notes), REQUEST, 8_000, broken.append)
    assert "question 1" in told
    assert (usage, broken) == (NOTHING, [replace(EARLY, output_tokens=2, total_tokens=72, estimated=True)])


async def test_what_notes_have_cost_that_are_stopped_is_told() -> None:
    broken: list[Usage] = []
    model = Hanging()
    async with asyncio.TaskGroup() as group:
        summing = group.create_task(notes_on(past(2)[0], model, REQUEST, 8_000, broken.append))
        await model.asked.wait()
        summing.cancel()
    assert (summing.cancelled(), broken) == (True, [EARLY])


async def test_whole_notes_cost_what_is_told_at_their_end() -> None:
    broken: list[Usage] = []
    model = Noting(notes=[[UsageDelta(EARLY)], *say("the notes")])
    assert (await notes_on(past(2)[0], model, REQUEST, 200_000, broken.append))[1].total_tokens == USAGE.total_tokens
    unended = Noting(notes=[[UsageDelta(EARLY)], [TextDelta("1234")]])
    _, usage = await notes_on(past(2)[0], unended, REQUEST, 200_000, broken.append)
    assert (usage.total_tokens, broken) == (72, [])
