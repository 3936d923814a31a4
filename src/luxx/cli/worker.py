"""Worker: one of the processes of `luxx serve --workers N`, started by luxx.cli.workers and told by it what to do."""

import asyncio
import os
import signal
import socket
import sys

import msgspec

from luxx.app import build
from luxx.cli import logs
from luxx.cli.console import process_console
from luxx.cli.workers import Order
from luxx.core.errors import ConfigurationError
from luxx.http.process import prepare_process
from luxx.http.server import new_loop, serve
from luxx.settings import Settings

_STDIN, _STDOUT = 0, 1


def main() -> int:
    """Serve until told to stop; return the exit code."""
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    settings = Settings(**order.settings)  # pyright: ignore[reportArgumentType] - checked by the class at run time
    logs.configure(settings.log_level, settings.log_format, sys.stderr)
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner, socket.socket(fileno=order.socket) as sock:
            runner.run(_serve(settings, sock))
    except ConfigurationError as error:
        process_console().error(error.message)
        return 1
    return 0


async def _serve(settings: Settings, sock: socket.socket) -> None:
    _stop_with_parent(asyncio.get_running_loop())
    luxx = await build(settings)
    try:
        await luxx.start()
        prepare_process()
        await serve(
            luxx.asgi(sock.getsockname()[1]),
            sock,
            on_ready=lambda url: _say_ready(),
            on_stop=luxx.drain,
        )
    finally:
        await luxx.close()


def _stop_with_parent(loop: asyncio.AbstractEventLoop) -> None:
    """Stop as if told to when standard input ends: then the parent is gone, however it went."""

    def ended() -> None:
        loop.remove_reader(_STDIN)
        os.kill(os.getpid(), signal.SIGTERM)

    loop.add_reader(_STDIN, ended)


def _say_ready() -> None:
    os.write(_STDOUT, b"ready\n")


if __name__ == "__main__":
    sys.exit(main())
