"""Old tabs and new builds of the page: what its service worker keeps of which build, on a server that has the page and nothing else."""

import json
import re
import shutil
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, expect

import luxx.http.application

BUILT = Path(luxx.http.application.__file__).parent / "page"
PATIENCE_MS = 20_000
CACHES = "() => caches.keys()"


class Site(SimpleHTTPRequestHandler):
    """A folder over HTTP; whatever the page asks of an API is not there."""

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Builds:
    """A folder with one build of the page, to be replaced by others."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url

    def publish(self, name: str, without: str = "") -> None:
        """Replace the build by another one, of which some files are gone, as those are whose content has changed."""
        if without:
            for path in self.folder.glob(f"assets/{without}-*"):
                path.unlink()
        worker = self.folder / "sw.js"
        build, _, code = worker.read_text().partition("\n")
        told = json.loads(build.removeprefix("const BUILD = ").removesuffix(";"))
        told["id"] = name
        told["files"] = [file for file in told["files"] if (self.folder / file[1:]).exists()]
        worker.write_text(f"const BUILD = {json.dumps(told)};\n{code}")


@pytest.fixture
def builds(tmp_path: Path) -> Iterator[Builds]:
    """The page as it is built, on a server of its own."""
    folder = tmp_path / "page"
    shutil.copytree(BUILT, folder, ignore=shutil.ignore_patterns("*.br", "*.gz"))
    site = ThreadingHTTPServer(("127.0.0.1", 0), partial(Site, directory=str(folder)))
    thread = Thread(target=site.serve_forever)
    thread.start()
    builds = Builds(folder, f"http://127.0.0.1:{site.server_port}")
    builds.publish("a")
    yield builds
    site.shutdown()
    site.server_close()
    thread.join()


@pytest.fixture
def tab(browser: Browser, builds: Builds) -> Iterator[Page]:
    """A tab that has been here once."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(builds.url)
    caches_are(page, "a")
    yield page
    context.close()


def caches_are(page: Page, *names: str) -> None:
    """Wait until the worker has taken over, with the caches of these builds."""
    loop = "while (!same(await caches.keys())) await new Promise((done) => setTimeout(done, 50));"
    same = f"(keys) => keys.join() === {json.dumps(','.join(f'luxx-page-{name}' for name in names))}"
    page.evaluate(f"async () => {{ await navigator.serviceWorker.ready; const same = {same}; {loop} }}")
    assert page.evaluate(CACHES) == [f"luxx-page-{name}" for name in names]
    page.wait_for_function("() => navigator.serviceWorker.controller?.state === 'activated'", timeout=PATIENCE_MS)


def test_a_new_build_comes_with_the_next_visit_and_only_the_one_before_it_is_kept(tab: Page, builds: Builds) -> None:
    builds.publish("b")
    tab.reload()
    caches_are(tab, "a", "b")
    builds.publish("c")
    tab.reload()
    caches_are(tab, "b", "c")


def test_a_tab_of_the_build_before_finds_its_parts(tab: Page, builds: Builds) -> None:
    builds.publish("b", without="ShortcutsDialog")
    other = tab.context.new_page()
    other.goto(builds.url)
    caches_are(other, "a", "b")
    tab.get_by_role("button", name="Keyboard shortcuts").click()
    expect(tab.get_by_role("dialog")).to_be_visible()


def test_a_build_that_is_half_published_is_not_kept(tab: Page, builds: Builds) -> None:
    index = builds.folder / "index.html"
    index.write_text(re.sub(r"/assets/index-[\w-]+\.js", "/assets/index-other.js", index.read_text()))
    builds.publish("b")
    found = tab.evaluate("""async () => {
        const registration = await navigator.serviceWorker.ready;
        const ended = new Promise((done) => registration.addEventListener('updatefound', () => {
            const worker = registration.installing;
            worker.addEventListener('statechange', () => worker.state === 'redundant' && done('refused'));
        }));
        await registration.update();
        return ended;
    }""")
    assert found == "refused"
    assert tab.evaluate("caches.open('luxx-page-a').then((kept) => kept.match('/')).then((found) => found.ok)")
