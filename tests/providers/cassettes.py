"""Recorded answers of providers, read where they lie: beside the repository, or where LUXX_CASSETTES says.

They are data for tests and no part of the project: without them the tests that need them are not collected.
"""

import json
import os
from pathlib import Path
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "cassettes"
FOLDER = Path(os.environ.get("LUXX_CASSETTES") or _BESIDE)  # noqa: TID251 - tests may read it
"""Where the recordings are; it need not exist."""


class Expected(msgspec.Struct, frozen=True):
    """What clients agree on; a key that is absent is not to be checked."""

    text: str | None = None
    reasoning: str | None = None
    tools: list[tuple[str, str, str]] | None = None
    finish: str | None = None


class Stream(msgspec.Struct, frozen=True):
    """One recorded body."""

    id: str
    file: str
    kind: str
    features: tuple[str, ...]

    @property
    def body(self) -> bytes:
        return (FOLDER / "streams" / self.file).read_bytes()

    @property
    def has_reason(self) -> bool:
        return any(feature.startswith("finish=") for feature in self.features)


class Exchange(msgspec.Struct, frozen=True):
    """A recorded request of a loop, and the body of its answer."""

    file: str
    request: dict[str, Any]
    features: tuple[str, ...]

    @property
    def answer(self) -> bytes:
        return (FOLDER / "loops" / self.file).read_bytes()


class Loop(msgspec.Struct, frozen=True):
    """A recorded tool loop."""

    id: str
    kind: str
    provider: str
    model: str
    interactions: tuple[Exchange, ...]


class Refusal(msgspec.Struct, frozen=True):
    """A recorded 4xx answer."""

    provider: str
    status: int
    headers: dict[str, Any]
    body: str

    @property
    def plain_headers(self) -> dict[str, str]:
        return {k: v[0] if isinstance(v, list) else v for k, v in self.headers.items()}


def available() -> bool:
    """Whether the recordings are there."""
    return (FOLDER / "streams" / "index.json").is_file()


def streams(kind: str) -> list[Stream]:
    """Return the recorded bodies of a wire format."""
    found = _read("streams/index.json", list[Stream])
    return [stream for stream in found if stream.kind == kind]


def expectations() -> dict[str, Expected]:
    """Return what is expected of the streams, by id."""
    return _read("streams/expected.json", dict[str, Expected])


def loops(kind: str) -> list[Loop]:
    """Return the recorded tool loops of a wire format."""
    return [loop for loop in _read("loops/index.json", list[Loop]) if loop.kind == kind]


def refusals() -> list[Refusal]:
    """Return the recorded 4xx answers, of all formats."""
    return _read("errors/index.json", list[Refusal])


def same_arguments(one: str, other: str) -> bool:
    """Whether two texts of arguments mean the same."""
    return _meaning(one) == _meaning(other)


def _meaning(arguments: str) -> object:
    try:
        return json.loads(arguments or "{}")
    except ValueError:
        return arguments


def _read(name: str, kind: type[T]) -> T:
    return msgspec.json.decode((FOLDER / name).read_bytes(), type=kind)
