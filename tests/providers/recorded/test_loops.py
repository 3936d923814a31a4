"""Recorded tool loops: played through a real connection, each next request says what the recorded one said."""

from collections.abc import AsyncIterator

import pytest

from luxx.core.ports import Model
from luxx.core.prompts import AnswerPrompt, CallPrompt, ModelRequest
from luxx.providers.transport import Transport
from tests.providers import cassettes
from tests.providers.endpoint import Answer, Endpoint
from tests.providers.recorded.wires import WIRES, Wire
from tests.providers.told import Told

LOOPS = [pytest.param(wire, loop, id=loop.id) for wire in WIRES for loop in wire.loops()]


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    transport = Transport()
    yield transport
    await transport.aclose()


@pytest.mark.parametrize(("wire", "loop"), LOOPS)
async def test_a_recorded_loop_is_played_to_its_last_text(
    wire: Wire, loop: cassettes.Loop, transport: Transport
) -> None:
    answers: list[AnswerPrompt] = []
    async with Endpoint(*(Answer(pieces=[exchange.answer]) for exchange in loop.interactions)) as endpoint:
        model = wire.provider(endpoint.url, transport)
        for exchange in loop.interactions:
            told = await _ask(model, wire.request(exchange.request, answers))
            answers.append(_answer(told))
            wire.compare(endpoint.asked[-1].json, exchange.request, loop.id)
    assert len(endpoint.asked) == len(loop.interactions)
    assert answers[-1].text or answers[-1].calls


async def _ask(model: Model, request: ModelRequest) -> Told:
    told = Told()
    async for deltas in model.stream(request):
        assert deltas
        for delta in deltas:
            told.take(delta)
    return told


def _answer(told: Told) -> AnswerPrompt:
    """Return an answer as it is told of in the next request."""
    assert told.finish
    calls = tuple(
        CallPrompt(id=i or f"made-up-{slot}", name=name, arguments=arguments or "{}")
        for slot, (i, name, arguments) in enumerate(told.whole_tools)
    )
    return AnswerPrompt(text=told.text, thinking=told.reasoning, calls=calls, raw=told.raw)
