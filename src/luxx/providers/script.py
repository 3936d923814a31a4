"""Script: what the scripted model is to play, as JSON (see docs/scripted.md)."""

import json
import re
from typing import Annotated, Any

import msgspec

from luxx.core.errors import (
    AnswerIncomplete,
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
from luxx.core.text import storable_within

Count = Annotated[int, msgspec.Meta(ge=1)]
Tokens = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Milliseconds = Annotated[float, msgspec.Meta(ge=0, le=3_600_000)]

_LOOKS_LIKE_SCRIPT = re.compile(r'\s*\{\s*"script"\s*:')
_FAILURES: dict[str, type[ProviderError]] = {
    kind.code: kind
    for kind in (
        ProviderError,
        ProviderUnreachable,
        ProviderTimeout,
        ProviderAuth,
        RateLimited,
        CreditExhausted,
        ContextOverflow,
        ProviderRejected,
        ProviderOverloaded,
        AnswerIncomplete,
    )
}


class _Action(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    """What every action has: nothing but its type."""


class Say(_Action, frozen=True, kw_only=True, tag="text"):
    """Text of the answer, `repeat` times, in chunks of so many characters with a delay after each."""

    text: str
    chunk: Count | None = None
    delay_ms: Milliseconds = 0
    repeat: Count = 1


class Think(_Action, frozen=True, kw_only=True, tag="thinking"):
    """Reasoning; the fields are those of text."""

    text: str
    chunk: Count | None = None
    delay_ms: Milliseconds = 0
    repeat: Count = 1


class Call(_Action, frozen=True, kw_only=True, tag="call"):
    """A tool call. `arguments` is an object, or the text that the model is to write, right or wrong.

    A call that is not `complete` ends in its middle, as when an answer is cut.
    """

    name: str
    arguments: dict[str, Any] | str = {}
    id: str | None = None
    chunk: Count | None = None
    delay_ms: Milliseconds = 0
    complete: bool = True


class Pause(_Action, frozen=True, kw_only=True, tag="pause"):
    """Silence."""

    ms: Milliseconds


class Spend(_Action, frozen=True, kw_only=True, tag="usage"):
    """The usage that the answer reports; its cost is in US dollars."""

    input_tokens: Tokens = 0
    output_tokens: Tokens = 0
    cached_tokens: Tokens = 0
    cache_write_tokens: Tokens = 0
    reasoning_tokens: Tokens = 0
    cost: Annotated[float, msgspec.Meta(ge=0)] | None = None


class End(_Action, frozen=True, kw_only=True, tag="finish"):
    """The finish reason, where it is not the natural one."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class Fail(_Action, frozen=True, kw_only=True, tag="fail"):
    """A failure by its code. With `attempts`, only so many attempts at this round fail, and the next ones go on."""

    code: str
    message: str = ""
    retry_after: Annotated[float, msgspec.Meta(ge=0)] | None = None
    attempts: Count | None = None

    def error(self) -> ProviderError:
        """Return the error to raise."""
        kind = _FAILURES[self.code]
        message = self.message or f"The script fails here with {self.code}."
        return kind(message, None, self.retry_after) if issubclass(kind, RateLimited) else kind(message)


Action = Say | Think | Call | Pause | Spend | End | Fail
Round = tuple[Action, ...]


class Script(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rounds of actions: one for each model call of a turn. Past the last, the answer is empty; a `loop` plays it again."""

    rounds: tuple[Round, ...]
    loop: bool = False

    def round(self, number: int) -> Round:
        """Return the actions of a model call, counted from 0."""
        if number < len(self.rounds):
            return self.rounds[number]
        return self.rounds[-1] if self.loop and self.rounds else ()


def read_script(value: object) -> Script:
    """Return the script that a decoded JSON value is: a Script, or just its rounds.

    Raises ProviderRejected, which names the place that is wrong.
    """
    try:
        text = json.dumps(storable_within(value), ensure_ascii=False)
        if isinstance(value, list):
            script = Script(rounds=msgspec.json.decode(text, type=tuple[Round, ...]))
        else:
            script = msgspec.json.decode(text, type=Script)
    except msgspec.ValidationError as error:
        raise ProviderRejected(f"The script is wrong: {error}.") from error
    except RecursionError as error:
        raise ProviderRejected("The script is wrong: it is nested too deeply.") from error
    for number, actions in enumerate(script.rounds):
        for place, action in enumerate(actions):
            if isinstance(action, Fail) and action.code not in _FAILURES:
                known = ", ".join(_FAILURES)
                where = f"$.rounds[{number}][{place}].code"
                raise ProviderRejected(f"The script is wrong: no failure has this code - at `{where}`; known: {known}.")
    return script


def script_in(text: str) -> Script | None:
    """Return the script that a message is: a JSON object with the key ``script``; None for any other message.

    Raises ProviderRejected for a message that is meant as one and is not.
    """
    if not text.lstrip().startswith("{"):
        return None
    try:
        message: dict[str, object] = json.loads(text)
    except (ValueError, RecursionError) as error:
        if _LOOKS_LIKE_SCRIPT.match(text):
            raise ProviderRejected(f"The script is no JSON: {error}.") from error
        return None
    return read_script(message["script"]) if "script" in message else None
