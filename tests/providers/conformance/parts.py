"""Parts: what an answer is made of, before a wire format writes it."""

import msgspec


class Text(msgspec.Struct, frozen=True):
    """A text in pieces, each an event of its own; a piece may end in half a surrogate pair."""

    pieces: tuple[str, ...]


class Thinking(msgspec.Struct, frozen=True):
    """Reasoning in pieces."""

    pieces: tuple[str, ...]


class Call(msgspec.Struct, frozen=True):
    """A tool call; a format whose arguments come in pieces sends these, another the whole object."""

    id: str
    name: str
    arguments: tuple[str, ...] = ()


Part = Text | Thinking | Call


def text(*pieces: str) -> Text:
    """Return a text in these pieces."""
    return Text(pieces)


def thinking(*pieces: str) -> Thinking:
    """Return reasoning in these pieces."""
    return Thinking(pieces)


def call(id: str, name: str, *arguments: str) -> Call:
    """Return a tool call with its arguments in these pieces."""
    return Call(id, name, arguments)
