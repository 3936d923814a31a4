"""Starting a turn: where it goes, whether it may go there now, and all its first rows."""

from typing import NamedTuple

import msgspec

from luxx.core.errors import Conflict, Fenced, InvalidRequest, NotFound
from luxx.core.events import TurnStarted, encode
from luxx.core.ports import BROKEN_OFF
from luxx.store.clock import timestamp
from luxx.store.records import FileLimits, NewTurn, NewUserMessage, StartedTurn
from luxx.store.sql.attachments import attach
from luxx.store.sql.connection import Connection
from luxx.store.sql.queue import NOT_NEXT
from luxx.store.sql.requests import earlier_result, remember
from luxx.store.sql.turn_rows import turn_by_id

MAX_QUEUED = 10
"""Turns of one conversation that may wait behind others."""


_CONVERSATION = "SELECT leaf_id FROM conversation WHERE id = ? AND owner_id = ? AND deleted_at IS NULL {lock}"
_ORDINAL = "SELECT coalesce(max(ordinal), 0) + 1 FROM message WHERE conversation_id = ?"


class _Place(NamedTuple):
    """Where a turn goes: the message it answers, that one's parent, and the next free ordinal of the conversation."""

    user_message_id: str
    parent_id: str | None
    ordinal: int


def start_turn(connection: Connection, node: str, owner: str, new: NewTurn, limits: FileLimits) -> StartedTurn:
    """Do what TurnStore.start says."""
    lease = connection.lease(node)
    row = connection.execute(_CONVERSATION, (new.conversation_id, owner)).fetchone()
    if not lease.held():
        raise Fenced("This server has lost its place among the others: try again in a moment.")
    if earlier := earlier_result(connection, owner, new.request):
        return StartedTurn(turn_by_id(connection, earlier), True)
    if row is None:
        raise NotFound("There is no such conversation.")
    place = _place(connection, new, row[0])
    kept = _kept(connection, new, place)
    queued = _must_wait(connection, new, place)
    now = timestamp()
    _insert_messages(connection, owner, new, place, now)
    attach(connection, owner, new, limits)
    number = _insert_turn(connection, owner, new, place.user_message_id, None if queued else node, now)
    _insert_first_events(connection, new, place.user_message_id, number, kept, epoch=0 if queued else 1)
    _update_conversation(connection, new, now)
    remember(connection, owner, new.request, new.id, new.conversation_id)
    return StartedTurn(turn_by_id(connection, new.id), False)


def _place(connection: Connection, new: NewTurn, leaf_id: str | None) -> _Place:
    (ordinal,) = connection.execute(_ORDINAL, (new.conversation_id,)).fetchone()
    if new.user is not None:
        parent_id = leaf_id if new.user.parent_id is msgspec.UNSET else new.user.parent_id
        if parent_id is not None and _role_and_parent(connection, new, parent_id)[0] != "assistant":
            raise InvalidRequest("The parent of a user message must be an answer.", "parent_id")
        return _Place(new.user.id, parent_id, ordinal)
    if new.answer_to is None:
        raise InvalidRequest("There is no message to answer.")
    role, parent_id = _role_and_parent(connection, new, new.answer_to)
    if role != "user":
        raise InvalidRequest("Only a user message can be answered.")
    return _Place(new.answer_to, parent_id, ordinal)


def _role_and_parent(connection: Connection, new: NewTurn, message_id: str) -> tuple[str, str | None]:
    row = connection.execute(
        "SELECT role, parent_id FROM message WHERE id = ? AND conversation_id = ?", (message_id, new.conversation_id)
    ).fetchone()
    if row is None:
        raise NotFound("There is no such message in this conversation.")
    return row


def _kept(connection: Connection, new: NewTurn, place: _Place) -> int | None:
    """Return the number of the turn whose steps the new one begins with."""
    if new.settings.kept is None:
        return None
    role, parent_id = _role_and_parent(connection, new, new.settings.kept)
    if role != "assistant" or parent_id != place.user_message_id:
        raise InvalidRequest("Only an answer to the same message can be continued.")
    number, turn_id, ended_at = connection.execute(
        "SELECT number, id, ended_at FROM turn WHERE message_id = ?", (new.settings.kept,)
    ).fetchone()
    if ended_at is None:
        raise Conflict("turn_running", "The answer to be continued is still in progress.", turn_id)
    return number


