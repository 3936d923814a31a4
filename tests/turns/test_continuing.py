"""Continuing: what is left out of an answer that is continued leaves its numbers to what comes in its place."""

import asyncio
import shutil
from pathlib import Path

from luxx.core.deltas import Finish, TextDelta, ThinkingDelta, ToolCallDelta, VerbatimDelta
from luxx.core.errors import ProviderUnreachable
from luxx.core.replay import Replay
from luxx.core.steps import answer_text
from luxx.turns.requests import AnswerAgain
from tests.engine.fakes import USAGE, Batch, FakeToolbox, call_all, say
from tests.turns.bench import Bench, FakeEndpoint, bench, has_result, quick, replay, until

CUT = ToolCallDelta(slot=0, id="c", name="look", arguments="{")


def signed(text: str) -> list[Batch]:
    """A whole answer of a signed thought and a text."""
    return [
        [ThinkingDelta("hm"), VerbatimDelta(b'{"signed":2}')],
        [TextDelta(text)],
        [Finish(reason="stop", usage=USAGE)],
    ]


async def continued(at: Bench, message_id: str) -> tuple[int, str, Replay]:
    """Continue an answer; return how many of its model calls were kept, the new turn, and how that ended."""
    again = await at.supervisor.continue_answer(at.store.owner, AnswerAgain(message_id=message_id))
    folded = replay(await at.follow(again.turn.id))
    return again.turn.settings.kept_calls, again.turn.id, folded


async def test_the_part_of_a_cut_call_makes_room_for_that_of_the_step_after_it(tmp_path: Path) -> None:
    cut: list[Batch] = [[TextDelta("half ")], [CUT], [VerbatimDelta(b'{"signed":1}')], ProviderUnreachable("cut")]
    model = FakeEndpoint(cut, signed("and half"))
    async with bench(tmp_path, model) as at:
        failed = (await at.post()).turn
        await at.follow(failed.id)
        _, _, folded = await continued(at, failed.message_id)
        assert answer_text(folded.steps()) == "half and half"


async def test_the_parts_of_void_steps_make_room_for_those_that_come_after_them(tmp_path: Path) -> None:
    first = FakeEndpoint(call_all("look"), [*signed("half")[:2], asyncio.Event()])
    async with bench(tmp_path / "one", first, FakeToolbox(look=quick)) as at:
        turn = (await at.post()).turn
        await until(at, turn.id, lambda folded: answer_text(folded.steps()) == "half")
        shutil.copytree(
            tmp_path / "one", tmp_path / "two", ignore=shutil.ignore_patterns("*lock*")
        )  # as a kill leaves it
        conversation_id = at.conversation_id
    second = FakeEndpoint([ProviderUnreachable("gone")], signed("whole"))
    async with bench(tmp_path / "two", second, FakeToolbox(look=quick), conversation_id) as at:
        await at.follow(turn.id)
        _, _, folded = await continued(at, turn.message_id)
        assert answer_text(folded.steps()) == "whole"


async def test_a_model_call_that_left_nothing_but_a_cut_call_is_made_again(tmp_path: Path) -> None:
    cut: list[Batch] = [[CUT], [Finish(reason="length", usage=USAGE)]]
    model = FakeEndpoint(call_all("look"), cut, say("whole"))
    async with bench(tmp_path, model, FakeToolbox(look=quick)) as at:
        turn = (await at.post()).turn
        await at.follow(turn.id)
        kept_calls, _, folded = await continued(at, turn.message_id)
        assert (kept_calls, answer_text(folded.steps())) == (1, "whole")


async def test_an_answer_of_nothing_but_a_cut_call_is_made_anew(tmp_path: Path) -> None:
    model = FakeEndpoint([[CUT], ProviderUnreachable("cut")], say("whole"))
    async with bench(tmp_path, model) as at:
        turn = (await at.post()).turn
        await at.follow(turn.id)
        _, _, folded = await continued(at, turn.message_id)
        assert answer_text(folded.steps()) == "whole"


async def test_tools_called_in_the_place_of_a_cut_call_are_run_after_a_crash(tmp_path: Path) -> None:
    started = asyncio.Event()

    async def hang(arguments: str) -> str:
        started.set()
        await asyncio.Event().wait()
        return ""

    cut: list[Batch] = [[CUT], [Finish(reason="length", usage=USAGE)]]
    box = FakeToolbox(look=quick, slow=hang)
    async with bench(tmp_path, FakeEndpoint(call_all("look"), cut, call_all("slow")), box) as at:
        turn = (await at.post()).turn
        await at.follow(turn.id)
        again = await at.supervisor.continue_answer(at.store.owner, AnswerAgain(message_id=turn.message_id))
        await started.wait()
        conversation_id = at.conversation_id
    after = FakeToolbox(look=quick, slow=quick)
    async with bench(tmp_path, FakeEndpoint(say("done")), after, conversation_id) as at:
        folded = replay(await at.follow(again.turn.id))
        assert has_result(folded)
        assert (answer_text(folded.steps()), [name for name, _, _ in after.ran]) == ("done", ["slow"])
