"""The composition root: makes the parts from the settings, and is the only place that names their classes."""

import contextlib
import os
import secrets
import sys
from collections.abc import Mapping, Sequence

from starlette.types import ASGIApp

from luxx import __version__
from luxx.core.errors import ConfigurationError, InvalidRequest
from luxx.core.ports import Endpoint
from luxx.engine.plan import RunLimits
from luxx.http.application import create_app
from luxx.http.parts import HttpOptions, Parts
from luxx.providers.anthropic.model import AnthropicModel
from luxx.providers.gemini.model import GeminiModel
from luxx.providers.local.engine import MODEL_ID, LocalEngine
from luxx.providers.local.model import LocalModel, over
from luxx.providers.openai.model import OpenAIModel
from luxx.providers.presets import PRESETS
from luxx.providers.responses.model import ResponsesModel
from luxx.providers.scripted import ScriptedModel
from luxx.providers.transport import Patience, Transport
from luxx.settings import Settings
from luxx.store.directory import make_private
from luxx.store.interface import Store
from luxx.store.opening import open_store
from luxx.store.records import FileLimits, NewProvider, Provider
from luxx.store.secrets import given_secrets
from luxx.tools.box import Toolbox as Box
from luxx.tools.builtin.catalogue import builtin_tools
from luxx.tools.builtin.web.client import WebClient
from luxx.tools.builtin.web.guard import Guard, NamedGuard
from luxx.tools.builtin.web.names import SystemNames
from luxx.tools.builtin.web.search import SearchEngine
from luxx.tools.demo import demo_tools
from luxx.tools.installed import installed_tools
from luxx.tools.mcp.connection import Limits
from luxx.tools.mcp.connection import Patience as McpPatience
from luxx.tools.mcp.servers import McpServers
from luxx.tools.mcp.wire import Bounds
from luxx.tools.openapi.servers import OpenApiServers
from luxx.tools.sources import ToolSources
from luxx.turns.endpoints import EndpointFactory, Endpoints
from luxx.turns.starting import Starter
from luxx.turns.supervisor import Supervisor
from luxx.turns.titles import Titles

