"""Bench: what every measure works on: the site, the targets, how large to make it, and where the figures go."""

import time
from collections.abc import Callable, Mapping

import msgspec

from benchmarks.figures import Figures, TargetName
from benchmarks.loadside import fire
from benchmarks.machine import Watch, rss
from benchmarks.shots import Seen
from benchmarks.targets import Load, Opened, Site, Target
from benchmarks.wire import Directive

SETTLE_S = 0.5
_ONE_TURN = Load(directive=Directive(n=2))


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How much is done: streams at once, tokens of an answer, lengths of histories, turns one after another, repetitions."""

    few_streams: int = 100
    many_streams: int = 1000
    tokens: int = 120
    fast_streams: int = 500
    fast_tokens: int = 500
    long_tokens: int = 1200
    histories: tuple[int, ...] = (10, 200, 2000)
    turns: int = 400
    first_tokens: int = 25
    starts: int = 3
    killed_turns: int = 20
    tool_turns: int = 20
    cancels: int = 100
    takeovers: int = 3
    page_tokens: int = 20_000
    page_messages: int = 500


QUICK = Scale(
    few_streams=10,
    many_streams=40,
    tokens=20,
    fast_streams=20,
    fast_tokens=50,
    long_tokens=100,
    histories=(10, 40),
    turns=20,
    first_tokens=5,
    starts=1,
    killed_turns=4,
    tool_turns=4,
    cancels=10,
    takeovers=1,
    page_tokens=2_000,
    page_messages=60,
)


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """One round of measuring."""

    site: Site
    targets: Mapping[TargetName, Opened]
    scale: Scale
    figures: Figures
    say: Callable[[str], None]

    def play(self, target: Target, load: Load) -> Seen:
        """Put a load on a target that is up."""
        return fire(self.site.side, target.shot(load), self.site.cores.load, self.site.folder)

    def play_watched(self, target: Target, load: Load) -> tuple[Seen, Watch]:
        """Put a load on a target after it was warmed up, and watch its process meanwhile."""
        assert target.pid
        self.play(target, _ONE_TURN)
        shot = target.shot(load)
        time.sleep(SETTLE_S)
        with Watch(target.pid) as watch:
            seen = fire(self.site.side, shot, self.site.cores.load, self.site.folder)
        return seen, watch

    def idle_rss(self, target: Target) -> int:
        """Return the memory of a target after one turn."""
        assert target.pid
        self.play(target, _ONE_TURN)
        time.sleep(SETTLE_S)
        return rss(target.pid)
