"""Turns: what one turn costs on its own: CPU of a whole one, the first token behind a history, memory of an idle server."""

from benchmarks.measures.bench import Bench
from benchmarks.targets import Load
from benchmarks.wire import Directive

SHORT_TURN, HISTORY, IDLE = "one-token-turn", "history", "idle"
_AT_ONCE = 4


def one_token_turn(bench: Bench) -> None:
    """Measure the CPU of turns whose answer is one token."""
    load = Load(directive=Directive(n=1), streams=_AT_ONCE, turns=bench.scale.turns)
    for name, opened in bench.targets.items():
        bench.say(f"{SHORT_TURN}: {name}")
        with opened(bench.site) as target:
            if target.pid is None:
                continue
            seen, watch = bench.play_watched(target, load)
        cpu_ms = watch.cpu_s / load.turns * 1e3
        bench.figures.add(SHORT_TURN, name, cpu_ms_per_turn=cpu_ms, turn_p50_ms=seen.turn_p50_ms, failed=seen.failed)


def first_token(bench: Bench) -> None:
    """Measure the time to the first token of turns one after another, behind histories of several lengths."""
    for name, opened in bench.targets.items():
        for history in bench.scale.histories:
            bench.say(f"{HISTORY}: {name}, {history} messages")
            with opened(bench.site) as target:
                load = Load(directive=Directive(n=1), turns=bench.scale.first_tokens, history=history)
                seen = bench.play(target, load)
            bench.figures.add(f"{HISTORY}-{history}", name, ttft_p50_ms=seen.ttft_p50_ms, failed=seen.failed)


def idle(bench: Bench) -> None:
    """Measure the memory of a server that has made one turn."""
    for name, opened in bench.targets.items():
        with opened(bench.site) as target:
            if target.pid is not None:
                bench.figures.add(IDLE, name, rss_MiB=bench.idle_rss(target) / 2**20)
