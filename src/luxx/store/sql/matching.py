"""Matching: the conditions under which a text holds what is looked for, with the help of the index where it has one."""

from typing import NamedTuple

SHORTEST = 3
"""Characters from which on the index helps; for anything shorter each text is looked at."""


class Condition(NamedTuple):
    """A part of a statement, with its parameters."""

    sql: str
    values: tuple[str, ...]


def contains(column: str, piece: str) -> Condition:
    """Say that a text holds a piece, whatever the case. Letters beyond ASCII need their case folded, which takes longer."""
    escaped = piece.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return like(column, f"%{escaped}%")


def like(column: str, pattern: str) -> Condition:
    """Say that a text fits a pattern of LIKE, whatever the case."""
    if pattern.isascii():
        return Condition(f"{{alike {column}}}", (pattern,))
    return Condition(f"{{folded {column}}} LIKE {{folded ?}} ESCAPE '\\'", (pattern,))


def is_indexed(piece: str) -> bool:
    """Whether the index can find texts with this piece."""
    return bool(_trigrams(piece))


def may_hold(message_id: str, pieces: tuple[str, ...]) -> Condition | None:
    """Say that a message may hold all pieces, by the index alone; None if none of them is in it."""
    found = dict.fromkeys(trigram for piece in pieces for trigram in _trigrams(piece))
    if not found:
        return None
    quoted = " AND ".join('"' + trigram.replace('"', '""') + '"' for trigram in found)
    return Condition(f"{{holds {message_id}}}", (quoted,))


def _trigrams(piece: str) -> list[str]:
    """Return the trigrams by which SQLite finds a text; it folds each letter for itself, so those that become two are left out."""
    runs = (piece[start : start + SHORTEST] for start in range(len(piece) - SHORTEST + 1))
    return [run for run in runs if all(len(letter.casefold()) == 1 for letter in run) and "\0" not in run]
