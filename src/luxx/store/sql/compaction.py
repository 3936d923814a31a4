"""Compaction: what stays of the logs of ended turns, and the end of deleted conversations."""

from luxx.core.events import Approval, decode
from luxx.store.sql.connection import Connection
from luxx.store.sql.dialect import wanted
from luxx.store.sql.files import purge_files
from luxx.store.sql.readers import Readers
from luxx.store.sql.writer import Writer

TURNS_PER_CALL = 200
TURNS_PER_TRANSACTION = 4
"""So few that a flush of the live turns does not wait long behind them."""

CONVERSATIONS_PER_CALL = 20

_HOT = """
    SELECT number FROM turn WHERE ended_at IS NOT NULL AND NOT compacted AND ended_at < ? ORDER BY ended_at LIMIT ?
"""
_MINE = """
    SELECT number FROM turn WHERE number IN (SELECT CAST(value AS bigint) FROM {wanted}) AND NOT compacted
    ORDER BY number {skip}
"""
_PASSING = """
    DELETE FROM event WHERE turn = ? AND (
        name IN ('step_delta', 'tool_progress')
        OR (name = 'process_step' AND step_index IS NULL)
        OR step_index IN (SELECT idx FROM step WHERE step.turn = event.turn AND step.state = 'void'))
"""
_DELETED = """
    SELECT id FROM conversation WHERE deleted_at IS NOT NULL AND deleted_at < ?
        AND NOT EXISTS (SELECT 1 FROM turn WHERE turn.conversation_id = conversation.id AND turn.ended_at IS NULL)
    ORDER BY deleted_at LIMIT ?
"""
_TURN_ROWS = ("event", "step", "model_call", "approval")
_CONVERSATION_ROWS = ("request", "share", "imported", "turn", "message")


async def compact(writer: Writer, readers: Readers, ended_before: str) -> int:
    """Compact some turns and purge some conversations; return how many, 0 when there is nothing left to do."""

    def due(connection: Connection) -> tuple[list[int], list[str]]:
        numbers = connection.execute(_HOT, (ended_before, TURNS_PER_CALL)).fetchall()
        deleted = connection.execute(_DELETED, (ended_before, CONVERSATIONS_PER_CALL)).fetchall()
        return [number for (number,) in numbers], [conversation_id for (conversation_id,) in deleted]

    numbers, deleted = await readers.read(due)
    for first in range(0, len(numbers), TURNS_PER_TRANSACTION):
        some = numbers[first : first + TURNS_PER_TRANSACTION]
        await writer.write(lambda connection, some=some: _compact(connection, some))
    for conversation_id in deleted:
        await writer.write(lambda connection, gone=conversation_id: _purge(connection, gone))
    return len(numbers) + len(deleted)


def _compact(connection: Connection, numbers: list[int]) -> None:
    for (number,) in connection.execute(_MINE, (wanted(numbers),)).fetchall():
        connection.send(_PASSING, (number,))
        if open_approvals := _open_approvals(connection, number):
            connection.execute_each("DELETE FROM event WHERE turn = ? AND seq = ?", open_approvals)
        connection.send("UPDATE turn SET compacted = true WHERE number = ?", (number,))


def _open_approvals(connection: Connection, number: int) -> list[tuple[int, int]]:
    """Return the places of the approvals that were only asked for; those that were decided stay."""
    rows = connection.execute("SELECT seq, data FROM event WHERE turn = ? AND name = 'approval'", (number,)).fetchall()
    return [(number, seq) for seq, data in rows if _is_open(decode("approval", data))]


def _is_open(event: object) -> bool:
    return isinstance(event, Approval) and event.state == "requested"


def _purge(connection: Connection, conversation_id: str) -> None:
    if connection.execute("SELECT 1 FROM conversation WHERE id = ? {skip}", (conversation_id,)).fetchone() is None:
        return
    for table in _TURN_ROWS:
        connection.send(
            f"DELETE FROM {table} WHERE turn IN (SELECT number FROM turn WHERE conversation_id = ?)", (conversation_id,)
        )
    purge_files(connection, conversation_id)
    for table in _CONVERSATION_ROWS:
        connection.send(f"DELETE FROM {table} WHERE conversation_id = ?", (conversation_id,))
    connection.send("DELETE FROM conversation WHERE id = ?", (conversation_id,))
