"""The cluster: server processes, their wires, their provider and their database, and the faults that are done to them."""

import asyncio
import contextlib
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import psycopg
from cryptography.fernet import Fernet

from luxx.client import Client, ProviderFields, Retry
from luxx.tools.demo import LedgerLine, read_ledger
from tests.chaos.plan import Blow
from tests.chaos.provider import Provider, provider
from tests.chaos.refusal import refuse_on_postgres, refuse_on_sqlite
from tests.chaos.rough_wire import DatabaseWire, RoughWire, laid
from tests.e2e.server import Server
from tests.postgres_server import PostgresServer

TTL = 2.0
STOP_PATIENCE = 20.0
TAKEN_UP = 2.5
"""Seconds in which a node has seen twice that a turn of its own has no task."""
STARTS = 5
_SETTINGS = {"heartbeat": "120", "compact_after": "3600", "drain_timeout": "0.3"}
"""A heartbeat so rare that it cannot stand in for a wake-up that was lost."""


class Node(Server):
    """A server that starts again however its database is, and can be held still where no signal can hit it."""

    module = "tests.chaos.inside"
    repeated_starts = 0

    async def start(self) -> None:
        """Start; a start that fails because its database went away is repeated."""
        for _ in range(STARTS):
            with contextlib.suppress(AssertionError):
                return await super().start()
            self.repeated_starts += 1
        return await super().start()

    async def held(self, point: str) -> None:
        """Let the process stop at a point (see `inside.hold`), and return when it has."""
        self.forget_hold()
        (self.data_dir.parent / "hold.new").write_text(point)
        (self.data_dir.parent / "hold.new").rename(self.data_dir.parent / "hold")
        while not ((self.data_dir.parent / "held").exists() and self._stands_still()):  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.005)  # what is sent before it has stopped itself would be lost

    def wake(self) -> None:
        """Let it go on."""
        self.send(signal.SIGCONT)

    def forget_hold(self) -> None:
        """Hold nowhere any more."""
        for name in ("hold", "held"):
            (self.data_dir.parent / name).unlink(missing_ok=True)

    def _stands_still(self) -> bool:
        """Whether the process is stopped; taken for granted where this is no Linux."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return True
        return "State:\tT" in status

    @property
    def pid(self) -> int:
        """The process that was started last."""
        return self._process.pid if self._process else 0

    @property
    def memory(self) -> int:
        """The megabytes that the process holds now; 0 if it does not run, or this is no Linux."""
        try:
            lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        except OSError:
            return 0
        return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS")), 0)

    def log(self) -> str:
        """What the processes of this node have logged so far."""
        return (self.data_dir.parent / "server.log").read_text()


class Way:
    """An address under which a node answers, with the Host that it expects."""

    def __init__(self, port: int, node: Node) -> None:
        self.node = node
        self.url = f"http://127.0.0.1:{port}"
        self.headers = {"Host": f"127.0.0.1:{node.port}"}


class Wires(msgspec.Struct, frozen=True):
    """The wires of a cluster: from readers to each node, from each node to the database, and from all to the provider."""

    nodes: list[RoughWire]
    database: list[DatabaseWire]
    provider: RoughWire


class Cluster:
    """Owns nodes, wires, provider and, if there is one, the database; keeps what was done to them in `done`."""

    def __init__(
        self, nodes: list[Node], wires: Wires, model: Provider, postgres: PostgresServer | None, url: str
    ) -> None:
        self.nodes = nodes
        self.wires = wires
        self.model = model
        self.done: list[tuple[float, str]] = []
        self.counts: Counter[str] = Counter()
        self.hung_stops = 0
        self.longest_stop = 0.0
        self.clients = [Client(node.url, retry=Retry(patience=2, longest=0.5)) for node in nodes]
        self.ways = [Way(node.port, node) for node in nodes]
        self.ways += [Way(wire.port, node) for wire, node in zip(wires.nodes, nodes, strict=True)]
        self.scripted = self.over_http = ""
        self._postgres = postgres
        self._url = url

    async def add_providers(self) -> None:
        """Find the provider that plays scripts inside the nodes, and add the one that does over HTTP."""
        self.scripted = next(it.id for it in await self.clients[0].providers() if it.format == "scripted")
        url = f"http://127.0.0.1:{self.wires.provider.port}/v1"
        fields = ProviderFields(name="chaos", format="openai", base_url=url, api_key="none", default_model="chaos")
        async with self.nodes[0].client() as owner:
            self.over_http = (await owner.create_provider(fields)).id

    async def strike(self, blow: Blow) -> None:
        """Do one fault, and return when it is over."""
        self.done.append((time.time(), blow.fault))
        self.counts[blow.fault] += 1
        await getattr(self, f"_{blow.fault}")(blow)

    def ledger(self) -> list[LedgerLine]:
        """Return what the tools of all nodes wrote down, in order of time."""
        lines = [line for node in self.nodes for line in read_ledger(node.data_dir / "tool-ledger.jsonl")]
        return sorted(lines, key=lambda line: line.at)

    async def close(self) -> None:
        """Close the clients."""
        for client in self.clients:
            await client.close()

    async def _kill(self, blow: Blow) -> None:
        await self.nodes[blow.node].kill()
        await asyncio.sleep(blow.lasts)
        await self.nodes[blow.node].start()

    async def _stop(self, blow: Blow) -> None:
        node, began = self.nodes[blow.node], time.monotonic()
        try:
            async with asyncio.timeout(STOP_PATIENCE):
                node.send(signal.SIGTERM)
                await node.kill(signal.SIGCONT)  # it may stand still
        except TimeoutError:
            self.hung_stops += 1
            await node.kill()
        self.longest_stop = max(self.longest_stop, time.monotonic() - began)
        await node.start()

    async def _freeze(self, blow: Blow) -> None:
        node = self.nodes[blow.node]
        node.send(signal.SIGSTOP)
        await asyncio.sleep(blow.lasts)
        node.send(signal.SIGCONT)

    async def _lose_tasks(self, blow: Blow) -> None:
        self.nodes[blow.node].send(signal.SIGUSR1)
        await asyncio.sleep(TAKEN_UP)

    async def _expire(self, blow: Blow) -> None:
        """Let the database take a lease for expired while its owner is at work, as when its clock jumps."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.nodes[blow.node].url}/api/health") as answer:
            node = (await answer.json())["node"]
        await asyncio.to_thread(self._outlive, node)

    def _outlive(self, node: str) -> None:
        deadline = time.monotonic() + 2 * TTL
        statement = "UPDATE node SET expires = clock_timestamp() - interval '1 second' WHERE id = %s"
        with (
            contextlib.suppress(psycopg.OperationalError),
            psycopg.connect(self._url, autocommit=True) as connection,
        ):
            while connection.execute(statement, (node,)).rowcount and time.monotonic() < deadline:
                time.sleep(0.02)

    async def _kill_database(self, blow: Blow) -> None:
        assert self._postgres is not None
        await asyncio.to_thread(self._postgres.kill)
        await asyncio.sleep(blow.lasts)
        await asyncio.to_thread(self._postgres.start)

    async def _freeze_database(self, blow: Blow) -> None:
        assert self._postgres is not None
        self._postgres.freeze()
        await asyncio.sleep(blow.lasts * 2)
        self._postgres.thaw()

    async def _cut(self, blow: Blow) -> None:
        self.wires.nodes[blow.node].cut()

    async def _stall(self, blow: Blow) -> None:
        await _stalled(self.wires.nodes[blow.node], blow)

    async def _fragment(self, blow: Blow) -> None:
        await _in_fragments(self.wires.nodes[blow.node], blow)

    async def _cut_provider(self, blow: Blow) -> None:
        self.model.last_cut = time.monotonic()
        self.wires.provider.cut()

    async def _stall_provider(self, blow: Blow) -> None:
        await _stalled(self.wires.provider, blow)

    async def _fragment_provider(self, blow: Blow) -> None:
        await _in_fragments(self.wires.provider, blow)

    async def _cut_database(self, blow: Blow) -> None:
        """Break a node's connections to the database three times."""
        for _ in range(3):
            self.wires.database[blow.node].cut()
            await asyncio.sleep(blow.lasts / 4)

    async def _lose_commits(self, blow: Blow) -> None:
        """Lose the answers to up to three of a node's commits, after the database has made them."""
        self.wires.database[blow.node].to_lose = 3
        await asyncio.sleep(blow.lasts)
        self.wires.database[blow.node].to_lose = 0


