"""The owner's secret: what a request must bring to change where keys are sent."""

import hashlib
import hmac
from collections.abc import Mapping

from luxx.core.errors import SecretRequired

COOKIE_AGE = 365 * 24 * 3600
"""Seconds for which a browser keeps the cookie; a new secret ends it at once."""


class OwnerSecret:
    """Knows the owner's secret and the cookie made of it.

    The cookie's name has the port, since browsers share cookies between the ports of a host; its value is derived from the
    secret, so that a stolen cookie is not the secret.
    """

    def __init__(self, token: str, port: int) -> None:
        if not token:
            raise ValueError("the owner's secret must not be empty")
        self._token = token.encode()
        self.cookie_name = f"luxx_owner_{port}"
        self.cookie_value = hmac.new(self._token, b"luxx owner cookie", hashlib.sha256).hexdigest()

    def derived(self, purpose: str) -> bytes:
        """Return a key for one purpose, the same on all servers that have this secret; it does not tell the secret."""
        return hmac.new(self._token, f"luxx {purpose}".encode(), hashlib.sha256).digest()

    def fits(self, token: str) -> bool:
        """Whether this is the secret; takes the same time for every wrong one of a length."""
        return hmac.compare_digest(_bytes(token), self._token)

    def require(self, authorization: str | None, cookies: Mapping[str, str]) -> None:
        """Let pass a request with the right bearer or cookie. Raises SecretRequired."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() == "bearer" and self.fits(token.strip()):
            return
        if hmac.compare_digest(_bytes(cookies.get(self.cookie_name, "")), self.cookie_value.encode()):
            return
        raise SecretRequired(
            "This needs the owner's secret. In a browser, open the link that `luxx serve` printed when it started; "
            "elsewhere send `Authorization: Bearer` with the content of the file `owner-token` in the data directory."
        )

    def cookie(self) -> str:
        """Return the Set-Cookie header that lets a browser act as the owner."""
        return f"{self.cookie_name}={self.cookie_value}; Path=/; Max-Age={COOKIE_AGE}; HttpOnly; SameSite=Strict"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
