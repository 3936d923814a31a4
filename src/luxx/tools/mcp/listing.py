"""Listing: what a server says that it offers, bounded and mended; it is kept, so that a turn begins without asking the server."""

import re
from collections.abc import Iterable
from typing import Any, cast

import msgspec

from luxx.core.prompts import Effect
from luxx.core.text import storable
from luxx.tools.mcp.wire import RawTool, ServerIdentity

MAX_DESCRIPTION_CHARS = 4_000
MAX_SCHEMA_BYTES = 32_000
MAX_SCHEMA_DEPTH = 32
MAX_LISTING_BYTES = 512_000
_MAX_NAME_CHARS = 200
_MAX_INSTRUCTION_CHARS = 4_000
_MAX_TITLE_CHARS = 200

# Characters that nobody sees but a model reads: tags, directions, joiners, and control characters but for tab and newline.
_UNSEEN = re.compile("[\U000e0000-\U000e007f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0b-\x1f\x7f-\x9f]")

Schema = dict[str, Any]


class ListedTool(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A tool as its server lists it, mended. `hint` is the effect that the server claims."""

    name: str
    description: str = ""
    parameters: Schema
    output: Schema | None = None
    hint: Effect = "unsafe"


class Listing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a server offers. `left_out` counts the tools that were too many, too large, or named twice."""

    tools: tuple[ListedTool, ...] = ()
    left_out: int = 0
    identity: ServerIdentity = ServerIdentity()


_decoder: msgspec.json.Decoder[Listing] = msgspec.json.Decoder(Listing)
_encoder = msgspec.json.Encoder()


def made_listing(raw: Iterable[RawTool], identity: ServerIdentity, max_tools: int) -> Listing:
    """Return the listing, sorted by name: a server that lists in another order each time changes no prompt."""
    named: dict[str, ListedTool] = {}
    left_out = 0
    for tool in raw:
        if not tool.name or len(tool.name) > _MAX_NAME_CHARS or tool.name != _seen(tool.name) or tool.name in named:
            left_out += 1
        else:
            named[tool.name] = _mended_tool(tool)
    kept, size = list[ListedTool](), 0
    for _, listed in sorted(named.items()):
        size += len(_encoder.encode(listed))
        if len(kept) == max_tools or size > MAX_LISTING_BYTES:
            break
        kept.append(listed)
    return Listing(tools=tuple(kept), left_out=left_out + len(named) - len(kept), identity=_mended_identity(identity))


def encode(listing: Listing) -> bytes:
    """Return the listing as bytes, the same for the same listing."""
    return _encoder.encode(listing)


def decode(data: bytes) -> Listing | None:
    """Return the listing, or None for one that another version of Luxx wrote."""
    try:
        return _decoder.decode(data)
    except msgspec.DecodeError:
        return None


def mended_schema(schema: object) -> Schema:
    """Return a schema that providers take as that of a tool's arguments; what cannot be mended allows any object.

    What a server may use to look larger, deeper or other than it is goes: only JSON stays, of bounded size and depth.
    """
    plain = _plain(schema)
    if plain is None or plain.setdefault("type", "object") != "object":
        return {"type": "object"}
    properties = plain.setdefault("properties", {})
    if not isinstance(properties, dict):
        return {"type": "object"}
    members = cast("Schema", properties)
    plain["properties"] = {name: member if isinstance(member, dict) else {} for name, member in members.items()}
    required = plain.get("required")
    if required is not None:
        names = cast("list[object]", required) if isinstance(required, list) else []
        plain["required"] = [name for name in names if isinstance(name, str) and name in members]
    return plain


def _mended_tool(raw: RawTool) -> ListedTool:
    description = raw.description.strip() or raw.title.strip()
    return ListedTool(
        name=raw.name,
        description=_bounded(description, MAX_DESCRIPTION_CHARS),
        parameters=mended_schema(raw.parameters),
        output=None if raw.output is None else _plain(raw.output),
        hint=_claimed(raw),
    )


def _claimed(raw: RawTool) -> Effect:
    if raw.read_only and not raw.destructive:
        return "read"
    return "idempotent" if raw.idempotent else "unsafe"


def _mended_identity(identity: ServerIdentity) -> ServerIdentity:
    return msgspec.structs.replace(
        identity,
        title=_bounded(identity.title, _MAX_TITLE_CHARS),
        protocol=_bounded(identity.protocol, _MAX_TITLE_CHARS),
        instructions=_bounded(identity.instructions, _MAX_INSTRUCTION_CHARS),
    )


def _plain(schema: object) -> Schema | None:
    """Return a copy of plain JSON without unseen characters, or None for what is too large, too deep, or no object."""
    try:
        encoded = msgspec.json.encode(schema)
        if len(encoded) > MAX_SCHEMA_BYTES:
            return None
        return cast("Schema | None", _cleaned(msgspec.json.decode(encoded, type=Schema), MAX_SCHEMA_DEPTH))
    except (TypeError, ValueError, msgspec.MsgspecError, RecursionError):
        return None


def _cleaned(value: object, depth: int) -> object:
    """Return the value with its texts cleaned. Raises ValueError if it is deeper than `depth`."""
    if depth == 0:
        raise ValueError("too deep")
    match value:
        case str():
            return _seen(value)
        case dict():
            members = cast("Schema", value)
            return {_seen(name): _cleaned(member, depth - 1) for name, member in members.items()}
        case list():
            return [_cleaned(member, depth - 1) for member in cast("list[object]", value)]
        case _:
            return value


def _seen(text: str) -> str:
    return _UNSEEN.sub("", storable(text))


def _bounded(text: str, max_chars: int) -> str:
    text = _seen(text)
    return text if len(text) <= max_chars else text[: max_chars - 1] + "…"
