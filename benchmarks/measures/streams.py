"""Streams: many turns at once at 20 or 50 tokens a second each: CPU, latency, memory, wire, failures."""

from benchmarks.figures import TargetName
from benchmarks.machine import Watch
from benchmarks.measures.bench import Bench
from benchmarks.shots import Seen
from benchmarks.targets import Load, Opened
from benchmarks.wire import Directive

FEW, MANY, FAST, LONG = "streams-100", "streams-1000", "streams-500", "long-answer"
RATE_S = 0.05
FAST_RATE_S = 0.02
_LONG_RATE_S = 0.005
_LONG_STREAMS = 4
_RAMP_S = 0.004
_FAST_RAMP_S = 0.01


def few_streams(bench: Bench) -> None:
    """Measure 100 streams."""
    _streams(bench, FEW, _load(bench.scale.few_streams, bench.scale.tokens, RATE_S, _RAMP_S))


def many_streams(bench: Bench) -> None:
    """Measure 1000 streams."""
    _streams(bench, MANY, _load(bench.scale.many_streams, bench.scale.tokens, RATE_S, _RAMP_S))


def fast_streams(bench: Bench) -> None:
    """Measure 500 streams of 50 tokens a second, which are more tokens than the 1000 of 20."""
    _streams(bench, FAST, fast_load(bench))


def fast_load(bench: Bench) -> Load:
    """Return the load of 500 streams."""
    return _load(bench.scale.fast_streams, bench.scale.fast_tokens, FAST_RATE_S, _FAST_RAMP_S)


def long_answer(bench: Bench) -> None:
    """Measure the bytes on the wire for a token of a long answer: they must not grow with its length."""
    load = Load(
        directive=Directive(n=bench.scale.long_tokens, itl_s=_LONG_RATE_S), streams=_LONG_STREAMS, turns=_LONG_STREAMS
    )
    for name, opened in bench.targets.items():
        with opened(bench.site) as target:
            seen = bench.play(target, load)
        bench.figures.add(LONG, name, wire_B_per_tok=seen.wire_B_per_tok, failed=seen.failed)


def _load(streams: int, tokens: int, rate_s: float, ramp_s: float) -> Load:
    return Load(directive=Directive(n=tokens, itl_s=rate_s), streams=streams, turns=streams, ramp_s=ramp_s * streams)


def _streams(bench: Bench, measure: str, load: Load) -> None:
    for name, opened in bench.targets.items():
        bench.say(f"{measure}: {name}")
        _one(bench, measure, name, opened, load)


def _one(bench: Bench, measure: str, name: TargetName, opened: Opened, load: Load) -> None:
    with opened(bench.site) as target:
        if target.pid is None:
            seen = bench.play(target, load)
        else:
            seen, watch = bench.play_watched(target, load)
            _add_used(bench, measure, name, load, seen, watch)
    bench.figures.add(
        measure,
        name,
        streams=load.streams,
        failed=seen.failed,
        gaps=seen.gaps,
        lat_p50_ms=seen.lat_p50_ms,
        lat_p99_ms=seen.lat_p99_ms,
        ttft_p50_ms=seen.ttft_p50_ms,
        ttft_p99_ms=seen.ttft_p99_ms,
        wire_B_per_tok=seen.wire_B_per_tok,
    )
    for error, count in seen.errors.items():
        bench.say(f"{measure}: {name}: {count} x {error}")


def _add_used(bench: Bench, measure: str, name: TargetName, load: Load, seen: Seen, watch: Watch) -> None:
    bench.figures.add(
        measure,
        name,
        cpu_us_per_tok=watch.cpu_s / max(seen.tokens, 1) * 1e6,
        cpu_share=watch.cpu_s / watch.wall_s,
        KiB_per_stream=(watch.rss_peak - watch.rss_before) / load.streams / 1024,
        noise_cores=watch.noise,
    )
