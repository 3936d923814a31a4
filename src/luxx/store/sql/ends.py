"""The end of a turn: its outcome, its message's text, and what becomes of the turns queued behind it."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from luxx.core.events import Cancelled, Done, End, Failed, encode
from luxx.core.ports import BROKEN_OFF
from luxx.core.usage import NOTHING, Usage
from luxx.store.records import Status
from luxx.store.sql.connection import Connection
from luxx.store.sql.dialect import wanted

_END = """
    UPDATE turn SET status = ?, ended_at = ?, finish_reason = ?, token_count = ?, usage = ?, error_code = ?,
        error_content = ?, node = NULL
    WHERE number = ? RETURNING conversation_id, message_id
"""
_LOCK_CONVERSATIONS = """
    SELECT id FROM conversation WHERE id IN (
        SELECT conversation_id FROM turn WHERE number IN (SELECT CAST(value AS bigint) FROM {wanted}))
    ORDER BY id {lock}
"""
_QUEUED_BEHIND = """
    SELECT t.number, t.id, t.message_id, t.settings FROM message question JOIN turn t ON t.user_message_id = question.id
    WHERE question.conversation_id = ? AND question.parent_id = ? AND t.ended_at IS NULL AND t.status = 'queued'
    ORDER BY t.number
"""
_FOLLOWED = """
    SELECT t.id, t.message_id, t.epoch, t.status FROM message answer
    JOIN message question ON question.conversation_id = answer.conversation_id AND question.parent_id = answer.id
    JOIN turn t ON t.user_message_id = question.id
    JOIN event first ON first.turn = t.number AND first.seq = 1
    WHERE answer.id = ? AND first.epoch = 0 ORDER BY t.number
"""


class _Content(msgspec.Struct):
    content: str = ""


class _Steering(msgspec.Struct):
    steers: bool = False


class _Outcome(NamedTuple):
    status: Status
    finish_reason: str | None = None
    token_count: int | None = None
    usage: bytes | None = None
    error_code: str | None = None
    error_content: str | None = None


_content = msgspec.json.Decoder(_Content)
_steering = msgspec.json.Decoder(_Steering)
_usage = msgspec.json.Decoder(Usage)
_encoder = msgspec.json.Encoder()


class Ending:
    """What the ends of one flush do to the queues: the ids of the turns that they started and cancelled."""

    def __init__(self, node: str, now: str) -> None:
        self.node = node
        self.now = now
        self.released: list[str] = []
        self.dropped: list[str] = []

    def add(self, other: "Ending") -> None:
        """Take over what another one did."""
        self.released += other.released
        self.dropped += other.dropped


def lock_conversations(connection: Connection, numbers: Sequence[int]) -> None:
    """Keep other nodes from changing the queues of these turns' conversations; before anything else is changed."""
    if numbers:
        connection.execute(_LOCK_CONVERSATIONS, (wanted(numbers),)).fetchall()


def end_turn(connection: Connection, ending: Ending, number: int, end: End) -> None:
    """Write a turn's outcome; start what waits for it after ``done``, or what steers; cancel it after another end."""
    outcome = _outcome(connection, number, end)
    status, *columns = outcome
    conversation_id, message_id = connection.execute(_END, (status, ending.now, *columns, number)).fetchone()
    connection.send("UPDATE message SET text = ? WHERE id = ?", (_answer_text(connection, number), message_id))
    # A person who has stopped an answer has seen it.
    unread = "" if status == "cancelled" else ", unread = true"
    connection.send(f"UPDATE conversation SET updated_at = ?{unread} WHERE id = ?", (ending.now, conversation_id))
    waiting = connection.execute(_QUEUED_BEHIND, (conversation_id, message_id)).fetchall()
    for queued, turn_id, queued_message_id, settings in waiting:
        if status == "done" or _steering.decode(settings).steers:
            connection.send(
                "UPDATE turn SET status = 'active', node = ?, epoch = epoch + 1 WHERE number = ?", (ending.node, queued)
            )
            ending.released.append(turn_id)
        else:
            ending.dropped.append(turn_id)
            cancel_queued(connection, ending, queued, queued_message_id)


def cancel_queued(connection: Connection, ending: Ending, number: int, message_id: str) -> None:
    """End a turn that waits, and those behind it: nobody else writes in their logs."""
    cancelled = Cancelled(message_id)
    connection.send(
        "INSERT INTO event (turn, seq, epoch, name, data) SELECT turn, max(seq) + 1, 0, ?, ? FROM event WHERE turn = ?"
        " GROUP BY turn",
        (cancelled.name, encode(cancelled), number),
    )
    end_turn(connection, ending, number, cancelled)


def recall(connection: Connection, ending: Ending, message_id: str) -> None:
    """Find out what an end that was committed earlier did: the turns that were queued behind the message."""
    for turn_id, behind, epoch, status in connection.execute(_FOLLOWED, (message_id,)).fetchall():
        if status == "active" and epoch == 1:
            ending.released.append(turn_id)
        elif status == "cancelled" and epoch == 0:
            ending.dropped.append(turn_id)
            recall(connection, ending, behind)


def _outcome(connection: Connection, number: int, end: End) -> _Outcome:
    match end:
        case Done():
            return _Outcome("done", end.finish_reason, end.token_count, _encoder.encode(end.usage))
        case Failed():
            return _Outcome("failed", None, *_spent(connection, number), end.code, end.content)
        case Cancelled():
            return _Outcome("cancelled", None, *_spent(connection, number))


def _spent(connection: Connection, number: int) -> tuple[int, bytes] | tuple[None, None]:
    """Return what the model calls cost that a turn has made, as far as that is known; nothing if there are none."""
    rows = connection.execute(
        "SELECT usage FROM model_call WHERE turn = ? AND (n > 0 OR finish_reason = ?)", (number, BROKEN_OFF)
    ).fetchall()
    if not rows:
        return None, None
    spent = sum((_usage.decode(usage) for (usage,) in rows), NOTHING)
    return spent.total_tokens, _encoder.encode(spent)


def _answer_text(connection: Connection, number: int) -> str:
    rows = connection.execute(
        "SELECT body FROM step WHERE turn = ? AND type = 'text' AND state <> 'void' ORDER BY idx", (number,)
    )
    return "".join(_content.decode(body).content for (body,) in rows)
