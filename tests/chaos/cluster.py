"""The cluster: server processes, their wires and their database, and the faults that are done to them."""

import asyncio
import contextlib
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psycopg
from cryptography.fernet import Fernet

from luxx.client import Client, Retry
from luxx.tools.demo import LedgerLine, read_ledger
from tests.chaos.plan import Blow
from tests.chaos.rough_wire import RoughWire, rough_wire
from tests.e2e.server import Server
from tests.postgres_server import PostgresServer

TTL = 2.0
STOP_PATIENCE = 20.0
STARTS = 5
_SETTINGS = {"heartbeat": "120", "compact_after": "3600", "drain_timeout": "0.3"}
"""A heartbeat so rare that it cannot stand in for a wake-up that was lost."""


class Node(Server):
    """A server that starts again however its database is."""

    repeated_starts = 0

    async def start(self) -> None:
        """Start; a start that fails because its database went away is repeated."""
        for _ in range(STARTS):
            with contextlib.suppress(AssertionError):
                return await super().start()
            self.repeated_starts += 1
        return await super().start()

    @property
    def memory(self) -> int:
        """The megabytes that the process holds now; 0 if it does not run, or this is no Linux."""
        status = Path(f"/proc/{self._process.pid}/status") if self._process else Path("/nothing")
        try:
            lines = status.read_text().splitlines()
        except OSError:
            return 0
        return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS")), 0)

    def log(self) -> str:
        """What the processes of this node have logged so far."""
        return (self.data_dir.parent / "server.log").read_text()


class Way:
    """An address under which a node answers, with the Host that it expects."""

    def __init__(self, port: int, node: Node) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.headers = {"Host": f"127.0.0.1:{node.port}"}


class Cluster:
    """Owns nodes, wires and, if there is one, the database; keeps what was done to them in `done`."""

    def __init__(self, nodes: list[Node], wires: list[RoughWire], postgres: PostgresServer | None) -> None:
        self.nodes = nodes
        self.done: list[tuple[float, str]] = []
        self.counts: Counter[str] = Counter()
        self.hung_stops = 0
        self.longest_stop = 0.0
        self.memory = 0
        self.clients = [Client(node.url, retry=Retry(patience=2, longest=0.5)) for node in nodes]
        self.ways = [Way(node.port, node) for node in nodes]
        self.ways += [Way(wire.port, node) for wire, node in zip(wires, nodes, strict=True)]
        self._wires = wires
        self._database_wires: list[RoughWire] = []
        self._postgres = postgres
        self._url = ""

    def on_database(self, url: str, wires: list[RoughWire]) -> None:
        """Name the database, and the wires between it and the nodes."""
        self._url, self._database_wires = url, wires

    async def strike(self, blow: Blow) -> None:
        """Do one fault, and return when it is over."""
        self.memory = max(self.memory, *(node.memory for node in self.nodes))
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
                await node.kill(signal.SIGTERM)
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
        self._wires[blow.node].cut()

    async def _stall(self, blow: Blow) -> None:
        self._wires[blow.node].stop()
        await asyncio.sleep(blow.lasts)
        self._wires[blow.node].go_on()

    async def _fragment(self, blow: Blow) -> None:
        self._wires[blow.node].fragments = True
        await asyncio.sleep(blow.lasts)
        self._wires[blow.node].fragments = False

    async def _cut_database(self, blow: Blow) -> None:
        """Break a node's connections to the database three times: what was being committed gets no answer."""
        for _ in range(3):
            self._database_wires[blow.node].cut()
            await asyncio.sleep(blow.lasts / 4)


@contextlib.asynccontextmanager
async def cluster(
    folder: Path, dice: random.Random, postgres: PostgresServer | None = None, count: int = 1
) -> AsyncIterator[Cluster]:
    """Start nodes, on one PostgreSQL database if there is a server for it, else one node on SQLite."""
    async with contextlib.AsyncExitStack() as stack:
        url = postgres.database() if postgres else ""
        shared = {"secret_key": Fernet.generate_key().decode(), "lease_ttl": str(TTL)} if postgres else {}
        nodes: list[Node] = []
        wires: list[RoughWire] = []
        database_wires: list[RoughWire] = []
        for number in range(count):
            if postgres:
                database_wires.append(await stack.enter_async_context(rough_wire(postgres.port, dice)))
                shared["database_url"] = url.replace(f":{postgres.port}/", f":{database_wires[-1].port}/")
            data_dir = folder / f"node{number}" / "data"
            data_dir.parent.mkdir()
            nodes.append(await stack.enter_async_context(Node(data_dir, **_SETTINGS, **shared)))
            wires.append(await stack.enter_async_context(rough_wire(nodes[-1].port, dice)))
        made = Cluster(nodes, wires, postgres)
        made.on_database(url, database_wires)
        stack.push_async_callback(made.close)
        yield made
