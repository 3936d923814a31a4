"""A server as a command has it, seen from outside: it holds the data directory for a moment, and ends when it is told to."""

import contextlib
import fcntl
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
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


@contextlib.contextmanager
def losing(data_dir: Path, path: str, lost: Callable[[], None]) -> Iterator[None]:
    """Stand before the server of a data directory, and lose its answer to one path: `lost` is called instead."""
    found = json.loads((data_dir / "server.json").read_text())
    listening = socket.create_server(("127.0.0.1", 0))
    own, behind = listening.getsockname(), ("127.0.0.1", int(found["url"].rpartition(":")[2]))
    found["url"] = f"http://127.0.0.1:{own[1]}"
    (data_dir / "server.json").write_text(json.dumps(found))

    def serve() -> None:
        for asked, taken, request in _requests(listening):
            with taken, socket.create_connection(behind, 10) as server:
                server.sendall(request.replace(b":%d" % own[1], b":%d" % behind[1]))
                answer = b"".join(iter(lambda: server.recv(65536), b""))
                if asked.endswith(path):
                    listening.shutdown(socket.SHUT_RDWR)
                    lost()
                    return
                taken.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        listening.close()


def _requests(listening: socket.socket) -> Iterator[tuple[str, socket.socket, bytes]]:
    """Yield requests as they are, but for one thing: their connections end with their answers."""
    for asked, taken, head in _taken(listening):
        first, _, rest = head.partition(b"\r\n")
        fields, _, body = rest.partition(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in fields.split(b"\r\n") if line.lower().startswith(b"content-length")]
        while len(body) < int(lengths[0] if lengths else 0):
            body += taken.recv(65536)
        yield asked, taken, b"\r\n".join((first, b"Connection: close", fields, b"", body))


def _asked(listening: socket.socket) -> Iterator[tuple[str, socket.socket]]:
    for path, taken, _ in _taken(listening):
        yield path, taken


def _taken(listening: socket.socket) -> Iterator[tuple[str, socket.socket, bytes]]:
    """Yield the path of each request, where it is answered, and what has been read of it."""
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
            yield request.split()[1].decode(), taken, request


def _answer(status: int, body: object) -> bytes:
    kind = "application/json" if status == 200 else "application/problem+json"
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    return head.encode() + content
