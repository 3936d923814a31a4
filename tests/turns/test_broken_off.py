"""What answers have cost that broke off: it is kept with the turn and shown, as other usage is."""

import asyncio
from pathlib import Path

from msgspec.structs import replace

from luxx.core.deltas import Finish, TextDelta, ThinkingDelta, UsageDelta, VerbatimDelta
from luxx.core.errors import AnswerIncomplete, RateLimited
from luxx.core.events import Done
from luxx.core.usage import Usage
from luxx.engine.plan import RunLimits
from tests.engine.fakes import USAGE, Batch
from tests.turns.bench import FakeEndpoint, bench, replay
from tests.turns.test_fallback import chain

EARLY = Usage(input_tokens=70, output_tokens=1, total_tokens=71)


async def test_a_cancelled_answer_shows_what_it_has_cost(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint([[UsageDelta(EARLY)], [TextDelta("1234")], asyncio.Event()])) as at:
        started = await at.post()
        async for entries in at.supervisor.follow(at.store.owner, started.turn.id, 0):
            if entries[-1].name == "step_delta":
                break
        await at.supervisor.cancel(at.store.owner, started.turn.id)
        view = await at.last()
        assert view.status == "cancelled"
        assert view.usage == replace(EARLY, output_tokens=2, total_tokens=72, estimated=True)


async def test_an_answer_that_fails_shows_what_it_has_cost(tmp_path: Path) -> None:
    model = FakeEndpoint([[TextDelta("half"), UsageDelta(EARLY)], AnswerIncomplete("cut")])
    async with bench(tmp_path, model) as at:
        await at.follow((await at.post()).turn.id)
        view = await at.last()
        assert (view.status, view.text, view.usage) == ("failed", "half", EARLY)


async def test_attempts_that_cost_something_leave_room_for_the_parts_of_the_answer(tmp_path: Path) -> None:
    attempt: list[Batch] = [[UsageDelta(EARLY)], RateLimited("later", retry_after=0)]
    more: list[Batch] = [[ThinkingDelta("hm"), VerbatimDelta(b"1")], [TextDelta("a"), VerbatimDelta(b"2")]] * 2
    backup = FakeEndpoint([*more, [Finish(reason="stop", usage=USAGE)]])
    async with chain(tmp_path, FakeEndpoint(*[attempt] * 3), backup, limits=RunLimits(attempts=3)) as at:
        folded = replay(await at.follow((await at.post()).turn.id))
        assert isinstance(folded.end, Done)
        assert folded.end.usage == EARLY + EARLY + EARLY + USAGE
        view = await at.last()
        assert (view.status, view.usage) == ("done", folded.end.usage)
