"""What a model can take is asked beside the turns, and heeded as soon as it is known."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from luxx.core.ports import ModelInfo
from luxx.core.prompts import ResultPrompt
from tests.engine.fakes import Batch, FakeToolbox, call_all, say
from tests.turns.bench import FakeEndpoint, bench


class Slow(FakeEndpoint):
    """A provider that tells late what its model can take."""

    def __init__(self, *answers: Sequence[Batch]) -> None:
        super().__init__(*answers)
        self.may_tell = asyncio.Event()
        self.told = asyncio.Event()

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """List the model."""
        await self.may_tell.wait()
        self.told.set()
        return (ModelInfo(id="m", context_window=4_000),)


async def test_a_window_that_becomes_known_within_a_turn_counts_from_then_on(tmp_path: Path) -> None:
    model = Slow(call_all("read"), say("done"))

    async def read(arguments: str) -> str:
        model.may_tell.set()
        await model.told.wait()
        return "word " * 20_000

    async with bench(tmp_path, model, FakeToolbox(read=read)) as at:
        assert await at.answer((await at.post()).turn.id) == "done"
    (result,) = [prompt for prompt in model.requests[-1].prompts if isinstance(prompt, ResultPrompt)]
    assert len(result.content) < 20_000
    assert "characters left out here" in result.content
