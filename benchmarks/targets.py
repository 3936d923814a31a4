"""Targets: what is measured beside Luxx, each made ready for a load by a `with` block."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from benchmarks.loadside import LoadSide
from benchmarks.machine import Cores, free_port
from benchmarks.process import running
from benchmarks.shots import DONE, Shot
from benchmarks.wire import Directive

HISTORY_CHARACTERS = 400
"""Length of each message of a made-up history."""
_NGINX_CONFIG = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
    client_max_body_size 16m;
    client_body_buffer_size 4m;
    keepalive_requests 100000;
    upstream model {{ server 127.0.0.1:{upstream}; keepalive 64; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://model;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }}
    }}
}}
"""


class Site(msgspec.Struct, frozen=True):
    """Where a run takes place: its cores, its load side, the model's port, and a folder that is deleted afterwards."""

    cores: Cores
    side: LoadSide
    mock_port: int
    folder: Path


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """A load in terms that fit every target: `history` messages stand before the one that each turn sends."""

    directive: Directive
    streams: int = 1
    turns: int = 1
    ramp_s: float = 0.0
    history: int = 0


class Target(Protocol):
    """A server that is up. `pid` is None where there is no process to be measured."""

    pid: int | None

    def shot(self, load: Load) -> Shot:
        """Prepare what the load needs and return how to put it on this server."""
        ...


Opened = Callable[[Site], AbstractContextManager[Target]]


class Passing:
    """A target that takes the request the model takes, and passes it on."""

    def __init__(self, pid: int | None, port: int, until: str) -> None:
        self.pid = pid
        self._port = port
        self._until = until

    def shot(self, load: Load) -> Shot:
        """Return the load as requests that carry their history."""
        texts = [
            {"role": "assistant" if number % 2 else "user", "content": history_text(number)}
            for number in range(load.history)
        ]
        messages = [*texts, {"role": "user", "content": "{{msg}}"}]
        return Shot(
            port=self._port,
            path="/v1/chat/completions",
            body=msgspec.json.encode({"model": "mock", "stream": True, "messages": messages}).decode(),
            until=self._until,
            directive=load.directive,
            streams=load.streams,
            turns=load.turns,
            ramp_s=load.ramp_s,
        )


@contextmanager
def direct(site: Site) -> Iterator[Target]:
    """Ask the model itself: what the load side costs."""
    yield Passing(None, site.mock_port, "[DONE]")


@contextmanager
def raw_relay(site: Site) -> Iterator[Target]:
    """Run the relay of this package."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.relay", str(port), str(site.mock_port)]
    with running(command, site.cores.server, site.folder, port) as process:
        yield Passing(process.pid, port, DONE)


@contextmanager
def nginx(site: Site) -> Iterator[Target]:
    """Run nginx, passing bytes."""
    port, program = free_port(), find_nginx()
    assert program
    config = site.folder / "nginx.conf"
    config.write_text(_NGINX_CONFIG.format(folder=site.folder, upstream=site.mock_port, port=port))
    command = [program, "-c", str(config), "-e", "stderr", "-p", str(site.folder)]
    with running(command, site.cores.server, site.folder, port) as process:
        yield Passing(process.pid, port, "[DONE]")


def find_nginx() -> str | None:
    """Return the program, which Debian keeps where only root's PATH leads."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


def history_text(number: int) -> str:
    """Return the text of a message of a made-up history."""
    return (f"message {number} " + "some words of an earlier message " * 13)[:HISTORY_CHARACTERS]
