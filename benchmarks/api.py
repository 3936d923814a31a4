"""API: the few calls of Luxx's HTTP interface that a benchmark needs, over plain blocking connections."""

import http.client
from collections.abc import Iterator
from typing import Any

import msgspec

TIMEOUT_S = 60.0
END_EVENTS = ("done", "error", "cancelled")


class Event(msgspec.Struct, frozen=True):
    """One event of a turn's stream."""

    seq: int
    name: str
    data: dict[str, Any]


class Refused(Exception):
    """The server answered with another status than 2xx."""


class Api:
    """One connection to a server on 127.0.0.1; it belongs to one thread."""

    def __init__(self, port: int, token: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})

    def get(self, path: str) -> Any:  # noqa: ANN401
        """Return the JSON that a GET gives. Raises Refused, OSError."""
        return self._call("GET", path, None)

    def post(self, path: str, body: object) -> Any:  # noqa: ANN401
        """Return the JSON that a POST gives. Raises Refused, OSError."""
        return self._call("POST", path, body)

    def send(self, conversation: str, text: str) -> Iterator[Event]:
        """Send a message and yield the turn's events. Raises Refused, OSError, HTTPException."""
        path = f"/api/conversations/{conversation}/messages"
        return self._events("POST", path, msgspec.json.encode({"text": text}), {})

    def follow(self, turn: str, after: int) -> Iterator[Event]:
        """Yield a turn's events after a seq. Raises as `send`."""
        return self._events("GET", f"/api/turns/{turn}/events", None, {"Last-Event-ID": str(after)})

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _call(self, method: str, path: str, body: object) -> Any:  # noqa: ANN401
        data = None if body is None else msgspec.json.encode(body)
        self._connection.request(method, path, data, self._headers)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status // 100 != 2:
            raise Refused(f"{method} {path}: {response.status} {answer[:500].decode(errors='replace')}")
        return msgspec.json.decode(answer) if answer else None

    def _events(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Iterator[Event]:
        self._connection.request(method, path, body, self._headers | headers | {"Accept": "text/event-stream"})
        response = self._connection.getresponse()
        if response.status != 200:
            raise Refused(f"{method} {path}: {response.status} {response.read(500).decode(errors='replace')}")
        fields: dict[str, str] = {}
        while line := response.readline():
            name, _, value = line.decode().rstrip("\r\n").partition(": ")
            if name:
                fields[name] = value
            elif "data" in fields:
                yield Event(int(fields["id"]), fields["event"], msgspec.json.decode(fields["data"]))
                fields = {}
