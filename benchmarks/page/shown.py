"""Shown: the two pages that show an answer: Luxx's, and a plain one that appends the same tokens to one text node."""

from typing import Protocol

from benchmarks.luxx import Luxx
from benchmarks.page.browser import Tab

ANSWER_S = 180.0
_POLL_MS = 250
_PLAIN = """({ path, text }) => {
    document.body.innerHTML = '<div style="white-space: pre-wrap; overflow-wrap: anywhere; width: 46rem"></div><input>';
    const node = document.createTextNode('');
    document.body.firstChild.append(node);
    window.shown = { node, ended: false };
    const show = () => { scrollTo(0, document.body.scrollHeight); if (!window.shown.ended) requestAnimationFrame(show); };
    show();
    (async () => {
        const headers = { 'Content-Type': 'application/json', Accept: 'text/event-stream' };
        const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify({ text }) });
        const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
        let rest = '';
        for (;;) {
            const { done, value } = await reader.read();
            if (done) break;
            const events = (rest + value).split('\\n\\n');
            rest = events.pop();
            for (const event of events) {
                const [, name, data] = /event: (\\w+)\\ndata: (.*)/.exec(event) ?? [];
                if (name === 'step_delta') node.appendData(JSON.parse(data).text);
            }
        }
        window.shown.ended = true;
    })();
}"""
_PLAIN_OPENED = """async (path) => {
    const begun = performance.now();
    const { items } = await (await fetch(path)).json();
    document.body.replaceChildren(...items.map((item) => {
        const row = document.createElement('div');
        row.style.whiteSpace = 'pre-wrap';
        row.textContent = item.text;
        return row;
    }));
    scrollTo(0, document.body.scrollHeight);
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    return performance.now() - begun;
}"""
_OPENED = """async ({ id, last }) => {
    const begun = performance.now();
    document.querySelector(`nav a[href="/c/${id}"]`).click();
    for (let still = 0; still < 2;) {
        await new Promise(requestAnimationFrame);
        if (performance.now() - begun > 30000) throw new Error('The conversation did not open.');
        const area = document.querySelector('[role=log]');
        const there = [...document.querySelectorAll('article')].at(-1)?.textContent.includes(last);
        still = there && area.scrollHeight - area.clientHeight - area.scrollTop <= 2 ? still + 1 : 0;
    }
    return performance.now() - begun;
}"""


class Shown(Protocol):
    """A page in a tab that shows the answers of one conversation."""

    typed: str
    """Selects where one can type."""

    def begin(self, text: str) -> None:
        """Send a message."""
        ...

    def until_measured(self) -> None:
        """Wait for the phase of the answer that is measured (see `content.streamed`)."""
        ...

    def until_ended(self) -> None:
        """Wait for the end of the answer."""
        ...

    def opened_ms(self, last: str) -> float:
        """Open the conversation, whose last answer has the text `last` in it, and return how long that took."""
        ...


class LuxxPage:
    """Luxx's own page, as a person uses it."""

    typed = "textarea"

    def __init__(self, tab: Tab, server: Luxx, conversation: str) -> None:
        self._page = tab.page
        self._home = f"http://127.0.0.1:{server.port}/"
        self._id = conversation
        self._page.goto(f"{self._home}c/{conversation}")
        self._page.wait_for_selector(self.typed)

    def begin(self, text: str) -> None:
        """Type it in and press Enter."""
        count = self._page.locator("article").count()
        self._page.fill(self.typed, text)
        self._page.press(self.typed, "Enter")
        self._until(f"document.querySelectorAll('article').length > {count}")

    def until_measured(self) -> None:
        """Wait for a paragraph with that word."""
        self._until("[...document.querySelectorAll('.prose p')].some((p) => p.textContent === 'measured')")

    def until_ended(self) -> None:
        """Wait until no answer is busy."""
        self._until("!document.querySelector('article[aria-busy=true]')")

    def opened_ms(self, last: str) -> float:
        """Open it from a new chat by its link at the side."""
        self._page.goto(self._home)
        self._page.wait_for_selector(f'nav a[href="/c/{self._id}"]')
        return self._page.evaluate(_OPENED, {"id": self._id, "last": last})

    def _until(self, condition: str) -> None:
        self._page.wait_for_function(f"() => {condition}", timeout=ANSWER_S * 1000, polling=_POLL_MS)


class PlainPage:
    """A page that shows text as it comes, in one text node, and keeps at its end."""

    typed = "input"

    def __init__(self, tab: Tab, server: Luxx, conversation: str) -> None:
        self._page = tab.page
        self._path = f"/api/conversations/{conversation}/messages"
        # Any document of the server's own does: what is evaluated is not under its policy.
        self._page.goto(f"http://127.0.0.1:{server.port}/api/ready")

    def begin(self, text: str) -> None:
        """Send it from a script."""
        self._page.evaluate(_PLAIN, {"path": self._path, "text": text})

    def until_measured(self) -> None:
        """Wait for the word."""
        self._until("window.shown.node.data.includes('\\n\\nmeasured\\n\\n')")

    def until_ended(self) -> None:
        """Wait for the end of the stream."""
        self._until("window.shown.ended")

    def opened_ms(self, last: str) -> float:
        """Fetch the messages that Luxx's page fetches first, and show them."""
        del last
        return self._page.evaluate(_PLAIN_OPENED, f"{self._path}?limit=30")

    def _until(self, condition: str) -> None:
        self._page.wait_for_function(f"() => {condition}", timeout=ANSWER_S * 1000, polling=_POLL_MS)
