"""A server in a process of its own, which tests kill and start again on the same port and data directory."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from luxx.client import Client, Retry
from tests.ports import free_port

START_PATIENCE = 50.0
PATIENCE = 180.0
"""For a whole test that starts servers, one after the other, which on a busy machine takes longer than other tests may."""


class Server:
    """`luxx serve` with the demo tools and the scripted provider; `module` is the program that is run."""

    module = "luxx"

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._settings = {f"LUXX_{name.upper()}": value for name, value in settings.items()}
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process and self._process.returncode is None:
            await self.kill()

    async def start(self) -> None:
        """Start, and return when requests are answered."""
        settings = {"LUXX_DATA_DIR": str(self.data_dir), "LUXX_DEMO": "true", "LUXX_LOG_FORMAT": "text"}
        environment = {**os.environ, **settings, **self._settings}  # noqa: TID251 - the child's, not ours
        with (self.data_dir.parent / "server.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", self.module, "serve", "--port", str(self.port)),
                env=environment,
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(START_PATIENCE):
            while not await self._answers():
                assert self._process.returncode is None, (self.data_dir.parent / "server.log").read_text()
                await asyncio.sleep(0.02)

    def send(self, how: signal.Signals) -> None:
        """Send a signal."""
        assert self._process is not None
        self._process.send_signal(how)

    async def kill(self, how: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal and wait for the end; return the exit code."""
        self.send(how)
        assert self._process is not None
        return await self._process.wait()

    def client(self) -> Client:
        """Return a client with the owner's secret."""
        token = (self.data_dir / "owner-token").read_text().strip()
        return Client(self.url, token, Retry(patience=START_PATIENCE))

    async def _answers(self) -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{self.url}/api/ready") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False
