"""Luxx: the server under test, started as people start it, on a data directory of its own."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

from benchmarks.api import Api, Refused
from benchmarks.machine import free_port
from benchmarks.process import READY_S, Process
from benchmarks.shots import DONE, Shot
from benchmarks.targets import HISTORY_CHARACTERS, Load, Site, Target
from benchmarks.wire import Directive

_LOOK_EVERY_S = 0.005
_FILLER = " some words of an earlier message" * 13


class Luxx:
    """A server on a data directory of its own; `start` and `kill` may be repeated on the same one."""

    def __init__(self, site: Site, cores: Sequence[int] = (), settings: Mapping[str, str] | None = None) -> None:
        """`cores` are those it may use, the site's for servers by default; `settings` are variables of its environment."""
        self.port = free_port()
        self.data = Path(tempfile.mkdtemp(prefix="data-", dir=site.folder))
        self._site = site
        self._cores = tuple(cores) or (site.cores.server,)
        self._settings = settings or {}
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._process
        return self._process.pid

    def start(self) -> None:
        """Start, and return when it takes turns. Raises ProgramFailed."""
        ours = {
            "LUXX_HOST": "127.0.0.1",
            "LUXX_PORT": str(self.port),
            "LUXX_DATA_DIR": str(self.data),
            "LUXX_DEMO": "true",
            "LUXX_LOG_LEVEL": "warning",
        }
        env = {name: value for name, value in os.environ.items() if not name.startswith("LUXX_")}
        command = [sys.executable, "-m", "luxx", "serve"]
        self._process = Process(
            command, self._cores, self._site.folder, cwd=self._site.folder, env={**env, **ours, **self._settings}
        )
        deadline = time.monotonic() + READY_S
        while not self._ready():
            self._process.require_alive(deadline)
            time.sleep(_LOOK_EVERY_S)

    def kill(self) -> None:
        """End it with SIGKILL."""
        assert self._process
        self._process.kill()

    def remove(self) -> None:
        """Stop it and delete its data."""
        if self._process:
            self._process.stop()
        shutil.rmtree(self.data, ignore_errors=True)

    @contextmanager
    def api(self) -> Iterator[Api]:
        """Give a connection that may do everything."""
        api = Api(self.port, (self.data / "owner-token").read_text().strip())
        try:
            yield api
        finally:
            api.close()

    def use_mock(self) -> None:
        """Make the mock model the default provider."""
        self.use_provider(self._site.mock_port)

    def use_provider(self, port: int) -> None:
        """Make a model server of this machine the default provider."""
        provider = {
            "name": "mock",
            "format": "openai",
            "base_url": f"http://127.0.0.1:{port}/v1",
            "default_model": "mock",
            "is_default": True,
        }
        with self.api() as api:
            api.post("/api/providers", provider)

    def scripted(self) -> str:
        """Return the id of the scripted provider."""
        with self.api() as api:
            providers = api.get("/api/providers")["items"]
        return next(provider["id"] for provider in providers if provider["format"] == "scripted")

    def conversations(self, count: int, provider: str | None = None) -> tuple[str, ...]:
        """Make conversations and return their ids."""
        chosen = {"provider_id": provider} if provider else {}
        with self.api() as api:
            return tuple(api.post("/api/conversations", chosen)["id"] for _ in range(count))

    def shot(self, load: Load) -> Shot:
        """Return the load as messages to conversations: one for each turn, or one with the whole history."""
        return Shot(
            port=self.port,
            path="/api/conversations/{{id}}/messages",
            body='{"text":"{{msg}}"}',
            until=DONE,
            directive=load.directive,
            ids=self._with_history(load.history) if load.history else self.conversations(load.turns),
            streams=load.streams,
            turns=load.turns,
            ramp_s=load.ramp_s,
        )

    def _with_history(self, messages: int) -> tuple[str, ...]:
        """Make a conversation and fill it, turn by turn, with messages of the usual length."""
        ids = self.conversations(1)
        directive = Directive(n=1, chunk=HISTORY_CHARACTERS)
        with self.api() as api:
            for number in range(messages // 2):
                text = f"{number}{_FILLER} mock?{directive}"[-HISTORY_CHARACTERS:]
                for _ in api.send(ids[0], text):
                    pass
        return ids

    def _ready(self) -> bool:
        api = Api(self.port)
        try:
            api.get("/api/ready")
        except (OSError, HTTPException, Refused):
            return False
        finally:
            api.close()
        return True


@contextmanager
def luxx(site: Site) -> Iterator[Target]:
    """Run a fresh Luxx whose default provider is the mock."""
    with fresh(site) as server:
        server.use_mock()
        yield server


@contextmanager
def fresh(site: Site) -> Iterator[Luxx]:
    """Run a fresh Luxx that has only what it brings."""
    server = Luxx(site)
    try:
        server.start()
        yield server
    finally:
        server.remove()