def _must_wait(connection: Connection, new: NewTurn, place: _Place) -> bool:
    """Tell whether the turn has to be queued behind an answer in progress. Raises Conflict if it may not."""
    if place.parent_id is None:
        return False
    busy = connection.execute(
        "SELECT id, status FROM turn WHERE message_id = ? AND ended_at IS NULL", (place.parent_id,)
    ).fetchone()
    if busy is None:
        return False
    if new.on_busy == "interrupt" and busy[1] == "queued":
        raise Conflict("turn_running", NOT_NEXT, busy[0])
    if new.on_busy == "reject":
        raise Conflict("turn_running", "The answer before this message is still in progress.", busy[0])
    (waiting,) = connection.execute(
        "SELECT count(*) FROM turn WHERE conversation_id = ? AND ended_at IS NULL AND status = 'queued'",
        (new.conversation_id,),
    ).fetchone()
    if waiting >= MAX_QUEUED:
        raise Conflict("queue_full", f"{MAX_QUEUED} messages wait in this conversation already.", busy[0])
    return True


def _insert_messages(connection: Connection, owner: str, new: NewTurn, place: _Place, now: str) -> None:
    rows: list[tuple[str | int | None, ...]] = []
    if isinstance(new.user, NewUserMessage):
        rows.append(
            (new.user.id, owner, new.conversation_id, place.parent_id, place.ordinal, "user", new.user.text, now)
        )
    answer = (
        new.message_id,
        owner,
        new.conversation_id,
        place.user_message_id,
        place.ordinal + 1,
        "assistant",
        "",
        now,
    )
    connection.execute_each(
        "INSERT INTO message (id, owner_id, conversation_id, parent_id, ordinal, role, text, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [*rows, answer],
    )


def _insert_turn(
    connection: Connection, owner: str, new: NewTurn, user_message_id: str, node: str | None, now: str
) -> int:
    values = (
        new.id,
        owner,
        new.conversation_id,
        new.message_id,
        user_message_id,
        "queued" if node is None else "active",
        node,
        0 if node is None else 1,
        msgspec.json.encode(new.settings),
        now,
    )
    (number,) = connection.execute(
        "INSERT INTO turn (id, owner_id, conversation_id, message_id, user_message_id, status, node, epoch, settings,"
        " created_at, cancel, takeovers, compacted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, false, 0, false) RETURNING number",
        values,
    ).fetchone()
    return number


def _insert_first_events(
    connection: Connection, new: NewTurn, user_message_id: str, number: int, kept: int | None, epoch: int
) -> None:
    started = TurnStarted(
        turn_id=new.id,
        message_id=new.message_id,
        user_message_id=user_message_id,
        conversation_id=new.conversation_id,
        provider=new.settings.provider,
        model=new.settings.model,
    )
    connection.send(
        "INSERT INTO event (turn, seq, epoch, name, data) VALUES (?, 1, ?, ?, ?)",
        (number, epoch, started.name, encode(started)),
    )
    if kept is not None:
        _copy_kept(connection, kept, number, epoch)


def _copy_kept(connection: Connection, kept: int, number: int, epoch: int) -> None:
    """Begin a turn with what another one left: its steps, but for calls whose arguments were cut, and what model calls say of them.

    The numbers of what is left out are given anew. The turn costs what the model calls did of which a step is kept, and those that
    broke off: of these nobody knows which steps are theirs.
    """
    connection.send(
        "INSERT INTO step (turn, idx, call_n, type, state, body) SELECT ?, idx, call_n, type, state, body FROM step"
        " WHERE turn = ? AND (state = 'complete' OR (state = 'failed' AND type <> 'tool_call'))",
        (number, kept),
    )
    connection.send(
        "INSERT INTO model_call (turn, n, provider, model, format, finish_reason, usage, raw)"
        " SELECT ?, n, provider, model, format, finish_reason, usage, raw FROM model_call WHERE turn = ? AND EXISTS ("
        "SELECT 1 FROM step WHERE step.turn = ? AND (step.idx = -n OR (n > 0 AND step.call_n = n) OR finish_reason = ?))",
        (number, kept, number, BROKEN_OFF),
    )
    connection.send(
        "INSERT INTO event (turn, seq, epoch, name, step_index)"
        " SELECT turn, 1 + row_number() OVER (ORDER BY idx), ?, 'process_step', idx FROM step WHERE turn = ?",
        (epoch, number),
    )


def _update_conversation(connection: Connection, new: NewTurn, now: str) -> None:
    connection.send(
        "UPDATE conversation SET leaf_id = ?, updated_at = ?,"
        " title = CASE WHEN title = '' AND title_source = 'auto' THEN ? ELSE title END WHERE id = ?",
        (new.message_id, now, new.title or "", new.conversation_id),
    )
