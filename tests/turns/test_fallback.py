"""Fallback: another provider answers when the first cannot, as long as nothing of the answer is there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from luxx.core.deltas import Finish, TextDelta, VerbatimDelta
from luxx.core.errors import (
    ContextOverflow,
    CreditExhausted,
    ProviderAuth,
    ProviderError,
    ProviderOverloaded,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnreachable,
    RateLimited,
)
from luxx.core.prompts import AnswerPrompt, ResultPrompt, UserPrompt
from luxx.core.replay import Replay
from luxx.core.steps import Notice, answer_text
from luxx.engine.plan import RunLimits
from luxx.store.records import NewProvider, ProviderChange
from luxx.turns.requests import AnswerAgain, AssistantMessageView
from tests.engine.fakes import USAGE, FakeToolbox, call_all, say
from tests.turns.bench import Bench, FakeEndpoint, bench, quick, replay, until


class OtherEndpoint(FakeEndpoint):
    """A model that speaks another format."""

    format = "other"


@asynccontextmanager
async def chain(
    path: Path,
    model: FakeEndpoint,
    *backups: FakeEndpoint,
    box: FakeToolbox | None = None,
    conversation_id: str = "",
    limits: RunLimits | None = None,
) -> AsyncIterator[Bench]:
    """A bench whose provider ``p`` falls back to ``backup0``, that to ``backup1``, and so on."""
    others = {f"backup{number}": backup for number, backup in enumerate(backups)}
    async with bench(path, model, box, conversation_id, limits=limits, others=others) as at:
        if not conversation_id:
            store = at.store
            before = (await store.providers.list(store.owner))[0]
            for name in others:
                new = NewProvider(name=name, format="fake", default_model=f"model of {name}")
                made = await store.providers.create(store.owner, new)
                await store.providers.change(store.owner, before.id, ProviderChange(fallback_id=made.id))
                before = made
        yield at


def notices(folded: Replay) -> list[str]:
    found = [step for step in folded.steps() if isinstance(step, Notice)]
    assert {step.kind for step in found} <= {"provider_fallback"}
    return [step.content for step in found]


def error_code(view: AssistantMessageView) -> str | None:
    return view.error.code if view.error else None


@pytest.mark.parametrize(
    "error",
    [
        ProviderUnreachable("Cannot reach it."),
        ProviderOverloaded("It is overloaded.", 529),
        RateLimited("Wait an hour.", retry_after=3600),
        ProviderTimeout("It is silent."),
        ProviderAuth("The key is wrong.", 401),
        CreditExhausted("It wants payment.", 402),
    ],
    ids=lambda error: error.code,
)
async def test_the_fallback_answers_when_a_provider_fails_before_the_first_token(
    tmp_path: Path, error: ProviderError
) -> None:
    backup = FakeEndpoint(say("hello"))
    async with chain(tmp_path, FakeEndpoint([error]), backup) as at:
        entries = await at.follow((await at.post()).turn.id)
        assert [entry.name for entry in entries] == [
            "turn",
            "process_step",
            "process_step",
            "step_delta",
            "process_step",
            "done",
        ]
        folded = replay(entries)
        assert notices(folded) == [f"p failed: {error.message} backup0 (model of backup0) answers instead."]
        assert answer_text(folded.steps()) == "hello"
        assert backup.requests[0].model == "model of backup0"
        view = await at.last()
        assert (view.status, view.text, [msgspec.json.decode(step)["index"] for step in view.steps]) == (
            "done",
            "hello",
            [0, 1],
        )


@pytest.mark.parametrize("error", [ContextOverflow("Too long."), ProviderRejected("It cannot do that.", 400)])
async def test_what_would_fail_elsewhere_as_well_ends_the_turn(tmp_path: Path, error: ProviderError) -> None:
    backup = FakeEndpoint(say("hello"))
    async with chain(tmp_path, FakeEndpoint([error]), backup) as at:
        await at.follow((await at.post()).turn.id)
        assert (error_code(await at.last()), backup.requests) == (error.code, [])


async def test_the_fallback_gets_the_history_in_its_own_form(tmp_path: Path) -> None:
    first = [[TextDelta("one")], [VerbatimDelta(b"signed")], [Finish(reason="stop", usage=USAGE)]]
    model = FakeEndpoint(first, [ProviderUnreachable("gone")], say("three"))
    backup = OtherEndpoint([[TextDelta("two")], [VerbatimDelta(b"other")], [Finish(reason="stop", usage=USAGE)]])
    async with chain(tmp_path, model, backup) as at:
        for _ in range(3):
            await at.follow((await at.post()).turn.id)
    ask, signed, plain = (
        UserPrompt("hi"),
        AnswerPrompt(text="one", model="m", raw=b"signed"),
        AnswerPrompt(text="one", model="m"),
    )
    assert model.requests[1].prompts == (ask, signed, ask)
    assert backup.requests[0].prompts == (ask, plain, ask)
    assert model.requests[2].prompts == (ask, signed, ask, AnswerPrompt(text="two", model="model of backup0"), ask)


async def test_after_the_first_token_the_text_is_kept_and_can_be_continued(tmp_path: Path) -> None:
    model = FakeEndpoint([[TextDelta("half ")], ProviderUnreachable("cut")], [ProviderUnreachable("gone")])
    backup = FakeEndpoint(say("and half"))
    async with chain(tmp_path, model, backup) as at:
        failed = await at.post()
        assert notices(replay(await at.follow(failed.turn.id))) == []
        view = await at.last()
        assert (view.status, view.text, error_code(view)) == ("failed", "half ", "provider_unreachable")
        assert backup.requests == []
        again = await at.supervisor.continue_answer(at.store.owner, AnswerAgain(message_id=failed.turn.message_id))
        folded = replay(await at.follow(again.turn.id))
        assert (answer_text(folded.steps()), len(notices(folded))) == ("half and half", 1)
        assert backup.requests[0].prompts[1] == AnswerPrompt(text="half ", model="")


async def test_between_two_model_calls_the_fallback_goes_on_with_what_the_tools_gave(tmp_path: Path) -> None:
    model, backup = FakeEndpoint(call_all("look"), [ProviderOverloaded("busy")]), FakeEndpoint(say("done"))
    box = FakeToolbox(look=quick)
    async with chain(tmp_path, model, backup, box=box) as at:
        folded = replay(await at.follow((await at.post()).turn.id))
        assert (answer_text(folded.steps()), len(notices(folded)), len(box.ran)) == ("done", 1, 1)
        results = [prompt for prompt in backup.requests[0].prompts if isinstance(prompt, ResultPrompt)]
        assert [(result.name, result.content) for result in results] == [("look", "quick")]
        assert (await at.last()).token_count == 10


async def test_each_fallback_is_asked_once_and_the_error_of_the_last_ends_the_turn(tmp_path: Path) -> None:
    models = [FakeEndpoint([error]) for error in (ProviderUnreachable("a"), ProviderAuth("b"), CreditExhausted("c"))]
    async with chain(tmp_path, *models) as at:
        folded = replay(await at.follow((await at.post()).turn.id))
        assert [notice.split(" failed: ")[0] for notice in notices(folded)] == ["p", "backup0"]
        assert error_code(await at.last()) == "credit_exhausted"
        assert [len(model.requests) for model in models] == [1, 1, 1]


async def test_a_fallback_without_a_model_is_none(tmp_path: Path) -> None:
    backup = FakeEndpoint(say("hello"))
    async with chain(tmp_path, FakeEndpoint([ProviderUnreachable("gone")]), backup) as at:
        providers = at.store.providers
        made = (await providers.list(at.store.owner))[1]
        await providers.change(at.store.owner, made.id, ProviderChange(default_model=None))
        await at.follow((await at.post()).turn.id)
        assert (error_code(await at.last()), backup.requests) == ("provider_unreachable", [])


async def test_a_crash_while_the_fallback_answers_is_recovered_from(tmp_path: Path) -> None:
    model, backup = FakeEndpoint([ProviderUnreachable("gone")]), FakeEndpoint([[TextDelta("ha")], asyncio.Event()])
    async with chain(tmp_path, model, backup) as at:
        turn = (await at.post()).turn
        await until(at, turn.id, lambda folded: bool(answer_text(folded.steps())))
        conversation_id = at.conversation_id
    model, backup = FakeEndpoint([ProviderUnreachable("gone")]), FakeEndpoint(say("half"))
    async with chain(tmp_path, model, backup, conversation_id=conversation_id) as at:
        entries = await at.follow(turn.id)
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
        assert [entry.name for entry in entries].count("recovered") == 1
        folded = replay(entries)
        assert (answer_text(folded.steps()), len(notices(folded))) == ("half", 2)
        assert ((await at.last()).status, (await at.last()).text) == ("done", "half")


async def test_a_crash_between_the_notice_and_the_answer_is_recovered_from(tmp_path: Path) -> None:
    backup = FakeEndpoint([asyncio.Event()])
    async with chain(tmp_path, FakeEndpoint([ProviderUnreachable("gone")]), backup) as at:
        turn = (await at.post()).turn
        await until(at, turn.id, lambda folded: bool(notices(folded)))
        conversation_id = at.conversation_id
    model = FakeEndpoint(say("back again"))
    async with chain(tmp_path, model, FakeEndpoint(), conversation_id=conversation_id) as at:
        folded = replay(await at.follow(turn.id))
        assert (answer_text(folded.steps()), len(notices(folded))) == ("back again", 1)
