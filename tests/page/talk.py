"""What the tests of the page do in a conversation: script the model, send, look at the answer."""

import json
import re
from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Locator, Page

from tests.page.conftest import PageServer

SLOW = "".join(f"word{n} " for n in range(150))


def script(*rounds: list[dict[str, Any]]) -> str:
    return json.dumps({"script": list(rounds)})


def text(content: str, delay_ms: float = 0) -> dict[str, Any]:
    return {"type": "text", "text": content, "chunk": 10, "delay_ms": delay_ms}


def call(name: str, **arguments: object) -> dict[str, Any]:
    return {"type": "call", "name": name, "arguments": arguments}


def hold() -> dict[str, Any]:
    """Let the model wait for as long as a test needs: until `go_on_with_it`, and longer than any test takes."""
    return call("wait", seconds=100)


def go_on_with_it(page: Page) -> None:
    """Let the model play its next round."""
    page.get_by_role("button", name="Stop wait", exact=True).click()


def send(page: Page, message: str) -> None:
    box = page.get_by_role("textbox", name="Message", exact=True)
    box.fill(message)
    box.press("Enter")


def use_tools(page: Page) -> None:
    """Switch tools on or off for the chat."""
    page.get_by_role("button", name=re.compile("^Tools")).click()
    page.get_by_role("switch", name="Use tools").click()


def at_rest(page: Page) -> None:
    """Wait until the messages have not been scrolled for some frames: a wheel or a key moves them smoothly."""
    page.evaluate("""() => new Promise((done) => {
        const area = document.querySelector('[role=log]');
        let top = area.scrollTop, frames = 0;
        const look = () => {
            frames = area.scrollTop === top ? frames + 1 : 0;
            top = area.scrollTop;
            if (frames > 6) done(); else requestAnimationFrame(look);
        };
        look();
    })""")


def answer(page: Page) -> Locator:
    return page.get_by_role("article", name="Answer").last


def conversation_id(page: Page) -> str:
    page.wait_for_url(re.compile(r"/c/\w+"))
    return page.url.rsplit("/", 1)[-1]


def list_models(page: Page, provider: dict[str, Any], models: Sequence[dict[str, Any]]) -> None:
    """Have a provider list these models."""
    page.route(f"**/api/providers/{provider['id']}/models", lambda route: route.fulfill(json={"items": models}))


def wait_for_copy(page: Page, copied: str) -> None:
    """Wait until this is what was copied. A promise would be as good as what it promises, so what was read last is looked at."""
    page.wait_for_function(
        """(copied) => {
            navigator.clipboard.readText().then((text) => (window.copied = text));
            return window.copied === copied;
        }""",
        arg=copied,
    )


def shown_text(page: Page) -> str:
    return re.sub(r"\s+", " ", answer(page).locator(".answer-text").inner_text()).strip()


def saved_text(server: PageServer, page: Page) -> str:
    return re.sub(r"\s+", " ", server.last_answer(conversation_id(page))["text"]).strip()
