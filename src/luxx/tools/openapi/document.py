"""Document: an OpenAPI 3.0 or 3.1 document, read and bounded; references are followed within it only."""

from collections.abc import Mapping
from itertools import islice
from typing import Any, cast

import msgspec
import yaml

MAX_BYTES = 5_000_000
MAX_YAML_BYTES = 1_000_000
"""YAML takes some seconds a megabyte, JSON some milliseconds."""

_MAX_HOPS = 20
_MAX_REFERENCE_CHARS = 2_000
_MAX_NODES = 500_000
_OTHER_KINDS = ("swagger", "asyncapi")

Node = Mapping[str, Any]


class BadDocument(Exception):
    """The document cannot be used; the text says why, to the person who brought it."""


class _Loader(yaml.SafeLoader):
    """Reads YAML as JSON has it: dates stay text, and keys are made text later.

    Not the loader in C: it overflows the stack on deep nesting, and takes the process with it.
    """


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class Document:
    """A document taken in. `get` reads what a reference may stand for."""

    def __init__(self, root: Node) -> None:
        self._root = root

    @property
    def title(self) -> str:
        """What the service is called."""
        return text_at(self.node(self._root.get("info")), "title")

    @property
    def paths(self) -> Node:
        """The paths with their operations."""
        return self.node(self._root.get("paths"))

    @property
    def servers(self) -> list[Node]:
        """The addresses that the document names."""
        return nodes_in(self._root.get("servers"))

    def json(self) -> str:
        """Return the document as JSON. Raises BadDocument for one that would be too large, or goes on for ever."""
        ahead: list[object] = [self._root]
        nodes = chars = 0
        while ahead:
            value = ahead.pop()
            if isinstance(value, Mapping):
                ahead += cast("Node", value).values()
                chars += sum(len(str(name)) for name in cast("Node", value))
            elif isinstance(value, list):
                ahead += cast("list[object]", value)
            nodes += 1
            chars += len(value) if isinstance(value, (str, bytes)) else 0
            if nodes + len(ahead) > _MAX_NODES or chars > MAX_BYTES:
                raise BadDocument("The document is too large when its aliases are written out.")
        try:
            written = msgspec.json.encode(self._root)
        except (TypeError, ValueError, RecursionError) as error:
            raise BadDocument(f"The document cannot be written as JSON: {error}") from error
        if len(written) > MAX_BYTES:
            raise BadDocument(f"The document is larger than {MAX_BYTES:,} bytes when it is written as JSON.")
        return written.decode()

    def node(self, value: object) -> Node:
        """Return an object, or what the reference in it leads to; empty for anything else.

        Raises BadDocument for a reference that leads nowhere, out of the document, or in a circle.
        """
        for _ in range(_MAX_HOPS):
            if not isinstance(value, Mapping):
                return {}
            members = cast("Node", value)
            target = members.get("$ref")
            if not isinstance(target, str):
                return members
            value = self._at(target)
        raise BadDocument("a reference leads in a circle")

    def _at(self, reference: str) -> object:
        if not reference.startswith("#/") or len(reference) > _MAX_REFERENCE_CHARS:
            raise BadDocument(f"{reference[:200]} leads out of the document")
        value: object = self._root
        for part in reference[2:].split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(value, list) and name.isdecimal() and int(name) < len(cast("list[object]", value)):
                value = cast("list[object]", value)[int(name)]
            elif isinstance(value, Mapping) and name in value:
                value = cast("Node", value)[name]
            else:
                raise BadDocument(f"{reference[:200]} leads nowhere")
        return value


def read_document(data: bytes) -> Document:
    """Read a document, as JSON or as YAML. Raises BadDocument."""
    if len(data) > MAX_BYTES:
        raise BadDocument(f"The document is larger than {MAX_BYTES:,} bytes.")
    root = _decoded(data)
    if not isinstance(root, Mapping):
        raise BadDocument("The document is neither JSON nor YAML with an object in it.")
    members = cast("Node", root)
    version = str(members.get("openapi", ""))
    if not version.startswith(("3.0", "3.1", "3.2")):
        kind = next((f"{kind} {members[kind]}" for kind in _OTHER_KINDS if kind in members), "no OpenAPI document")
        raise BadDocument(
            f"OpenAPI 3.0 or 3.1 is needed; this is {kind[:80] if not version else f'version {version[:20]}'}."
        )
    return Document(members)


def text_at(node: Node, name: str) -> str:
    """Return a text of an object; empty for anything else."""
    value = node.get(name)
    return value if isinstance(value, str) else ""


def nodes_in(value: object, most: int = MAX_BYTES) -> list[Node]:
    """Return the objects among the first items of a list; empty for anything else."""
    items = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("Node", item) for item in islice(items, most) if isinstance(item, Mapping)]


def _decoded(data: bytes) -> object:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        pass
    if len(data) > MAX_YAML_BYTES:
        raise BadDocument(f"A document in YAML may have {MAX_YAML_BYTES:,} bytes; give this one as JSON.")
    try:
        return yaml.load(data, Loader=_Loader)  # a SafeLoader: it makes no objects
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        raise BadDocument(f"The document can be read neither as JSON nor as YAML: {str(error)[:300]}") from error
