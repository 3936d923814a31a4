"""axe on the page as it is now."""

from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page

AXE = Path(__file__).parents[2] / "webui" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
Scheme = Literal["light", "dark"]


_RUN = """async (only) => {
    const ending = document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < Infinity);
    await Promise.allSettled(ending.map((one) => one.finished));
    return axe.run(document, { runOnly: only, resultTypes: ['violations'] });
}"""
"""Look when nothing fades any more: a text that is half seen has too little contrast."""


def assert_accessible(page: Page, scheme: Scheme | None = None) -> None:
    """Assert that axe finds nothing to complain of: in this scheme, or in light and, as to colours, in dark ones."""
    _assert_nothing_found(page, scheme or "light", {"type": "tag", "values": RULES})
    if scheme is None:
        assert_contrast(page, "color-contrast", scheme="dark")


def assert_contrast(page: Page, rule: str, scheme: Scheme) -> None:
    """Assert that axe finds nothing to complain of by one rule on contrasts."""
    _assert_nothing_found(page, scheme, {"type": "rule", "values": [rule]})


def _assert_nothing_found(page: Page, scheme: Scheme, only: dict[str, Any]) -> None:
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    page.emulate_media(color_scheme=scheme)
    found: dict[str, Any] = page.evaluate(_RUN, only)
    said = [
        (rule["id"], node["target"], node["failureSummary"]) for rule in found["violations"] for node in rule["nodes"]
    ]
    assert not said, f"{scheme}: {said}"
