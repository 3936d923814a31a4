"""The tools of the recorded loops: each gives what it gave when the loop was recorded. A package's tools for `luxx serve`."""

import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace

from luxx.core.prompts import AnswerPrompt, CallPrompt, Prompt, ResultPrompt, ToolSpec, UserPrompt
from luxx.tools.context import ToolContext
from luxx.tools.tool import Tool
from tests.providers import cassettes
from tests.providers.recorded.wires import WIRES, Wire
from tests.providers.told import decode_with

_Call = tuple[str, str, str]
"""What a person asked first, the tool and its arguments."""


class _Anything:
    """Reads any JSON object."""

    def read(self, text: str) -> dict[str, object]:
        return json.loads(text or "{}")


def _call(prompts: Sequence[Prompt], name: str, arguments: str) -> _Call:
    question = next(prompt.text for prompt in prompts if isinstance(prompt, UserPrompt))
    try:
        return question, name, json.dumps(json.loads(arguments or "{}"), sort_keys=True)
    except ValueError:
        return question, name, arguments


def _results(prompts: Sequence[Prompt]) -> Iterator[tuple[_Call, str]]:
    """Yield what the calls of a recorded history gave."""
    calls: dict[str, CallPrompt] = {}
    for prompt in prompts:
        match prompt:
            case AnswerPrompt(calls=made):
                calls = {call.id: call for call in made}
            case ResultPrompt(id=id, content=content):
                yield _call(prompts, calls[id].name, calls[id].arguments), content
            case UserPrompt():
                pass


async def _give(results: dict[_Call, str], name: str, values: dict[str, Any], context: ToolContext) -> str:
    return results[_call(context.prompts(), name, json.dumps(values))]


def answers_of(wire: Wire, loop: cassettes.Loop) -> list[AnswerPrompt]:
    """Return the answers of a loop as they were told to us; a call without an id has one made up."""
    told = [decode_with(wire.decoder(), [exchange.answer]) for exchange in loop.interactions]
    return [
        AnswerPrompt(
            text=one.text,
            calls=tuple(
                CallPrompt(id=id or f"{n}-{slot}", name=name, arguments=arguments)
                for slot, (id, name, arguments) in enumerate(one.whole_tools)
            ),
        )
        for n, one in enumerate(told)
    ]


def _tools(wire: Wire) -> tuple[Tool, ...]:
    """Return the tools of all loops of a format; one that loops describe in different ways takes any object."""
    specs: dict[str, ToolSpec] = {}
    results: dict[_Call, str] = {}
    for loop in wire.loops():
        request = wire.request(loop.interactions[-1].request, answers_of(wire, loop))
        for spec in request.tools:
            known = specs.setdefault(spec.name, spec)
            if known.parameters != spec.parameters:
                specs[spec.name] = replace(known, parameters={"type": "object"})
        results.update(_results(request.prompts))
    return tuple(
        Tool(
            spec=spec,
            effect="read",
            timeout=30,
            function=partial(_give, results, spec.name),
            arguments=_Anything(),
            bare=True,
            approval="never",
        )
        for spec in specs.values()
    )


def __getattr__(place: str) -> tuple[Tool, ...]:
    """Return the tools of the wire format at a place among all, such as ``wire_0``."""
    prefix, _, number = place.partition("_")
    if prefix != "wire":
        raise AttributeError(place)
    return _tools(WIRES[int(number)])
