"""A server as a command has it, seen from outside: it holds the data directory for a moment, and ends when it is told to."""

import contextlib
import fcntl
import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

_HEALTH = {"status": "ok", "version": "0", "store": "sqlite", "node": "n", "data": "d"}
_READY = {"status": "ready"}
_DRAINING = {
    "status": 503,
    "code": "draining",
    "title": "Service Unavailable",
    "detail": "The server is shutting down.",
}


@contextlib.contextmanager
def held(data_dir: Path, pid: int) -> Iterator[None]:
    """Hold a data directory in the name of a process."""
    data_dir.mkdir(exist_ok=True)
    with (data_dir / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(f"{pid}\n")
        lock.flush()
        yield


def is_held(data_dir: Path) -> bool:
    """Whether a process holds a data directory."""
    with (data_dir / "lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextlib.contextmanager
def passing(data_dir: Path, *, ends_at: str, times: int = 1, takes_turns: bool = True) -> Iterator[None]:
    """Serve until a path is asked for so many times: when that is answered, the server has ended. It only says that it is there."""
    listening = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    given = {"/api/health": _answer(200, _HEALTH), "/api/ready": _answer(200, _READY)}
    refusal = _answer(503, _DRAINING)
    if not takes_turns:
        del given["/api/ready"]

    def serve() -> None:
        with held(data_dir, os.getpid()):
            found = {"url": address, "pid": os.getpid(), "temporary": True}
            (data_dir / "server.json").write_text(json.dumps(found))
            there.set()
            left = times
            for path, taken in _asked(listening):
                left -= path == ends_at
                if not left:
                    listening.shutdown(socket.SHUT_RDWR)
                    break
                with taken:
                    taken.sendall(given.get(path, refusal))
            else:
                return
            (data_dir / "server.json").unlink()
        with taken:
            taken.sendall(given.get(path, refusal))

    there = threading.Event()
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert there.wait(10)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # it has ended
            listening.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        listening.close()


def _asked(listening: socket.socket) -> Iterator[tuple[str, socket.socket]]:
    while True:
        try:
            taken, _ = listening.accept()
        except OSError:
            return
        taken.settimeout(10)
        request = b""
        while b"\r\n\r\n" not in request and (piece := taken.recv(65536)):
            request += piece
        if request:
            yield request.split()[1].decode(), taken


def _answer(status: int, body: object) -> bytes:
    kind = "application/json" if status == 200 else "application/problem+json"
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    return head.encode() + content
