"""Model schema: a JSON schema that somebody else wrote, as one that every provider takes as that of a tool's arguments.

One schema that a provider refuses makes it refuse the whole request, with all other tools in it. So only the keywords that tell a model
something stay, each only with a value of its kind; a part that cannot be kept allows anything. The strictest of each counts: Anthropic wants
draft 2020-12 and members' names of ``[a-zA-Z0-9_.-]{1,64}``, OpenAI wants ``items`` for every array and no reference that leads nowhere.
"""

import hashlib
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import cast

import msgspec
from msgspec import UNSET

from luxx.core.json_schema import Schema, part_at
from luxx.core.text import storable

MAX_BYTES = 64_000
MAX_DEPTH = 16
"""Of schemas within schemas."""
_MAX_NODES = 1_000
_MAX_REFERENCES = 200
_MAX_REFERENCE_CHARS = 500
_MAX_HOPS = 10
_MAX_VALUES = 500
_MAX_VALUE_BYTES = 1_000
_MAX_TEXT_CHARS = 2_000
_MAX_PATTERN_CHARS = 500
_MAX_NOTES = 20
_DIGEST_CHARS = 6

# Characters that nobody sees but a model reads: tags, directions, joiners, and control characters but for tab and newline.
_UNSEEN = re.compile("[\U000e0000-\U000e007f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0b-\x1f\x7f-\x9f]")
_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
_UNFIT = re.compile(r"[^a-zA-Z0-9_.-]+")
_ATOMS = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]", re.DOTALL)
_PYTHON_ONLY = re.compile(r"\(\?P|\(\?#|\(\?[a-zA-Z-]+[:)]|[*+?}]\+")
"""What Python has in regular expressions, and ECMA-262, which JSON schema goes by, has not."""
_ANCHOR = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_DIALECT = re.compile(r"https?://json-schema\.org/[a-z0-9/-]{1,60}#?")
_TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
_TEXTS = frozenset({"title", "description", "format"})
_SEVERAL = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED = frozenset({"properties", "$defs", "definitions", "patternProperties"})
_PARTS = _SEVERAL | _NAMED | {"items", "additionalProperties", "if", "then", "else", "not"}
_UNKNOWN = object()


class Fitted(msgspec.Struct, frozen=True, kw_only=True):
    """A schema of an object. `names` has members' own names by those that are shown, where the two differ, at any depth; `notes` tell a
    person what was loosened, and where.
    """

    schema: Schema
    names: dict[str, str] = {}
    notes: tuple[str, ...] = ()


def fitted(schema: object) -> Fitted:
    """Return the schema as any provider takes it, in bounded time whatever it is; what is none allows any object."""
    walk = _Walk()
    try:
        root = walk.schema(schema, "", 0)
    except _TooMuch:
        return Fitted(schema=_anything(), notes=("its schema: it has too many parts",))
    walk.settle(root)
    root = _followed(root)
    if "object" not in _kinds(root, "object"):
        walk.note("", "it is not that of an object")
        root = {}
    made: Schema = {**root, "type": "object", "properties": root.get("properties", {})}
    if "required" in made:
        made["required"] = [name for name in made["required"] if name in made["properties"]]
    if len(msgspec.json.encode(made)) > MAX_BYTES:
        walk.note("", f"it is longer than {MAX_BYTES:,} bytes")
        made, walk.names = _anything(), {}
    return Fitted(schema=made, names=walk.names, notes=tuple(walk.notes))


def _anything() -> Schema:
    return {"type": "object", "properties": {}}


def restore(values: object, names: Mapping[str, str]) -> None:
    """Give the members of a call's arguments their own names again, in place."""
    ahead = [values]
    while ahead and names:
        part = ahead.pop()
        if isinstance(part, dict):
            members = cast("dict[str, object]", part)
            for shown in [name for name in members if name in names]:
                members[names[shown]] = members.pop(shown)
            ahead += members.values()
        elif isinstance(part, list):
            ahead += cast("list[object]", part)


def shown_name(name: str) -> str:
    """Return a member's name in the letters that all providers take: its own, or one made of it with a digest."""
    if _NAME.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_CHARS]
    stem = _UNFIT.sub("_", name)[: 64 - _DIGEST_CHARS - 1].strip("_")
    return f"{stem}_{digest}" if stem else digest


