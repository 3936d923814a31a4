"""Turn streams: the two forms in which a POST that starts a turn answers, and the stream of one turn."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends
from starlette.responses import Response

from luxx.http.front import Streamed
from luxx.http.limits import Place
from luxx.http.parts import Luxx, Surface
from luxx.http.paths import Accept, Deltas, LastEventId, wants_events
from luxx.http.replies import nothing, reply
from luxx.http.streams.positions import check_position, position
from luxx.http.streams.sse import TurnStream, frames
from luxx.http.streams.whole_steps import WholeSteps
from luxx.http.views import accepted, events_url
from luxx.store.records import StartedTurn, Turn


class Opening:
    """How the client wants a turn's events: as a stream or not, with deltas or not, from where.

    It holds the stream's place from before the turn is started until the stream takes it over.
    """

    def __init__(self, surface: Surface, events: bool, deltas: bool, last_event_id: str | None) -> None:
        self._surface = surface
        self._events = events
        self._deltas = deltas
        self._last_event_id = last_event_id
        self._place: Place | None = None

    @contextmanager
    def reserved(self) -> Generator[None]:
        """Make sure that `answer` can be given, before anything is stored. Raises LimitReached, HTTPException 400."""
        position(self._last_event_id, None)
        self._place = self._surface.streams.reserve() if self._events else None
        try:
            yield
        finally:
            if self._place:
                self._place.release()

    def answer(self, started: StartedTurn) -> Response:
        """Answer with the turn's events, or with its ids. A repeated request may say where its stream was cut."""
        if self._place is None:
            return reply(accepted(started.turn), 202, _links(started.turn.id))
        after = position(self._last_event_id, None) if started.replayed else 0
        return open_stream(self._surface, started.turn, after, self._deltas, self._hand_over)

    def _hand_over(self) -> Place:
        place, self._place = self._place, None
        assert place is not None
        return place


async def opening(luxx: Luxx, accept: Accept = "", deltas: Deltas = True, last_event_id: LastEventId = None) -> Opening:
    """Read how the client wants its answer."""
    return Opening(luxx, wants_events(accept), deltas, last_event_id)


Answer = Annotated[Opening, Depends(opening)]


def open_stream(surface: Surface, turn: Turn, after: int, deltas: bool, take: Callable[[], Place]) -> Response:
    """Answer with a turn's events after a seq, in the place that `take` gives; 204 if there will be none.

    Raises Conflict ``ahead_of_log``, and what `take` raises.
    """
    if not check_position(turn, after):
        return nothing(_links(turn.id))
    place = take()
    headers = [(name.lower().encode(), value.encode()) for name, value in _links(turn.id).items()]
    follow = surface.parts.supervisor.follow
    if deltas:
        return Streamed(TurnStream(follow(turn.owner_id, turn.id, after), frames, headers), place)
    whole = WholeSteps(after, time.monotonic, surface.options.heartbeat)
    return Streamed(TurnStream(follow(turn.owner_id, turn.id, 0), whole.frames, headers), place)


def _links(turn_id: str) -> dict[str, str]:
    return {"Luxx-Turn-Id": turn_id, "Content-Location": events_url(turn_id)}
