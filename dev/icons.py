"""Draws the icons of the installed page anew from `webui/public/icons/icon.svg`: run `python -m dev.icons` after a change of it."""

from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.chromium import find_chromium, launch_arguments

ICONS = Path(__file__).resolve().parent.parent / "webui" / "public" / "icons"
GROUND = "#fefdfb"
# Name: side in pixels, share of it that the sign takes, and the ground; a mask may cut away all but the inner 80 %.
SIZES = {
    "icon-192.png": (192, 1.0, "transparent"),
    "icon-512.png": (512, 1.0, "transparent"),
    "icon-maskable.png": (512, 0.62, GROUND),
    "apple-touch-icon.png": (180, 0.76, GROUND),
}


def draw(page: Page, name: str, sign: str) -> None:
    """Draw one icon."""
    side, share, ground = SIZES[name]
    page.set_viewport_size({"width": side, "height": side})
    style = f"html{{background:{ground};height:100%}}body{{margin:0;height:100%;display:grid;place-items:center}}"
    page.set_content(f"<style>{style}svg{{width:{share * side}px}}</style>{sign}")
    page.screenshot(path=ICONS / name, omit_background=True)


def main() -> None:
    """Draw all icons."""
    sign = (ICONS / "icon.svg").read_text()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=launch_arguments())
        page = browser.new_page()
        for name in SIZES:
            draw(page, name, sign)
        browser.close()


if __name__ == "__main__":
    main()
