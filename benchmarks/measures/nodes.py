"""Nodes: two servers on one PostgreSQL: turns of one are read on the other, cancelled through it, and taken over by it."""

import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPException

from msgspec.structs import replace

from benchmarks.api import END_EVENTS, Event, Refused
from benchmarks.loadside import PythonLoad, fire
from benchmarks.luxx import Luxx
from benchmarks.machine import Watch
from benchmarks.measures.bench import SETTLE_S, Bench
from benchmarks.measures.crash import lost_or_doubled
from benchmarks.measures.streams import fast_load
from benchmarks.nodes import Nodes, nodes
from benchmarks.provider import endless
from benchmarks.shots import Seen, Shot
from benchmarks.targets import Load
from benchmarks.wire import Directive

NODES, CANCEL, TAKEOVER = "nodes-500", "cancel", "takeover"
TTL_S = 3.0
_WARM_UP = Load(directive=Directive(n=2), streams=4, turns=4)
_ACQUAINTED_S = 3.0
"""By then each node has renewed its lease, and so knows that there is another that wants to be told."""
_KILL_AFTER_S = 1.5
_GIVE_UP_S = 30.0
_RETRY_S = 0.02


def many_nodes(bench: Bench) -> None:
    """Measure 500 streams of 50 tokens a second, all of them read on another node than the one that works on them."""
    bench.say(f"{NODES}: luxx")
    load = fast_load(bench)
    with nodes(bench.site) as at, ExitStack() as watching:
        at.owner.use_mock()
        time.sleep(_ACQUAINTED_S)
        _fire(bench, _shot(at, _WARM_UP))
        shot = _shot(at, load)
        time.sleep(SETTLE_S)
        pids = {"owner": at.owner.pid, "reader": at.reader.pid, "postgres": at.postgres.pid}
        watches = {name: watching.enter_context(Watch(pid)) for name, pid in pids.items()}
        seen = _fire(bench, shot)
        watching.close()
    tokens = max(seen.tokens, 1)
    used = {f"{name}_us_per_tok": watch.cpu_s / tokens * 1e6 for name, watch in watches.items()}
    bench.figures.add(
        NODES,
        "luxx",
        streams=load.streams,
        failed=seen.failed,
        gaps=seen.gaps,
        lost_or_doubled=seen.misplaced,
        lat_p50_ms=seen.lat_p50_ms,
        lat_p99_ms=seen.lat_p99_ms,
        ttft_p50_ms=seen.ttft_p50_ms,
        ttft_p99_ms=seen.ttft_p99_ms,
        turn_p50_ms=seen.turn_p50_ms,
        wire_B_per_tok=seen.wire_B_per_tok,
        noise_cores=watches["owner"].noise,
        cores=sum(watch.cpu_s for watch in watches.values()) / watches["owner"].wall_s,
        **used,
    )
    for error, count in seen.errors.items():
        bench.say(f"{NODES}: luxx: {count} x {error}")


def _shot(at: Nodes, load: Load) -> Shot:
    return replace(at.owner.shot(load), follow_port=at.reader.port)


def _fire(bench: Bench, shot: Shot) -> Seen:
    return fire(PythonLoad(), shot, bench.site.cores.load, bench.site.folder)


def cancel(bench: Bench) -> None:
    """Measure from a cancel at another node than the turn's until the provider's connection is closed."""
    bench.say(f"{CANCEL}: luxx")
    took: list[float] = []
    with endless() as provider, nodes(bench.site) as at:
        at.owner.use_provider(provider.port)
        time.sleep(_ACQUAINTED_S)
        turns = [
            _started(at.owner, one, str(number))
            for number, one in enumerate(at.owner.conversations(bench.scale.cancels))
        ]
        provider.until_begun(len(turns))
        with at.reader.api() as api:
            for number, turn in enumerate(turns):
                asked = time.monotonic()
                api.post(f"/api/turns/{turn}/cancel", {})
                gone = provider.gone_at(number)
                took += [] if gone is None else [gone - asked]
    bench.figures.add(
        CANCEL,
        "luxx",
        cancels=len(turns),
        failed=len(turns) - len(took),
        closed_p50_ms=statistics.median(took or [0.0]) * 1e3,
        closed_max_ms=max(took, default=0.0) * 1e3,
    )


class Follower:
    """Reads one turn on a server to its end; owns the events that it got, and knows when the turn was taken over."""

    def __init__(self, server: Luxx, turn: str) -> None:
        self.events: list[Event] = []
        self.taken_over_at = 0.0
        self._server = server
        self._turn = turn

    def read(self) -> None:
        """Read; connect again until the end was read, or it takes too long."""
        deadline = time.monotonic() + _GIVE_UP_S
        while not self.ended and time.monotonic() < deadline:
            try:
                self._read_some()
            except (OSError, HTTPException, Refused):
                time.sleep(_RETRY_S)

    @property
    def ended(self) -> bool:
        """Whether the turn's last event came."""
        return bool(self.events) and self.events[-1].name in END_EVENTS

    @property
    def done(self) -> bool:
        """Whether the turn succeeded."""
        return self.ended and self.events[-1].name == "done"

    def _read_some(self) -> None:
        with self._server.api() as api:
            for event in api.follow(self._turn, self.events[-1].seq if self.events else 0):
                self.events.append(event)
                if event.name == "recovered":
                    self.taken_over_at = time.monotonic()


def takeover(bench: Bench) -> None:
    """Measure from a kill -9 of a node until a reader on another sees that each of its turns is taken over."""
    taken: list[float] = []
    ended: list[Follower] = []
    for _ in range(bench.scale.takeovers):
        bench.say(f"{TAKEOVER}: luxx")
        with nodes(bench.site, lease_ttl=TTL_S) as at:
            at.owner.use_mock()
            time.sleep(TTL_S)
            text = f"mock?{Directive(n=100, itl_s=0.05)}"
            turns = [_started(at.owner, one, text) for one in at.owner.conversations(bench.scale.killed_turns)]
            readers = [Follower(at.reader, turn) for turn in turns]
            killed_at = _kill_owner(at, readers)
        ended += readers
        taken += [reader.taken_over_at - killed_at for reader in readers if reader.taken_over_at]
    bench.figures.add(
        TAKEOVER,
        "luxx",
        turns=len(ended),
        unfinished=sum(not reader.done for reader in ended) + len(ended) - len(taken),
        lost_or_doubled=sum(lost_or_doubled(reader.events) for reader in ended),
        taken_over_p50_s=statistics.median(taken or [0.0]),
        taken_over_max_s=max(taken, default=0.0),
    )


def _kill_owner(at: Nodes, readers: Sequence[Follower]) -> float:
    """Read all turns over the death of their node; return when that was."""
    with ThreadPoolExecutor(len(readers)) as pool:
        reading = [pool.submit(reader.read) for reader in readers]
        time.sleep(_KILL_AFTER_S)
        at.owner.kill()
        killed_at = time.monotonic()
        for each in reading:
            each.result()
    return killed_at


def _started(server: Luxx, conversation: str, text: str) -> str:
    """Start a turn and return its id."""
    with server.api() as api:
        return api.post(f"/api/conversations/{conversation}/messages", {"text": text})["turn_id"]
