"""The composition root: makes the parts from the settings, and is the only place that names their classes."""

import contextlib
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache

from starlette.types import ASGIApp

from luxx import __version__
from luxx.core.errors import InvalidRequest
from luxx.core.ports import Endpoint, Toolbox
from luxx.http.application import create_app
from luxx.http.parts import HttpOptions, Parts
from luxx.providers.local.engine import MODEL_ID, LocalEngine
from luxx.providers.local.model import LocalModel, over
from luxx.providers.openai.model import OpenAIModel
from luxx.providers.scripted import ScriptedModel
from luxx.providers.transport import Patience, Transport
from luxx.settings import Settings
from luxx.store.directory import make_private
from luxx.store.interface import Store
from luxx.store.opening import open_store
from luxx.store.records import NewProvider, Provider
from luxx.store.secrets import given_secrets
from luxx.tools.box import Toolbox as Box
from luxx.tools.builtin.catalogue import builtin_tools
from luxx.tools.demo import demo_tools
from luxx.tools.installed import installed_tools
from luxx.turns.endpoints import EndpointFactory, Endpoints
from luxx.turns.run import RunLimits
from luxx.turns.starting import Starter
from luxx.turns.supervisor import Supervisor
from luxx.turns.titles import Titles

OWNER_TOKEN_FILE = "owner-token"
LEDGER_FILE = "tool-ledger.jsonl"
TOOL_SELECTIONS = 64
"""How many different selections of tools are kept ready."""
SWITCH_INTERVAL = 0.0005
"""Seconds that a thread waits for the interpreter beside a busy event loop, with a database that is asked over a connection.

A transaction asks several times, and after each answer its thread would wait Python's own 5 ms.
"""


class App:
    """A whole server but for its socket; owns its parts. Made by `build`."""

    def __init__(self, settings: Settings, store: Store, box: Box, transport: Transport, engine: LocalEngine) -> None:
        self._settings = settings
        self._store = store
        self._box = box
        self._transport = transport
        self._engine = engine
        self._endpoints = Endpoints(store.providers, _factories(settings, transport, engine))
        self._owner_token = owner_token(settings)
        self.supervisor = Supervisor(
            store,
            self._endpoints,
            _selections(box),
            Starter(store, self._endpoints, box, settings.max_iterations),
            Titles(store, self._endpoints, enabled=settings.titles == "model"),
            limits=RunLimits(
                attempts=settings.provider_attempts,
                parallel_tools=settings.parallel_tools,
                max_answer_chars=settings.max_answer_chars,
            ),
            max_active=settings.max_active_turns,
            heartbeat=settings.heartbeat,
            compact_after=settings.compact_after,
        )

    async def start(self) -> None:
        """Take up what an earlier process left; from now on turns run."""
        await _ensure_providers(self._store, self._settings.demo)
        await self.supervisor.start_up()

    def asgi(self, port: int) -> ASGIApp:
        """Return the ASGI application for a server that people reach on this port."""
        settings = self._settings
        parts = Parts(
            store=self._store,
            supervisor=self.supervisor,
            endpoints=self._endpoints,
            tools=self._box.infos(),
            owner_token=self._owner_token,
            version=__version__,
            storage="postgresql" if self._store.nodes.shared else "sqlite",
        )
        options = HttpOptions(
            port=port,
            max_body=settings.max_body,
            max_message_chars=settings.max_message_chars,
            max_streams=settings.max_streams,
            heartbeat=settings.heartbeat,
        )
        return create_app(parts, options)

    async def drain(self) -> None:
        """End the streams and let turns end, as long as the settings allow."""
        await self.supervisor.drain(self._settings.drain_timeout)

    async def close(self) -> None:
        """Stop all parts; turns in progress go on at the next start."""
        await self.supervisor.close()
        await self._engine.stop()
        await self._transport.aclose()
        await self._box.aclose()
        await self._store.close()


async def build(settings: Settings) -> App:
    """Open the store and make the parts. Raises ConfigurationError with what to do about it."""
    make_private(settings.data_dir)
    store = await _open_store(settings)
    if store.nodes.shared:
        sys.setswitchinterval(SWITCH_INTERVAL)
    tools = (*builtin_tools(), *(demo_tools(settings.data_dir / LEDGER_FILE) if settings.demo else ()))
    box = Box(
        (*tools, *installed_tools(taken=[tool.name for tool in tools])),
        max_threads=settings.tool_threads,
        max_running=settings.tool_concurrency,
        max_result_chars=settings.tool_result_chars,
    )
    patience = Patience(
        connect_s=settings.connect_timeout,
        first_byte_s=settings.first_token_timeout,
        between_reads_s=settings.token_timeout,
    )
    return App(settings, store, box, Transport(patience), LocalEngine(settings.data_dir))


async def _open_store(settings: Settings) -> Store:
    return await open_store(
        settings.data_dir,
        settings.database_url.get_secret_value() if settings.database_url else None,
        keys=_secret_keys(settings),
        key_file=settings.secret_key_file,
        lease_ttl=settings.lease_ttl,
    )


def owner_link(settings: Settings, address: str) -> str:
    """Return the link that makes a browser the owner's; it holds the secret."""
    return f"{address}/open?token={owner_token(settings)}"


def owner_token(settings: Settings) -> str:
    """Return the owner's secret, which lies in a file of the data directory that only its owner can read.

    Servers that share a database all derive it from their secret key, so that what one gave a browser is good for all; a server
    on its own makes it at its first start. Raises ConfigurationError.
    """
    path = settings.data_dir / OWNER_TOKEN_FILE
    make_private(settings.data_dir)
    there = path.read_text(encoding="ascii", errors="replace").strip() if path.exists() else ""
    if settings.database_url is None:
        token = there or secrets.token_urlsafe(32)
    else:
        token = given_secrets(_secret_keys(settings), settings.secret_key_file).derived("owner")
    if there != token:
        part = path.with_name(f"{OWNER_TOKEN_FILE}.{os.getpid()}.part")
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        part.write_text(token, encoding="ascii")
        part.replace(path)
    return token


def _secret_keys(settings: Settings) -> str | None:
    return settings.secret_key.get_secret_value() if settings.secret_key else None


def _factories(settings: Settings, transport: Transport, engine: LocalEngine) -> Mapping[str, EndpointFactory]:
    def openai(provider: Provider, key: str | None) -> Endpoint:
        return OpenAIModel(provider.base_url or "", key, transport)

    def local(provider: Provider, key: str | None) -> Endpoint:
        return LocalModel(engine, over(transport))

    def scripted(provider: Provider, key: str | None) -> Endpoint:
        return ScriptedModel()

    return {"openai": openai, "local": local, "scripted": scripted}


def _selections(box: Box) -> Callable[[tuple[str, ...]], Toolbox]:
    @lru_cache(TOOL_SELECTIONS)
    def select(names: tuple[str, ...]) -> Toolbox:
        return box.subset(names)

    return select


async def _ensure_providers(store: Store, demo: bool) -> None:
    """Register the embedded model when nothing else is there, and the scripted one for demos.

    Where another server starts at the same moment, one of the two finds the name taken.
    """
    providers = await store.providers.list(store.owner)
    if not providers:
        embedded = NewProvider(name="Embedded model", format="local", default_model=MODEL_ID, is_default=True)
        with contextlib.suppress(InvalidRequest):
            await store.providers.create(store.owner, embedded)
    if demo and not any(provider.format == "scripted" for provider in providers):
        scripted = NewProvider(name="Scripted", format="scripted", default_model="scripted")
        with contextlib.suppress(InvalidRequest):
            await store.providers.create(store.owner, scripted)
