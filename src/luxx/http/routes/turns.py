"""Turns: looked at, followed, cancelled; and the one stream that a page needs."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from luxx.core.errors import NotFound
from luxx.http import bodies
from luxx.http.front import Streamed
from luxx.http.openapi import PROBLEMS
from luxx.http.parts import Caller, Luxx, Surface
from luxx.http.paths import Deltas, IdInPath, LastEventId
from luxx.http.replies import answers, reply, streams
from luxx.http.streams.opening import open_stream
from luxx.http.streams.page_stream import PageStream
from luxx.http.streams.positions import Cursor, check_position, named_positions, position
from luxx.http.strict_json import StrictRoute
from luxx.http.views import TurnView, turn_view

router = APIRouter(route_class=StrictRoute, responses=PROBLEMS, prefix="/api", tags=["turns"])


@router.get("/turns/{turn_id}", responses=answers(200, TurnView, "The turn."))
async def get(turn_id: IdInPath, luxx: Luxx, owner: Caller) -> Response:
    """Get a turn."""
    return reply(turn_view(await luxx.parts.store.turns.get(owner, turn_id)))


@router.get("/turns/{turn_id}/events", responses=streams("The turn's events; 204 if all have been seen."))
async def events(
    turn_id: IdInPath,
    luxx: Luxx,
    owner: Caller,
    last_event_id: LastEventId = None,
    after: Annotated[str | None, Query(description="The seq after which to begin; `Last-Event-ID` wins.")] = None,
    deltas: Deltas = True,
) -> Response:
    """Follow a turn: what is in its log, then what comes, until its last event."""
    wanted = position(last_event_id, after)
    turn = await luxx.parts.store.turns.get(owner, turn_id)
    return open_stream(luxx, turn, wanted, deltas, luxx.streams.reserve)


@router.post("/turns/{turn_id}/cancel", responses=answers(200, TurnView, "The turn as it is now."))
async def cancel(turn_id: IdInPath, luxx: Luxx, owner: Caller, body: bodies.Nothing | None = None) -> Response:
    """Stop a turn; what was made so far is kept. One that has ended stays as it is."""
    return reply(turn_view(await luxx.parts.supervisor.cancel(owner, turn_id)))


@router.post("/turns/{turn_id}/start", responses=answers(200, TurnView, "The turn as it is now."))
async def start(turn_id: IdInPath, luxx: Luxx, owner: Caller, body: bodies.Nothing | None = None) -> Response:
    """Start a queued turn now: the answer before it is stopped, and keeps what was made. One that does not wait stays as it is."""
    return reply(turn_view(await luxx.parts.supervisor.steer(owner, turn_id)))


@router.get("/events", responses=streams("Notices, and the events of the turns named."))
async def page_events(
    luxx: Luxx,
    owner: Caller,
    turn: Annotated[list[str] | None, Query(description="`ID:SEQ`: a turn and the seq after which to begin.")] = None,
    last_event_id: LastEventId = None,
) -> Response:
    """Follow everything that a page shows in one stream."""
    positions = named_positions(turn or [], luxx.options.max_turns_per_stream)
    cursor = Cursor(tuple(positions))
    reached = cursor.read(last_event_id) if last_event_id else None
    positions |= reached or {}
    open_turns = await _open_turns(luxx, owner, positions, forgiving=reached is not None)
    place = luxx.streams.reserve()
    supervisor = luxx.parts.supervisor
    logs = {turn_id: supervisor.follow(owner, turn_id, positions[turn_id]) for turn_id in open_turns}
    return Streamed(PageStream(logs, supervisor.notices.subscribe(owner), positions, cursor), place)


async def _open_turns(luxx: Surface, owner: str, positions: dict[str, int], *, forgiving: bool) -> list[str]:
    """Return the turns that have or will have more. A turn that was deleted while the page was away is left out."""
    found: list[str] = []
    for turn_id, after in positions.items():
        try:
            turn = await luxx.parts.store.turns.get(owner, turn_id)
        except NotFound:
            if not forgiving:
                raise
            continue
        if check_position(turn, after):
            found.append(turn_id)
    return found
