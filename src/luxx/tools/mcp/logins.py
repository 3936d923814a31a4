"""Logins: pages on which a person logs in to a server, and where what came back from them goes.

A browser may come back to another node than the one that waits for it. So what is waited for is kept with the server's secrets, where
the other node finds it and leaves what the browser brought.
"""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Generator
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import msgspec

from luxx.core.errors import ConfigurationError, LuxxError, NotFound
from luxx.core.tool_servers import LOGIN_PREFIX, HttpTarget, SecretsChange, ToolServer, ToolServerStore
from luxx.tools.mcp.wire import Authorized, ServerFailed

_PATIENCE_S = 600.0
_LOOK_S = 1.0
_PENDING = f"{LOGIN_PREFIX}pending"


class _Pending(msgspec.Struct, frozen=True):
    """A log-in that a node waits for, until a time; `code` is there as soon as a browser came back."""

    until: float
    code: str = ""
    issuer: str | None = None


_decoder = msgspec.json.Decoder(dict[str, _Pending])


class Asked(Protocol):
    """Who shows the page to the person: a connection."""

    def asking(self, page: str | None, patience_s: float) -> None:
        """Show a page to open, for at most so long; None when it is no longer needed."""
        ...


def without_tokens(secrets: dict[str, str]) -> dict[str, str]:
    """Return the secrets that a person gave; those of a log-in change by themselves."""
    return {name: value for name, value in secrets.items() if not name.startswith(LOGIN_PREFIX)}


class Logins:
    """The log-ins that wait for their person; owns them. `redirect_uri` is where a person's browser comes back to.

    `client_url` is the address of a client metadata document (https), for log-ins that know their clients by such.
    """

    def __init__(self) -> None:
        self.redirect_uri: str | None = None
        self.client_url: str | None = None
        self._waiting: dict[str, asyncio.Future[Authorized]] = {}

    def returned(self, state: str, code: str, issuer: str | None) -> bool:
        """Take what a browser brought back; tell whether anybody waits for it."""
        future = self._waiting.get(state)
        if future is None or future.done():
            return False
        future.set_result(Authorized(code=code, state=state, issuer=issuer))
        return True

    async def wait(self, page: str, login: "ServerLogin", asked: Asked) -> Authorized:
        """Show the page and return what comes back from it, to this node or another. Raises ServerFailed if nothing does."""
        state = parse_qs(urlsplit(page).query).get("state", [""])[0]
        if not state or urlsplit(page).scheme not in ("http", "https"):
            raise ServerFailed("its log-in page is not valid")
        await login.expect(state, _PATIENCE_S)
        future = self._waiting[state] = asyncio.get_running_loop().create_future()
        asked.asking(page, _PATIENCE_S)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while not (await asyncio.wait((future,), timeout=_LOOK_S))[0]:
                    if found := await login.left(state):
                        return found
                return future.result()
        except TimeoutError:
            raise ServerFailed("nobody logged in") from None
        finally:
            del self._waiting[state]
            asked.asking(None, _PATIENCE_S)


async def leave(store: ToolServerStore, owner: str, state: str, code: str, issuer: str | None) -> bool:
    """Leave what a browser brought back for the node that waits for it; tell whether any does. Raises StorageError."""
    key = _key(state)

    def taken(secrets: dict[str, str]) -> dict[str, str] | None:
        pending = _pending(secrets)
        waiting = pending.get(key)
        if waiting is None or waiting.code:
            return None
        return _with(secrets, {**pending, key: msgspec.structs.replace(waiting, code=code, issuer=issuer)})

    for server in await store.list(owner):
        if isinstance(server.target, HttpTarget) and server.secrets_tag:
            with contextlib.suppress(ConfigurationError):
                if await store.change_secrets(owner, server, taken):
                    return True
    return False


def _key(state: str) -> str:
    return hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()


def _pending(secrets: dict[str, str]) -> dict[str, _Pending]:
    """Return the log-ins that are waited for and whose time is not over."""
    try:
        found = _decoder.decode(secrets.get(_PENDING, "{}"))
    except msgspec.DecodeError:
        return {}
    return {state: one for state, one in found.items() if one.until > time.time()}


def _with(secrets: dict[str, str], pending: dict[str, _Pending]) -> dict[str, str]:
    return {**secrets, _PENDING: msgspec.json.encode(pending).decode()}


class ServerLogin:
    """See luxx.tools.mcp.wire.Authorizer: the log-in of one server, kept with its secrets."""

    def __init__(self, logins: Logins, store: ToolServerStore, owner: str, server: ToolServer) -> None:
        assert logins.redirect_uri is not None
        self.redirect_uri = logins.redirect_uri
        self.client_url = logins.client_url
        self.asked: Asked | None = None
        self._logins = logins
        self._store = store
        self._owner = owner
        self._server = server

    async def load(self, kind: str) -> str | None:
        """See Authorizer."""
        return (await self._secrets()).get(LOGIN_PREFIX + kind)

    async def save(self, kind: str, text: str) -> None:
        """See Authorizer. What comes at the end of a log-in ends the waiting for it on all nodes."""

        def saved(secrets: dict[str, str]) -> dict[str, str]:
            over = {_PENDING} if kind == "tokens" else set[str]()
            return {name: secrets[name] for name in secrets.keys() - over} | {LOGIN_PREFIX + kind: text}

        await self._change(saved)

    async def expect(self, state: str, patience_s: float) -> None:
        """Let any node take what comes back with this state, for so long. Raises ServerFailed."""
        one = _Pending(time.time() + patience_s)
        await self._change(lambda secrets: _with(secrets, {**_pending(secrets), _key(state): one}))

    async def left(self, state: str) -> Authorized | None:
        """Return what another node has left, if it has. Raises ServerFailed."""
        found = _pending(await self._secrets()).get(_key(state))
        return Authorized(code=found.code, state=state, issuer=found.issuer) if found and found.code else None

    async def authorize(self, page: str) -> Authorized:
        """See Authorizer."""
        if self.asked is None:
            raise ServerFailed("it wants a log-in")
        return await self._logins.wait(page, self, self.asked)

    async def _change(self, change: SecretsChange) -> None:
        with _failing():
            if not await self._store.change_secrets(self._owner, self._server, change):
                raise ServerFailed("it was changed or removed")

    async def _secrets(self) -> dict[str, str]:
        with _failing():
            return (await self._store.credentials(self._owner, self._server.id))[1]


@contextlib.contextmanager
def _failing() -> Generator[None]:
    """Say what the store cannot do as if the server had failed."""
    try:
        yield
    except NotFound as error:
        raise ServerFailed("it was removed") from error
    except LuxxError as error:
        raise ServerFailed(error.message) from error
