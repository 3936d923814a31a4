"""A server of a command's own, for as long as the command runs: it holds the data directory, or is a node, like any other."""

import asyncio
import sys

import uvicorn

from luxx.app import App, build
from luxx.cli import logs, server_file
from luxx.core.errors import ConfigurationError
from luxx.http.server import address_of, listen
from luxx.settings import Settings

_HOST = "127.0.0.1"


class OwnServer:
    """Serves on a free port of the loopback address, inside the loop of who runs `serve`.

    With `turns` unset it only answers requests about what is stored: turns that another process left are not taken up.
    """

    def __init__(self, settings: Settings, *, turns: bool) -> None:
        self._settings = settings
        self._turns = turns
        self._app: App | None = None
        self._server: uvicorn.Server | None = None
        self.url: str | None = None
        self.ready = asyncio.Event()

    async def serve(self) -> None:
        """Serve until `end` is called. Raises ConfigurationError."""
        logs.configure("error", "auto", sys.stderr)
        try:
            app = self._app = await build(self._settings)
            try:
                await (app.start() if self._turns else app.furnish())
                await self._listen(app)
            finally:
                await app.close()
        finally:
            self.ready.set()

    async def end(self, *, at_once: bool) -> None:
        """Ask it to end, after its turns have ended or, `at_once`, before; those go on at the next start."""
        if self._app and self._turns and not at_once:
            await self._app.drain()
        if self._server:
            self._server.should_exit = True

    async def _listen(self, app: App) -> None:
        try:
            sock = listen(_HOST, 0)
        except OSError as error:
            raise ConfigurationError(f"No port of {_HOST} could be opened: {error.strerror}") from error
        with sock:
            self.url = address_of(sock)
            config = uvicorn.Config(
                app.asgi(sock.getsockname()[1]),
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                timeout_graceful_shutdown=1,
            )
            self._server = uvicorn.Server(config)
            if (
                self._settings.database_url is None
            ):  # where others hold nothing back, each command has a server of its own
                server_file.write(self._settings.data_dir, self.url, temporary=True)
            try:
                self.ready.set()
                await self._server.serve([sock])
            finally:
                server_file.remove(self._settings.data_dir)
