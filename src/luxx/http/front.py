"""Front: what every request passes first, and where event streams run, outside of the framework."""

from typing import Protocol, cast

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from luxx.http.errors import TOO_LARGE, refusal_response
from luxx.http.limits import Place
from luxx.http.reply import Reply
from luxx.http.trust import IMPORTS, UPLOADS, LoopbackTrust, Refusal

_STREAM = "luxx.stream"


class Stream(Protocol):
    """An answer of many pieces."""

    async def run(self, receive: Receive, reply: Reply) -> None:
        """Begin the answer, send it, and return when it is whole or the client has gone."""
        ...


class Streamed(Response):
    """What a route returns to answer with a stream.

    The framework's layers around a route would stay in memory as long as the stream, and each would see every piece. So
    this sends nothing: it leaves the stream to the Front, which runs it when they have all returned, and then gives its
    place back.
    """

    def __init__(self, stream: Stream, place: Place) -> None:
        super().__init__()
        self.stream = stream
        self.place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Leave the stream to the Front."""
        cast(list[Streamed], scope[_STREAM]).append(self)


class Front:
    """Refuses what is not to be trusted or too large, hands the rest to the framework, and runs the streams.

    `max_body`, and for files and imports `max_file` and `max_import`, are in bytes; a body without a declared length is counted by the
    framework, as it comes.
    """

    def __init__(self, app: ASGIApp, trust: LoopbackTrust, max_body: int, max_file: int, max_import: int) -> None:
        self._app = app
        self._trust = trust
        self._max_body = max_body
        self._most = {UPLOADS: max_file, IMPORTS: max_import}

    async def __call__(self, scope: Scope, receive: Receive, reply: Reply) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            await reply.raw({"type": "websocket.close", "code": 1008})
        elif scope["type"] != "http":
            await self._app(scope, receive, reply.raw)
        elif refusal := self._trust.refusal(scope) or self._too_large(scope):
            await refusal_response(refusal)(scope, receive, reply)
        else:
            await self._answer(scope, receive, reply)

    async def _answer(self, scope: Scope, receive: Receive, reply: Reply) -> None:
        left: list[Streamed] = []
        scope[_STREAM] = left
        try:
            await self._app(scope, receive, reply)
            for streamed in left:
                await streamed.stream.run(receive, reply)
        finally:
            for streamed in left:
                streamed.place.release()

    def _too_large(self, scope: Scope) -> Refusal | None:
        most = self._most.get(scope["path"], self._max_body) if scope["method"] == "POST" else self._max_body
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value[:20]) > most:
                return Refusal(413, "body_too_large", f"{TOO_LARGE} Here it may have at most {most:,} bytes.")
        return None
