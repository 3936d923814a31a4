"""The engine of the embedded model: starting, ending and mending its child process."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from luxx.core.errors import ProviderError, ProviderTimeout
from luxx.providers.local.engine import Address, LocalEngine, Pace

CHILD = Path(__file__).parent / "bad_child.py"
LIMIT_S = 30

Make = Callable[..., LocalEngine]


class Register:
    """Where children report when they start; `ended` is set as often as one of them ends."""

    def __init__(self) -> None:
        self.starts = 0
        self.started = asyncio.Event()
        self.ended = asyncio.Event()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Note a child's start, and its end."""
        self.starts += 1
        self.started.set()
        writer.write(str(self.starts).encode())
        with contextlib.suppress(ConnectionError):
            await reader.read()
        self.ended.set()
        writer.close()


@pytest.fixture
def register() -> Register:
    return Register()


@pytest.fixture
async def make(tmp_path: Path, register: Register) -> AsyncIterator[Make]:
    """Return a maker of engines whose child behaves as told; they are stopped at the end."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(asyncio.timeout(LIMIT_S))
        server = await asyncio.start_server(register.take, "127.0.0.1")
        await stack.enter_async_context(server)
        port = str(server.sockets[0].getsockname()[1])

        def build(manner: str, **pace: float) -> LocalEngine:
            engine = LocalEngine(
                tmp_path,
                find=lambda _: tmp_path / "model.gguf",
                program=(sys.executable, "-S", str(CHILD), manner, port),
                pace=Pace(**{"backoff_s": 0.001, **pace}),
            )
            stack.push_async_callback(engine.stop)
            return engine

        yield build


async def test_nothing_is_started_before_it_is_needed(make: Make, register: Register) -> None:
    make("well")
    assert register.starts == 0


async def test_many_who_ask_at_once_share_one_start(make: Make, register: Register) -> None:
    engine = make("well")
    addresses = await asyncio.gather(*(engine.ensure() for _ in range(8)))
    assert len(set(addresses)) == 1
    assert register.starts == 1


async def test_a_caller_that_gives_up_leaves_the_start_to_the_others(make: Make, register: Register) -> None:
    engine = make("well")
    async with asyncio.TaskGroup() as group:
        impatient = group.create_task(engine.ensure())
        patient = group.create_task(engine.ensure())
        await register.started.wait()
        impatient.cancel()
    assert patient.result().base_url.startswith("http://127.0.0.1:")
    assert register.starts == 1


async def test_a_child_that_died_is_started_again_at_another_address(make: Make, register: Register) -> None:
    engine = make("dies when asked")
    first = await engine.ensure()
    assert await kill(engine, first) == "exit code -9 (SIGKILL). It said: a library's noise"
    second = await engine.ensure()
    assert second.api_key != first.api_key
    assert await engine.cause_of_death(first) == "it was started again"
    assert register.starts == 2


async def test_a_living_child_has_no_cause_of_death(make: Make) -> None:
    engine = make("well", stop_s=0.01)
    assert await engine.cause_of_death(await engine.ensure()) is None


async def test_one_bad_start_is_mended_without_a_word(make: Make, register: Register) -> None:
    engine = make("exits once")
    await engine.ensure()
    assert register.starts == 2


async def test_after_three_bad_starts_the_engine_gives_up_and_says_why(make: Make, register: Register) -> None:
    engine = make("exits")
    with pytest.raises(ProviderError, match=r"failed 3 times in a row: exit code 1\. It said: something is missing"):
        await engine.ensure()
    assert register.starts == 3


async def test_it_rests_after_giving_up(make: Make, register: Register) -> None:
    engine = make("exits")
    for _ in range(2):
        with pytest.raises(ProviderError, match="3 times in a row"):
            await engine.ensure()
    assert register.starts == 3


async def test_it_tries_again_on_demand_after_the_rest(make: Make, register: Register) -> None:
    engine = make("exits", rest_s=0)
    for _ in range(2):
        with pytest.raises(ProviderError, match="3 times in a row"):
            await engine.ensure()
    assert register.starts == 6


async def test_crashes_that_follow_a_quick_answer_count_too(make: Make, register: Register) -> None:
    engine = make("dies when asked")
    for _ in range(3):
        await kill(engine, await engine.ensure())
    with pytest.raises(ProviderError, match=r"3 times in a row: exit code -9 \(SIGKILL\)"):
        await engine.ensure()
    assert register.starts == 3


async def test_crashes_after_a_long_life_do_not_count(make: Make, register: Register) -> None:
    engine = make("dies when asked", fast_crash_s=0)
    for _ in range(4):
        await kill(engine, await engine.ensure())
    assert register.starts == 4


async def test_a_child_that_is_never_ready_is_a_timeout(make: Make) -> None:
    with pytest.raises(ProviderTimeout, match="did not get ready"):
        await make("never ready", start_s=0.2).ensure()


async def test_a_program_that_cannot_be_run_is_a_providers_error(tmp_path: Path) -> None:
    engine = LocalEngine(tmp_path, find=lambda _: tmp_path, program=(str(tmp_path / "nothing"),))
    with pytest.raises(ProviderError, match="cannot be started"):
        await engine.ensure()


async def test_a_stop_while_it_starts_ends_those_who_wait(make: Make, register: Register) -> None:
    engine = make("never ready")
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(refusal(engine)) for _ in range(2)]
        await register.started.wait()
        await engine.stop()
    assert all("shutting down" in task.result() for task in waiting)


async def test_a_stopped_engine_starts_nothing(make: Make, register: Register) -> None:
    engine = make("well")
    await engine.stop()
    with pytest.raises(ProviderError, match="shutting down"):
        await engine.ensure()
    assert register.starts == 0


async def test_a_child_that_does_not_end_by_itself_is_killed(make: Make, register: Register) -> None:
    engine = make("goes on for ever", stop_s=0.05)
    await engine.ensure()
    await engine.stop()
    await register.ended.wait()


async def test_a_deaf_reader_does_not_block_a_noisy_child(make: Make) -> None:
    await make("is noisy").ensure()


async def kill(engine: LocalEngine, address: Address) -> str | None:
    """Connect to a child that dies of it, and return what the engine says about it."""
    url = urlsplit(address.base_url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    with contextlib.suppress(ConnectionError):
        await reader.read()
    writer.close()
    return await engine.cause_of_death(address)


async def refusal(engine: LocalEngine) -> str:
    """Return what a request that is refused is told."""
    with pytest.raises(ProviderError) as caught:
        await engine.ensure()
    return caught.value.message
