"""Checkpoints: move what was committed from the write-ahead log into the database, beside the writer."""

import contextlib
import sqlite3
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from luxx.store.sqlite.connection import BUSY_TIMEOUT, Connect

WAL_LIMIT = 16 * 1024 * 1024
"""Bytes of log at which a checkpoint is made."""

_PATIENCE_MS = 20
"""How long the writer waits for readers when it empties the log."""


class Checkpoints:
    """Owns a thread with a connection of its own that copies the log's pages while the writer goes on.

    Copying beside a busy writer never catches up with it, so the log would grow for ever: when the thread is through, the writer
    itself copies the few pages that are left and empties the log, between two transactions.
    """

    def __init__(self, path: Path, connect: Connect, limit: int = WAL_LIMIT) -> None:
        self._wal = path.with_name(path.name + "-wal")
        self._connection = connect(path)
        self._limit = limit
        self._threshold = limit
        self._requests: SimpleQueue[bool] = SimpleQueue()
        self._copying = False
        self._copied = False
        self._thread = Thread(target=self._run, name="luxx-store-checkpoints", daemon=True)
        self._thread.start()

    def after_commit(self, connection: sqlite3.Connection) -> None:
        """Do what is due; called by the writer's thread, with its connection, after each transaction."""
        if self._copying:
            return
        size = _size(self._wal)
        if size < self._threshold:
            return
        if not self._copied:
            self._copying = True
            self._requests.put(True)
        else:
            self._copied = False
            self._threshold = self._limit if _empty(connection) else size + self._limit // 4

    def close(self) -> None:
        """End the thread."""
        self._requests.put(False)
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        while self._requests.get():
            with contextlib.suppress(sqlite3.Error):  # the log is whole without it; the next one may do better
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            self._copied = True
            self._copying = False


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _empty(connection: sqlite3.Connection) -> bool:
    """Copy what is left and cut the log to nothing; tell whether no reader was in the way for long."""
    connection.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
    try:
        (busy, _, _), *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error:
        return False
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT * 1000)}")
    return not busy