async def _stalled(wire: RoughWire, blow: Blow) -> None:
    wire.stop()
    await asyncio.sleep(blow.lasts)
    wire.go_on()


async def _in_fragments(wire: RoughWire, blow: Blow) -> None:
    wire.fragments = True
    await asyncio.sleep(blow.lasts)
    wire.fragments = False


@contextlib.asynccontextmanager
async def cluster(
    folder: Path,
    dice: random.Random,
    postgres: PostgresServer | None = None,
    count: int = 1,
    approval_timeout: float = 600,
) -> AsyncIterator[Cluster]:
    """Start nodes, on one PostgreSQL database if there is a server for it, else one node on SQLite."""
    async with contextlib.AsyncExitStack() as stack:
        model = await stack.enter_async_context(provider())
        wires = Wires([], [], await stack.enter_async_context(laid(RoughWire(model.port, dice))))
        url = postgres.database() if postgres else ""
        shared = {"secret_key": Fernet.generate_key().decode(), "lease_ttl": str(TTL)} if postgres else {}
        nodes: list[Node] = []
        for number in range(count):
            if postgres:
                wires.database.append(await stack.enter_async_context(laid(DatabaseWire(postgres.port, dice))))
                shared["database_url"] = url.replace(f":{postgres.port}/", f":{wires.database[-1].port}/")
            data_dir = folder / f"node{number}" / "data"
            data_dir.parent.mkdir(parents=True)
            nodes.append(
                await stack.enter_async_context(
                    Node(data_dir, approval_timeout=f"{approval_timeout:g}", **_SETTINGS, **shared)
                )
            )
            wires.nodes.append(await stack.enter_async_context(laid(RoughWire(nodes[-1].port, dice))))
        refuse_on_postgres(url) if postgres else refuse_on_sqlite(nodes[0].data_dir / "luxx.db")
        made = Cluster(nodes, wires, model, postgres, url)
        stack.push_async_callback(made.close)
        await made.add_providers()
        yield made
