"""Provider: a model server in the benchmark's own process that talks until nobody listens, and knows when that was."""

import select
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.wire import http_chunk

_PAUSE_S = 0.05
_PATIENCE_S = 30.0
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_WORD = http_chunk(b'data: {"choices":[{"index":0,"delta":{"content":"word "},"finish_reason":null}]}\n\n')


class Endless(socketserver.ThreadingTCPServer):
    """Answers each request with 20 words a second for ever; owns the moments at which its clients went away.

    Requests are told apart by their last user message, which must be a number.
    """

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.port: int = self.server_address[1]
        self._change = threading.Condition()
        self._begun: set[int] = set()
        self._gone: dict[int, float] = {}

    def until_begun(self, requests: int) -> None:
        """Wait until so many requests are being answered. Raises TimeoutError."""
        with self._change:
            if not self._change.wait_for(lambda: len(self._begun) >= requests, _PATIENCE_S):
                raise TimeoutError(f"{len(self._begun)} of {requests} requests came")

    def gone_at(self, number: int) -> float | None:
        """Wait until the client of a request has gone, and return when (monotonic clock); None if it does not go."""
        with self._change:
            self._change.wait_for(lambda: number in self._gone, _PATIENCE_S)
            return self._gone.get(number)

    def begins(self, number: int) -> None:
        """Note that a request is being answered."""
        with self._change:
            self._begun.add(number)
            self._change.notify_all()

    def ends(self, number: int) -> None:
        """Note that its client has gone."""
        with self._change:
            self._gone[number] = time.monotonic()
            self._change.notify_all()


class _Answer(socketserver.BaseRequestHandler):
    server: Endless
    request: socket.socket

    def handle(self) -> None:
        number = _number(self.request)
        if number is None:
            return
        self.server.begins(number)
        try:
            self.request.sendall(_HEAD)
            while not select.select([self.request], [], [], _PAUSE_S)[0]:
                self.request.sendall(_WORD)
        except OSError:
            pass
        self.server.ends(number)


def _number(client: socket.socket) -> int | None:
    """Return the number in a request, or None if the client goes away before it is whole."""
    data = b""
    while True:
        head, found, body = data.partition(b"\r\n\r\n")
        if found and len(body) >= _length(head):
            said = body.rpartition(b'"content":"')[2]
            return int(said.partition(b'"')[0])
        piece = client.recv(65_536)
        if not piece:
            return None
        data += piece


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])


@contextmanager
def endless() -> Iterator[Endless]:
    """Run one."""
    with Endless() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
