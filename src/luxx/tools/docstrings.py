"""Docstrings: what a function's docstring says of it and of its arguments."""

import inspect
import re
from collections.abc import Iterable, Iterator

import msgspec

_SECTION = re.compile(r"(Args|Arguments|Parameters|Returns|Raises|Yields|Examples?|Notes?|Warnings?):\s*")
_ENTRY = re.compile(r"\*{0,2}(\w+)\s*(?:\(.*?\))?\s*:\s*(.*)")
_ARGUMENT_SECTIONS = frozenset({"Args", "Arguments", "Parameters"})


class Docs(msgspec.Struct, frozen=True):
    """A docstring taken apart: `arguments` has the text for each argument that it describes."""

    description: str
    arguments: dict[str, str]


def read(docstring: str | None) -> Docs:
    """Take a docstring apart in the Google style (https://google.github.io/styleguide/pyguide.html#383-functions).

    The sections on arguments and errors are left out of the description: the schema has the ones, callers the others.
    """
    kept: list[str] = []
    arguments: dict[str, str] = {}
    for section, lines in _sections(inspect.cleandoc(docstring or "").splitlines()):
        if section in _ARGUMENT_SECTIONS:
            arguments.update(_entries(lines))
        elif section != "Raises":
            kept += [f"{section}:", *lines] if section else lines
    return Docs("\n".join(kept).strip(), arguments)


def _sections(lines: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield each section's name (empty for the text before and between) and its lines."""
    name = ""
    body: list[str] = []
    for line in lines:
        heading = _SECTION.fullmatch(line)
        leaves = bool(name) and bool(line) and not line[0].isspace()
        if heading or leaves:
            yield name, body
            name, body = (heading[1], []) if heading else ("", [line])
        else:
            body.append(line)
    yield name, body


def _entries(lines: list[str]) -> dict[str, str]:
    """Return the text for each name; a line that is indented deeper than the names belongs to the entry before it."""
    text = inspect.cleandoc("\n" + "\n".join(lines))
    entries: dict[str, list[str]] = {}
    name = ""
    for line in text.splitlines():
        entry = None if line[:1].isspace() else _ENTRY.fullmatch(line)
        if entry:
            name = entry[1]
            entries[name] = [entry[2].strip()]
        elif name and line.strip():
            entries[name].append(line.strip())
    return {name: " ".join(parts).strip() for name, parts in entries.items()}
