"""Trace: what the main thread of a tab did, from Chromium's own trace events, in seconds of its CPU time."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

CATEGORIES = ["devtools.timeline", "disabled-by-default-devtools.timeline", "v8.execute"]
_TASK = "RunTask"
_SCRIPT = frozenset({
    "EvaluateScript", "FireAnimationFrame", "FunctionCall", "RunMicrotasks", "TimerFire", "v8.compile", "V8.GC_MC_INCREMENTAL",
})  # fmt: skip
_MICRO = 1e6

Event = Mapping[str, Any]


class Trace:
    """The main thread's work. Empty until `read`."""

    def __init__(self) -> None:
        self._tasks: Sequence[Event] = ()
        self._scripts: Sequence[Event] = ()

    def read(self, events: Iterable[Event]) -> None:
        """Take the events of the thread that has most tasks among the main threads of renderers."""
        named = [e for e in events if e.get("ph") == "M" and e["name"] == "thread_name"]
        mains = {(e["pid"], e["tid"]) for e in named if e["args"]["name"] == "CrRendererMain"}
        whole = [e for e in events if e.get("ph") == "X" and "tdur" in e and (e["pid"], e["tid"]) in mains]
        work: dict[int, int] = {}
        for event in whole:
            if event["name"] == _TASK:
                work[event["pid"]] = work.get(event["pid"], 0) + event["tdur"]
        busiest = max(work, key=lambda pid: work[pid], default=0)
        ours = sorted((e for e in whole if e["pid"] == busiest), key=lambda e: (e["ts"], -e["dur"]))
        self._tasks = _outermost(e for e in ours if e["name"] == _TASK)
        self._scripts = _outermost(e for e in ours if e["name"] in _SCRIPT)

    @property
    def busy_s(self) -> float:
        """All tasks: script, style, layout, paint."""
        return sum(e["tdur"] for e in self._tasks) / _MICRO

    @property
    def script_s(self) -> float:
        """Script with its microtasks; what style and layout it forced is within."""
        return sum(e["tdur"] for e in self._scripts) / _MICRO

    def script_quarters_s(self) -> tuple[float, float]:
        """The script of the first and of the last quarter of the time that was traced."""
        if not self._tasks:
            return 0.0, 0.0
        begin, end = self._tasks[0]["ts"], self._tasks[-1]["ts"]
        quarter = (end - begin) / 4
        first = sum(e["tdur"] for e in self._scripts if e["ts"] < begin + quarter)
        last = sum(e["tdur"] for e in self._scripts if e["ts"] >= end - quarter)
        return first / _MICRO, last / _MICRO

    @property
    def longest_ms(self) -> float:
        """The longest task."""
        return max((e["tdur"] for e in self._tasks), default=0) / 1e3

    @property
    def long_tasks(self) -> int:
        """Tasks of more than 50 ms."""
        return sum(e["tdur"] > 50_000 for e in self._tasks)


def _outermost(events: Iterable[Event]) -> Sequence[Event]:
    """Leave out events within others; they come by their begin."""
    found: list[Event] = []
    end = -1.0
    for event in events:
        if event["ts"] >= end:
            found.append(event)
            end = event["ts"] + event["dur"]
    return found