def seen(text: str) -> str:
    """Return a text without what nobody sees."""
    return _UNSEEN.sub("", storable(text))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 2**63


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_value(value: object) -> bool:
    """Whether it is JSON of bounded size, and of characters and numbers that all can read: a value must not be changed."""
    try:
        written = msgspec.json.encode(value)
    except (TypeError, ValueError, msgspec.MsgspecError, RecursionError):
        return False
    return (
        len(written) <= _MAX_VALUE_BYTES and not _UNSEEN.search(written.decode()) and all(map(_is_leaf, _leaves(value)))
    )


def _leaves(value: object) -> Iterator[object]:
    ahead = [value]
    while ahead:
        part = ahead.pop()
        if isinstance(part, dict):
            ahead += cast("Schema", part).values()
        elif isinstance(part, list):
            ahead += cast("list[object]", part)
        else:
            yield part


def _is_leaf(value: object) -> bool:
    return value is None or isinstance(value, (str, bool)) or _is_number(value)


def _is_values(value: object) -> bool:
    values = cast("list[object]", value) if isinstance(value, list) else []
    return 0 < len(values) <= _MAX_VALUES and all(map(_is_value, values))


def _is_pattern(value: object) -> bool:
    if not isinstance(value, str) or len(value) > _MAX_PATTERN_CHARS or value != seen(value):
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python says what a later version may read in another way
            re.compile(value)
    except (re.error, RecursionError, OverflowError, ValueError):
        return False
    return not _PYTHON_ONLY.search(_ATOMS.sub("x", value))


def _is_reference(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _MAX_REFERENCE_CHARS and (value == "#" or value.startswith("#/"))


def _is_type(value: object) -> bool:
    kinds = cast("list[object]", value) if isinstance(value, list) else [value]
    names = [kind for kind in kinds[: len(_TYPES)] if isinstance(kind, str) and kind in _TYPES]
    return len(names) == len(kinds) == len(set(names)) > 0


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in cast("list[object]", value))


_CHECKS: Mapping[str, Callable[[object], bool]] = {
    "type": _is_type,
    "enum": _is_values,
    "const": _is_value,
    "default": _is_value,
    "examples": _is_values,
    "required": _is_names,
    "pattern": _is_pattern,
    "$ref": _is_reference,
    "$anchor": lambda value: isinstance(value, str) and _ANCHOR.fullmatch(value) is not None,
    "$schema": lambda value: isinstance(value, str) and _DIALECT.fullmatch(value) is not None,
    "multipleOf": lambda value: _is_number(value) and cast("float", value) > 0,
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_number),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), _is_count),
    **dict.fromkeys(("uniqueItems", "deprecated", "readOnly", "writeOnly", "nullable"), _is_flag),
}


class _TooMuch(Exception):
    """A schema has more parts than a model could make use of."""


