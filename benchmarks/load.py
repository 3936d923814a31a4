"""Load: many streamed turns at once, in one thread. `python -m benchmarks.load` reads a Shot from standard input.

The way without Go; what the clients saw is written to standard output as JSON.
"""

import asyncio
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence

import httptools
import msgspec
import uvloop

from benchmarks.shots import Seen, Shot, message
from benchmarks.wire import STAMP, STAMP_MODULUS, now_us

_EVENT_ID = re.compile(rb"^id: ([0-9]+)\r?$", re.MULTILINE)


class Turn:
    """The record of one turn."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.first_s = 0.0
        self.wall_s = 0.0
        self.last = -1
        self.stamps = 0
        self.seq = 0
        self.misplaced = 0
        self.wire = 0
        self.latencies_us: list[int] = []
        self.error = ""

    def scan(self, lines: bytes) -> None:
        """Find the stamps that were not seen before: some events repeat the text so far. Count ids out of order."""
        now = now_us()
        for found in _EVENT_ID.finditer(lines):
            seq = int(found[1])
            self.misplaced += seq != self.seq + 1
            self.seq = seq
        for found in STAMP.finditer(lines):
            seq = int(found[1], 36)
            if seq <= self.last:
                continue
            self.last = seq
            self.stamps += 1
            self.latencies_us.append(
                (now - int(found[2], 36) + STAMP_MODULUS // 2) % STAMP_MODULUS - STAMP_MODULUS // 2
            )
        if self.stamps and not self.first_s:
            self.first_s = time.monotonic() - self.began


class Line(asyncio.Protocol):
    """A connection that serves one turn after another."""

    def __init__(self, until: bytes) -> None:
        self._until = until
        self._done: asyncio.Future[None] | None = None
        self._turn: Turn | None = None
        self._rest = b""
        self.reusable = True

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Keep the transport."""
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """End the turn under way."""
        self._end("connection lost")

    async def fetch(self, request: bytes) -> bytes:
        """Send a request and return its whole answer. Raises OSError if there is none."""
        await self.ask(starting := Turn(), request, streamed=False)
        if starting.error not in ("", "ended early"):
            raise OSError(starting.error)
        return self._rest

    async def ask(self, turn: Turn, request: bytes, *, streamed: bool = True) -> None:
        """Send a request and read its answer to the end."""
        self._turn, self._streamed, self._rest, self._reached = turn, streamed, b"", False
        self._parser = httptools.HttpResponseParser(self)
        self._done = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        await self._done

    def close(self) -> None:
        """Close the connection."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Count and parse."""
        assert self._turn
        self._turn.wire += len(data)
        self._parser.feed_data(data)

    def on_headers_complete(self) -> None:
        """Look at the status."""
        status = self._parser.get_status_code()
        if status // 100 != 2:
            self._end(f"status {status}")

    def on_body(self, body: bytes) -> None:
        """Look at the lines that are whole."""
        assert self._turn
        data = self._rest + body
        if not self._streamed:
            self._rest = data
            return
        end = data.rfind(b"\n") + 1
        lines, self._rest = data[:end], data[end:]
        self._turn.scan(lines)
        if self._until in lines:
            self._reached = True
            self._turn.wall_s = time.monotonic() - self._turn.began

    def on_message_complete(self) -> None:
        """End the turn."""
        self._end("" if self._reached else "ended early", reusable=self._parser.should_keep_alive())

    def _end(self, error: str, reusable: bool = False) -> None:
        self.reusable = reusable
        if self._turn and self._done and not self._done.done():
            self._turn.error = error
            self._done.set_result(None)


class Load:
    """Plays a shot; owns the records of its turns."""

    def __init__(self, shot: Shot) -> None:
        self.turns: list[Turn] = []
        self._shot = shot
        self._next = iter(range(shot.turns))

    async def run(self) -> None:
        """Play all turns."""
        async with asyncio.TaskGroup() as group:
            for worker in range(self._shot.streams):
                group.create_task(self._work(worker))

    async def _work(self, worker: int) -> None:
        await asyncio.sleep(self._shot.ramp_s * worker / self._shot.streams)
        line: Line | None = None
        for number in self._next:
            turn = Turn()
            self.turns.append(turn)
            try:
                async with asyncio.timeout(self._shot.timeout_s):
                    line = line if line and line.reusable else await self._dial(self._shot.port)
                    await self._play(line, turn, number)
            except (OSError, TimeoutError) as error:
                turn.error = type(error).__name__
                line = None
        if line:
            line.close()

    async def _play(self, line: Line, turn: Turn, number: int) -> None:
        if not self._shot.follow_port:
            await line.ask(turn, self._request(number, "text/event-stream"))
            return
        started = await line.fetch(self._request(number, "application/json"))
        reading = await self._dial(self._shot.follow_port)
        path = msgspec.json.decode(started)["events_url"]
        await reading.ask(turn, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._shot.follow_port}\r\n\r\n".encode())
        reading.close()

    async def _dial(self, port: int) -> Line:
        loop = asyncio.get_running_loop()
        _, line = await loop.create_connection(lambda: Line(self._shot.until.encode()), "127.0.0.1", port)
        return line

    def _request(self, number: int, accept: str) -> bytes:
        shot = self._shot
        identity = shot.ids[number % len(shot.ids)] if shot.ids else ""
        text = message(number, shot.directive)
        body = shot.body.replace("{{id}}", identity).replace("{{msg}}", text).encode()
        head = (
            f"POST {shot.path.replace('{{id}}', identity)} HTTP/1.1\r\nHost: 127.0.0.1:{shot.port}\r\n"
            f"Accept: {accept}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def seen(turns: Sequence[Turn], tokens: int) -> Seen:
    """Sum up turns that were to have so many tokens each."""
    for turn in turns:
        if not turn.error and turn.last + 1 != tokens:
            turn.error = f"short: {turn.last + 1} of {tokens} tokens"
    good = [turn for turn in turns if not turn.error]
    latencies = [us / 1000 for turn in turns for us in turn.latencies_us]
    first = [turn.first_s * 1000 for turn in turns if turn.first_s]
    came = sum(turn.last + 1 for turn in turns)
    return Seen(
        completed=len(good),
        failed=len(turns) - len(good),
        tokens=came,
        gaps=sum(tokens - turn.stamps for turn in good),
        misplaced=sum(turn.misplaced for turn in turns),
        wire_B_per_tok=sum(turn.wire for turn in turns) / max(came, 1),
        ttft_p50_ms=percentile(first, 50),
        ttft_p99_ms=percentile(first, 99),
        lat_p50_ms=percentile(latencies, 50),
        lat_p99_ms=percentile(latencies, 99),
        turn_p50_ms=percentile([turn.wall_s * 1000 for turn in good], 50),
        errors=dict(Counter(turn.error for turn in turns if turn.error)),
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value below which so many percent lie; 0 of nothing."""
    ordered = sorted(values)
    return ordered[round(percent / 100 * (len(ordered) - 1))] if ordered else 0.0


def main() -> None:
    """Play the shot on standard input."""
    shot = msgspec.json.decode(sys.stdin.buffer.read(), type=Shot)
    load = Load(shot)
    uvloop.run(load.run())
    sys.stdout.buffer.write(msgspec.json.encode(seen(load.turns, shot.directive.n)) + b"\n")


if __name__ == "__main__":
    main()
