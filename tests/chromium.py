"""Finds the Chromium that the browser tests drive; run as a program, it first installs one where there is none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APPLICATIONS = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
)

# No traffic of the browser's own, and no sandbox for root (which Chromium refuses to run as).
ARGUMENTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


def find_chromium() -> Path | None:
    """The installed browser, None if there is none (playwright's own download is then used)."""
    on_path = (Path(found) for name in NAMES if (found := shutil.which(name)))
    return next(on_path, None) or next((path for path in APPLICATIONS if path.exists()), None)


def launch_arguments() -> list[str]:
    """The browser's command line for this user."""
    return [*ARGUMENTS, "--no-sandbox"] if is_root() else [*ARGUMENTS]


def is_root() -> bool:
    """Whether this process may install Debian's packages."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def install_chromium() -> None:
    """Debian's package where this process may install it, else playwright's own download (which it does once)."""
    if is_root() and shutil.which("apt-get"):
        apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
        for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
            subprocess.run([*apt, *command], check=False, stdout=subprocess.DEVNULL)
        if find_chromium():
            return
    if subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False).returncode:
        sys.exit("The browser tests need Chromium: install one of " + ", ".join(NAMES) + ".")


if __name__ == "__main__" and find_chromium() is None:
    install_chromium()
