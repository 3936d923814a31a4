"""News: what one node hears of the others."""

import msgspec


class LogsGrew(msgspec.Struct, frozen=True, tag="grew"):
    """These turns have new entries, or have ended."""

    turn_ids: tuple[str, ...]


class CancelWanted(msgspec.Struct, frozen=True, tag="cancel"):
    """Whoever owns these turns is to stop them."""

    turn_ids: tuple[str, ...]


class TurnsFreed(msgspec.Struct, frozen=True, tag="freed"):
    """There are turns to claim."""


class Missed(msgspec.Struct, frozen=True, tag="missed"):
    """News may have been lost: whatever one waits for has to be looked at."""


class Told(msgspec.Struct, frozen=True, tag="told"):
    """What another node told with Nodes.tell."""

    text: str


News = LogsGrew | CancelWanted | TurnsFreed | Missed | Told
"""What one node hears of the others. None of it can be relied on: what is not heard is found by looking."""
