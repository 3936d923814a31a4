"""Resume: where a turn goes on whose process died, or how it is closed, decided from its log alone."""

from collections.abc import Callable, Collection, Sequence

import msgspec
from msgspec.structs import replace

from luxx.core.prompts import Effect
from luxx.core.steps import Step, Summary, Text, Thinking, ToolCall, ToolResult
from luxx.engine.transcript import UNKNOWN


class OpenCall(msgspec.Struct, frozen=True):
    """A call that has no result yet, with its claim if it has been claimed."""

    call: ToolCall
    claim: ToolResult | None = None


class Resumption(msgspec.Struct, frozen=True, kw_only=True):
    """Where to go on.

    `steps` are kept, `discarded` the indexes of those that are void. `rerun` are calls to run before the next model call,
    `unknown` claimed results that must not be run again. `call` is the number of the last answer that stands (0: none), so
    the next model call is the one after it; `whole` says that this answer asked for nothing more. `unfinished` says that an answer was
    begun that has no end.
    """

    steps: tuple[Step, ...]
    discarded: tuple[int, ...]
    rerun: tuple[OpenCall, ...]
    unknown: tuple[OpenCall, ...]
    call: int
    whole: bool
    unfinished: bool


def resume(
    steps: Sequence[Step], answered: Collection[int], effect: Callable[[str], Effect], kept_calls: int = 0
) -> Resumption:
    """Decide how to go on from the steps of a log; `answered` are the model calls whose end was committed.

    Calls up to `kept_calls` were taken over from the answer that is continued: they stand as they are, and what was not
    run of them is not run now.

    An answer that was cut is made again from its first step, unless one of its calls was claimed: then it is never made
    again but cut after its last complete call, and each complete call is ended by its effect.
    """
    last = max((step.call for step in steps), default=0)
    unfinished = last > kept_calls and last not in answered
    discarded = _void(steps, last) if unfinished else ()
    kept = tuple(step for step in steps if step.index not in discarded)
    stands = any(step.call == last for step in kept)
    results = {step.id_ref: step for step in kept if isinstance(step, ToolResult)}
    calls = [step for step in kept if isinstance(step, ToolCall) and step.state == "complete"]
    open_calls = [
        OpenCall(call, results.get(call.id))
        for call in calls
        if call.call > kept_calls and ((result := results.get(call.id)) is None or result.state == "running")
    ]
    unknown = tuple(one for one in open_calls if one.claim and (one.claim.effect or effect(one.call.name)) == "unsafe")
    return Resumption(
        steps=kept,
        discarded=discarded,
        rerun=tuple(one for one in open_calls if one not in unknown),
        unknown=unknown,
        call=last if stands else max(last - 1, 0),
        whole=last in answered and last > kept_calls and _says_all(kept, last),
        unfinished=unfinished,
    )


def _says_all(kept: Sequence[Step], last: int) -> bool:
    """Whether the last answer is one, and asked for no tool."""
    answer = [step for step in kept if step.call == last]
    return bool(answer) and not any(isinstance(step, ToolCall | Summary) for step in answer)


def closed(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the ended form of the steps that are still running, for a turn that ends without going on.

    Texts stay as they are, calls whose arguments were cut have failed, and nobody knows what became of a claimed call.
    """
    ended: list[Step] = []
    for step in steps:
        if step.state != "running":
            continue
        match step:
            case Thinking() | Text():
                ended.append(replace(step, state="complete"))
            case ToolCall():
                ended.append(replace(step, state="failed"))
            case ToolResult():
                ended.append(replace(step, state="failed", content=UNKNOWN, unfinished="unknown"))
            case _:
                ended.append(replace(step, state="failed"))
    return tuple(ended)


def _void(steps: Sequence[Step], last: int) -> tuple[int, ...]:
    """Return the indexes of what is void in the answer `last`, which has no end."""
    answer = [step for step in steps if step.call == last]
    if not any(isinstance(step, ToolResult) for step in answer):
        return tuple(step.index for step in answer)
    cut = max(step.index for step in answer if isinstance(step, ToolCall) and step.state == "complete")
    return tuple(
        step.index
        for step in answer
        if not isinstance(step, ToolResult) and (step.index > cut or step.state != "complete")
    )
