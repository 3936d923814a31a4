"""Messages: a branch read, a message sent, an answer made again or gone on with."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from luxx.core.errors import InvalidRequest
from luxx.http import bodies
from luxx.http.openapi import PROBLEMS
from luxx.http.parts import Caller, Luxx
from luxx.http.paths import IdInPath, IdInQuery, PageSize, PlaceInQuery
from luxx.http.replies import answers, reply, streams
from luxx.http.streams.opening import Answer
from luxx.http.strict_json import StrictRoute
from luxx.http.views import Accepted, limits_view
from luxx.turns.requests import AnswerAgain, MessagePage, PostMessage

router = APIRouter(route_class=StrictRoute, responses=PROBLEMS, prefix="/api", tags=["messages"])

_TWO_FORMS: dict[int | str, dict[str, Any]] = {
    **answers(202, Accepted, "The turn has been started; its events are at `events_url`."),
    **streams("With `Accept: text/event-stream`: the turn's events."),
}


@router.get("/conversations/{conversation_id}/messages", responses=answers(200, MessagePage, "Oldest message first."))
async def branch(
    conversation_id: IdInPath,
    luxx: Luxx,
    owner: Caller,
    leaf: IdInQuery = None,
    before: IdInQuery = None,
    after: PlaceInQuery = None,
    around: IdInQuery = None,
    limit: PageSize = 50,
) -> Response:
    """Get the last messages of the branch that ends in `leaf`, or those `before`, `after` or `around` a message of it.

    An empty `after` gets its first ones.
    """
    if sum(place is not None for place in (before, after, around)) > 1:
        raise InvalidRequest("only one of before, after and around can be given", field="around" if around else "after")
    page = await luxx.parts.supervisor.messages(
        owner, conversation_id, leaf=leaf, before=before, limit=limit, after=after, around=around
    )
    return reply(page)


@router.post("/conversations/{conversation_id}/messages", status_code=202, responses=_TWO_FORMS)
async def post(
    conversation_id: IdInPath, body: bodies.NewMessage, luxx: Luxx, owner: Caller, answer: Answer
) -> Response:
    """Send a message and start the turn that answers it. Closing the connection stops nothing."""
    limits = limits_view(luxx.options.max_message_chars, luxx.parts.store.files.limits)
    if len(body.text) > limits.message_chars:
        raise InvalidRequest(f"must have at most {limits.message_chars:,} characters", field="text")
    if len(body.attachments) > limits.message_files:
        raise InvalidRequest(f"must name at most {limits.message_files} files", field="attachments")
    message = PostMessage(
        conversation_id=conversation_id,
        text=body.text,
        attachments=tuple(body.attachments),
        parent_id=body.given("parent_id", body.parent_id),
        on_busy=body.on_busy,
        overrides=body.overrides(),
        request=body.request(f"conversations/{conversation_id}/messages"),
    )
    with answer.reserved():
        return answer.answer(await luxx.parts.supervisor.post(owner, message))


@router.post("/messages/{message_id}/regenerate", status_code=202, responses=_TWO_FORMS)
async def regenerate(message_id: IdInPath, body: bodies.Again, luxx: Luxx, owner: Caller, answer: Answer) -> Response:
    """Make a new answer beside this one."""
    again = _again(message_id, body, "regenerate")
    with answer.reserved():
        return answer.answer(await luxx.parts.supervisor.regenerate(owner, again))


@router.post("/messages/{message_id}/continue", status_code=202, responses=_TWO_FORMS)
async def go_on(message_id: IdInPath, body: bodies.Again, luxx: Luxx, owner: Caller, answer: Answer) -> Response:
    """Go on where an answer was cut, in a new answer beside it."""
    if body.summary is not None:
        raise InvalidRequest("is for regenerate only", field="summary")
    again = _again(message_id, body, "continue")
    with answer.reserved():
        return answer.answer(await luxx.parts.supervisor.continue_answer(owner, again))


def _again(message_id: str, body: bodies.Again, verb: str) -> AnswerAgain:
    request = body.request(f"messages/{message_id}/{verb}")
    return AnswerAgain(message_id=message_id, summary=body.summary, overrides=body.overrides(), request=request)
