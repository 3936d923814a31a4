"""Listing: what a server says that it offers, bounded and mended; it is kept, so that a turn begins without asking the server."""

from typing import Any, cast

import msgspec

from luxx.core.prompts import Effect
from luxx.tools.mcp.wire import RawTool, RawTools, ServerIdentity
from luxx.tools.model_schema import fitted, seen

MAX_DESCRIPTION_CHARS = 4_000
MAX_SCHEMA_BYTES = 32_000
MAX_SCHEMA_DEPTH = 32
MAX_LISTING_BYTES = 512_000
_MAX_NAME_CHARS = 200
_MAX_INSTRUCTION_CHARS = 4_000
_MAX_TITLE_CHARS = 200

_MAX_PROBLEMS = 50
_SHOWN_CHARS = 60
_FORM = 2
"""Changes with what is kept: a listing that an older version of Luxx kept is asked for again."""

Schema = dict[str, Any]


class ListedTool(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A tool as its server lists it, mended. `hint` is the effect that the server claims, `names` the arguments' own names by those shown."""

    name: str
    description: str = ""
    parameters: Schema
    output: Schema | None = None
    hint: Effect = "unsafe"
    names: dict[str, str] = {}


class Listing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a server offers. `left_out` counts the tools that were too many, too large, or not usable; `problems` tell a person which,
    and what was loosened in the schemas of others.
    """

    tools: tuple[ListedTool, ...] = ()
    left_out: int = 0
    problems: tuple[str, ...] = ()
    identity: ServerIdentity = ServerIdentity()
    form: int = 0


_decoder: msgspec.json.Decoder[Listing] = msgspec.json.Decoder(Listing)
_encoder = msgspec.json.Encoder()


def made_listing(raw: RawTools, identity: ServerIdentity, max_tools: int) -> Listing:
    """Return the listing, sorted by name: a server that lists in another order each time changes no prompt."""
    named: dict[str, RawTool] = {}
    problems: list[str] = []
    for tool in raw.tools:
        if problem := _problem(tool.name, named):
            problems.append(problem)
        else:
            named[tool.name] = tool
    kept, size = list[ListedTool](), 0
    for _, tool in sorted(named.items())[:max_tools]:
        listed, notes = _mended_tool(tool)
        size += len(_encoder.encode(listed))
        if size > MAX_LISTING_BYTES:
            break
        kept.append(listed)
        problems += [f"{tool.name[:_SHOWN_CHARS]}: {note}" for note in notes]
    left_out = max(raw.listed, len(raw.tools)) - len(kept)
    return Listing(
        tools=tuple(kept),
        left_out=left_out,
        problems=(*_summary(raw, len(named), len(kept), max_tools), *problems)[:_MAX_PROBLEMS],
        identity=_mended_identity(identity),
        form=_FORM,
    )


def _problem(name: str, named: dict[str, RawTool]) -> str | None:
    """Return why a tool cannot be taken under its name, or None."""
    shown = repr(seen(name)[:_SHOWN_CHARS])
    if not name or len(name) > _MAX_NAME_CHARS:
        return f"{shown} is left out: its name is empty, or longer than {_MAX_NAME_CHARS} characters"
    if name != seen(name):
        return f"{shown} is left out: its name has characters that nobody sees"
    return f"{shown} is left out: there is another of this name" if name in named else None


def _summary(raw: RawTools, usable: int, kept: int, max_tools: int) -> list[str]:
    found: list[str] = []
    if usable > kept:
        why = f"only {max_tools:,} are taken" if kept == max_tools else "together they are too large"
        found.append(f"{usable - kept:,} tools are left out: {why}, the first by name")
    if raw.listed > len(raw.tools):
        found.append(f"{raw.listed - len(raw.tools):,} tools are left out: they are none, or too many on one page")
    if raw.endless:
        found.append("it lists tools without end: not all pages were read")
    return found


def encode(listing: Listing) -> bytes:
    """Return the listing as bytes, the same for the same listing."""
    return _encoder.encode(listing)


def decode(data: bytes) -> Listing | None:
    """Return the listing, or None for one that another version of Luxx wrote."""
    try:
        listing = _decoder.decode(data)
    except msgspec.DecodeError:
        return None
    return listing if listing.form == _FORM else None


def mended_schema(schema: object) -> Schema:
    """Return the schema of a form, or of a tool for the SDK, as one of an object; what cannot be mended allows any object.

    Only JSON stays, of bounded size and depth. What a model is shown is made by luxx.tools.model_schema.
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


def _mended_tool(raw: RawTool) -> tuple[ListedTool, tuple[str, ...]]:
    description = raw.description.strip() or raw.title.strip()
    parameters = fitted(raw.parameters)
    listed = ListedTool(
        name=raw.name,
        description=_bounded(description, MAX_DESCRIPTION_CHARS),
        parameters=parameters.schema,
        output=None if raw.output is None else _plain(raw.output),
        hint=_claimed(raw),
        names=parameters.names,
    )
    return listed, parameters.notes


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
            return seen(value)
        case dict():
            members = cast("Schema", value)
            return {seen(name): _cleaned(member, depth - 1) for name, member in members.items()}
        case list():
            return [_cleaned(member, depth - 1) for member in cast("list[object]", value)]
        case _:
            return value


def _bounded(text: str, max_chars: int) -> str:
    text = seen(text[: 2 * max_chars])
    return text if len(text) <= max_chars else text[: max_chars - 1] + "…"
