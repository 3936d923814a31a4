"""JSON schema: how a reference within one is followed."""

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import unquote

Schema = dict[str, Any]

_MOST_DIGITS = 9
"""Of a place in a list; Python refuses to read numbers of thousands."""


def part_at(root: Mapping[str, Any], reference: str) -> object:
    """Return what a reference within a schema names (RFC 6901, section 6), or None; one to an anchor, or to elsewhere, names nothing."""
    if reference != "#" and not reference.startswith("#/"):
        return None
    found: object = root
    for part in unquote(reference).split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list):
            items = cast("list[object]", found)
            found = items[int(name)] if _is_place(name) and int(name) < len(items) else None
        else:
            found = cast("dict[str, object]", found).get(name) if isinstance(found, dict) else None
    return found


def _is_place(name: str) -> bool:
    return name.isdecimal() and len(name) <= _MOST_DIGITS
