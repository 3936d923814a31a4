"""Following a turn through cuts: each event once, in order, up to the end."""

import asyncio
from contextlib import aclosing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luxx.client import ApiError, Client, ProtocolError, Reconnecting, Retry, Unreachable
from luxx.core.events import LogEntry
from tests.client.fake_server import FakeServer, Stream, serving, sse
from tests.client.logs import DONE, STARTED, TOOL_TURN, log

QUICK = Retry(patience=10, first=0.001, longest=0.01, silence=10)
WIRE = b"".join(sse(entry) for entry in TOOL_TURN)


async def follow(server: FakeServer, after: int = 0, retry: Retry = QUICK) -> list[LogEntry]:
    async with asyncio.timeout(30), Client(server.url, retry=retry) as client:
        return [entry async for entry in client.follow("t", after)]


async def test_an_undisturbed_turn_comes_whole() -> None:
    async with serving(TOOL_TURN) as server:
        assert await follow(server) == TOOL_TURN


async def test_every_event_comes_once_wherever_the_stream_is_cut() -> None:
    async with serving(TOOL_TURN) as server, Client(server.url, retry=QUICK) as client:
        for position in range(len(WIRE)):
            server.streams = [Stream(position, "abort" if position % 2 else "eof")]
            assert [entry async for entry in client.follow("t")] == TOOL_TURN, f"cut after byte {position}"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.sampled_from(["abort", "eof"])), max_size=12), st.integers(0, 14))
def test_every_event_comes_once_through_many_cuts(cuts: list[tuple[int, str]], after: int) -> None:
    async def scenario() -> list[LogEntry]:
        async with serving(TOOL_TURN) as server:
            server.streams = [Stream(*cut) for cut in cuts]
            return await follow(server, after)

    assert asyncio.run(scenario()) == TOOL_TURN[after:]


async def test_it_resumes_after_the_last_event_that_came_whole() -> None:
    async with serving(TOOL_TURN) as server:
        server.streams = [Stream(sum(len(sse(entry)) for entry in TOOL_TURN[:3]) + 5)]
        await follow(server)
        assert server.resumed_at == [0, 3]


async def test_events_that_are_sent_again_are_left_out() -> None:
    async with serving(TOOL_TURN) as server:
        server.streams = [Stream(prefix=b"".join(sse(entry) for entry in TOOL_TURN[:6]))]
        assert await follow(server) == TOOL_TURN


async def test_gaps_of_a_compacted_log_are_legal() -> None:
    compact = [entry for entry in TOOL_TURN if entry.name != "step_delta"]
    async with serving(compact) as server:
        assert await follow(server) == compact


async def test_names_of_a_newer_server_are_passed_on() -> None:
    entries = [*log(STARTED), LogEntry(2, "surprise", b"{}"), LogEntry(3, "done", b"{}")]
    async with serving(entries) as server:
        assert await follow(server) == entries


async def test_a_turn_that_was_seen_to_its_end_gives_nothing() -> None:
    async with serving(TOOL_TURN) as server:
        assert await follow(server, after=len(TOOL_TURN)) == []


async def test_a_number_beyond_the_log_is_an_error() -> None:
    async with serving(TOOL_TURN) as server:
        with pytest.raises(ApiError) as caught:
            await follow(server, after=99)
        assert (caught.value.status, caught.value.reason) == (409, "ahead_of_log")


async def test_a_turn_that_is_not_there_is_an_error() -> None:
    async with serving(TOOL_TURN) as server, Client(server.url, retry=QUICK) as client:
        with pytest.raises(ApiError) as caught:
            await anext(client.follow("other"))
        assert caught.value.status == 404


async def test_it_goes_on_after_a_restart_of_the_server() -> None:
    async with serving(TOOL_TURN) as server:
        server.streams = [Stream(len(sse(TOOL_TURN[0])), "hang")]
        waits: list[Reconnecting] = []
        refused = asyncio.Event()

        def on_wait(wait: Reconnecting) -> None:
            waits.append(wait)
            if wait.attempt >= 3:
                refused.set()

        async with (
            asyncio.timeout(30),
            Client(server.url, retry=QUICK) as client,
            aclosing(client.follow("t", on_wait=on_wait)) as entries,
        ):
            got = [await anext(entries)]
            await server.stop()
            async with asyncio.TaskGroup() as group:
                group.create_task(_restart(server, refused))
                got += [entry async for entry in entries]
        assert got == TOOL_TURN
        assert [wait.attempt for wait in waits] == list(range(1, len(waits) + 1))


async def _restart(server: FakeServer, when: asyncio.Event) -> None:
    await when.wait()
    await server.start()


async def test_it_gives_up_when_the_server_stays_away() -> None:
    async with serving(TOOL_TURN) as server:
        await server.stop()
        with pytest.raises(Unreachable, match="No server answers"):
            await follow(server, retry=Retry(patience=0.05, first=0.001, longest=0.01))


async def test_it_gives_up_on_a_server_that_ends_every_stream_without_a_word() -> None:
    async with serving(TOOL_TURN) as server:
        server.streams = [Stream(0, "eof")] * 1000
        with pytest.raises(ProtocolError):
            await follow(server, retry=Retry(patience=0.05, first=0.001, longest=0.01))


async def test_a_silent_stream_counts_as_cut() -> None:
    async with serving(TOOL_TURN) as server:
        server.streams = [Stream(100, "hang")]
        assert await follow(server, retry=Retry(patience=10, first=0.001, silence=0.05)) == TOOL_TURN


async def test_the_wait_that_the_server_asks_for_is_kept() -> None:
    async with serving(TOOL_TURN) as server, Client(server.url, retry=QUICK) as client:
        server.streams = [Stream(40, "eof", prefix=b"retry: 50\n\n: leaving\n\n")]
        waits: list[Reconnecting] = []
        async with asyncio.timeout(30):
            assert [entry async for entry in client.follow("t", on_wait=waits.append)] == TOOL_TURN
        assert [0.05 <= wait.delay <= 0.06 for wait in waits] == [True]


async def test_a_server_that_drains_or_is_full_is_waited_for() -> None:
    async with serving(TOOL_TURN) as server:
        busy = {"code": "draining", "detail": "going down"}
        server.refusals = [(503, {}, busy), (503, {"Retry-After": "0"}, busy), (502, {}, "bad gateway")]
        assert await follow(server) == TOOL_TURN


@pytest.mark.parametrize("number", [b"", b"x", b"-1", "٣".encode(), b"9" * 30])
async def test_an_event_without_a_number_is_an_error(number: bytes) -> None:
    async with serving(log(STARTED, DONE)) as server:
        server.streams = [Stream(prefix=b"id: %s\nevent: turn\ndata: {}\n\n" % number)]
        with pytest.raises(ProtocolError, match="no number"):
            await follow(server)


async def test_an_answer_that_is_no_event_stream_is_an_error() -> None:
    async with serving(log(STARTED, DONE)) as server:
        server.refusals = [(200, {"Content-Type": "text/html"}, "hello")]
        with pytest.raises(ProtocolError):
            await follow(server)


async def test_leaving_early_closes_the_connection() -> None:
    async with serving(TOOL_TURN) as server, Client(server.url, retry=QUICK) as client:
        server.streams = [Stream(None, "hang")]
        async with asyncio.timeout(30), aclosing(client.follow("t")) as entries:
            assert await anext(entries) == TOOL_TURN[0]
