"""The scripted model: it plays what it is told to, for tests and demonstrations, without a network."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Literal, assert_never

import msgspec

from luxx.core.deltas import Delta, Finish, TextDelta, ThinkingDelta, ToolCallDelta, ToolCallDone
from luxx.core.ports import Check, ModelInfo
from luxx.core.prompts import AnswerPrompt, ModelRequest, Prompt, UserPrompt
from luxx.core.text import storable
from luxx.core.usage import Usage
from luxx.providers.demonstration import demonstration
from luxx.providers.script import Action, Call, End, Fail, Pause, Say, Script, Spend, Think, read_script, script_in

_MODEL = "scripted"
_MOST_ATTEMPTS_KEPT = 1000

_Beat = tuple[tuple[Delta, ...], float]


class ScriptedModel:
    """Plays the script that it was made with, else the one that is the last user message, else a demonstration.

    It owns the count of attempts at rounds that are to fail a few times; a round that was played to its end counts anew.
    """

    def __init__(self, script: object = None, pace: float = 1.0) -> None:
        """Take a script as a decoded JSON value; all times are multiplied by `pace`. Raises ProviderRejected."""
        self._pace = pace
        self._script = None if script is None else read_script(script)
        self._attempts: dict[bytes, int] = {}

    @property
    def format(self) -> Literal["scripted"]:
        """The format's name."""
        return "scripted"

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Sequence[Delta], None]:
        """Play the round that the prompts have come to (see core.ports.Model)."""
        question, number = _place(request.prompts)
        script = self._script or script_in(question)
        actions = script.round(number) if script else demonstration(request, question, number)
        key = _key(script, number)
        player = _Player(number, self._attempt(key))
        for action in actions:
            for deltas, delay_s in player.play(action):
                if deltas:
                    yield deltas
                await asyncio.sleep(delay_s * self._pace)
        self._attempts.pop(key, None)
        yield (player.finish(),)

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """Return the one model there is."""
        return (ModelInfo(id=_MODEL),)

    async def check(self) -> Check:
        """Say that it works, as it always does."""
        return Check(ok=True, detail="The scripted model plays scripts; it needs no key and no network.", models=1)

    def _attempt(self, key: bytes) -> int:
        """Count an attempt; the ones given up longest ago are forgotten."""
        attempt = self._attempts.pop(key, 0) + 1
        while len(self._attempts) >= _MOST_ATTEMPTS_KEPT:
            self._attempts.pop(next(iter(self._attempts)))
        self._attempts[key] = attempt
        return attempt


class _Player:
    """Turns the actions of one round into beats: deltas, and the time to wait after them in seconds."""

    def __init__(self, number: int, attempt: int) -> None:
        self._number = number
        self._attempt = attempt
        self._calls = 0
        self._usage: Usage | None = None
        self._reason = ""

    def play(self, action: Action) -> Iterator[_Beat]:
        match action:
            case Say():
                yield from (((TextDelta(piece),), action.delay_ms / 1000) for piece in _repeated(action))
            case Think():
                yield from (((ThinkingDelta(piece),), action.delay_ms / 1000) for piece in _repeated(action))
            case Call():
                yield from self._call(action)
            case Pause():
                yield (), action.ms / 1000
            case Spend():
                self._usage = _usage(action)
            case End():
                self._reason = action.reason
            case Fail():
                if action.attempts is None or self._attempt <= action.attempts:
                    raise action.error()
            case _:
                assert_never(action)

    def finish(self) -> Finish:
        return Finish(reason=self._reason or ("tool_calls" if self._calls else "stop"), usage=self._usage)

    def _call(self, call: Call) -> Iterator[_Beat]:
        """Yield the name first and then the arguments; the last piece comes together with the end of the call."""
        slot = self._calls
        self._calls += 1
        delay_s = call.delay_ms / 1000
        arguments = call.arguments if isinstance(call.arguments, str) else msgspec.json.encode(call.arguments).decode()
        identity = call.id if call.id is not None else f"call-{self._number + 1}-{slot + 1}"
        yield (ToolCallDelta(slot=slot, id=storable(identity), name=storable(call.name)),), delay_s
        pieces = list(_pieces(arguments, call.chunk))
        for piece in pieces[:-1]:
            yield (ToolCallDelta(slot=slot, arguments=piece),), delay_s
        last = tuple(ToolCallDelta(slot=slot, arguments=piece) for piece in pieces[-1:])
        yield (*last, *((ToolCallDone(slot),) if call.complete else ())), delay_s


def _place(prompts: Sequence[Prompt]) -> tuple[str, int]:
    """Return the last message of the person and how many answers follow it."""
    answers = 0
    for prompt in reversed(prompts):
        if isinstance(prompt, UserPrompt) and prompt.by_person:
            return prompt.text, answers
        answers += isinstance(prompt, AnswerPrompt)
    return "", answers


def _key(script: Script | None, number: int) -> bytes:
    return msgspec.json.encode((script, number)) if script else b""


def _repeated(action: Say | Think) -> Iterator[str]:
    for _ in range(action.repeat):
        yield from _pieces(action.text, action.chunk)


def _pieces(text: str, chunk: int | None) -> Iterator[str]:
    text = storable(text)
    step = chunk or max(len(text), 1)
    return (text[at : at + step] for at in range(0, len(text), step))


def _usage(spent: Spend) -> Usage:
    return Usage(
        input_tokens=spent.input_tokens,
        output_tokens=spent.output_tokens,
        total_tokens=spent.input_tokens + spent.output_tokens,
        cached_tokens=spent.cached_tokens,
        cache_write_tokens=spent.cache_write_tokens,
        reasoning_tokens=spent.reasoning_tokens,
        cost=spent.cost,
    )
