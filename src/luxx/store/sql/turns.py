"""Turns: luxx.store.interface.TurnStore, for every engine."""

from collections.abc import Iterable, Mapping

import msgspec
from msgspec.structs import replace

from luxx.core.errors import Fenced, NotFound
from luxx.core.events import LogEntry
from luxx.store.clock import timestamp
from luxx.store.records import (
    Appended,
    ClientRequest,
    FileLimits,
    LogPage,
    NewTurn,
    Owned,
    StartedTurn,
    Stopped,
    Turn,
    TurnBatch,
    TurnSettings,
)
from luxx.store.sql import compaction
from luxx.store.sql.append import NotTogether, append
from luxx.store.sql.approvals import expire
from luxx.store.sql.connection import Connection
from luxx.store.sql.dialect import wanted
from luxx.store.sql.ends import Ending
from luxx.store.sql.member import Member
from luxx.store.sql.queue import steer, withdraw
from luxx.store.sql.readers import Readers
from luxx.store.sql.requests import earlier_result
from luxx.store.sql.start import start_turn
from luxx.store.sql.turn_rows import (
    ALL,
    NOTHING,
    TURNS,
    number_of,
    read_log,
    read_logs,
    turn_by_id,
    turn_of,
    turns_by_id,
)
from luxx.store.sql.writer import Writer

_THEIR_OWN = TURNS + (
    " JOIN conversation c ON c.id = t.conversation_id WHERE t.id = ? AND t.owner_id = ? AND c.deleted_at IS NULL"
)
_UNFINISHED = TURNS + (
    " JOIN conversation c ON c.id = t.conversation_id"
    " WHERE t.conversation_id IN (SELECT value FROM {wanted}) AND t.owner_id = ? AND t.ended_at IS NULL"
    " AND c.deleted_at IS NULL ORDER BY t.number"
)
_FREE = """
    SELECT number FROM turn WHERE status = 'active' AND node IS NULL AND ended_at IS NULL ORDER BY number LIMIT ? {skip}
"""
_WOKEN = """
    SELECT number FROM turn WHERE status = 'waiting' AND node IS NULL AND ended_at IS NULL
        AND (cancel OR EXISTS (SELECT 1 FROM approval WHERE turn = number AND state <> 'requested' AND NOT applied))
    ORDER BY number LIMIT ? {skip}
"""
_CLAIM = """
    UPDATE turn SET node = ?, epoch = epoch + 1, status = 'active' WHERE number IN (SELECT CAST(value AS bigint) FROM {wanted})
    RETURNING number, id
"""
_RECLAIM = """
    UPDATE turn SET epoch = epoch + 1 WHERE node = ? AND id IN (SELECT value FROM {wanted}) AND ended_at IS NULL
    RETURNING number, id
"""
_OWNED = "SELECT id, epoch, cancel FROM turn WHERE node = ? AND ended_at IS NULL ORDER BY number"
_CANCELLED = "SELECT id FROM turn WHERE node = ? AND cancel AND ended_at IS NULL ORDER BY number"
_LOCK = """
    SELECT 1 FROM conversation WHERE id = (SELECT conversation_id FROM turn WHERE id = ? AND owner_id = ?) {lock}
"""
_SETTINGS = "SELECT number, settings FROM turn WHERE id = ? AND owner_id = ? AND ended_at IS NULL {lock}"


