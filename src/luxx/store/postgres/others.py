"""The others: what nodes tell each other through LISTEN and NOTIFY, after their commits. It saves time and is never relied on."""

import asyncio
import contextlib
import os
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Iterable
from threading import Event, Lock, Thread

import msgspec
import psycopg

from luxx.core.errors import InvalidRequest, StorageError
from luxx.store.news import CancelWanted, LogsGrew, Missed, News, TurnsFreed
from luxx.store.postgres.address import Address
from luxx.store.sql.connection import Connection
from luxx.store.sql.writer import Writer

CHANNEL = "luxx"
LONGEST = 7_900
"""Bytes of one notification; PostgreSQL takes up to 7,999."""

KEPT = 4_096
"""Pieces of news that wait for the listener."""

PAUSE = 0.02
"""Seconds between two announcements of growing logs."""

_IDS_PER_NOTICE = 200
_LISTEN_FOR = 30.0
_RETRY_PAUSE = 0.25


class Notice(msgspec.Struct, frozen=True):
    """One notification: who sends it, and what it says."""

    sender: str
    news: News


_decoder = msgspec.json.Decoder(Notice)
_encoder = msgspec.json.Encoder()


class Voice:
    """Tells the other nodes, one transaction at a time: what is to be told meanwhile shares the next one.

    Nothing waits for the disk: who lost a crash's last words looks for itself.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._payloads: list[str] = []
        self._told = self._loop.create_future()
        self._telling: asyncio.Future[None] | None = None
        self._closed = False

    async def close(self) -> None:
        """Tell what waits, and nothing more."""
        self._closed = True
        while self._telling is not None:
            await asyncio.wait([self._telling])

    def tell(self, sender: str, news: News) -> asyncio.Future[None]:
        """Tell it now or soon; the result says when, or why not.

        Raises InvalidRequest for more than fits into one notification, StorageError after `close`.
        """
        if self._closed:
            raise StorageError("The store is closed.")
        encoded = _encoder.encode(Notice(sender, news))
        if len(encoded) > LONGEST:
            raise InvalidRequest("This is too long to be told to other nodes.")
        told = self._told
        self._payloads.append(encoded.decode())
        if self._telling is None:
            self._tell_all()
        return told

    def _tell_all(self) -> None:
        payloads, told = self._payloads, self._told
        self._payloads, self._told = [], self._loop.create_future()
        self._telling = None
        if payloads:
            self._telling = self._writer.submit(lambda connection: _notify(connection, payloads))
            self._telling.add_done_callback(lambda done: self._has_told(done, told))

    def _has_told(self, done: asyncio.Future[None], told: asyncio.Future[None]) -> None:
        error = done.exception()
        told.set_exception(error) if error else told.set_result(None)
        told.exception()  # nobody need ask
        self._tell_all()


def _notify(connection: Connection, payloads: Iterable[str]) -> None:
    connection.send("SET LOCAL synchronous_commit TO off")
    for payload in payloads:
        connection.send("SELECT pg_notify(?, ?)", (CHANNEL, payload))


class Ears:
    """Owns the thread and the connection that listen, and what was heard and not yet taken."""

    def __init__(self, address: Address, own: Callable[[], str]) -> None:
        """`own` returns the id of this node, whose own words are left out."""
        self._address = address
        self._own = own
        self._loop = asyncio.get_running_loop()
        self._heard: deque[News] = deque(maxlen=KEPT)
        self._news = asyncio.Event()
        self._stop = Event()
        self._lock = Lock()
        self._socket: socket.socket | None = None
        self._thread = Thread(target=self._run, name="luxx-store-ears", daemon=True)
        self._thread.start()

    async def listen(self) -> AsyncIterator[News]:
        """See luxx.store.interface.Nodes."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._heard:
                yield self._heard.popleft()
            if self._stop.is_set():
                return

    def close(self) -> None:
        """Hear no more; blocks until the thread has ended."""
        self._stop.set()
        with self._lock:
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._news.set)

    def _run(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(psycopg.Error, OSError):
                self._hear()
            self._stop.wait(_RETRY_PAUSE)

    def _hear(self) -> None:
        with self._address.connect() as raw, self._interruptible(raw):
            raw.execute(f"LISTEN {CHANNEL}".encode())
            self._tell(Missed())
            while not self._stop.is_set():
                for heard in raw.notifies(timeout=_LISTEN_FOR):
                    self._understand(heard.payload)

    @contextlib.contextmanager
    def _interruptible(self, raw: psycopg.Connection) -> Generator[None]:
        """Let `close` end the wait: a thread that waits for a socket hears nothing else."""
        with socket.socket(fileno=os.dup(raw.fileno())) as held:
            with self._lock:
                self._socket = held
            try:
                yield
            finally:
                with self._lock:
                    self._socket = None

    def _understand(self, payload: str) -> None:
        with contextlib.suppress(msgspec.MsgspecError):  # a newer version may say what this one does not know
            notice = _decoder.decode(payload)
            if notice.sender != self._own():
                self._tell(notice.news)

    def _tell(self, news: News) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone
            self._loop.call_soon_threadsafe(self._keep, news)

    def _keep(self, news: News) -> None:
        if len(self._heard) == KEPT:
            self._heard.clear()
            news = Missed()
        self._heard.append(news)
        self._news.set()


class Announcements:
    """Tells the others which logs have grown, at most every PAUSE seconds, however many flushes there are.

    `say` sends one piece of news without waiting for it.
    """

    def __init__(self, say: Callable[[News], None], needed: Callable[[], bool]) -> None:
        self._say = say
        self._needed = needed
        self._grown: dict[str, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def grew(self, turn_ids: Iterable[str]) -> None:
        """Announce these logs, now or soon."""
        if not self._needed():
            return
        self._grown.update(dict.fromkeys(turn_ids))
        if self._grown and self._timer is None:
            self._announce()

    def cancelled(self, turn_ids: Iterable[str]) -> None:
        """Announce at once that these turns are to be stopped."""
        if self._needed():
            for some in _portions(list(turn_ids)):
                self._say(CancelWanted(some))

    def freed(self) -> None:
        """Announce that there are turns to claim."""
        self._say(TurnsFreed())

    def close(self) -> None:
        """Announce nothing more."""
        if self._timer:
            self._timer.cancel()
        self._grown.clear()

    def _announce(self) -> None:
        self._timer = None
        if self._grown:
            grown, self._grown = list(self._grown), {}
            for some in _portions(grown):
                self._say(LogsGrew(some))
            self._timer = self._loop.call_later(PAUSE, self._announce)


def _portions(turn_ids: list[str]) -> Iterable[tuple[str, ...]]:
    for first in range(0, len(turn_ids), _IDS_PER_NOTICE):
        yield tuple(turn_ids[first : first + _IDS_PER_NOTICE])
