"""Turn streams: the two forms in which a POST that starts a turn answers, and the stream of one turn."""

import time
from typing import Annotated

from fastapi import Depends
from starlette.responses import Response

from luxx.http.front import Streamed
from luxx.http.parts import Luxx, Surface
from luxx.http.paths import Accept, Deltas, LastEventId, wants_events
from luxx.http.replies import nothing, reply
from luxx.http.streams.positions import check_position, position
from luxx.http.streams.sse import TurnStream, frames
from luxx.http.streams.whole_steps import WholeSteps
from luxx.http.views import accepted, events_url
from luxx.store.records import StartedTurn, Turn


class Opening:
    """How the client wants a turn's events: as a stream or not, with deltas or not, from where."""

    def __init__(self, surface: Surface, events: bool, deltas: bool, last_event_id: str | None) -> None:
        self._surface = surface
        self._events = events
        self._deltas = deltas
        self._last_event_id = last_event_id

    def require_room(self) -> None:
        """Make sure that the answer can be given, before anything is stored. Raises LimitReached, HTTPException 400."""
        position(self._last_event_id, None)
        if self._events:
            self._surface.streams.require_room()

    def answer(self, started: StartedTurn) -> Response:
        """Answer with the turn's events, or with its ids. A repeated request may say where its stream was cut."""
        if not self._events:
            return reply(accepted(started.turn), 202, _links(started.turn.id))
        after = position(self._last_event_id, None) if started.replayed else 0
        return open_stream(self._surface, started.turn, after, self._deltas)


async def opening(luxx: Luxx, accept: Accept = "", deltas: Deltas = True, last_event_id: LastEventId = None) -> Opening:
    """Read how the client wants its answer."""
    return Opening(luxx, wants_events(accept), deltas, last_event_id)


Answer = Annotated[Opening, Depends(opening)]


def open_stream(surface: Surface, turn: Turn, after: int, deltas: bool) -> Response:
    """Answer with a turn's events after a seq. Raises Conflict ``ahead_of_log``, LimitReached; 204 if there will be none."""
    if not check_position(turn, after):
        return nothing()
    surface.streams.require_room()
    headers = [(name.lower().encode(), value.encode()) for name, value in _links(turn.id).items()]
    follow = surface.parts.supervisor.follow
    if deltas:
        return Streamed(TurnStream(follow(turn.id, after), frames, headers, surface.streams))
    whole = WholeSteps(after, time.monotonic, surface.options.heartbeat)
    return Streamed(TurnStream(follow(turn.id, 0), whole.frames, headers, surface.streams))


def _links(turn_id: str) -> dict[str, str]:
    return {"Luxx-Turn-Id": turn_id, "Content-Location": events_url(turn_id)}
