"""JSON schema: how a reference within one is followed."""

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import unquote

Schema = dict[str, Any]


def part_at(root: Mapping[str, Any], reference: str) -> object:
    """Return what a reference within a schema names (RFC 6901, section 6), or None; one to an anchor, or to elsewhere, names nothing."""
    if reference != "#" and not reference.startswith("#/"):
        return None
    found: object = root
    for part in unquote(reference).split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and name.isdecimal() and int(name) < len(cast("list[object]", found)):
            found = cast("list[object]", found)[int(name)]
        else:
            found = cast("dict[str, object]", found).get(name) if isinstance(found, dict) else None
    return found
