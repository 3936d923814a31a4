"""Servers: which one a command talks to, a running one or one of its own."""

import asyncio
import importlib
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import msgspec

from luxx.cli import server_file
from luxx.cli.background import Background
from luxx.cli.options import load_settings
from luxx.client import Client, ClientError, Retry, Unreachable
from luxx.core.errors import ConfigurationError, DirectoryInUse
from luxx.settings import Settings

if TYPE_CHECKING:
    from luxx.cli.own_server import OwnServer

T = TypeVar("T")

_PATIENCE_S = 30
"""For a server that starts, on a busy machine too, or lets its turns end, which may take `drain_timeout`."""
_NAMELESS_S = 10
"""For a process that holds the data directory and does not say which it is; one in another container never does."""
_HEALTH_S = 2
_POLL_S = 0.1
_TEMPORARY = Retry(patience=1)
_AT_ONCE = Retry(patience=0)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The server that a person named, or else the one of their data directory."""

    url: str | None
    settings: Settings


def wanted_server(url: str | None, data_dir: Path | None) -> Wanted:
    """Return the server that the options of a command name. Raises ConfigurationError."""
    return Wanted(url=url, settings=load_settings(data_dir=data_dir))


class Server:
    """The server of one command, as a context manager.

    Where none runs it starts one of its own, with turns or (`turns` unset) only for what is stored, and ends it on exit:
    turns in progress are given some time, unless an exception (such as Ctrl-C) is on its way.
    """

    def __init__(self, background: Background, wanted: Wanted, *, turns: bool) -> None:
        self._background = background
        self._wanted = wanted
        self._turns = turns
        self._client: Client | None = None
        self._temporary = False
        self._own: OwnServer | None = None
        self._serving: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    @property
    def client(self) -> Client:
        """A client of the server, which is found or started at the first use. Raises ConfigurationError."""
        if self._client is None:
            url = self._wanted.url or self._find_or_start()
            self._client = Client(url, self._token(url), _TEMPORARY if self._temporary else None)
        return self._client

    def replace(self) -> bool:
        """Look for another server, or start one, if the one so far belonged to a command that may have ended."""
        if not self._temporary or self._client is None:
            return False
        self._background.run(self._client.close())
        self._client = None
        return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client:
            self._background.run(self._client.close())
        if self._own and self._serving:
            self._background.run(self._own.end(at_once=kind is not None))
            self._background.wait_for(self._serving)

    def _find_or_start(self) -> str:
        """Return the address of a server that answers. One that starts or ends at this moment is waited for.

        A command's server that takes no turns does not do for turns: it ends, or was never meant for them. Raises
        ConfigurationError.
        """
        began = time.monotonic()
        while True:
            found = server_file.find(self._wanted.settings.data_dir)
            if found and self._background.run(_answers(found.url, turns=self._turns and found.temporary)):
                self._temporary = found.temporary
                return found.url
            try:
                return self._start()
            except DirectoryInUse:
                named = server_file.holder(self._wanted.settings.data_dir)
                if time.monotonic() - began > (_PATIENCE_S if named else _NAMELESS_S):
                    raise
            time.sleep(_POLL_S)

    def _start(self) -> str:
        """Start a server of our own. Raises ConfigurationError."""
        own = _own_server(self._wanted.settings, turns=self._turns)
        serving = self._background.start(own.serve())
        self._background.run(own.ready.wait())
        if own.url is None:
            self._background.wait_for(serving)
            raise ConfigurationError("The server could not be started.")
        self._own, self._serving, self._temporary = own, serving, False
        return own.url

    def _token(self, url: str) -> str | None:
        """Return the owner's secret for the server of this data directory; no other gets to see it."""
        data_dir = self._wanted.settings.data_dir
        if self._wanted.url:
            found = server_file.find(data_dir)
            if found is None or found.url != url.rstrip("/"):
                return None
        return server_file.owner_token(data_dir)


async def _answers(url: str, *, turns: bool) -> bool:
    """Whether a server answers, and with `turns` takes turns."""
    try:
        async with asyncio.timeout(_HEALTH_S), Client(url, retry=_AT_ONCE) as client:
            await (client.ready() if turns else client.health())
    except (ClientError, TimeoutError):
        return False
    return True


def _own_server(settings: Settings, *, turns: bool) -> "OwnServer":
    """Make a server, loading what it is made of: most commands find one running and do without."""
    own_server = importlib.import_module("luxx.cli.own_server")
    return own_server.OwnServer(settings, turns=turns)


def ask_server(wanted: Wanted, work: Callable[[Client], Coroutine[Any, Any, T]]) -> T:
    """Do some work with a client of the server.

    It is begun anew with another server if this one was a command's and has ended, as long as nothing has been changed.
    """
    with Background() as background, Server(background, wanted, turns=False) as server:
        while True:
            client = server.client
            try:
                return background.run(work(client))
            except Unreachable as error:
                if not error.unsent or client.changed or not server.replace():
                    raise
