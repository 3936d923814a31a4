"""Crash: kill -9 in the middle of turns, start again, read on: how long it takes, and whether anything is lost or doubled."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path

import msgspec

from benchmarks.api import END_EVENTS, Api, Event, Refused
from benchmarks.luxx import Luxx, fresh
from benchmarks.measures.bench import Bench
from benchmarks.wire import Directive

CRASH = "kill-9"
KILL_AFTER_S = 1.5
GIVE_UP_S = 30.0
_RETRY_S = 0.02
_TEXT = f"mock?{Directive(n=60, itl_s=0.05)}"
_GROWS = {"text": "content", "thinking": "content", "tool_call": "arguments"}


class Reader:
    """Reads one turn to its end, over a crash of the server; owns the events that it got."""

    def __init__(self, server: Luxx, conversation: str, text: str) -> None:
        self.conversation = conversation
        self.events: list[Event] = []
        self.resumed_at = 0.0
        self._server = server
        self._text = text

    def read(self) -> None:
        """Start the turn and read it; connect again until its end was read, or it takes too long."""
        deadline = time.monotonic() + GIVE_UP_S
        self._read_some()
        while not self.ended and time.monotonic() < deadline:
            time.sleep(_RETRY_S)
            self._read_some()

    @property
    def ended(self) -> bool:
        """Whether the turn's last event came."""
        return bool(self.events) and self.events[-1].name in END_EVENTS

    @property
    def done(self) -> bool:
        """Whether the turn succeeded."""
        return self.ended and self.events[-1].name == "done"

    def _read_some(self) -> None:
        seen = len(self.events)
        try:
            with self._server.api() as api:
                for event in self._ask(api):
                    self.events.append(event)
                    if seen and len(self.events) == seen + 1:
                        self.resumed_at = time.monotonic()
        except (OSError, HTTPException, Refused):
            return

    def _ask(self, api: Api) -> Iterator[Event]:
        if not self.events:
            return api.send(self.conversation, self._text)
        return api.follow(self.events[0].data["turn_id"], self.events[-1].seq)


def kill(bench: Bench) -> None:
    """Measure a crash under turns that write text and turns whose tools run."""
    bench.say(f"{CRASH}: luxx")
    with fresh(bench.site) as server:
        provider = server.scripted()
        server.use_mock()
        half = bench.scale.killed_turns // 2
        readers = [Reader(server, at, _TEXT) for at in server.conversations(half)]
        readers += [Reader(server, at, _tools()) for at in server.conversations(half, provider)]
        killed_at, again_at = _crash(server, readers)
        resumed = [reader.resumed_at for reader in readers if reader.resumed_at]
        bench.figures.add(
            CRASH,
            "luxx",
            from_kill_s=max(resumed, default=killed_at) - killed_at,
            from_ready_s=max(resumed, default=again_at) - again_at,
            unfinished=sum(not reader.done for reader in readers) + len(readers) - len(resumed),
            lost_or_doubled=sum(lost_or_doubled(reader.events) for reader in readers),
            messages_differ=sum(not _as_stored(server, reader) for reader in readers),
            tools_run_again=_run_again(server.data / "tool-ledger.jsonl"),
        )


def _crash(server: Luxx, readers: Sequence[Reader]) -> tuple[float, float]:
    """Read all turns over a crash; return when the server was killed and when it was ready again."""
    with ThreadPoolExecutor(len(readers)) as pool:
        reading = [pool.submit(reader.read) for reader in readers]
        time.sleep(KILL_AFTER_S)
        server.kill()
        killed_at = time.monotonic()
        server.start()
        again_at = time.monotonic()
        for each in reading:
            each.result()
    return killed_at, again_at


def _tools() -> str:
    """Return a script with two tools at once, of which one has ended when the server is killed."""
    calls = [
        {"type": "call", "name": "wait_idempotent", "arguments": {"seconds": seconds, "label": label}}
        for seconds, label in ((0.2, "short"), (3.0, "long"))
    ]
    return msgspec.json.encode({"script": {"rounds": [calls, [{"type": "text", "text": "Done."}]]}}).decode()


def lost_or_doubled(events: Sequence[Event]) -> int:
    """Return how many events do not follow the one before."""
    return sum(event.seq != number for number, event in enumerate(events, 1))


def _run_again(ledger: Path) -> int:
    """Return how many calls ended and were started a second time after that."""
    lines = [msgspec.json.decode(line) for line in ledger.read_bytes().splitlines()]
    again, ended = 0, set[str]()
    for line in lines:
        again += line["event"] == "start" and line["key"] in ended
        if line["event"] == "end":
            ended.add(line["key"])
    return again


def _as_stored(server: Luxx, reader: Reader) -> bool:
    """Whether the events fold to the steps of the saved message."""
    with server.api() as api:
        saved = api.get(f"/api/conversations/{reader.conversation}/messages")["items"][-1]
    return {step["index"]: _essence(step) for step in saved["steps"]} == _folded(reader.events)


def _folded(events: Sequence[Event]) -> dict[int, tuple[str, str]]:
    steps: dict[int, dict[str, str]] = {}
    for event in events:
        if event.name == "process_step":
            steps[event.data["step"]["index"]] = event.data["step"]
        elif event.name == "step_delta":
            step = steps[event.data["index"]]
            step[_GROWS[step["type"]]] += event.data["text"]
        elif event.name == "recovered":
            steps = {index: step for index, step in steps.items() if index not in event.data["discarded"]}
    return {index: _essence(step) for index, step in steps.items()}


def _essence(step: dict[str, str]) -> tuple[str, str]:
    return step["type"], step.get("content") or step.get("arguments") or ""
