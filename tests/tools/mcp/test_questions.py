"""Questions of servers: each comes up in the call that it is of, while that runs, and so many and no more."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from luxx.core.ports import Reply
from luxx.tools.context import MAX_QUESTIONS
from tests.tools.calls import FakeContext, call
from tests.tools.mcp.book import Bench, bench, hostile

ACCEPTED = {"action": "accept", "content": {"n": 3, "name": "Ada"}}
DECLINED = {"action": "decline"}


@contextlib.asynccontextmanager
async def one(*more: str) -> AsyncIterator[Bench]:
    """Give a bench with the hostile server as `h`."""
    async with bench() as found:
        await found.add("h", hostile("well", *more))
        yield found


class Absent(FakeContext):
    """A person who never answers; a question that is open is noted in a file."""

    def __init__(self, note: Path) -> None:
        super().__init__()
        self.note = note
        self.closed = asyncio.Event()

    async def ask(self, message: str, schema: dict[str, Any] | None = None, url: str | None = None) -> Reply:
        self.note.write_text("asked")
        try:
            await asyncio.Event().wait()
        finally:
            self.closed.set()
        raise AssertionError


def person(conversation_id: str) -> FakeContext:
    context = FakeContext(replies=[Reply(action="accept", content={"name": "Ada"})])
    context.conversation_id = conversation_id
    return context


async def test_a_question_does_not_outlive_its_call(tmp_path: Path) -> None:
    note = tmp_path / "note"
    context = Absent(note)
    async with one(str(note)) as found:
        box = await found.box()
        assert (await call(box, {}, "h__ask_on", context)).content == "no matter who"
        async with asyncio.timeout(10):
            await context.closed.wait()
        assert (await call(box, {}, "h__fail")).content == "no such file"


async def test_a_call_may_ask_so_many_questions_and_the_server_is_told_so() -> None:
    context = FakeContext()
    async with one() as found:
        told = json.loads((await call(await found.box(), {}, "h__ask_much", context)).content)
    assert len(context.questions) == MAX_QUESTIONS
    assert told[:MAX_QUESTIONS] == ["decline"] * MAX_QUESTIONS
    words = f"The question was not asked: a call may ask {MAX_QUESTIONS} questions, and these were asked."
    assert set(told[MAX_QUESTIONS:]) == {words}


async def test_a_question_is_declined_when_it_cannot_be_told_which_of_two_calls_it_is_of(tmp_path: Path) -> None:
    async with one(str(tmp_path / "note")) as found:
        box = await found.box()
        people = person("one"), person("two")
        async with asyncio.TaskGroup() as group:
            calls = [group.create_task(call(box, {}, "h__pair", context)) for context in people]
        assert [json.loads(made.result().content) for made in calls] == [DECLINED] * 2
        assert all(context.questions == [] for context in people)


@pytest.mark.parametrize(("conversation", "told"), [("one", ACCEPTED), ("two", DECLINED)])
async def test_a_question_of_a_call_that_was_given_up_comes_up_in_no_other_conversation(
    tmp_path: Path, conversation: str, told: dict[str, object]
) -> None:
    note = tmp_path / "note"
    async with one(str(note)) as found:
        box = await found.box()
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            given_up = group.create_task(call(box, {}, "h__pair", person("one")))
            while not note.exists():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            given_up.cancel()
        assert json.loads((await call(box, {}, "h__pair", person(conversation))).content) == told
