"""The embedded model as a provider: what it asks, and how it fails, with children that behave badly."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from luxx.core.deltas import Delta, TextDelta
from luxx.core.errors import AnswerIncomplete, ProviderError, ProviderUnreachable
from luxx.core.ports import ModelInfo
from luxx.core.prompts import AnswerPrompt, CallPrompt, ModelRequest, ResultPrompt, ToolSpec, UserPrompt
from luxx.providers.local.engine import LocalEngine, Pace
from luxx.providers.local.model import SYSTEM_PROMPT, Connect, LocalModel, adapt, over
from luxx.providers.transport import Transport

CHILD = Path(__file__).parent / "bad_child.py"
LIMIT_S = 30

Failing = Callable[[str], LocalModel]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Return how a LocalModel reaches its child."""
    transport = Transport()
    async with asyncio.timeout(LIMIT_S):
        yield over(transport)
    await transport.aclose()


@pytest.fixture
async def failing(tmp_path: Path, connect: Connect) -> AsyncIterator[Failing]:
    """Return a maker of models whose child behaves badly."""
    async with AsyncExitStack() as stack:
        server = await asyncio.start_server(welcome, "127.0.0.1")
        await stack.enter_async_context(server)
        port = str(server.sockets[0].getsockname()[1])

        def build(manner: str) -> LocalModel:
            engine = LocalEngine(
                tmp_path,
                find=lambda _: tmp_path,
                program=(sys.executable, "-S", str(CHILD), manner, port),
                pace=Pace(backoff_s=0.001),
            )
            stack.push_async_callback(engine.stop)
            return LocalModel(engine, connect)

        yield build


async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Let a child report its start."""
    writer.write(b"1")
    await reader.read()
    writer.close()


def ask(text: str, **settings: object) -> ModelRequest:
    return ModelRequest(model="anything", prompts=(UserPrompt(text),), **settings)


async def answer(model: LocalModel, request: ModelRequest) -> list[Delta]:
    """Return all deltas of an answer."""
    return [delta async for deltas in model.stream(request) for delta in deltas]


async def test_a_child_that_dies_in_mid_answer_is_no_clean_end(failing: Failing) -> None:
    stream = failing("dies in an answer").stream(ask("Hello"))
    assert await anext(stream) == [TextDelta("Half an")]
    with pytest.raises(AnswerIncomplete, match=r"The embedded model stopped: exit code -9 \(SIGKILL\)"):
        await anext(stream)


async def test_a_child_that_dies_before_its_answer_can_be_asked_again(failing: Failing) -> None:
    with pytest.raises(ProviderUnreachable, match="SIGKILL") as caught:
        await answer(failing("dies when asked"), ask("Hello"))
    assert caught.value.retryable


async def test_a_child_that_cannot_start_ends_the_answer_with_the_reason(failing: Failing) -> None:
    with pytest.raises(ProviderError, match="something is missing") as caught:
        await answer(failing("exits"), ask("Hello"))
    assert not caught.value.retryable


async def test_it_lists_its_one_model_without_starting_it(tmp_path: Path, connect: Connect) -> None:
    model = LocalModel(LocalEngine(tmp_path, program=("/no/such/program",)), connect)
    assert await model.list_models() == (ModelInfo(id="smollm2-135m", context_window=8192),)


async def test_a_check_tells_what_is_wrong(failing: Failing) -> None:
    check = await failing("exits").check()
    assert not check.ok
    assert "something is missing" in check.detail


@pytest.mark.parametrize("system", [None, "", "  \n"])
def test_a_request_without_a_system_prompt_gets_one(system: str | None) -> None:
    assert adapt(ask("Hello", system=system)).system == SYSTEM_PROMPT


def test_a_system_prompt_is_kept() -> None:
    assert adapt(ask("Hello", system="Be rude.")).system == "Be rude."


def test_it_is_told_of_no_tools_and_gets_their_results_in_words() -> None:
    request = ModelRequest(
        model="anything",
        prompts=(
            UserPrompt("What time is it?"),
            AnswerPrompt(text="Let me see.", calls=(CallPrompt(id="a", name="clock", arguments="{}"),), raw=b"{}"),
            ResultPrompt(id="a", name="clock", content="noon"),
        ),
        tools=(ToolSpec(name="clock", description="", parameters={}),),
    )
    adapted = adapt(request)
    assert adapted.tools == ()
    assert adapted.prompts == (
        UserPrompt("What time is it?"),
        AnswerPrompt(text="Let me see."),
        UserPrompt("Result of clock: noon"),
    )
