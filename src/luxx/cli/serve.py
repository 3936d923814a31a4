"""luxx serve: run the server until it is told to stop."""

import asyncio
import errno
import ipaddress
import socket
import sys
import time
import webbrowser
from collections.abc import Callable
from typing import Annotated, Literal

import typer

from luxx import __version__
from luxx.app import App, build, owner_link
from luxx.cli import logs, server_file
from luxx.cli.console import Console, process_console
from luxx.cli.options import DataDir, load_settings
from luxx.cli.workers import Workers
from luxx.client import Client, ClientError
from luxx.core.errors import ConfigurationError, DirectoryInUse
from luxx.http.process import prepare_process
from luxx.http.server import listen, new_loop, serve
from luxx.settings import Settings

_PATIENCE_S = 15
"""For a command that has a server of its own: most end in a moment, a chat after its turns."""
_POLL_S = 0.1
_NAMES = ("localhost", "127.0.0.1", "::1")
"""The names of this machine that requests may be addressed to; the trust in who calls rests on them."""

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)


@app.command("serve")
def serve_command(
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on (LUXX_HOST, 127.0.0.1).")] = None,
    port: Annotated[
        int | None, typer.Option("--port", help="Port to listen on; 0 takes a free one (LUXX_PORT, 8420).")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", help="Processes that serve; more than 1 needs PostgreSQL (LUXX_WORKERS, 1)."),
    ] = None,
    data_dir: DataDir = None,
    demo: Annotated[
        bool | None, typer.Option("--demo", help="Offer the scripted provider and tools for trying out (LUXX_DEMO).")
    ] = None,
    open_page: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")] = False,
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"] | None, typer.Option("--log-level", help="LUXX_LOG_LEVEL, info.")
    ] = None,
    log_format: Annotated[
        Literal["auto", "text", "json"] | None, typer.Option("--log-format", help="LUXX_LOG_FORMAT, auto.")
    ] = None,
) -> None:
    """Run the server. Every other setting comes from LUXX_* variables or a file luxx.toml in the current folder."""
    settings = load_settings(
        host=host,
        port=port,
        workers=workers,
        data_dir=data_dir,
        demo=demo,
        log_level=log_level,
        log_format=log_format,
    )
    _refuse_foreign(settings.host)
    _refuse_second(settings)
    _refuse_workers(settings)
    logs.configure(settings.log_level, settings.log_format, sys.stderr)
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(_serve(settings, process_console(), open_page=open_page))


async def _serve(settings: Settings, console: Console, *, open_page: bool) -> None:
    def on_ready(url: str) -> None:
        server_file.write(settings.data_dir, url, shared=settings.database_url is not None)
        link = owner_link(settings, url)
        _announce(console, settings, url, link)
        if open_page:
            webbrowser.open(link)

    with await _bound(settings) as sock:
        console.line(f"Luxx {__version__}", "bold")
        if not settings.data_dir.exists():
            console.line(f"First start: making {settings.data_dir}")
        if settings.workers == 1:
            await _serve_alone(settings, sock, console, on_ready)
        else:
            try:
                await Workers(settings, sock).run(on_ready, lambda: _say_stopping(console, settings))
            finally:
                server_file.remove(settings.data_dir)
    console.line("stopped")


async def _serve_alone(
    settings: Settings, sock: socket.socket, console: Console, on_ready: Callable[[str], None]
) -> None:
    luxx = await _built(settings, console)
    try:
        await luxx.start()
        prepare_process()
        port = sock.getsockname()[1]
        await serve(luxx.asgi(port), sock, on_ready=on_ready, on_stop=lambda: _drain(console, luxx, settings))
    finally:
        server_file.remove(settings.data_dir)  # while no other server can have put its own there
        await luxx.close()


async def _built(settings: Settings, console: Console) -> App:
    """Build a server; a command that has one of its own at this moment may end first. Raises ConfigurationError."""
    began = time.monotonic()
    told = False
    while True:
        try:
            return await build(settings)
        except DirectoryInUse:
            _refuse_second(settings)
            if time.monotonic() - began > _PATIENCE_S:
                raise
        if not told:
            console.line("waiting for a command that uses the data directory")
            told = True
        await asyncio.sleep(_POLL_S)


def _announce(console: Console, settings: Settings, url: str, link: str) -> None:
    console.line(f"  address  {url}")
    console.line(f"  owner    {link}")
    console.line(f"  data     {settings.data_dir}")
    if settings.workers > 1:
        console.line(f"  workers  {settings.workers}")
    console.line(
        "The owner's link lets a browser change providers and keys: keep it to yourself. Ctrl-C stops the server."
    )


async def _drain(console: Console, luxx: App, settings: Settings) -> None:
    _say_stopping(console, settings)
    await luxx.drain()


def _say_stopping(console: Console, settings: Settings) -> None:
    then = "go on at the next start" if settings.database_url is None else "go on at another server, or the next start"
    console.line(f"stopping: answers in progress get {settings.drain_timeout:g} s, and {then}")


def _refuse_foreign(host: str) -> None:
    """Refuse an address that others can reach, or under which nobody would be answered. Raises ConfigurationError."""
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError) as error:
        raise ConfigurationError(f"{host} is not an address of this machine.") from error
    if all(ipaddress.ip_address(str(address).partition("%")[0]).is_loopback for address in found):
        if host.lower() in _NAMES:
            return
        raise ConfigurationError(f"A server at {host} would refuse every request: take 127.0.0.1, ::1 or localhost.")
    raise ConfigurationError(
        f"{host} can be reached from other machines, and Luxx has no accounts yet: everyone there could use your models"
        " and read your conversations. Listen on 127.0.0.1 and come through a tunnel: ssh -L 8420:127.0.0.1:8420 MACHINE"
    )


def _refuse_second(settings: Settings) -> None:
    """Refuse a data directory that is held, but by a command, which ends; those who share a database may share that too.

    Raises ConfigurationError.
    """
    running = server_file.find(settings.data_dir)
    if running and not (running.shared if settings.database_url else running.temporary):
        raise ConfigurationError(
            f"Luxx runs already at {running.url} (process {running.pid}) with {settings.data_dir}."
            " Stop it first, or give this one another --data-dir."
        )


def _refuse_workers(settings: Settings) -> None:
    if settings.workers > 1 and settings.database_url is None:
        raise ConfigurationError(
            f"{settings.workers} workers need PostgreSQL: SQLite is one process's. Set LUXX_DATABASE_URL (to take along what"
            " there is: luxx db copy), or leave --workers and LUXX_WORKERS out."
        )


async def _bound(settings: Settings) -> socket.socket:
    """Return a socket on the address of the settings. Raises ConfigurationError."""
    place = f"{settings.host}:{settings.port}"
    try:
        return listen(settings.host, settings.port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            who = await _who_is_at(settings)
            raise ConfigurationError(
                f"{place} is in use by {who}. Stop that, or choose another port: --port N (0 takes a free one)."
            ) from error
        if error.errno == errno.EACCES:
            raise ConfigurationError(f"{place} may not be used by you; ports above 1023 are free for all.") from error
        raise ConfigurationError(f"{place} cannot be used: {error.strerror or error}.") from error


async def _who_is_at(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    try:
        async with asyncio.timeout(2), Client(f"http://{host}:{settings.port}") as client:
            return f"another Luxx ({(await client.health()).version})"
    except TimeoutError:
        return "another program, or by a Luxx that is starting"
    except ClientError:
        return "another program"
