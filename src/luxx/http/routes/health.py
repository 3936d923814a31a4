"""Health: whether the server lives, and whether it takes turns."""

from hashlib import sha256

from fastapi import APIRouter
from starlette.responses import Response

from luxx.core.errors import StorageError
from luxx.http.errors import Problem, problem_response, title_of
from luxx.http.openapi import PROBLEMS
from luxx.http.parts import Luxx
from luxx.http.replies import answers, reply
from luxx.http.strict_json import StrictRoute
from luxx.http.views import Health, Ready

router = APIRouter(route_class=StrictRoute, responses=PROBLEMS, prefix="/api", tags=["health"])


@router.get("/health", responses=answers(200, Health, "The server is alive."))
async def health(luxx: Luxx) -> Response:
    """Say who answers."""
    parts = luxx.parts
    data = sha256(parts.store.owner.encode()).hexdigest()[:16]
    return reply(Health(status="ok", version=parts.version, store=parts.storage, node=parts.store.node, data=data))


@router.get("/ready", responses=answers(200, Ready, "The server takes turns; else 503."))
async def ready(luxx: Luxx) -> Response:
    """Say whether turns are taken."""
    supervisor = luxx.parts.supervisor
    if supervisor.draining:
        return _not_ready("draining", "The server is shutting down.")
    if not supervisor.ready:
        return _not_ready("starting", "The server is starting.")
    try:
        await luxx.parts.store.ping()
    except StorageError as error:
        return _not_ready(error.code, error.message)
    return reply(Ready("ready"))


def _not_ready(code: str, detail: str) -> Response:
    problem = Problem(title=title_of(503), status=503, code=code, detail=detail)
    return problem_response(problem, {"Retry-After": "1"})
