"""Make the pictures of docs/gallery: `python -m dev.gallery`, with names of screens for some of them only."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from dev.gallery.model import Model
from dev.gallery.screens import SCREENS, Screen
from tests.chromium import find_chromium, launch_arguments
from tests.page.conftest import PageServer

PICTURES = Path(__file__).parents[2] / "docs" / "gallery"
WIDE = ViewportSize(width=1280, height=860)
NARROW = ViewportSize(width=360, height=740)


def main(names: list[str]) -> None:
    """Take the pictures of these screens, or of all."""
    wanted = [screen for screen in SCREENS if not names or screen.name in names]
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, Model() as model, sync_playwright() as playwright:
        server = PageServer(Path(directory) / "data")
        server.start()
        try:
            kept = _furnish(server, model)
            executable = find_chromium()
            browser = playwright.chromium.launch(executable_path=executable, args=launch_arguments())
            for screen in wanted:
                _take(browser, server, screen)
                _tidy(server, kept)
                print(f"docs/gallery/{screen.name}.png")
            browser.close()
        finally:
            server.kill()


def _furnish(server: PageServer, model: Model) -> set[str]:
    """Make what all screens find there, and return the conversations."""
    fields: dict[str, Any] = {"name": "North", "format": "openai", "base_url": model.url, "api_key": "nk-0000"}
    server.call("POST", "/api/providers", {**fields, "default_model": "north-large", "is_default": True})
    server.call("PUT", "/api/rules", {"items": [{"tool": "wait_unsafe", "action": "ask"}]})
    titles = ("Notes on the harvest", "Names for a boat", "A letter to the landlord", "Bread without kneading")
    return {server.call("POST", "/api/conversations", {"title": title})["id"] for title in titles}


def _tidy(server: PageServer, kept: set[str]) -> None:
    """Delete what a screen has left behind."""
    for conversation in server.call("GET", "/api/conversations")["items"]:
        if conversation["id"] not in kept:
            server.call("DELETE", f"/api/conversations/{conversation['id']}")


def _take(browser: Browser, server: PageServer, screen: Screen) -> None:
    context = browser.new_context(
        viewport=NARROW if screen.narrow else WIDE,
        color_scheme="dark" if screen.dark else "light",
        has_touch=screen.narrow,
        reduced_motion="reduce",
        locale="en",
    )
    page = context.new_page()
    page.goto(f"{server.url}/open?token={server.owner_secret()}")
    screen.play(page)
    page.mouse.move(2, 2)
    page.wait_for_function("document.fonts.status === 'loaded'")
    page.screenshot(path=PICTURES / f"{screen.name}.png", animations="disabled")
    context.close()


if __name__ == "__main__":
    main(sys.argv[1:])
