"""Nodes: several servers on one PostgreSQL, as people run them, and the turns that are started on one and read on another."""

import base64
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import msgspec

from benchmarks.luxx import Luxx
from benchmarks.postgres import Postgres, postgres
from benchmarks.targets import Site


class Nodes(msgspec.Struct, frozen=True):
    """Two servers that are up, and their database: turns are started on the `owner`, which works on them."""

    owner: Luxx
    reader: Luxx
    postgres: Postgres


@contextmanager
def nodes(site: Site, lease_ttl: float = 8.0) -> Iterator[Nodes]:
    """Run two fresh servers on a fresh database. All three may use all cores."""
    with ExitStack() as stack:
        database = stack.enter_context(postgres(site.cores.both, site.folder))
        shared = {
            "LUXX_DATABASE_URL": database.url,
            "LUXX_SECRET_KEY": base64.urlsafe_b64encode(os.urandom(32)).decode(),
            "LUXX_LEASE_TTL": str(lease_ttl),
        }
        servers: list[Luxx] = []
        for _ in range(2):
            server = Luxx(site, site.cores.both, shared)
            stack.callback(server.remove)
            server.start()
            servers.append(server)
        yield Nodes(*servers, database)
