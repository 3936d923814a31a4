"""Connection: one server as this node uses it: started when it is needed, again after it died, stopped when it is idle."""

import asyncio
import contextlib
import importlib
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import Any, cast

import msgspec
import structlog

from luxx.core.tool_servers import ServerState
from luxx.tools.mcp.listing import Listing, made_listing
from luxx.tools.mcp.log import ServerLog
from luxx.tools.mcp.wire import (
    Bounds,
    Launch,
    Opener,
    ServerFailed,
    ServerGone,
    Session,
    SessionInDoubt,
    SessionLost,
    first_of,
)

_SDK_SIDE = "luxx.tools.mcp.session"
_LIVED_LONG_S = 60.0
_LONGEST_PAUSE_S = 60.0
_RELIST_PAUSE_S = 1.0
_SHOWN_LINES = 3

log = structlog.stdlib.get_logger(__name__)

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
"""Starts a task that somebody else looks after."""

Listed = Callable[[Listing], Awaitable[None]]
"""Takes what a server offers, whenever that was asked."""


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How patient one is with servers, in seconds.

    `connect_s` is for the start up to the list of tools; `call_s` for a call without a result or a sign of life, and `whole_call_s`
    for all of it; `idle_s` is after how long without a call a server is stopped; `listing_s` is how long the beginning of a turn
    waits for a server that was never listed.
    """

    connect_s: float = 60
    call_s: float = 120
    whole_call_s: float = 900
    idle_s: float = 600
    listing_s: float = 3


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What servers may cost. `max_tools` is for each server."""

    patience: Patience = Patience()
    bounds: Bounds = Bounds()
    max_tools: int = 128


async def sdk_opener() -> Opener:
    """Return what opens sessions; the SDK is imported in a thread, as that takes a second."""
    module = await asyncio.to_thread(importlib.import_module, _SDK_SIDE)
    return cast("Opener", module.open_session)


class Connection:
    """One server of one person; owns its session and the task that holds it open.

    After a failure the next start waits: at once the first time, then from 1 s on twice as long each time, up to a minute. Calls in
    between fail at once. A server that ran for a minute begins anew.
    """

    def __init__(self, launch: Launch, limits: Limits, spawn: Spawn, listed: Listed) -> None:
        self.launch = launch
        self.log = ServerLog(launch.secrets.values())
        self._limits = limits
        self._spawn = spawn
        self._listed = listed
        self._live: _Live | None = None
        self._failures = 0
        self._not_before = 0.0
        self._error: str | None = None

    @property
    def state(self) -> ServerState:
        """What is known of the server."""
        running = self._live is not None and self._live.is_open
        dying = self._live.reason if self._live and not self._live.is_over else None
        error = None if running else dying or self._error
        return ServerState(
            state="running" if running else "failed" if error else "stopped",
            error=error,
            login_url=self._live.login_page if self._live else None,
            log=self.log.lines,
        )

    @property
    def pausing(self) -> bool:
        """Whether it failed a moment ago, so that a call would fail at once."""
        return asyncio.get_running_loop().time() < self._not_before

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncGenerator[Session]:
        """Lend the open session, which is made if there is none. Raises ServerFailed if that cannot be.

        After SessionLost the next one is a new one.
        """
        if self._live is not None and not self._live.is_usable:
            await self._live.gone()  # one program at a time, and its end decides when the next may start
        live = self._begun()
        async with live.lent():
            if page := await live.page():
                raise ServerFailed(f"it wants you to log in: open {page}")
            try:
                yield await live.session()
            except ServerGone as error:
                raise ServerGone(live.reason or str(error)) from error
            except (SessionLost, SessionInDoubt):
                live.stop()
                raise

    async def close(self) -> None:
        """Stop the server."""
        if live := self._live:
            live.stop()
            await live.gone()

    def asking(self, page: str | None, patience_s: float) -> None:
        """See luxx.tools.mcp.logins.Asked."""
        if self._live:
            self._live.asking(page, patience_s if page else self._limits.patience.connect_s)

    def retry(self) -> None:
        """Let the next call start the server, however often it has failed."""
        self._failures = 0
        self._not_before = 0.0

    def _begun(self) -> "_Live":
        if self._live is not None and self._live.is_usable:
            return self._live
        if self.pausing:
            wait = self._not_before - asyncio.get_running_loop().time()
            raise ServerFailed(f"{self._error or 'it failed'}; it is tried again in {max(1, round(wait))} s")
        live = self._live = _Live(self._limits.patience.idle_s)
        live.task = self._spawn(self._run(live))
        return live

    async def _run(self, live: "_Live") -> None:
        """Hold a session open. Nothing that a server or the SDK does gets out of here."""
        began = asyncio.get_running_loop().time()
        patience = self._limits.patience
        try:
            opener = await sdk_opener()
            async with asyncio.timeout(patience.connect_s) as clock:
                live.clock = clock
                async with opener(self.launch, self._limits.bounds, live, self.log) as session:
                    await self._list(session)
                    clock.reschedule(None)
                    live.open(session)
                    await self._serve(live, session)
                    clock.reschedule(asyncio.get_running_loop().time() + patience.connect_s)
        except TimeoutError:
            live.failed(f"it did not get ready within {patience.connect_s:g} s")
        except ServerGone as error:
            live.ended(str(error))
        except ServerFailed as error:
            live.failed(str(error))
        except Exception as error:  # noqa: BLE001 - the SDK and a hostile server: whatever it is costs this connection only
            log.warning("mcp_session_failed", error=_innermost(error))
            live.ended(_innermost(error))
        finally:
            self._note_end(live, began)

    async def _serve(self, live: "_Live", session: Session) -> None:
        """Keep up with the server until it ends, is idle or is to stop."""
        while await live.news():
            try:
                async with asyncio.timeout(self._limits.patience.connect_s):
                    await self._list(session)
            except (TimeoutError, ServerFailed) as error:
                self.log.note(f"its tools could not be listed anew: {error}")

    async def _list(self, session: Session) -> None:
        identity = session.identity
        if identity.resources and not await session.resources():  # servers say that they have some, and have none
            identity = msgspec.structs.replace(identity, resources=False)
        tools = await session.tools()
        await self._listed(await asyncio.to_thread(made_listing, tools, identity, self._limits.max_tools))

    def _note_end(self, live: "_Live", began: float) -> None:
        now = asyncio.get_running_loop().time()
        reason = live.close()
        if reason is None:
            self._failures, self._error = 0, None
            return
        said = "; ".join(line for line in self.log.lines[-_SHOWN_LINES:] if not reason.startswith(line))
        self._error = self.log.hidden(f"{reason}. It said: {said}" if said else reason)[:1_000]
        self._failures = 1 if now - began > _LIVED_LONG_S else self._failures + 1
        pause = 0.0 if self._failures == 1 else min(_LONGEST_PAUSE_S, 2.0 ** (self._failures - 2))
        self._not_before = now + pause
        live.fail(self._error)


