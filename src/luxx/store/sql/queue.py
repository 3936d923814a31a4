"""The queue: a turn that waits behind an answer is taken out of the line, or put in that answer's place."""

import msgspec

from luxx.core.errors import Conflict
from luxx.store.records import Turn
from luxx.store.sql.connection import Connection
from luxx.store.sql.ends import Ending, cancel_queued

NOT_NEXT = "Another message waits before this one."

_BEFORE = """
    SELECT answer.id, t.id, t.status FROM turn waiting JOIN message question ON question.id = waiting.user_message_id
    JOIN message answer ON answer.id = question.parent_id JOIN turn t ON t.message_id = answer.id
    WHERE waiting.message_id = ?
"""


def steer(connection: Connection, turn: Turn) -> str | None:
    """Do what TurnStore.steer says."""
    if turn.status != "queued":
        return None
    _, before, status = connection.execute(_BEFORE, (turn.message_id,)).fetchone()
    if status == "queued":
        raise Conflict("turn_running", NOT_NEXT, before)
    settings = msgspec.json.encode(msgspec.structs.replace(turn.settings, steers=True))
    connection.send("UPDATE turn SET settings = ? WHERE id = ?", (settings, turn.id))
    return before


def withdraw(connection: Connection, ending: Ending, number: int, message_id: str) -> None:
    """End a turn that waits; what waits behind it, and the branch shown, go on from the answer before it."""
    before, _, _ = connection.execute(_BEFORE, (message_id,)).fetchone()
    connection.send(
        "UPDATE message SET parent_id = ? WHERE parent_id = ? AND conversation_id ="
        " (SELECT conversation_id FROM turn WHERE number = ?)",
        (before, message_id, number),
    )
    connection.send(
        "UPDATE conversation SET leaf_id = ? WHERE leaf_id = ? AND id ="
        " (SELECT conversation_id FROM turn WHERE number = ?)",
        (before, message_id, number),
    )
    cancel_queued(connection, ending, number, message_id)
