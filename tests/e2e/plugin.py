"""A package with tools, as `luxx serve` finds it: nothing but its metadata, in a folder of the test."""

import os
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]


def install(folder: Path, entry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the servers that are started from now on find the tools at `entry` (``module:name``)."""
    info = folder / "plugin" / "tools_of_tests-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tools-of-tests\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[luxx.tools]\ntests = {entry}\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (_ROOT, info.parent))))
