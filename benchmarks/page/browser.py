"""Browser: one tab of Debian's Chromium without a window, driven by playwright, and what can be read of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, ViewportSize, sync_playwright

from benchmarks.page.trace import CATEGORIES, Trace
from benchmarks.process import ProgramFailed
from tests.chromium import find_chromium, launch_arguments

_SIZE: ViewportSize = {"width": 1280, "height": 860}


class Tab:
    """A tab with an empty profile. Times are those of the renderer's main thread, so that a busy machine counts as little as it can."""

    def __init__(self, browser: Browser, page: Page) -> None:
        self.page = page
        self._browser = browser
        self._devtools: CDPSession = page.context.new_cdp_session(page)
        self._devtools.send("Performance.enable", {"timeDomain": "threadTicks"})

    @contextmanager
    def traced(self) -> Iterator[Trace]:
        """Trace the main thread; the trace can be read after the block."""
        trace = Trace()
        self._browser.start_tracing(page=self.page, categories=CATEGORIES)
        try:
            yield trace
        finally:
            trace.read(json.loads(self._browser.stop_tracing())["traceEvents"])

    def heap_MB(self) -> float:
        """Return what live objects of scripts take."""
        self._devtools.send("HeapProfiler.collectGarbage")
        return self._metrics()["JSHeapUsedSize"] / 1e6

    def nodes(self) -> int:
        """Return how many nodes the document has."""
        return self.page.evaluate("""() => {
            const walker = document.createTreeWalker(document);
            let count = 1;
            while (walker.nextNode()) count += 1;
            return count;
        }""")

    def _metrics(self) -> dict[str, Any]:
        return {each["name"]: each["value"] for each in self._devtools.send("Performance.getMetrics")["metrics"]}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the browser. Raises ProgramFailed if there is none."""
    program = find_chromium()
    if not program:
        raise ProgramFailed("Chromium is not installed: the page cannot be measured.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=launch_arguments())
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def tab(browser: Browser) -> Iterator[Tab]:
    """Open a tab with cold caches."""
    context = browser.new_context(viewport=_SIZE)
    try:
        yield Tab(browser, context.new_page())
    finally:
        context.close()
