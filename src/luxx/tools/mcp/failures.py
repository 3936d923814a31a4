"""Failures: what the SDK raises, as ServerFailed and its kinds."""

import contextlib
from collections.abc import Generator, Mapping

import mcp_types as types
from mcp.client._input_required import InputRequiredRoundsExceededError
from mcp.client.auth import OAuthFlowError
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from luxx.core.text import storable
from luxx.tools.mcp.http import SESSION_IN_DOUBT, SESSION_LOST, UNREACHABLE
from luxx.tools.mcp.log import ServerLog
from luxx.tools.mcp.messages import OURS
from luxx.tools.mcp.wire import (
    InDoubt,
    NotAsked,
    ServerFailed,
    ServerGone,
    ServerRefused,
    SessionInDoubt,
    SessionLost,
    first_of,
)

_SDK_WORDS: Mapping[int, tuple[tuple[str, ...], type[ServerFailed]]] = {
    types.CONNECTION_CLOSED: (("Connection closed", "SSE stream"), ServerGone),
    types.PARSE_ERROR: (("Failed to parse",), InDoubt),
    types.INVALID_REQUEST: (("Unexpected content type", "server answered a request with 202"), InDoubt),
}
"""How errors begin that the SDK makes, and not the server, by their codes, and what they are: the request was sent."""
_SESSION_ENDED = "Session terminated"
"""What the SDK says of a 404 that has no words of JSON-RPC."""
_OUR_KINDS: Mapping[int, type[ServerFailed]] = {
    UNREACHABLE: ServerFailed,
    SESSION_LOST: SessionLost,
    SESSION_IN_DOUBT: SessionInDoubt,
}


@contextlib.contextmanager
def translated(log: ServerLog) -> Generator[None]:
    """Raise what the SDK raises within as ServerFailed, without secrets."""
    try:
        yield
    except MCPError as error:
        raise _failure(error, log) from error
    except ExceptionGroup as group:
        error = first_of(group)
        if isinstance(error, MCPError):
            raise _failure(error, log) from group
        if isinstance(error, OAuthFlowError):
            raise ServerFailed(log.hidden(f"the log-in failed: {error}")[:500]) from group
        if isinstance(error, ServerFailed):
            raise error from group
        raise
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, problem["loc"]))
        raise InDoubt(f"its answer is not valid: {problem['msg']} at {where}"[:500]) from error
    except InputRequiredRoundsExceededError as error:
        raise ServerRefused("it asks without end") from error
    except NotAsked as error:
        raise ServerRefused(f"it asks what is not asked: {error}") from error


def _failure(error: MCPError, log: ServerLog) -> ServerFailed:
    words = log.hidden(storable(error.message))[:2_000] or f"error {error.code}"
    if error.error.data == OURS:
        return _OUR_KINDS.get(error.code, InDoubt)(words)
    if error.code == types.INVALID_REQUEST and error.message == _SESSION_ENDED:
        return SessionInDoubt(words)
    beginnings, kind = _SDK_WORDS.get(error.code, ((), ServerRefused))
    if not error.message.startswith(beginnings):
        return ServerRefused(words)
    return kind("its answer is not valid" if error.code == types.PARSE_ERROR else words)
