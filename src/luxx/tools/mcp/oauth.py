"""OAuth: the SDK's authorization-code flow with PKCE, whose tokens lie encrypted in the store and whose page the person opens."""

import time

import httpx2
import msgspec
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)
from pydantic import AnyUrl, ValidationError

from luxx.tools.mcp.wire import Authorizer, ServerFailed

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_EARLY_S = 30.0


def authorization(url: str, authorizer: Authorizer) -> httpx2.Auth:
    """Return what answers a server's 401 with a log-in, and keeps its tokens fresh."""
    metadata = OAuthClientMetadata(client_name="Luxx", redirect_uris=[AnyUrl(authorizer.redirect_uri)])
    pages: list[str] = []

    async def redirect(page: str) -> None:
        pages.append(page)

    async def callback() -> AuthorizationCodeResult:
        answer = await authorizer.authorize(pages[-1])
        return AuthorizationCodeResult(code=answer.code, state=answer.state, iss=answer.issuer)

    storage = _Storage(authorizer)
    provider = OAuthClientProvider(url, metadata, storage, redirect, callback, authorizer.client_url)
    storage.provider = provider
    return provider


def check_origin(endpoint: httpx2.URL, request: httpx2.URL) -> None:
    """Refuse to be led to an address that a log-in has no business with. Raises ServerFailed.

    What a server names for its log-in is its own host, or is reached by https; an http address elsewhere may be a machine's inside.
    """
    if request.host != endpoint.host and (request.scheme != "https" or request.host in _LOCAL):
        raise ServerFailed(f"it wants to log in at {request.scheme}://{request.host}, which is refused")


class _Kept(msgspec.Struct, frozen=True):
    """Tokens with the time of their end, which the SDK forgets."""

    tokens: msgspec.Raw
    until: float | None


class _Storage:
    """See mcp.client.auth.TokenStorage."""

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer
        self.provider: OAuthClientProvider | None = None

    async def get_tokens(self) -> OAuthToken | None:
        text = await self._authorizer.load("tokens")
        if text is None:
            return None
        try:
            kept = msgspec.json.decode(text, type=_Kept)
            tokens = OAuthToken.model_validate_json(bytes(kept.tokens))
        except (msgspec.DecodeError, ValidationError):
            return None
        if self.provider is not None:
            self.provider.context.token_expiry_time = kept.until
        return tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        until = None if tokens.expires_in is None else time.time() + tokens.expires_in - _EARLY_S
        kept = _Kept(msgspec.Raw(tokens.model_dump_json(exclude_none=True).encode()), until)
        await self._authorizer.save("tokens", msgspec.json.encode(kept).decode())

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        text = await self._authorizer.load("client")
        try:
            client = None if text is None else OAuthClientInformationFull.model_validate_json(text)
        except ValidationError:
            return None
        if client is not None and client.token_endpoint_auth_method is None:  # the default of RFC 7591, section 2
            client.token_endpoint_auth_method = "client_secret_basic" if client.client_secret else "none"
        return client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        await self._authorizer.save("client", client_info.model_dump_json(exclude_none=True))