_RemoteModel = type[OpenAIModel] | type[ResponsesModel] | type[AnthropicModel] | type[GeminiModel]
OWNER_TOKEN_FILE = "owner-token"
LEDGER_FILE = "tool-ledger.jsonl"
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
        self._endpoints = Endpoints(store.providers, _factories(settings, transport, engine), PRESETS)
        self._owner_token = owner_token(settings)
        self.mcp = McpServers(store.tool_servers, _mcp_limits(settings))
        self._openapi = _openapi(settings, store)
        self._tools = ToolSources(box, [self.mcp, self._openapi], settings.tool_timeouts)
        self.supervisor = Supervisor(
            store,
            self._endpoints,
            self._tools,
            Starter(store, self._endpoints, self._tools, settings.max_iterations),
            Titles(store, self._endpoints, enabled=settings.titles == "model"),
            limits=RunLimits(
                attempts=settings.provider_attempts,
                parallel_tools=settings.parallel_tools,
                max_tool_calls=settings.max_tool_calls,
                max_answer_chars=settings.max_answer_chars,
                approval_patience_s=settings.approval_timeout,
            ),
            max_active=settings.max_active_turns,
            heartbeat=settings.heartbeat,
            compact_after=settings.compact_after,
        )

    async def furnish(self) -> None:
        """Register the providers that are there from the beginning, so that one added before the first turn is not the only one."""
        await _ensure_providers(self._store, self._settings.demo)

    async def start(self) -> None:
        """Take up what an earlier process left; from now on turns run."""
        await self.furnish()
        await self.supervisor.start_up()

    def asgi(self, port: int) -> ASGIApp:
        """Return the ASGI application for a server that people reach on this port."""
        settings = self._settings
        self.mcp.logins.client_url = settings.mcp_client_url
        self.mcp.logins.redirect_uri = f"http://127.0.0.1:{port}/mcp/login"
        parts = Parts(
            store=self._store,
            supervisor=self.supervisor,
            endpoints=self._endpoints,
            tools=self._tools,
            tool_servers=self.mcp,
            openapi=self._openapi,
            owner_token=self._owner_token,
            version=__version__,
            storage="postgresql" if self._store.nodes.shared else "sqlite",
        )
        options = HttpOptions(
            port=port,
            max_body=settings.max_body,
            max_file=settings.max_file_bytes,
            max_import=settings.max_import_bytes,
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
        await self.mcp.aclose()
        await self._engine.stop()
        await self._transport.aclose()
        await self._box.aclose()
        await self._store.close()


async def build(settings: Settings) -> App:
    """Open the store and make the parts. Raises ConfigurationError with what to do about it."""
    search = _search(settings)
    make_private(settings.data_dir)
    store = await _open_store(settings)
    if store.nodes.shared:
        sys.setswitchinterval(SWITCH_INTERVAL)
    builtin = builtin_tools(
        max_result_chars=settings.tool_result_chars,
        web_max_bytes=settings.web_max_bytes,
        web_timeout_s=settings.web_timeout,
        search=search,
    )
    tools = (*builtin, *(demo_tools(settings.data_dir / LEDGER_FILE) if settings.demo else ()))
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
    app = App(settings, store, box, Transport(patience), LocalEngine(settings.data_dir))
    await app.mcp.start()
    return app


async def _open_store(settings: Settings) -> Store:
    return await open_store(
        settings.data_dir,
        settings.database_url.get_secret_value() if settings.database_url else None,
        keys=_secret_keys(settings),
        key_file=settings.secret_key_file,
        lease_ttl=settings.lease_ttl,
        limits=FileLimits(
            file_bytes=settings.max_file_bytes,
            conversation_bytes=settings.max_conversation_files_bytes,
            per_message=settings.max_message_files,
        ),
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


def _mcp_limits(settings: Settings) -> Limits:
    patience = McpPatience(
        connect_s=settings.mcp_connect_timeout,
        call_s=settings.mcp_call_timeout,
        whole_call_s=settings.mcp_call_limit,
        idle_s=settings.mcp_idle_stop,
        listing_s=settings.mcp_list_wait,
    )
    bounds = Bounds(message_bytes=settings.mcp_max_message)
    return Limits(patience=patience, bounds=bounds, max_tools=settings.mcp_max_tools)


def _openapi(settings: Settings, store: Store) -> OpenApiServers:
    """Return the source of tools from OpenAPI documents: only places that the owner has named may be at private addresses."""
    names = SystemNames()

    def client(owner: str, named: Sequence[str]) -> WebClient:
        guard = NamedGuard(names, named) if owner == store.owner else Guard(names)
        return WebClient(guard, max_bytes=settings.web_max_bytes, timeout_s=settings.web_timeout)

    return OpenApiServers(store.tool_servers, client)


def _search(settings: Settings) -> SearchEngine | None:
    """Return the search engine that is set up, if any. Raises ConfigurationError if a part is missing."""
    engine, url = settings.search, settings.search_url or ""
    key = settings.search_key.get_secret_value() if settings.search_key else ""
    if engine is None:
        return None
    if engine == "searxng" and not url:
        raise ConfigurationError("LUXX_SEARCH is searxng: LUXX_SEARCH_URL has to say where it is.")
    if engine != "searxng" and not key:
        raise ConfigurationError(f"LUXX_SEARCH is {engine}: LUXX_SEARCH_KEY has to hold its key.")
    return SearchEngine(engine=engine, url=url, key=key)


def _secret_keys(settings: Settings) -> str | None:
    return settings.secret_key.get_secret_value() if settings.secret_key else None


def _factories(settings: Settings, transport: Transport, engine: LocalEngine) -> Mapping[str, EndpointFactory]:
    headers = {preset.id: preset.headers for preset in PRESETS}

    def remote(model: _RemoteModel) -> EndpointFactory:
        def make(provider: Provider, key: str | None) -> Endpoint:
            return model(provider.base_url or "", key, transport, headers=headers.get(provider.preset or ""))

        return make

    def local(provider: Provider, key: str | None) -> Endpoint:
        return LocalModel(engine, over(transport))

    def scripted(provider: Provider, key: str | None) -> Endpoint:
        return ScriptedModel()

    return {
        "openai": remote(OpenAIModel),
        "responses": remote(ResponsesModel),
        "anthropic": remote(AnthropicModel),
        "gemini": remote(GeminiModel),
        "local": local,
        "scripted": scripted,
    }


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