class _Live:
    """One session from its start to its end; see luxx.tools.mcp.wire.Watcher for what it is told."""

    def __init__(self, idle_s: float) -> None:
        self._idle_s = idle_s
        self._ready: asyncio.Future[Session] = asyncio.get_running_loop().create_future()
        self._wake = asyncio.Event()
        self._changed = False
        self._relist_at = -math.inf
        self._relist_pause_s = _RELIST_PAUSE_S
        self._stopping = False
        self.reason: str | None = None
        self._users = 0
        self._last_used = asyncio.get_running_loop().time()
        self.task: asyncio.Task[None] | None = None
        self.clock: asyncio.Timeout | None = None
        self.login_page: str | None = None
        self._asked: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_over = False

    @property
    def is_usable(self) -> bool:
        """Whether calls can be made now, or soon."""
        return not self.is_over and not self._stopping and self.reason is None

    @property
    def is_open(self) -> bool:
        """Whether calls can be made now."""
        return self._ready.done() and self.is_usable

    @contextlib.asynccontextmanager
    async def lent(self) -> AsyncGenerator[None]:
        """Keep the session from being idle."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            self._last_used = asyncio.get_running_loop().time()
            self._wake.set()

    def asking(self, page: str | None, patience_s: float) -> None:
        """Show a page to open, or no longer; the start may take as long as that."""
        self.login_page = page
        if page and not self._asked.done():
            self._asked.set_result(None)
        elif page is None:
            self._asked = asyncio.get_running_loop().create_future()
        if self.clock and not self.clock.expired() and not self._ready.done():
            self.clock.reschedule(asyncio.get_running_loop().time() + patience_s)

    async def page(self) -> str | None:
        """Return the page that the person has to open, or None as soon as the session is open or cannot be."""
        await asyncio.wait((self._ready, self._asked), return_when=asyncio.FIRST_COMPLETED)
        return self.login_page

    async def session(self) -> Session:
        """Return the session as soon as it is open. Raises ServerFailed if it cannot be opened."""
        return await asyncio.shield(self._ready)

    def open(self, session: Session) -> None:
        """Let calls be made."""
        self._last_used = asyncio.get_running_loop().time()
        if not self._ready.done():
            self._ready.set_result(session)

    def fail(self, reason: str) -> None:
        """Tell those who wait that there will be no session."""
        if not self._ready.done():
            self._ready.set_exception(ServerFailed(reason))
            self._ready.exception()  # nobody need wait

    def close(self) -> str | None:
        """Note the end; return why it was, or None if it was wanted."""
        self.is_over = True
        if self._stopping:
            self.fail("it was stopped")
            return None
        return self.reason

    def stop(self) -> None:
        """End the session soon."""
        self._stopping = True
        self._wake.set()
        if self.task and not self._ready.done():
            self.task.cancel()

    async def gone(self) -> None:
        """Return when the session and what was behind it have ended."""
        if self.task:
            await asyncio.wait((self.task,))

    async def news(self) -> bool:
        """Return True when the tools have changed, False when the session is to end."""
        while not self._stopping and self.reason is None:
            now = asyncio.get_running_loop().time()
            ends = math.inf if self._users else self._last_used + self._idle_s
            if ends <= now:
                self._stopping = True
                break
            if self._changed and self._relist_at <= now:
                self._changed = False
                return True
            next_at = min(ends, self._relist_at) if self._changed else ends
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(None if next_at == math.inf else next_at):
                    await self._wake.wait()
        return False

    def tools_changed(self) -> None:
        """See Watcher. A server whose tools change all the time is listed ever more seldom."""
        if self._changed:
            return
        now = asyncio.get_running_loop().time()
        often = now - self._relist_at <= _LONGEST_PAUSE_S
        self._relist_pause_s = min(_LONGEST_PAUSE_S, 2 * self._relist_pause_s) if often else _RELIST_PAUSE_S
        self._changed, self._relist_at = True, now + self._relist_pause_s
        self._wake.set()

    def failed(self, reason: str) -> None:
        """Note why the session was given up; what was seen of its end since then is only what follows from that."""
        if not self._ready.done():
            self.reason = reason
        self.ended(reason)

    def ended(self, reason: str) -> None:
        """See Watcher."""
        if self.reason is None:
            self.reason = reason
        self._wake.set()


def _innermost(error: BaseException) -> str:
    """Return the first real error in words."""
    first = first_of(error)
    text = str(first)
    return f"{type(first).__name__}: {text}"[:500] if text else type(first).__name__
