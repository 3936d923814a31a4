"""Measures: what the page loads, and what it does while answers of 20,000 tokens come, each beside the plain page."""

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from playwright.sync_api import Page

from benchmarks.figures import TargetName
from benchmarks.luxx import Luxx, fresh
from benchmarks.measures.bench import SETTLE_S, Bench
from benchmarks.page import content
from benchmarks.page.browser import Tab, chromium, tab
from benchmarks.page.bundle import bundle
from benchmarks.page.shown import LuxxPage, PlainPage, Shown

LOADING, FAST, STEADY, OPENING, LONG = "page-loading", "page-fast", "page-steady", "page-opening", "page-long"
_PAGES: Mapping[TargetName, type[LuxxPage | PlainPage]] = {"plain": PlainPage, "luxx": LuxxPage}
_FAST_RATE, _STEADY_RATE = 1000, 200
_WARM_UP_TOKENS = 800
_OPENINGS = 5
_KEY_EVERY_S = 0.15
_FRAMES = """() => {
    window.frames_ms = [];
    let last = performance.now();
    const next = (now) => { window.frames_ms.push(now - last); last = now; requestAnimationFrame(next); };
    requestAnimationFrame(next);
}"""
_KEYS = """() => {
    window.keys_ms = [];
    const take = (list) => list.getEntries().forEach((e) => e.name === 'keydown' && window.keys_ms.push(e.duration));
    new PerformanceObserver(take).observe({ type: 'event', durationThreshold: 16 });
}"""
_FRAME_MS = 1000 / 60


def loading(bench: Bench) -> None:
    """Measure the bytes of the built page, and what a browser asks for until one can write."""
    bench.say(f"{LOADING}: luxx")
    sizes = bundle()
    with fresh(bench.site) as server, chromium() as browser, tab(browser) as at:
        home = f"http://127.0.0.1:{server.port}/"
        asked: list[str] = []
        at.page.on("request", lambda request: asked.append(request.url))
        at.page.goto(home)
        at.page.wait_for_selector("textarea:enabled")
        at.page.wait_for_timeout(SETTLE_S * 1000)
    bench.figures.add(
        LOADING,
        "luxx",
        requests=len(asked),
        foreign=sum(not url.startswith((home, "data:", "blob:")) for url in asked),
        entry_js_KB=sizes.entry_js / 1e3,
        entry_css_KB=sizes.entry_css / 1e3,
        formulas_KB=sizes.formulas / 1e3,
        highlighter_KB=sizes.highlighter / 1e3,
        other_KB=sizes.other / 1e3,
        whole_MB=sizes.whole / 1e6,
    )


def fast(bench: Bench) -> None:
    """Measure script, and whether it grows with the answer, at 1000 tokens a second."""
    tokens = bench.scale.page_tokens
    for name, at, page in _each(bench, FAST):
        _warm_up(page)
        page.begin(content.streamed((tokens, _FAST_RATE)))
        with at.traced() as trace:
            page.until_ended()
        first, last = trace.script_quarters_s()
        bench.figures.add(
            FAST,
            name,
            script_ms_per_tok=trace.script_s / tokens * 1e3,
            script_growth=last / first if first else 0.0,
            longest_ms=trace.longest_ms,
        )


def steady(bench: Bench) -> None:
    """Measure the main thread over the last three tenths of an answer, which come at 200 tokens a second."""
    measured = bench.scale.page_tokens * 3 // 10
    for name, at, page in _each(bench, STEADY):
        _warm_up(page)
        page.begin(content.streamed((bench.scale.page_tokens - measured, 0), (measured, _STEADY_RATE)))
        page.until_measured()
        time.sleep(content.PAUSE_S / 2)
        begun = time.monotonic()
        with at.traced() as trace:
            page.until_ended()
            wall_s = time.monotonic() - begun - content.PAUSE_S / 2
        bench.figures.add(
            STEADY,
            name,
            busy_ms_per_tok=trace.busy_s / measured * 1e3,
            busy_percent=trace.busy_s / wall_s * 100,
            long_tasks=trace.long_tasks,
        )


def opening(bench: Bench) -> None:
    """Measure how long a long conversation takes to open, and how much of it there is then."""
    with _long(bench) as (server, conversation), chromium() as browser:
        for name, kind in _PAGES.items():
            bench.say(f"{OPENING}: {name}")
            with tab(browser) as at:
                page = kind(at, server, conversation)
                times = [page.opened_ms(_last_of(bench)) for _ in range(_OPENINGS + 1)][1:]
                bench.figures.add(OPENING, name, opened_ms=statistics.median(times), nodes=at.nodes())


def long(bench: Bench) -> None:
    """Measure 1000 tokens a second into a long conversation, while a person writes the next message."""
    with _long(bench) as (server, conversation), chromium() as browser:
        for name, kind in _PAGES.items():
            bench.say(f"{LONG}: {name}")
            with tab(browser) as at:
                page = kind(at, server, conversation)
                if isinstance(page, LuxxPage):
                    page.opened_ms("")
                    _warm_up(page)
                bench.figures.add(LONG, name, **_written_meanwhile(at, page, bench.scale.page_tokens))


def _written_meanwhile(at: Tab, page: Shown, tokens: int) -> Mapping[str, float]:
    page.begin(content.streamed((tokens, _FAST_RATE)))
    at.page.focus(page.typed)
    at.page.evaluate(_FRAMES)
    at.page.evaluate(_KEYS)
    begun = time.monotonic()
    with at.traced() as trace:
        keys = _write(at.page, tokens / _FAST_RATE)
        wall_s = time.monotonic() - begun
        frames: list[float] = at.page.evaluate("window.frames_ms")
        page.until_ended()
    slow: list[float] = at.page.evaluate("window.keys_ms")
    late = sum(max(round(frame / _FRAME_MS) - 1, 0) for frame in frames)
    return {
        "busy_percent": trace.busy_s / wall_s * 100,
        "frame_p95_ms": _p95(frames),
        "frames_lost_percent": late / (len(frames) + late) * 100,
        "key_p95_ms": _p95([*slow, *([16.0] * max(keys - len(slow), 0))]),
        "longest_ms": trace.longest_ms,
        "heap_MB": at.heap_MB(),
    }


def _write(page: Page, seconds: float) -> int:
    """Press keys for so long. Return how many."""
    keys, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        page.keyboard.press("abcdefgh "[keys % 9])
        keys += 1
        time.sleep(_KEY_EVERY_S)
    return keys


def _each(bench: Bench, measure: str) -> Iterator[tuple[TargetName, Tab, Shown]]:
    with fresh(bench.site) as server, chromium() as browser:
        for name, kind in _PAGES.items():
            bench.say(f"{measure}: {name}")
            with tab(browser) as at:
                yield name, at, kind(at, server, server.conversations(1, server.scripted())[0])


def _warm_up(page: Shown) -> None:
    """Have the parts that are loaded when first needed."""
    page.begin(content.streamed((_WARM_UP_TOKENS, _FAST_RATE)))
    page.until_ended()


@contextmanager
def _long(bench: Bench) -> Iterator[tuple[Luxx, str]]:
    """Run a server with a long conversation."""
    with fresh(bench.site) as server, server.api() as api:
        [conversation] = server.conversations(1, server.scripted())
        for number in range(bench.scale.page_messages // 2):
            for _ in api.send(conversation, content.exchange(number)):
                pass
        yield server, conversation


def _last_of(bench: Bench) -> str:
    return f"Answer {bench.scale.page_messages // 2 - 1}."


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)] if values else 0.0