class _Walk:
    """One walk through a schema; owns what was found on it."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.names: dict[str, str] = {}
        self._nodes: dict[int, Schema] = {}
        self._referring: list[Schema] = []

    def note(self, where: str, words: str) -> None:
        """Note what was loosened."""
        if len(self.notes) < _MAX_NOTES:
            self.notes.append(f"{seen(where[-100:]) or 'its schema'}: {words}")

    def schema(self, value: object, where: str, depth: int) -> Schema:
        """Return a part as it can be kept."""
        if not isinstance(value, dict):
            if value is not True:
                self.note(where, "this is no schema")
            return {}
        members = cast("Schema", value)
        made: Schema = {}
        if len(self._nodes) >= _MAX_NODES:
            raise _TooMuch
        if depth > MAX_DEPTH:
            self.note(where, "this is too deep")
            members = {word: members[word] for word in _TEXTS if word in members}
        self._nodes[id(made)] = made
        for word, content in members.items():
            taken = self._taken(word, content, where, depth + 1)
            if taken is UNSET:
                self.note(where, f"its `{word}` is not valid")
            elif taken is not _UNKNOWN:
                is_tuple = word == "items" and isinstance(content, list)  # as until draft 2019-09
                made["prefixItems" if is_tuple else word] = taken
        if "patternProperties" in members:  # what is not kept of them must not be forbidden
            made.pop("additionalProperties", None)
        _mend(made)
        if "$ref" in made:
            self._referring.append(made)
        return made

    def settle(self, root: Schema) -> None:
        """Take the references away that lead nowhere, or back to where they stand."""
        for number, node in enumerate(self._referring):
            target = part_at(root, node["$ref"])
            if number >= _MAX_REFERENCES or id(target) not in self._nodes or _returns(root, node):
                self.note(node["$ref"], "this reference leads nowhere or in a circle, or is one of too many")
                del node["$ref"]

    def _taken(self, word: str, content: object, where: str, depth: int) -> object:
        """Return a keyword's content as it can be kept, UNSET if it cannot, _UNKNOWN if nobody has to know the keyword."""
        if word in _TEXTS:
            return seen(content[:_MAX_TEXT_CHARS]) if isinstance(content, str) else UNSET
        if word in _CHECKS:
            return content if _CHECKS[word](content) else UNSET
        return self._part(word, content, f"{where}.{word}".lstrip("."), depth) if word in _PARTS else _UNKNOWN

    def _part(self, word: str, content: object, where: str, depth: int) -> object:
        if word in _NAMED:
            return self._named(word, content, where, depth)
        if word in _SEVERAL or isinstance(content, list):
            parts = cast("list[object]", content) if isinstance(content, list) else []
            return [self.schema(part, where, depth) for part in parts] if 0 < len(parts) <= _MAX_VALUES else UNSET
        if word == "additionalProperties" and isinstance(content, bool):
            return content
        before = len(self.notes)
        made = self.schema(content, where, depth)
        return UNSET if word in ("not", "if") and len(self.notes) > before else made  # looser there is stricter

    def _named(self, word: str, content: object, where: str, depth: int) -> object:
        if not isinstance(content, dict):
            return UNSET
        made: dict[str, Schema] = {}
        for name, member in cast("Schema", content).items():
            shown = shown_name(name) if word == "properties" else name
            if shown != name:
                self.names[shown] = name
            if not _is_pattern(name) if word == "patternProperties" else name != seen(name) and shown == name:
                self.note(where, "a name in it is not valid")
            else:
                made[shown] = self.schema(member, f"{where}.{name[:40]}", depth)
        return made


def _mend(made: Schema) -> None:
    """Mend what a schema's keywords have to do with each other."""
    if "enum" in made:
        made["enum"] = list({msgspec.json.encode(value): value for value in made["enum"]}.values())
    if made.pop("nullable", False) and isinstance(made.get("type"), str):  # as OpenAPI 3.0 has it
        made["type"] = [made["type"], "null"]
        if "enum" in made and None not in made["enum"]:
            made["enum"].append(None)
    if "items" not in made and "array" in _kinds(made):
        made["items"] = {}
    if "required" in made:
        shown = dict.fromkeys(shown_name(name) for name in made["required"][:_MAX_NODES])
        made["required"] = [name for name in shown if name in made.get("properties", shown)]


def _kinds(schema: Schema, otherwise: str = "") -> list[str]:
    kind = schema.get("type", otherwise)
    return cast("list[str]", kind) if isinstance(kind, list) else [kind]


def _returns(root: Schema, start: Schema) -> bool:
    """Whether what has to be looked at together with a schema, at the same place of a value, leads back to it."""
    ahead, known = [start], set[int]()
    while ahead:
        node = ahead.pop()
        parts = [part for word in ("allOf", "anyOf", "oneOf") for part in node.get(word, ())]
        if "$ref" in node and isinstance(target := part_at(root, node["$ref"]), dict):
            parts.append(cast("Schema", target))
        if any(part is start for part in parts) or len(known) > _MAX_REFERENCES:
            return True
        ahead += [part for part in parts if id(part) not in known]
        known |= set(map(id, parts))
    return False


def _followed(root: Schema) -> Schema:
    """Return a root that only refers to another schema with that in it: providers look for the members at the top."""
    for _ in range(_MAX_HOPS):
        if "$ref" not in root:
            break
        target = cast("Schema", part_at(root, root["$ref"]))
        root = {**target, **{word: content for word, content in root.items() if word != "$ref"}}
    root.pop("$ref", None)
    return root
