"""Starting: how long it takes from the command to the first answer, on an empty data directory."""

import time

from benchmarks.luxx import Luxx
from benchmarks.measures.bench import Bench
from benchmarks.wire import Directive

START = "start"


def start(bench: Bench) -> None:
    """Measure from `luxx serve` to the first token, a provider and a conversation made on the way."""
    for _ in range(bench.scale.starts):
        bench.say(f"{START}: luxx")
        server = Luxx(bench.site)
        try:
            _first_answer(bench, server)
        finally:
            server.remove()


def _first_answer(bench: Bench, server: Luxx) -> None:
    began = time.monotonic()
    server.start()
    ready = time.monotonic()
    server.use_mock()
    conversation = server.conversations(1)[0]
    with server.api() as api:
        for event in api.send(conversation, f"mock?{Directive(n=1)}"):
            if event.name != "turn":
                break
        first = time.monotonic()
    bench.figures.add(START, "luxx", ready_s=ready - began, first_answer_s=first - began)
