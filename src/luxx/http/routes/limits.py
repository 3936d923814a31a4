"""Limits: what a message and its files may have, for clients that tell a person before they send."""

from fastapi import APIRouter
from starlette.responses import Response

from luxx.http.openapi import PROBLEMS
from luxx.http.parts import Luxx
from luxx.http.replies import answers, reply
from luxx.http.strict_json import StrictRoute
from luxx.http.views import Limits, limits_view

router = APIRouter(route_class=StrictRoute, responses=PROBLEMS, prefix="/api", tags=["messages"])


@router.get("/limits", responses=answers(200, Limits, "The limits; what is more is refused with 413 or 422."))
async def limits(luxx: Luxx) -> Response:
    """Get what a message and its files may have."""
    return reply(limits_view(luxx.options.max_message_chars, luxx.parts.store.files.limits))
