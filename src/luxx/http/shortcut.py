"""Shortcut: how a posted message, the request behind every turn, gets to its route without the framework's layers.

They would take a fifth of the CPU of a whole turn. The route is the same, and only a request that is plain and right in all
its parts goes this way: the framework gets every other one as it came, so that it alone says what is wrong with it.
"""

import re

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from luxx.core.errors import LuxxError
from luxx.http.bodies import NewMessage
from luxx.http.errors import on_http_error, on_luxx_error
from luxx.http.parts import Surface
from luxx.http.paths import wants_events
from luxx.http.routes import messages
from luxx.http.streams.opening import Opening
from luxx.http.strict_json import read_json

_MESSAGES = re.compile(r"/api/conversations/([A-Za-z0-9_-]{1,64})/messages")


class Shortcut:
    """Answers posted messages itself, and leaves all else to the framework (`app`)."""

    def __init__(self, app: ASGIApp, surface: Surface) -> None:
        self._app = app
        self._surface = surface

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        conversation_id = _posted_to(scope)
        if conversation_id is None:
            await self._app(scope, receive, send)
            return
        received = await _received(receive)
        message = _message(received)
        if message is None:
            await self._app(scope, _again(received, receive), send)
            return
        response = await self._post(scope, conversation_id, message)
        await response(scope, receive, send)

    async def _post(self, scope: Scope, conversation_id: str, message: NewMessage) -> Response:
        surface, headers = self._surface, Headers(scope=scope)
        wanted = wants_events(headers.get("accept", ""))
        opening = Opening(surface, wanted, deltas=True, last_event_id=headers.get("last-event-id"))
        try:
            return await messages.post(conversation_id, message, surface, surface.parts.store.owner, opening)
        except LuxxError as error:
            return await on_luxx_error(Request(scope), error)
        except HTTPException as error:
            return await on_http_error(Request(scope), error)


def _posted_to(scope: Scope) -> str | None:
    """Return the id of the conversation that a message is posted to, None for all other requests.

    A message with parameters is one of these, and one whose length is not declared: the framework counts it as it comes.
    """
    if scope["type"] != "http" or scope["method"] != "POST" or scope["query_string"]:
        return None
    match = _MESSAGES.fullmatch(scope["path"])
    declared = match is not None and any(name == b"content-length" for name, _ in scope["headers"])
    return match[1] if match and declared else None


async def _received(receive: Receive) -> list[Message]:
    """Receive a body, up to its end or until the client has gone."""
    received: list[Message] = []
    while not received or received[-1].get("more_body", False):
        received.append(await receive())
    return received


def _message(received: list[Message]) -> NewMessage | None:
    """Return the message that a body holds, None if it is not whole or not valid."""
    if received[-1]["type"] == "http.disconnect":
        return None
    try:
        return NewMessage.model_validate(read_json(b"".join(part.get("body", b"") for part in received)))
    except ValueError:  # as pydantic's and JSON's errors are
        return None


def _again(received: list[Message], receive: Receive) -> Receive:
    """Return a `receive` that gives what was received already, then what comes."""
    left = iter(received)

    async def again() -> Message:
        return next(left, None) or await receive()

    return again
