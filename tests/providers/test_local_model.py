"""The embedded model as a provider: what it answers, with the real model."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio

from luxx.core.deltas import Delta, Finish, TextDelta
from luxx.core.errors import AnswerIncomplete, ContextOverflow, ProviderAuth
from luxx.core.prompts import AnswerPrompt, CallPrompt, ModelRequest, ResultPrompt, ToolSpec, UserPrompt
from luxx.providers.local.engine import Address, LocalEngine
from luxx.providers.local.model import CONTEXT_WINDOW, Connect, LocalModel, over
from luxx.providers.transport import Transport

pytestmark = pytest.mark.asyncio(loop_scope="module")

STORY = "Tell me a very long story about a ship."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def connect() -> AsyncIterator[Connect]:
    """Return how a LocalModel reaches its child."""
    transport = Transport()
    yield over(transport)
    await transport.aclose()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalEngine]:
    """Return the engine that these tests share."""
    async with LocalEngine(tmp_path_factory.mktemp("data")) as made:
        yield made


@pytest.fixture
def model(engine: LocalEngine, connect: Connect) -> LocalModel:
    return LocalModel(engine, connect)


def ask(text: str, **settings: object) -> ModelRequest:
    return ModelRequest(model="anything", prompts=(UserPrompt(text),), **settings)


async def answer(model: LocalModel, request: ModelRequest) -> list[Delta]:
    """Return all deltas of an answer."""
    return [delta async for deltas in model.stream(request) for delta in deltas]


async def test_it_answers(model: LocalModel) -> None:
    *said, finish = await answer(model, ask("How many legs does a spider have?", max_tokens=40))
    assert all(isinstance(delta, TextDelta) for delta in said)
    assert "".join(delta.text for delta in said if isinstance(delta, TextDelta)).strip()
    assert isinstance(finish, Finish)
    assert finish.reason in ("stop", "length")
    assert finish.usage
    assert finish.usage.input_tokens > 10
    assert finish.usage.output_tokens >= len(said)


async def test_the_limit_of_tokens_holds(model: LocalModel) -> None:
    *_, finish = await answer(model, ask(STORY, max_tokens=3))
    assert isinstance(finish, Finish)
    assert finish.reason == "length"
    assert finish.usage
    assert finish.usage.output_tokens == 3


async def test_more_ask_at_once_than_are_answered_at_once_and_all_get_an_answer(model: LocalModel) -> None:
    answers = await asyncio.gather(*(answer(model, ask(f"Say {n}.", max_tokens=4)) for n in range(6)))
    assert all(isinstance(deltas[-1], Finish) for deltas in answers)


async def test_a_conversation_with_the_tools_of_another_model_goes_on(model: LocalModel) -> None:
    request = ModelRequest(
        model="anything",
        prompts=(
            UserPrompt("What is the weather in Paris?"),
            AnswerPrompt(thinking="hm", calls=(CallPrompt(id="a", name="weather", arguments="{}"),)),
            ResultPrompt(id="a", name="weather", content="18 degrees, sunny"),
            AnswerPrompt(text="It is sunny."),
            UserPrompt("And how warm?"),
        ),
        tools=(ToolSpec(name="weather", description="Tells the weather.", parameters={"type": "object"}),),
        max_tokens=20,
    )
    assert isinstance((await answer(model, request))[-1], Finish)


async def test_a_conversation_that_is_too_long_is_a_context_overflow(model: LocalModel) -> None:
    with pytest.raises(ContextOverflow):
        await answer(model, ask("word " * 2 * CONTEXT_WINDOW))


async def test_closing_an_answer_frees_the_model(model: LocalModel) -> None:
    for _ in range(8):  # more than it answers at once; each would go on for half a minute
        async with aclosing(model.stream(ask(STORY, temperature=1.0))) as stream:
            await anext(stream)
    assert await answer(model, ask("Hello", max_tokens=2))


async def test_a_wrong_key_is_refused(engine: LocalEngine, connect: Connect) -> None:
    model = LocalModel(engine, lambda address: connect(Address(address.base_url, "wrong")))
    with pytest.raises(ProviderAuth):
        await answer(model, ask("Hello"))


async def test_a_check_starts_it(model: LocalModel) -> None:
    check = await model.check()
    assert check.ok
    assert check.models == 1


async def test_a_stop_in_mid_answer_is_no_clean_end(tmp_path: Path, connect: Connect) -> None:
    async with LocalEngine(tmp_path) as engine, aclosing(LocalModel(engine, connect).stream(ask(STORY))) as stream:
        await anext(stream)
        await engine.stop()
        with pytest.raises(AnswerIncomplete, match="The embedded model stopped: the server is shutting down"):
            await exhaust(stream)


async def exhaust(stream: AsyncIterator[object]) -> None:
    """Read a stream to its end."""
    async for _ in stream:
        pass
