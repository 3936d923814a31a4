"""Errors: what went wrong as a problem document (RFC 9457), and the one place that turns exceptions into statuses."""

import http
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
import structlog
from fastapi.exceptions import RequestValidationError
from msgspec import UNSET, UnsetType
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from luxx.core import errors
from luxx.core.text import storable
from luxx.http.reply import Reply
from luxx.http.trust import Refusal

T = TypeVar("T")
_log = structlog.get_logger()
_encoder = msgspec.json.Encoder()
_MOST_ERRORS = 20
_LONGEST_FIELD = 100

UNEXPECTED = "Something went wrong inside Luxx; the log of the server says what."
TOO_LARGE = "The body is larger than this server takes."
MEDIA_TYPE = "application/problem+json"


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one field; `field` is its path with dots, or ``body``."""

    field: str
    message: str


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error. `code` is stable, `detail` is for people; `errors` comes with 422, `turn_id` with ``turn_running``."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    errors: tuple[FieldError, ...] | UnsetType = UNSET
    turn_id: str | UnsetType = UNSET


STATUS: dict[type[errors.LuxxError], int] = {
    errors.LuxxError: 500,
    errors.InvalidRequest: 422,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.LimitReached: 429,
    errors.SecretRequired: 401,
    errors.ConfigurationError: 500,
    errors.DirectoryInUse: 500,
    errors.StorageError: 503,
    errors.Fenced: 503,
    errors.ToolServerFailed: 502,
    errors.TooManyIterations: 500,
    errors.TurnAbandoned: 500,
    errors.ProviderError: 502,
    errors.ProviderUnreachable: 502,
    errors.ProviderTimeout: 504,
    errors.ProviderAuth: 502,
    errors.RateLimited: 429,
    errors.CreditExhausted: 502,
    errors.ContextOverflow: 502,
    errors.ProviderRejected: 502,
    errors.ProviderOverloaded: 502,
    errors.AnswerIncomplete: 502,
    errors.AnswerTooLong: 502,
}
"""The status of each error; a provider's 401 is not the caller's, hence 502."""

_STATUS_OF_REASON = {"draining": 503, "starting": 503}
_CODE_OF_STATUS = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}


def title_of(status: int) -> str:
    """Return the status's own words."""
    return "Unprocessable Content" if status == 422 else http.HTTPStatus(status).phrase


def problem_response(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """Render a problem."""
    sent = {"Cache-Control": "no-store", **(headers or {})}
    return Response(_encoder.encode(problem), problem.status, headers=sent, media_type=MEDIA_TYPE)


def refusal_response(refusal: Refusal) -> Response:
    """Render why a request is not answered at all."""
    status = refusal.status
    return problem_response(Problem(title=title_of(status), status=status, code=refusal.code, detail=refusal.detail))


def problem_of(error: errors.LuxxError) -> Problem:
    """Return the problem document of an error of Luxx."""
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    code, detail = error.code, storable(error.message)
    fields: tuple[FieldError, ...] | UnsetType = UNSET
    turn_id: str | UnsetType = UNSET
    if isinstance(error, errors.Conflict | errors.LimitReached):
        code, status = error.reason, _STATUS_OF_REASON.get(error.reason, status)
    if isinstance(error, errors.Conflict):
        turn_id = error.turn_id or UNSET
    if isinstance(error, errors.InvalidRequest) and error.field:
        fields = (FieldError(error.field, detail),)
        detail = f"{error.field}: {detail}"
    return Problem(title=title_of(status), status=status, code=code, detail=detail, errors=fields, turn_id=turn_id)


async def on_luxx_error(request: Request, error: Exception) -> Response:
    """Answer with the problem of an error of Luxx."""
    assert isinstance(error, errors.LuxxError)
    problem = problem_of(error)
    if problem.status >= 500:
        _log.warning("request failed", path=request.url.path, code=problem.code, detail=problem.detail)
    return problem_response(problem, _headers_of(error))


async def on_http_error(request: Request, error: Exception) -> Response:
    """Answer with the problem of an error of the framework."""
    assert isinstance(error, HTTPException)
    status = error.status_code
    detail = {
        404: f"There is nothing at {storable(request.url.path[:200])}.",
        405: f"{request.method} is not possible here.",
        413: TOO_LARGE,
    }.get(status, error.detail)
    problem = Problem(
        title=title_of(status), status=status, code=_CODE_OF_STATUS.get(status, "http_error"), detail=detail
    )
    return problem_response(problem, dict(error.headers or {}))


async def on_invalid(request: Request, error: Exception) -> Response:
    """Answer with the fields that are wrong; what was sent is never repeated, it may be a key."""
    assert isinstance(error, RequestValidationError)
    found = tuple(_field_error(item["loc"], item["type"], item["msg"]) for item in error.errors()[:_MOST_ERRORS])
    detail = "; ".join(f"{one.field}: {one.message}" for one in found)
    return problem_response(
        Problem(title=title_of(422), status=422, code=errors.InvalidRequest.code, detail=detail, errors=found)
    )


async def on_unexpected(request: Request, error: Exception) -> Response:
    """Answer without a word about the inside."""
    return problem_response(
        Problem(
            title=title_of(500),
            status=500,
            code=errors.LuxxError.code,
            detail=UNEXPECTED,
        )
    )


async def contained(work: Awaitable[T], passing: tuple[type[Exception], ...], instead: Exception) -> T:
    """Return what comes of some work; a failure that is not of these kinds is logged, and raised as another without its words."""
    try:
        return await work
    except passing:
        raise
    except Exception:
        _log.exception("request failed")
        raise instead from None


class ErrorBoundary:
    """The outermost ASGI app: no exception gets out, each is logged once."""

    def __init__(self, app: Callable[[Scope, Receive, Reply], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with 500 if no answer has begun; else the connection is cut, which a reader notices."""
        reply = Reply(send)
        try:
            await self._app(scope, receive, reply)
        except Exception as error:
            _log.exception("request failed", path=scope.get("path"), method=scope.get("method"))
            if not reply.begun:
                await (await on_unexpected(Request(scope), error))(scope, receive, reply)


def _headers_of(error: errors.LuxxError) -> dict[str, str]:
    if isinstance(error, errors.SecretRequired):
        return {"WWW-Authenticate": 'Bearer realm="luxx"'}
    if isinstance(error, errors.RateLimited) and error.retry_after is not None:
        return {"Retry-After": str(max(1, round(error.retry_after)))}
    return {"Retry-After": "1"} if isinstance(error, errors.LimitReached) else {}


def _field_error(location: tuple[int | str, ...], kind: str, message: str) -> FieldError:
    if kind == "json_invalid":
        return FieldError("body", "is not valid JSON")
    path = location[1:] if location and location[0] in ("body", "query", "path", "header") else location
    field = ".".join(str(part) for part in path) or "body"
    return FieldError(
        storable(field[:_LONGEST_FIELD]), _WORDS.get(kind) or storable(message.removeprefix("Value error, "))
    )


_WORDS = {
    "missing": "is required",
    "extra_forbidden": "is not a field of this",
    "finite_number": "must be a finite number",
    "string_unicode": "must be Unicode text",
    "model_attributes_type": "must be a JSON object",
    "model_type": "must be a JSON object",
}
