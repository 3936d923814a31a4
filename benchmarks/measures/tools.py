"""Tools: how long turns take whose tools only wait; what is more than the waiting is Luxx's."""

import time
from concurrent.futures import ThreadPoolExecutor

import msgspec

from benchmarks.api import END_EVENTS
from benchmarks.luxx import Luxx, fresh
from benchmarks.measures.bench import Bench

THREE, MANY = "three-tools", "many-tools"


def three_tools(bench: Bench) -> None:
    """Measure a turn with three parallel tools of 1 s."""
    _measure(bench, THREE, turns=1, rounds=1, tools=3, seconds=1.0)


def many_tools(bench: Bench) -> None:
    """Measure 20 turns at once, each with two rounds of four parallel tools of 200 ms."""
    _measure(bench, MANY, turns=bench.scale.tool_turns, rounds=2, tools=4, seconds=0.2)


def script(rounds: int, tools: int, seconds: float, name: str = "wait") -> str:
    """Return the message that makes the scripted provider call tools (docs/scripted.md)."""
    calls = [{"type": "call", "name": name, "arguments": {"seconds": seconds}} for _ in range(tools)]
    return msgspec.json.encode(
        {"script": {"rounds": [calls] * rounds + [[{"type": "text", "text": "Done."}]]}}
    ).decode()


def _measure(bench: Bench, measure: str, *, turns: int, rounds: int, tools: int, seconds: float) -> None:
    bench.say(f"{measure}: luxx")
    text = script(rounds, tools, seconds)
    with fresh(bench.site) as server, ThreadPoolExecutor(turns) as pool:
        provider = server.scripted()
        _turn(server, server.conversations(1, provider)[0], script(1, 1, 0.0))
        ended = list(pool.map(lambda at: _turn(server, at, text), server.conversations(turns, provider)))
    took = [seconds for seconds, _ in ended]
    bench.figures.add(measure, "luxx", turns=turns, slowest_s=max(took), failed=sum(end != "done" for _, end in ended))


def _turn(server: Luxx, conversation: str, text: str) -> tuple[float, str]:
    """Return how long a turn took in seconds, and how it ended."""
    with server.api() as api:
        began, end = time.monotonic(), ""
        for event in api.send(conversation, text):
            if event.name in END_EVENTS:
                end = event.name
        return time.monotonic() - began, end
