"""Turns: luxx.store.interface.TurnStore on SQLite."""

import sqlite3

from luxx.core.errors import NotFound
from luxx.store.clock import timestamp
from luxx.store.records import Appended, ClientRequest, LogPage, NewTurn, StartedTurn, Stopped, Turn, TurnBatch
from luxx.store.sqlite import compaction
from luxx.store.sqlite.append import append
from luxx.store.sqlite.ends import Ending, cancel_queued
from luxx.store.sqlite.readers import Readers
from luxx.store.sqlite.requests import earlier_result
from luxx.store.sqlite.start import start_turn
from luxx.store.sqlite.turn_rows import NOTHING, TURNS, number_of, read_log, turn_by_id, turn_of, turns_by_id
from luxx.store.sqlite.writer import Writer

_THEIR_OWN = TURNS + (
    " JOIN conversation c ON c.id = t.conversation_id WHERE t.id = ? AND t.owner_id = ? AND c.deleted_at IS NULL"
)
_UNFINISHED = TURNS + (
    " JOIN conversation c ON c.id = t.conversation_id"
    " WHERE t.conversation_id = ? AND t.owner_id = ? AND t.ended_at IS NULL AND c.deleted_at IS NULL ORDER BY t.number"
)
_CLAIM = """
    UPDATE turn SET node = ?, epoch = epoch + 1 WHERE status = 'active' AND node IS NULL AND ended_at IS NULL
    RETURNING number, id
"""


class SqliteTurns:
    """Turns and their logs; see TurnStore for what each method does."""

    def __init__(self, writer: Writer, readers: Readers, node: str) -> None:
        self._writer = writer
        self._readers = readers
        self._node = node

    async def replayed(self, owner: str, request: ClientRequest) -> StartedTurn | None:
        """See TurnStore."""

        def job(connection: sqlite3.Connection) -> StartedTurn | None:
            turn_id = earlier_result(connection, owner, request)
            return StartedTurn(_own(connection, owner, turn_id), True) if turn_id else None

        return await self._readers.read(job)

    async def start(self, owner: str, new: NewTurn) -> StartedTurn:
        """See TurnStore."""
        return await self._writer.write(lambda connection: start_turn(connection, self._node, owner, new))

    async def append(self, batches: tuple[TurnBatch, ...], retry: bool = False) -> Appended:
        """See TurnStore."""
        return await self._writer.write(lambda connection: append(connection, self._node, batches, retry))

    async def claim(self) -> tuple[Turn, ...]:
        """See TurnStore."""

        def job(connection: sqlite3.Connection) -> tuple[Turn, ...]:
            claimed = [turn_id for _, turn_id in sorted(connection.execute(_CLAIM, (self._node,)).fetchall())]
            return turns_by_id(connection, claimed)

        return await self._writer.write(job)

    async def get(self, owner: str, turn_id: str) -> Turn:
        """See TurnStore."""
        return await self._readers.read(lambda connection: _own(connection, owner, turn_id))

    async def unfinished(self, owner: str, conversation_id: str) -> tuple[Turn, ...]:
        """See TurnStore."""
        return await self._readers.read(
            lambda connection: tuple(map(turn_of, connection.execute(_UNFINISHED, (conversation_id, owner))))
        )

    async def log(self, turn_id: str, after: int, limit: int) -> LogPage:
        """See TurnStore."""

        def job(connection: sqlite3.Connection) -> LogPage:
            number = number_of(connection, turn_id)
            return LogPage(turn_by_id(connection, turn_id), read_log(connection, number, after, limit))

        return await self._readers.read(job)

    async def request_cancel(self, owner: str, turn_id: str) -> Stopped:
        """See TurnStore."""
        return await self._writer.write(lambda connection: self._request_cancel(connection, owner, turn_id))

    async def compact(self, ended_before: str) -> int:
        """See TurnStore."""
        return await compaction.compact(self._writer, self._readers, ended_before)

    def _request_cancel(self, connection: sqlite3.Connection, owner: str, turn_id: str) -> Stopped:
        row = connection.execute(
            "SELECT number, message_id, status FROM turn WHERE id = ? AND owner_id = ?", (turn_id, owner)
        ).fetchone()
        if row is None:
            raise NotFound(NOTHING)
        number, message_id, status = row
        ending = Ending(self._node, timestamp())
        if status == "queued":
            cancel_queued(connection, ending, number, message_id)
        elif status in ("active", "waiting"):
            connection.execute("UPDATE turn SET cancel = true WHERE number = ?", (number,))
        return Stopped(turn_by_id(connection, turn_id), turns_by_id(connection, ending.dropped))


def _own(connection: sqlite3.Connection, owner: str, turn_id: str) -> Turn:
    row = connection.execute(_THEIR_OWN, (turn_id, owner)).fetchone()
    if row is None:
        raise NotFound(NOTHING)
    return turn_of(row)
