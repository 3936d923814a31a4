"""The files that model calls hold in memory: only while the call is under way, and no more than a bound together."""

import asyncio

import pytest
from msgspec.structs import replace

from luxx.core.deltas import Finish, TextDelta
from luxx.core.errors import ProviderOverloaded, ProviderUnreachable, StorageError
from luxx.core.events import StepDelta
from luxx.core.files import FileRef
from luxx.core.prompts import ModelRequest, Prompt, UserPrompt
from luxx.engine.contents import MOST_BYTES, Contents
from luxx.engine.loop import Loop
from luxx.engine.transcript import Transcript
from tests.engine.fakes import FakeEmit, FakeFiles, FakeModel, FakeToolbox, say
from tests.engine.test_loop import plan


class Counting(FakeFiles):
    """Files whose reads are counted."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []

    async def read(self, file_id: str) -> bytes:
        self.reads.append(file_id)
        return await super().read(file_id)


def naming(*refs: FileRef) -> list[Prompt]:
    return [UserPrompt("look", refs)]


async def a_file(files: FakeFiles, claimed: int) -> FileRef:
    """A file that is said to have a size."""
    ref = await files.keep("a.png", b"png")
    return FileRef(id=ref.id, name=ref.name, media_type=ref.media_type, size=claimed)


async def test_a_file_is_read_again_for_each_call_and_held_by_none() -> None:
    files, contents = Counting(), Contents()
    ref = await a_file(files, 3)
    for _ in range(2):
        async with contents.of(naming(ref, ref), files) as held:
            assert held.files == {"f0": b"png"}
    assert files.reads == ["f0", "f0"]


async def test_calls_that_would_hold_more_than_all_may_wait_in_their_order() -> None:
    files, contents, order = Counting(), Contents(most=MOST_BYTES), list[str]()
    large, small = await a_file(files, MOST_BYTES), await a_file(files, 1)
    first = contents.of(naming(small), files)
    await first.__aenter__()

    async def ask(name: str, ref: FileRef) -> None:
        async with contents.of(naming(ref), files):
            order.append(name)

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(ask("large", large))
        group.create_task(ask("small", small))
        for _ in range(10):
            await asyncio.sleep(0)
        assert order == []
        async with contents.of([UserPrompt("no file")], files) as nothing:
            assert nothing.files == {}
        await first.__aexit__(None, None, None)
    assert order == ["large", "small"]


async def test_a_call_that_is_cancelled_while_it_waits_takes_no_room() -> None:
    files, contents = Counting(), Contents(most=MOST_BYTES)
    large = await a_file(files, MOST_BYTES)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        async with contents.of(naming(large), files):
            waiting = group.create_task(contents.of(naming(large), files).__aenter__())
            for _ in range(10):
                await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait((waiting,))
        async with contents.of(naming(large), files) as held:
            assert len(held.files) == 1


async def test_room_that_is_given_back_in_mid_call_goes_to_the_next() -> None:
    files, contents = Counting(), Contents(most=MOST_BYTES)
    large = await a_file(files, MOST_BYTES)
    async with asyncio.timeout(5), contents.of(naming(large), files) as first:
        first.give_back()
        assert first.files == {}
        async with contents.of(naming(large), files) as second:
            assert len(second.files) == 1
            first.give_back()
            assert len(second.files) == 1


async def test_a_slow_answer_holds_no_files_once_it_has_begun() -> None:
    files, contents, done = Counting(), Contents(most=MOST_BYTES), asyncio.Event()
    large = await a_file(files, MOST_BYTES)
    model = FakeModel([ProviderUnreachable("no")], [[TextDelta("well")], done, [Finish(reason="stop")]], say("fast"))
    asked = replace(plan(), request=ModelRequest(model="m", prompts=tuple(naming(large))))
    emits = FakeEmit(), FakeEmit()
    slow, fast = (Loop(asked, model, FakeToolbox(), emit, Transcript("p", "fake"), files, contents) for emit in emits)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(slow.run())
        await emits[0].until(lambda: any(isinstance(event, StepDelta) for event in emits[0].events))
        await fast.run()
        done.set()
    assert [request.files for request in model.requests] == 3 * [{"f0": b"png"}]


async def test_a_small_one_passes_a_large_one_that_waits_long() -> None:
    files, contents = Counting(), Contents(most=MOST_BYTES, in_line_s=0.01)
    large, small = await a_file(files, MOST_BYTES), await a_file(files, 1)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        async with contents.of(naming(small), files):
            waiting = group.create_task(contents.of(naming(large), files).__aenter__())
            await asyncio.sleep(0)
            async with contents.of(naming(small), files) as passing:
                assert len(passing.files) == 1
                assert not waiting.done()
        assert len((await waiting).files) == 1


async def test_a_call_that_waits_too_long_may_be_tried_again_later() -> None:
    files, contents = Counting(), Contents(most=MOST_BYTES, in_line_s=0.001, patience_s=0.01)
    large = await a_file(files, MOST_BYTES)
    async with asyncio.timeout(5), contents.of(naming(large), files) as held:
        with pytest.raises(ProviderOverloaded, match="Too many files"):
            await contents.of(naming(large), files).__aenter__()
        held.give_back()
        async with contents.of(naming(large), files) as next_one:
            assert len(next_one.files) == 1


async def test_a_file_that_cannot_be_read_leaves_its_room() -> None:
    class Broken(FakeFiles):
        async def read(self, file_id: str) -> bytes:
            raise StorageError("the disk is gone")

    files, contents = Broken(), Contents(most=MOST_BYTES)
    large = await a_file(files, MOST_BYTES)
    async with asyncio.timeout(5):
        for _ in range(2):
            with pytest.raises(StorageError):
                await contents.of(naming(large), files).__aenter__()


async def test_the_newest_files_are_sent_along_and_those_that_are_gone_are_left_out() -> None:
    files, contents = Counting(), Contents()
    old, gone, new = await a_file(files, MOST_BYTES), await a_file(files, 1), await a_file(files, 2)
    del files.contents[gone.id]
    async with contents.of([*naming(old), *naming(gone), *naming(new)], files) as held:
        assert list(held.files) == [new.id]
