"""A whole server but for its socket: the real store and supervisor, with a model whose words come from the test."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from starlette.types import ASGIApp

from luxx.core.deltas import Delta, Finish, TextDelta
from luxx.core.errors import ProviderError
from luxx.core.ports import CallContext, Check, ModelInfo, ToolInfo, ToolOutcome, Tools
from luxx.core.presets import Preset
from luxx.core.prompts import Effect, ModelRequest, ToolSpec
from luxx.core.usage import Usage
from luxx.engine.plan import RunLimits
from luxx.http.application import create_app
from luxx.http.parts import HttpOptions, Parts
from luxx.store.interface import Store
from luxx.store.postgres.store import open_postgres
from luxx.store.records import FileLimits, NewProvider, Provider
from luxx.store.secrets import SecretBox
from luxx.store.sqlite.store import open_sqlite
from luxx.tools.builtin.web.client import WebClient
from luxx.tools.builtin.web.guard import NamedGuard
from luxx.tools.openapi.servers import OpenApiServers
from luxx.turns.endpoints import Endpoints
from luxx.turns.starting import Starter
from luxx.turns.supervisor import Supervisor
from luxx.turns.titles import Titles
from tests.http.asgi import PORT, Client
from tests.http.tool_servers import NotedHost
from tests.tools.web.sites import Names

TOKEN = "the-owners-secret"
TOOL = ToolInfo(name="clock", description="Tells the time.", effect="read", timeout_s=5, parameters={"type": "object"})
HOST = Preset(
    id="host",
    name="Host",
    format="responses",
    base_url="https://host.example/v1",
    key_url="https://host.example/keys",
    prefers=(r"chat-(\d+)",),
)
OWN = Preset(id="own", name="Own", format="openai", base_url="http://127.0.0.1:9/v1", key="none", own=True)
ELSEWHERE = Preset(id="elsewhere", name="Elsewhere", format="responses", hint="It is at https://YOURS.example.")
END = Finish(reason="stop", usage=Usage(input_tokens=3, output_tokens=2, total_tokens=5))


class HeldModel:
    """Says what the test puts into `words`, in the order of the calls; it waits until something is there."""

    def __init__(self, format_name: str) -> None:
        self.format = format_name
        self.words: asyncio.Queue[Delta | ProviderError] = asyncio.Queue()
        self.requests: list[ModelRequest] = []
        self.failure: ProviderError | None = None
        self.models: tuple[ModelInfo, ...] = (ModelInfo(id="m", context_window=4096),)
        self.check_result = Check(ok=True, detail="It answers.", models=1)

    def say(self, *texts: str, end: bool = False) -> None:
        """Say texts, each a delta of its own, and perhaps end the answer."""
        for text in texts:
            self.words.put_nowait(TextDelta(text))
        if end:
            self.words.put_nowait(END)

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Sequence[Delta], None]:
        """Play what is there, and what comes."""
        self.requests.append(msgspec.structs.replace(request, files=dict(request.files)))
        while True:
            word = await self.words.get()
            if isinstance(word, ProviderError):
                raise word
            yield (word,)
            if isinstance(word, Finish):
                return

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """Name one model, or those that the test names, or fail as told."""
        if self.failure:
            raise self.failure
        return self.models

    async def check(self) -> Check:
        """Say that all is well, or what the test says."""
        return self.check_result


class NoTools:
    """A toolbox without tools; of all that a person has, one is shown."""

    def specs(self) -> tuple[ToolSpec, ...]:
        """None."""
        return ()

    def effect(self, name: str) -> Effect:
        """As for any unknown name."""
        return "read"

    def misfit(self, name: str, arguments: str) -> None:
        """Nobody here can tell."""

    async def offered(self, owner: str) -> tuple[ToolInfo, ...]:
        """Show one."""
        return (TOOL,)

    async def targets(self, owner: str) -> dict[str, str]:
        """Have none that can be changed."""
        return {}

    async def box(self, owner: str, names: tuple[str, ...], targets: Mapping[str, str] | None = None) -> "NoTools":
        """Give none."""
        return self

    async def must_ask(self, name: str, arguments: str, context: CallContext) -> bool:
        """There is nothing to ask for."""
        return False

    async def run(self, name: str, arguments: str, context: CallContext) -> ToolOutcome:
        """Say that there is none."""
        return ToolOutcome(content="there is no such tool", failed=True)


class World(msgspec.Struct, frozen=True):
    """What tests work with. `client` calls as anyone on the machine, `owner` with the owner's secret."""

    app: ASGIApp
    client: Client
    store: Store
    supervisor: Supervisor
    model: HeldModel
    made: list[Provider]
    servers: NotedHost

    @property
    def owner(self) -> Client:
        """The client of who has the secret."""
        return self.client.with_headers(authorization=f"Bearer {TOKEN}")

    async def conversation(self, **fields: object) -> str:
        """Make a conversation and return its id."""
        return (await self.client.post("/api/conversations", fields)).json["id"]

    async def start(self, conversation_id: str | None = None, text: str = "hi") -> dict[str, str]:
        """Post a message and return what the API says of its turn."""
        conversation_id = conversation_id or await self.conversation()
        answer = await self.client.post(f"/api/conversations/{conversation_id}/messages", {"text": text})
        assert answer.status == 202, answer.body
        return answer.json

    async def finished(self, *texts: str) -> dict[str, str]:
        """Post a message, have it answered, and return what the API says of its turn."""
        self.model.say(*texts, end=True)
        started = await self.start()
        async for _ in self.supervisor.follow(self.store.owner, started["turn_id"], 0):
            pass
        return started


