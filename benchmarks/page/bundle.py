"""Bundle: how many bytes the built page has, as they are on the disk and as they go over the network."""

import gzip
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

_PAGE = Path(__file__).resolve().parents[2] / "src" / "luxx" / "http" / "page"
_ENTRY = re.compile(r'<(?:script|link rel="stylesheet")[^>]*?(?:src|href)="/(assets/[^"]+)"')
_IMPORTED = re.compile(r"""(?:^|[;}\s])(?:import|export)\s*(?:[\w$*{},\s]+?from\s*)?["']\./([^"']+\.js)["']""")


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes in bytes; all but `whole` are compressed."""

    entry_js: int
    entry_css: int
    formulas: int
    highlighter: int
    other: int
    """The largest part that is loaded when needed, formulas and highlighter left out."""
    whole: int
    """What a wheel holds."""


def bundle() -> Bundle:
    """Measure the page that is built into the package."""
    assets = _PAGE / "assets"
    entry = _with_imports({_PAGE / name for name in _ENTRY.findall((_PAGE / "index.html").read_text())})
    later = {path for path in assets.glob("*.js") if path not in entry}
    named = {
        path: next((name for name in ("katex", "highlight") if path.name.startswith(f"{name}-")), "") for path in later
    }
    rarer = {path for path in later if path.name.startswith("highlight-rarer")}
    return Bundle(
        entry_js=sum(_sent(path) for path in entry if path.suffix == ".js"),
        entry_css=sum(_sent(path) for path in entry if path.suffix == ".css"),
        formulas=_largest(path for path in later if named[path] == "katex"),
        highlighter=_largest(path for path in later - rarer if named[path] == "highlight"),
        other=_largest(path for path in later if not named[path] or path in rarer),
        whole=sum(path.stat().st_size for path in _PAGE.rglob("*") if path.is_file()),
    )


def _with_imports(files: set[Path]) -> set[Path]:
    """Add what scripts import, directly or not."""
    found, waiting = set[Path](), list(files)
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        if path.suffix == ".js":
            waiting += [path.parent / name for name in _IMPORTED.findall(path.read_text())]
    return found


def _sent(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), 9))


def _largest(paths: Iterable[Path]) -> int:
    return max(map(_sent, paths), default=0)
