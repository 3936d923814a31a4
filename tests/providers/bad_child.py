"""A child program that behaves as its first argument says, mostly badly; it reports to the port named next when it starts."""

import os
import signal
import socket
import sys
import time

CHUNK = b'data: {"choices":[{"index":0,"delta":{"content":"Half an"},"finish_reason":null}]}\n\n'


def main() -> None:
    """Behave."""
    manner, port = sys.argv[1], int(sys.argv[2])
    register = socket.create_connection(("127.0.0.1", port))
    number = int(register.recv(16))
    sys.stdin.readline()
    if manner == "exits" or (manner == "exits once" and number == 1):
        sys.exit("something is missing")
    if manner == "never ready":
        sys.stdin.read()
        return
    serve(manner)


def serve(manner: str) -> None:
    """Listen on a free port, and do no good there."""
    if manner == "is noisy":
        sys.stderr.write("x" * 3_000_000 + "\n" * 100_000)
    server = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"a library's noise\nhttp://127.0.0.1:{server.getsockname()[1]}\n")
    sys.stdout.flush()
    if manner == "dies in an answer":
        connection, _ = server.accept()
        connection.recv(65536)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head + f"{len(CHUNK):x}\r\n".encode() + CHUNK + b"\r\n")
        os.kill(os.getpid(), signal.SIGKILL)
    if manner == "dies when asked":
        server.accept()
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stdin.read()
    if manner == "goes on for ever":
        time.sleep(60)


if __name__ == "__main__":
    main()