@asynccontextmanager
async def world(
    path: Path,
    page: Path | None = None,
    heartbeat: float = 15,
    database: str = "",
    tools: Tools | None = None,
    files: FileLimits | None = None,
    **options: int,
) -> AsyncIterator[World]:
    """Open a store, in a folder if no database is named, and put a server on it."""
    tools = tools or NoTools()
    async with asyncio.timeout(50):
        secrets = SecretBox(["x" * 43 + "="])
        store = await (
            open_postgres(database, secrets)
            if database
            else open_sqlite(path / "data", secrets, limits=files or FileLimits())
        )
        model, made = HeldModel("scripted"), []

        def factory(provider: Provider, key: str | None) -> HeldModel:
            made.append(provider)
            return model

        servers = NotedHost()
        endpoints = Endpoints(
            store.providers,
            {"openai": factory, "responses": factory, "local": factory, "scripted": factory},
            (HOST, OWN, ELSEWHERE),
        )
        supervisor = _supervisor(store, endpoints, tools, heartbeat)
        await store.providers.create(store.owner, NewProvider(name="p", format="scripted", default_model="m"))
        await supervisor.start_up()
        parts = Parts(
            store=store,
            supervisor=supervisor,
            endpoints=endpoints,
            tools=tools,
            tool_servers=servers,
            openapi=OpenApiServers(store.tool_servers, web_client),
            owner_token=TOKEN,
            version="1.2.3",
        )
        app = create_app(parts, HttpOptions(**{"port": PORT, "heartbeat": heartbeat, **options}), page or path / "none")
        try:
            client = Client(app, {"host": f"localhost:{options.get('port', PORT)}"})
            yield World(app, client, store, supervisor, model, made, servers)
        finally:
            await supervisor.close()
            await store.close()


def web_client(owner: str, named: Sequence[str]) -> WebClient:
    """Return a client that reaches private addresses only where a person has named them."""
    return WebClient(NamedGuard(Names(), named), timeout_s=5)


def _supervisor(store: Store, endpoints: Endpoints, tools: Tools, heartbeat: float) -> Supervisor:
    return Supervisor(
        store,
        endpoints,
        tools,
        Starter(store, endpoints, tools, max_iterations=3),
        Titles(store, endpoints, enabled=False),
        limits=RunLimits(attempts=1),
        max_active=100,
        heartbeat=heartbeat,
        compact_after=300,
    )