class SqlTurns:
    """Turns and their logs; see TurnStore for what each method does.

    `flushes` writes what is appended, `writer` all else, so that a flush never waits behind it.
    """

    def __init__(self, flushes: Writer, writer: Writer, readers: Readers, member: Member, limits: FileLimits) -> None:
        self._flushes = flushes
        self._writer = writer
        self._readers = readers
        self._member = member
        self._limits = limits

    async def replayed(self, owner: str, request: ClientRequest) -> StartedTurn | None:
        """See TurnStore."""

        def job(connection: Connection) -> StartedTurn | None:
            turn_id = earlier_result(connection, owner, request)
            return StartedTurn(_own(connection, owner, turn_id), True) if turn_id else None

        return await self._readers.read(job)

    async def start(self, owner: str, new: NewTurn) -> StartedTurn:
        """See TurnStore."""
        node, limits = self._member.node, self._limits
        return await self._writer.write(lambda connection: start_turn(connection, node, owner, new, limits))

    async def append(self, batches: tuple[TurnBatch, ...], retry: bool = False) -> Appended:
        """See TurnStore."""
        node = self._member.node
        try:
            appended = await self._flushes.write(lambda connection: append(connection, node, batches, retry, False))
        except NotTogether:
            appended = await self._flushes.write(lambda connection: append(connection, node, batches, retry, True))
        changed = [batch.turn_id for batch in batches if batch.turn_id not in appended.fenced]
        self._member.tell_appended((*changed, *(turn.id for turn in (*appended.released, *appended.dropped))))
        return appended

    async def claim(self, limit: int | None = None) -> tuple[Turn, ...]:
        """See TurnStore."""
        node = self._member.node

        def job(connection: Connection) -> tuple[Turn, ...]:
            lease = connection.lease(node)
            expire(connection)
            most = ALL if limit is None else limit
            free = [number for (number,) in connection.execute(_FREE, (most,))]
            woken = {number for (number,) in connection.execute(_WOKEN, (most - len(free),))}
            if not (free or woken) or not lease.held():
                return ()
            taken = connection.execute(_CLAIM, (node, wanted([*free, *woken]))).fetchall()
            awake = {turn_id for number, turn_id in taken if number in woken}
            return tuple(replace(turn, woken=turn.id in awake) for turn in _in_order(connection, taken))

        return await self._writer.write(job)

    async def reclaim(self, turn_ids: Iterable[str]) -> tuple[Turn, ...]:
        """See TurnStore."""
        node, ids = self._member.node, wanted(list(turn_ids))

        def job(connection: Connection) -> tuple[Turn, ...]:
            lease = connection.lease(node)
            taken = connection.execute(_RECLAIM, (node, ids)).fetchall()
            if not lease.held():
                raise Fenced("This server has lost its place among the others.")
            return _in_order(connection, taken)

        return await self._writer.write(job)

    async def owned(self) -> tuple[Owned, ...]:
        """See TurnStore."""
        node = self._member.node
        return await self._readers.read(
            lambda connection: tuple(
                Owned(turn_id, epoch, bool(cancel)) for turn_id, epoch, cancel in connection.execute(_OWNED, (node,))
            )
        )

    async def cancelled(self) -> tuple[str, ...]:
        """See TurnStore."""
        node = self._member.node
        return await self._readers.read(
            lambda connection: tuple(turn_id for (turn_id,) in connection.execute(_CANCELLED, (node,)))
        )

    async def get(self, owner: str, turn_id: str) -> Turn:
        """See TurnStore."""
        return await self._readers.read(lambda connection: _own(connection, owner, turn_id))

    async def unfinished(self, owner: str, *conversation_ids: str) -> tuple[Turn, ...]:
        """See TurnStore."""
        values = (wanted(conversation_ids), owner)
        return await self._readers.read(lambda connection: tuple(map(turn_of, connection.execute(_UNFINISHED, values))))

    async def log(self, owner: str, turn_id: str, after: int, limit: int, most_bytes: int | None = None) -> LogPage:
        """See TurnStore."""

        def job(connection: Connection) -> LogPage:
            number = number_of(connection, owner, turn_id)
            return LogPage(turn_by_id(connection, turn_id), read_log(connection, number, after, limit, most_bytes))

        return await self._readers.read(job)

    async def logs(self, after: Mapping[str, int], limit: int) -> dict[str, tuple[LogEntry, ...]]:
        """See TurnStore."""
        if not after:
            return {}
        return await self._readers.read(lambda connection: read_logs(connection, after, limit))

    async def request_cancel(self, owner: str, turn_id: str) -> Stopped:
        """See TurnStore."""
        node = self._member.node
        stopped = await self._writer.write(lambda connection: _request_cancel(connection, node, owner, turn_id))
        if not stopped.turn.ended:
            self._member.tell_cancelled((turn_id,))
        else:
            self._member.tell_appended((turn_id, *(turn.id for turn in stopped.dropped)))
        return stopped

    async def steer(self, owner: str, turn_id: str) -> str | None:
        """See TurnStore."""

        def job(connection: Connection) -> str | None:
            connection.execute(_LOCK, (turn_id, owner)).fetchone()
            return steer(connection, _own(connection, owner, turn_id))

        return await self._writer.write(job)

    async def stop_call(self, owner: str, turn_id: str, index: int) -> None:
        """See TurnStore."""
        await self._writer.write(lambda connection: _stop_call(connection, owner, turn_id, index))

    async def compact(self, ended_before: str) -> int:
        """See TurnStore."""
        return await compaction.compact(self._writer, self._readers, ended_before)


def _request_cancel(connection: Connection, node: str, owner: str, turn_id: str) -> Stopped:
    connection.execute(_LOCK, (turn_id, owner)).fetchone()
    row = connection.execute(
        "SELECT number, message_id, status FROM turn WHERE id = ? AND owner_id = ?", (turn_id, owner)
    ).fetchone()
    if row is None:
        raise NotFound(NOTHING)
    number, message_id, status = row
    ending = Ending(node, timestamp())
    if status == "queued":
        withdraw(connection, ending, number, message_id)
    elif status in ("active", "waiting"):
        connection.send("UPDATE turn SET cancel = true WHERE number = ?", (number,))
    return Stopped(turn_by_id(connection, turn_id), turns_by_id(connection, ending.dropped))


def _stop_call(connection: Connection, owner: str, turn_id: str, index: int) -> None:
    for number, written in connection.execute(_SETTINGS, (turn_id, owner)).fetchall():
        settings = msgspec.json.decode(written, type=TurnSettings)
        if index not in settings.stopped:
            settings = replace(settings, stopped=(*settings.stopped, index))
            connection.send("UPDATE turn SET settings = ? WHERE number = ?", (msgspec.json.encode(settings), number))


def _in_order(connection: Connection, taken: list[tuple[int, str]]) -> tuple[Turn, ...]:
    return turns_by_id(connection, [turn_id for _, turn_id in sorted(taken)])


def _own(connection: Connection, owner: str, turn_id: str) -> Turn:
    row = connection.execute(_THEIR_OWN, (turn_id, owner)).fetchone()
    if row is None:
        raise NotFound(NOTHING)
    return turn_of(row)
