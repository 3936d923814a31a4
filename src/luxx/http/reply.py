"""Reply: an answer under way, with the headers that every answer has."""

from starlette.types import Message, Send

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)

SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Reply:
    """The send side of one request: adds the security headers that the answer has not set itself, and knows if it has begun.

    `raw` is the server's own send, for a body of many pieces.
    """

    __slots__ = ("begun", "raw")

    def __init__(self, send: Send) -> None:
        self.raw = send
        self.begun = False

    async def __call__(self, message: Message) -> None:
        """Send a message of the answer."""
        if message["type"] == "http.response.start":
            self.begun = True
            headers = list(message.get("headers", ()))
            own = {name for name, _ in headers}
            message = {**message, "headers": headers + [pair for pair in SECURITY_HEADERS if pair[0] not in own]}
        await self.raw(message)
