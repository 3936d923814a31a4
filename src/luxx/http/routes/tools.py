"""Tools: what turns may use."""

from fastapi import APIRouter
from starlette.responses import Response

from luxx.http.openapi import PROBLEMS
from luxx.http.parts import Caller, Luxx
from luxx.http.replies import answers, reply
from luxx.http.strict_json import StrictRoute
from luxx.http.views import ToolList

router = APIRouter(route_class=StrictRoute, responses=PROBLEMS, prefix="/api/tools", tags=["tools"])


@router.get("", responses=answers(200, ToolList, "The tools."))
async def list_all(luxx: Luxx, owner: Caller) -> Response:
    """List the tools."""
    return reply(ToolList(await luxx.parts.tools.offered(owner)))
