"""Shots: a load to be put on a server, and what its clients saw; the words that both load sides share."""

import msgspec

from benchmarks.wire import Directive

DONE = "event: done"


class Shot(msgspec.Struct, frozen=True, kw_only=True):
    """So many streamed turns, `streams` of them at once, that start spread over `ramp_s`.

    In `path` and `body`, ``{{id}}`` is replaced by one of `ids` (the turns take them in their order), and ``{{msg}}`` by a message with
    the directive. A turn ends at a line that contains `until`, and has failed if not all its tokens came before.
    With `follow_port` (Python's load side only), the turn's events are read from another server than the one it is started on.
    """

    port: int
    path: str
    body: str
    until: str
    directive: Directive
    ids: tuple[str, ...] = ()
    streams: int = 1
    turns: int = 1
    ramp_s: float = 0.0
    timeout_s: float = 100.0
    follow_port: int = 0


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What the clients saw. Times are ms: `first` from the request to the first token, `lat` from the model to the client.

    The names are those of the Go harness's output; `misplaced`, which it does not have, counts ids of events that are not the
    next ones.
    """

    completed: int
    failed: int
    tokens: int
    gaps: int
    wire_B_per_tok: float
    ttft_p50_ms: float
    ttft_p99_ms: float
    lat_p50_ms: float
    lat_p99_ms: float
    turn_p50_ms: float
    errors: dict[str, int] = {}
    misplaced: int = 0


def message(number: int, directive: Directive) -> str:
    """Return the text of a turn's message."""
    return f"turn {number} mock?{directive}"
