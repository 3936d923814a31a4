"""Logins: pages on which a person logs in to a server, and where what came back from them goes."""

import asyncio
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from luxx.core.errors import LuxxError, NotFound
from luxx.core.tool_servers import LOGIN_PREFIX, ToolServer, ToolServerChange, ToolServerStore
from luxx.tools.mcp.wire import Authorized, ServerFailed

_PATIENCE_S = 600.0


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

    async def wait(self, page: str, asked: Asked) -> Authorized:
        """Show the page and return what comes back from it. Raises ServerFailed if nothing does."""
        state = parse_qs(urlsplit(page).query).get("state", [""])[0]
        if not state or urlsplit(page).scheme not in ("http", "https"):
            raise ServerFailed("its log-in page is not valid")
        future = self._waiting[state] = asyncio.get_running_loop().create_future()
        asked.asking(page, _PATIENCE_S)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await future
        except TimeoutError:
            raise ServerFailed("nobody logged in") from None
        finally:
            del self._waiting[state]
            asked.asking(None, _PATIENCE_S)


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
        return (await self._current())[1].get(LOGIN_PREFIX + kind)

    async def save(self, kind: str, text: str) -> None:
        """See Authorizer."""
        server, secrets = await self._current()
        if server.target == self._server.target:
            change = ToolServerChange(secrets={**secrets, LOGIN_PREFIX + kind: text})
            await self._store.change(self._owner, server.id, change)

    async def authorize(self, page: str) -> Authorized:
        """See Authorizer."""
        if self.asked is None:
            raise ServerFailed("it wants a log-in")
        return await self._logins.wait(page, self.asked)

    async def _current(self) -> tuple[ToolServer, dict[str, str]]:
        try:
            return await self._store.credentials(self._owner, self._server.id)
        except NotFound as error:
            raise ServerFailed("it was removed") from error
        except LuxxError as error:
            raise ServerFailed(error.message) from error
