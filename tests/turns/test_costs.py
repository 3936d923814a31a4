"""What an answer costs: by what its provider tells, else by a price, and never by half."""

import asyncio
from pathlib import Path

from msgspec.structs import replace

from luxx.core.deltas import Finish, TextDelta
from luxx.core.errors import ProviderUnreachable
from luxx.core.events import Done
from luxx.core.ports import ModelInfo
from luxx.core.prices import Price
from luxx.store.records import NewProvider, ProviderChange
from luxx.turns.requests import AnswerAgain
from tests.engine.fakes import USAGE, Batch, FakeToolbox, call_all, say
from tests.turns.bench import Bench, FakeEndpoint, bench, hang_after, has_result, quick, until

PRICE = Price(input=10, output=100)
COST = 0.00023
"""What USAGE costs by that price."""


class Priced(FakeEndpoint):
    """A provider whose list tells a price."""

    def __init__(self, *answers: list[Batch]) -> None:
        super().__init__(*answers)
        self.told = asyncio.Event()

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """List the model."""
        self.told.set()
        return (ModelInfo(id="m", price=PRICE),)


def told(cost: float | None) -> list[Batch]:
    """An answer of whose cost the provider tells."""
    return [[TextDelta("so")], [Finish(reason="stop", usage=replace(USAGE, cost=cost))]]


async def enter(at: Bench, price: Price | None, model: str = "m") -> None:
    """Enter a price for a model of the default provider."""
    provider = await at.store.providers.default(at.store.owner)
    assert provider
    await at.store.providers.change(at.store.owner, provider.id, ProviderChange(prices={model: price}))
    at.supervisor.provider_changed(provider.id)


async def cost(at: Bench) -> float | None:
    """Return what the last answer cost, as it is shown; its last event must say the same."""
    view = await at.last()
    assert view.usage
    return view.usage.cost


async def answered(at: Bench) -> float | None:
    """Post a message, and return what its answer cost."""
    turn = (await at.post()).turn
    folded = await until(at, turn.id, lambda folded: folded.ended)
    assert isinstance(folded.end, Done)
    assert folded.end.usage.cost == await cost(at)
    return await cost(at)


async def test_without_a_price_nothing_is_said(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint(say("so"))) as at:
        assert await answered(at) is None


async def test_a_price_that_was_entered_counts_for_its_model_alone(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint(say("a"), say("b"), say("c"))) as at:
        await enter(at, PRICE, "another")
        assert await answered(at) is None
        await enter(at, PRICE)
        assert await answered(at) == COST
        await enter(at, None)
        assert await answered(at) is None


async def test_all_calls_of_a_turn_are_added_up(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint(call_all("quick"), say("so")), FakeToolbox(quick=quick)) as at:
        await enter(at, PRICE)
        assert await answered(at) == 2 * COST


async def test_what_the_provider_tells_comes_before_a_price(tmp_path: Path) -> None:
    async with bench(tmp_path, FakeEndpoint(told(0.5), told(0.0))) as at:
        await enter(at, PRICE)
        assert [await answered(at), await answered(at)] == [0.5, 0]


async def test_a_sum_that_lacks_a_part_is_not_shown(tmp_path: Path) -> None:
    model = FakeEndpoint(call_all("quick"), told(0.5))
    async with bench(tmp_path, model, FakeToolbox(quick=quick)) as at:
        assert await answered(at) is None


async def test_a_price_in_the_providers_list_counts_once_it_is_known(tmp_path: Path) -> None:
    model = Priced(call_all("wait"), say("so"), told(None), told(None))

    async def wait(arguments: str) -> str:
        await model.told.wait()
        return ""

    async with bench(tmp_path, model, FakeToolbox(wait=wait)) as at:
        await at.follow((await at.post()).turn.id)
        assert await answered(at) == COST
        await enter(at, Price(input=0, output=0))
        assert await answered(at) == 0


async def test_a_price_is_settled_when_the_turn_starts(tmp_path: Path) -> None:
    started = asyncio.Event()
    async with bench(tmp_path, FakeEndpoint(call_all("slow")), FakeToolbox(slow=hang_after(started))) as at:
        await enter(at, PRICE)
        turn = (await at.post()).turn
        await started.wait()
        await enter(at, Price(input=1_000, output=1_000))
        conversation_id = at.conversation_id
    async with bench(tmp_path, FakeEndpoint(say("so")), FakeToolbox(slow=quick), conversation_id) as at:
        await at.follow(turn.id)
        assert await cost(at) == 2 * COST


async def test_a_fallback_costs_by_its_own_price(tmp_path: Path) -> None:
    other = FakeEndpoint(say("I do"))
    async with bench(tmp_path, FakeEndpoint([ProviderUnreachable("gone")]), others={"other": other}) as at:
        owner = at.store.owner
        new = NewProvider(name="other", format="fake", default_model="big", prices={"big": PRICE})
        made = await at.store.providers.create(owner, new)
        await enter(at, Price(input=1_000, output=1_000))
        first = await at.store.providers.default(owner)
        assert first
        await at.store.providers.change(owner, first.id, ProviderChange(fallback_id=made.id))
        assert await answered(at) == COST


async def test_an_answer_that_was_stopped_costs_what_its_whole_calls_did(tmp_path: Path) -> None:
    started = asyncio.Event()
    async with bench(tmp_path, FakeEndpoint(call_all("slow")), FakeToolbox(slow=hang_after(started))) as at:
        await enter(at, PRICE)
        turn = (await at.post()).turn
        await started.wait()
        await at.supervisor.cancel(at.store.owner, turn.id)
        await at.follow(turn.id)
        assert await cost(at) == COST


async def test_what_is_continued_has_cost_what_it_did(tmp_path: Path) -> None:
    cut: list[Batch] = [[TextDelta("half")], ProviderUnreachable("cut")]
    model = FakeEndpoint(call_all("quick"), cut, say(" and half"))
    async with bench(tmp_path, model, FakeToolbox(quick=quick)) as at:
        await enter(at, PRICE)
        turn = (await at.post()).turn
        await until(at, turn.id, has_result)
        await at.follow(turn.id)
        assert await cost(at) == COST
        again = await at.supervisor.continue_answer(at.store.owner, AnswerAgain(message_id=turn.message_id))
        await at.follow(again.turn.id)
        assert await cost(at) == 2 * COST
