"""Notes on what a model can no longer be told: whole, in pieces that fit, and without the model where it fails."""

from collections.abc import AsyncGenerator, Sequence

from luxx.core.deltas import Delta, Finish, TextDelta
from luxx.core.errors import ProviderUnreachable
from luxx.core.prompts import ModelRequest, UserPrompt
from luxx.engine.summing import NOTED, notes_on
from tests.engine.fakes import FakeModel
from tests.engine.test_context import Bounded, Noting, past


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


async def test_notes_that_break_off_say_what_they_leave_out() -> None:
    earlier = UserPrompt(f"{NOTED}\n\n{'Ann and Bob. ' * 50}The end.")
    prompts = [earlier, *past(20)[0]]
    notes, _ = await notes_on(prompts, Failing(1), ModelRequest(model="m", prompts=()), 4_000)
    assert notes.startswith("the first notes")
    assert "Ann and Bob. The end." in notes
    assert "- question 19" in notes


async def test_notes_leave_room_for_the_thoughts_before_them() -> None:
    model = Noting()
    await notes_on(past(2)[0], model, ModelRequest(model="m", prompts=()), 200_000)
    await notes_on(past(2)[0], model, ModelRequest(model="m", prompts=()), 8_000)
    assert [request.max_tokens for request in model.asked] == [8_000, 2_000]


async def test_pieces_that_are_too_long_for_the_provider_are_made_smaller() -> None:
    model = Bounded(6_000, 0)
    notes, usage = await notes_on(past(9)[0], model, ModelRequest(model="m", prompts=()), 60_000)
    assert notes == "the notes"
    assert usage.total_tokens == 5 * len(model.asked)
    assert 1 < model.refused < 10
