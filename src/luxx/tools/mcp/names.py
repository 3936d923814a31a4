"""Names: what the tools of MCP servers are called, so that any provider takes the name and no two are alike."""

import hashlib
import re

MAX_CHARS = 64
_SERVER_CHARS = 24
_DIGEST_CHARS = 6
_JOINT = "__"

_UNFIT = re.compile(r"[^a-zA-Z0-9_-]")
_PLAIN_SERVER = re.compile(r"[a-zA-Z0-9-]+(?:_[a-zA-Z0-9-]+)*")
_RUNS = re.compile(r"_{2,}")


def tool_name(server: str, tool: str) -> str:
    """Return ``{server}__{tool}`` in the letters that all providers take, at most 64; the same for ever.

    A name that had to be changed for that ends with a digest of the original, so that it stays different from its neighbours. The
    server's part never has two underscores in a row: the names of two servers cannot run into each other.
    """
    prefix = _fit(server, _SERVER_CHARS, plain=_PLAIN_SERVER.fullmatch(server) is not None) + _JOINT
    room = MAX_CHARS - len(prefix)
    return prefix + _fit(tool, room, plain=bool(tool) and _UNFIT.search(tool) is None)


def _fit(text: str, room: int, *, plain: bool) -> str:
    if plain and len(text) <= room:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_CHARS]
    stem = _RUNS.sub("_", _UNFIT.sub("_", text))[: room - _DIGEST_CHARS - 1].strip("_")
    return f"{stem}_{digest}" if stem else digest
