"""Positions: where in a turn's log a reader wants to go on."""

import hashlib
import re
from collections.abc import Mapping

from starlette.exceptions import HTTPException

from luxx.core.errors import Conflict
from luxx.store.records import Turn

_SEQ = re.compile(r"[0-9]{1,18}")
_NAMED = re.compile(r"([A-Za-z0-9_-]{1,64}):([0-9]{1,18})")
_CURSOR = re.compile(r"([0-9a-f]{8}):([0-9]{1,18}(?:\.[0-9]{1,18})*)")


def position(last_event_id: str | None, after: str | None) -> int:
    """Return the seq after which to go on, 0 by default; the header wins. Answers 400 if it is not a number."""
    text = after if last_event_id is None else last_event_id
    if text is None:
        return 0
    if not _SEQ.fullmatch(text):
        raise HTTPException(400, "Last-Event-ID and after must be the seq of an event: a whole number from 0.")
    return int(text)


def check_position(turn: Turn, after: int) -> bool:
    """Return whether the turn has or will have entries after a seq. Raises Conflict ``ahead_of_log``."""
    if after > turn.seq:
        raise Conflict(
            "ahead_of_log", f"The turn's last event has the seq {turn.seq}, which is before {after}.", turn.id
        )
    return after < turn.seq or not turn.ended


def named_positions(named: list[str], most: int) -> dict[str, int]:
    """Return the positions that ``turn=ID:SEQ`` parameters name. Answers 400 if one is malformed or there are too many."""
    matches = [_NAMED.fullmatch(text) for text in named]
    found = {match[1]: int(match[2]) for match in matches if match}
    if None in matches or len(found) != len(named):
        raise HTTPException(400, "Each turn must be given once, as turn=ID:SEQ with the seq of an event or 0.")
    if len(found) > most:
        raise HTTPException(400, f"At most {most} turns may be named.")
    return found


class Cursor:
    """The ids of a stream of several turns: the seq reached in each, in the order in which the request named them.

    A cursor belongs to the list of turns that it was made for; for another list it says nothing.
    """

    def __init__(self, turn_ids: tuple[str, ...]) -> None:
        self._turn_ids = turn_ids
        self._mark = hashlib.sha256(",".join(turn_ids).encode()).hexdigest()[:8]

    def write(self, positions: Mapping[str, int]) -> str:
        """Return the id for these positions."""
        return f"{self._mark}:{'.'.join(str(positions[turn_id]) for turn_id in self._turn_ids) or '0'}"

    def read(self, text: str) -> dict[str, int] | None:
        """Return the positions of an id, or None if it belongs to another list."""
        match = _CURSOR.fullmatch(text)
        if match is None or match[1] != self._mark:
            return None
        seqs = [int(seq) for seq in match[2].split(".")]
        return dict(zip(self._turn_ids, seqs, strict=False)) if len(seqs) >= len(self._turn_ids) else None
