"""Messages: reading branches of a conversation, each with its answers' turns and steps."""

from collections import defaultdict
from collections.abc import Container, Sequence
from operator import attrgetter
from typing import NamedTuple

import msgspec

from luxx.core.errors import NotFound
from luxx.core.events import Approval, LogEntry, Recovered
from luxx.core.files import FileRef
from luxx.core.ports import ModelCall
from luxx.core.usage import Usage
from luxx.store.records import Branch, Message, Role, Turn
from luxx.store.sql.attachments import attachments
from luxx.store.sql.connection import Connection
from luxx.store.sql.dialect import wanted
from luxx.store.sql.turn_rows import TURNS, number_of, read_log, turn_of

NOTHING = "There is no such message."

_COLUMNS = "m.id, m.conversation_id, m.parent_id, m.role, m.text, m.created_at"
_PATH = f"""
    WITH RECURSIVE path (id, conversation_id, parent_id, role, text, created_at, depth) AS (
        SELECT {_COLUMNS}, 1 FROM message m WHERE m.id = ? AND m.owner_id = ?
        UNION ALL
        SELECT {_COLUMNS}, path.depth + 1 FROM path JOIN message m ON m.id = path.parent_id WHERE path.depth < ?)
    SELECT id, conversation_id, parent_id, role, text, created_at, depth FROM path
"""
_LINE = """
    WITH RECURSIVE line (id, parent_id, depth) AS (
        SELECT m.id, m.parent_id, 1 FROM message m WHERE m.id = ? AND m.conversation_id = ? AND m.owner_id = ?
        UNION ALL
        SELECT m.id, m.parent_id, line.depth + 1 FROM line JOIN message m ON m.id = line.parent_id WHERE line.id <> ?)
    SELECT id FROM line ORDER BY depth
"""
_TREE = f"SELECT {_COLUMNS} FROM message m WHERE m.conversation_id = ? ORDER BY m.ordinal"
_ONE = f"""
    SELECT {_COLUMNS} FROM message m JOIN conversation c ON c.id = m.conversation_id
    WHERE m.id = ? AND m.owner_id = ? AND c.deleted_at IS NULL
"""
_SIBLINGS = """
    SELECT m.parent_id, m.role, m.id FROM {wanted} CROSS JOIN message m
    WHERE m.conversation_id = ? AND m.parent_id = wanted.value ORDER BY m.ordinal
"""
_ROOTS = "SELECT parent_id, role, id FROM message WHERE conversation_id = ? AND parent_id IS NULL ORDER BY ordinal"
_STEPS = """
    SELECT t.message_id, s.body FROM {wanted} JOIN turn t ON t.message_id = wanted.value
    JOIN step s ON s.turn = t.number WHERE s.state IN ('complete', 'failed') ORDER BY s.turn, s.idx
"""
_CALLS = """
    SELECT t.message_id, c.n, c.provider, c.model, c.format, c.finish_reason, c.usage, c.raw
    FROM {wanted} JOIN turn t ON t.message_id = wanted.value
    JOIN model_call c ON c.turn = t.number ORDER BY c.turn, c.n
"""
_DECIDED = """
    SELECT t.message_id, a.state, a.asked, a.arguments FROM {wanted} JOIN turn t ON t.message_id = wanted.value
    JOIN approval a ON a.turn = t.number WHERE a.state <> 'requested' ORDER BY a.turn, a.idx
"""
_RECOVERED = """
    SELECT t.message_id, (
        SELECT coalesce(max(s.idx), -1) FROM event e JOIN step s ON s.turn = e.turn AND s.idx = e.step_index
        WHERE e.turn = r.turn AND e.seq < r.seq AND s.state <> 'void'), r.data
    FROM {wanted} JOIN turn t ON t.message_id = wanted.value AND t.epoch > 1
    JOIN event r ON r.turn = t.number AND r.name = 'recovered' ORDER BY r.turn, r.seq
"""
_ALL = 2**62
_NEAR = 16
"""How many messages are looked at first where some are known: more than one turn adds to a branch."""

_usage = msgspec.json.Decoder(Usage)
_asked = msgspec.json.Decoder(Approval)
_object = msgspec.json.Decoder(dict[str, object])
_takeover = msgspec.json.Decoder(Recovered)
_depth = attrgetter("depth")


class _Row(NamedTuple):
    id: str
    conversation_id: str
    parent_id: str | None
    role: Role
    text: str
    created_at: str
    depth: int = 1


def message_by_id(connection: Connection, owner: str, message_id: str) -> Message:
    """Return one message. Raises NotFound."""
    row = connection.execute(_ONE, (message_id, owner)).fetchone()
    if row is None:
        raise NotFound(NOTHING)
    return _with_siblings(connection, _messages(connection, [_Row(*row)]))[0]


def read_branch(
    connection: Connection, owner: str, conversation_id: str, leaf: str | None, before: str | None, limit: int
) -> Branch:
    """Return the last `limit` messages of the path that ends in `leaf`, or in the parent of `before`. Raises NotFound."""
    end = leaf if before is None else _parent(connection, conversation_id, before)
    if leaf is not None and before is None:
        _parent(connection, conversation_id, leaf)
    if end is None:
        return Branch((), False)
    rows = _path(connection, owner, end, limit + 1)
    return _part(connection, rows, limit, has_newer=before is not None)


def read_after(
    connection: Connection, owner: str, conversation_id: str, leaf: str | None, after: str, limit: int
) -> Branch:
    """Return up to `limit` messages of the path to `leaf` that follow `after`, its first ones if that is empty. Raises NotFound."""
    line = _line(connection, owner, conversation_id, leaf, after) if leaf or after else []
    newer = line[:-1] if after else line
    count = min(limit, len(newer))
    rows = _path(connection, owner, newer[-count], count) if count else []
    return _part(connection, rows, limit, has_newer=len(newer) > limit, has_more=bool(after))


def read_around(
    connection: Connection, owner: str, conversation_id: str, leaf: str | None, around: str, limit: int
) -> Branch:
    """Return up to `limit` messages of the path to `leaf`, with `around` in their midst. Raises NotFound."""
    line = _line(connection, owner, conversation_id, leaf, around)
    newer = min(limit // 2, len(line) - 1)
    rows = _path(connection, owner, line[-1 - newer], limit + 1)
    return _part(connection, rows, limit, has_newer=len(line) - 1 > newer)


def read_history(connection: Connection, owner: str, message_id: str, known: Container[str]) -> tuple[Message, ...]:
    """Return the path to a message from the root or a known ancestor, as ConversationStore.history says. Raises NotFound."""
    rows = _path_after(connection, owner, message_id, known)
    if not rows:
        raise NotFound(NOTHING)
    answers = _ids(rows)
    steps, calls = _steps(connection, answers), _model_calls(connection, answers)
    files = _files(connection, rows)
    return tuple(
        _message(row, files.get(row.id, ()), steps=tuple(steps.get(row.id, ())), calls=tuple(calls.get(row.id, ())))
        for row in rows
    )


def read_tree(connection: Connection, conversation_id: str) -> tuple[Message, ...]:
    """Return all messages of a conversation in the order they were made, with turns and model calls, without `siblings` and `log`."""
    rows = [_Row(*row) for row in connection.execute(_TREE, (conversation_id,))]
    answers = _ids(rows)
    steps, calls, files = _steps(connection, answers), _model_calls(connection, answers), _files(connection, rows)
    turns = {turn.message_id: turn for turn in _turns(connection, answers)}
    return tuple(
        _message(
            row, files.get(row.id, ()), turns.get(row.id), tuple(steps.get(row.id, ())), tuple(calls.get(row.id, ()))
        )
        for row in rows
    )


def _part(
    connection: Connection, rows: Sequence[_Row], limit: int, *, has_newer: bool, has_more: bool = False
) -> Branch:
    """Return the last `limit` of the rows as messages."""
    messages = _messages(connection, rows[-limit:])
    return Branch(_with_siblings(connection, messages), has_more or len(rows) > limit, has_newer)


def _line(connection: Connection, owner: str, conversation_id: str, leaf: str | None, message_id: str) -> list[str]:
    """Return the ids of the path to `leaf` from there back to the message, or if its id is empty to the first one."""
    values = (leaf, conversation_id, owner, message_id)
    line = [row[0] for row in connection.execute(_LINE, values)]
    if not line or message_id not in ("", line[-1]):
        raise NotFound("There is no such message on this branch.")
    return line


def _parent(connection: Connection, conversation_id: str, message_id: str) -> str | None:
    row = connection.execute(
        "SELECT parent_id FROM message WHERE id = ? AND conversation_id = ?", (message_id, conversation_id)
    ).fetchone()
    if row is None:
        raise NotFound("There is no such message in this conversation.")
    return row[0]


def _path(connection: Connection, owner: str, end: str, limit: int) -> list[_Row]:
    """Return the last messages of a path, oldest first."""
    rows = [_Row(*row) for row in connection.execute(_PATH, (end, owner, limit))]
    return sorted(rows, key=_depth, reverse=True)  # in order already, reversed; but no engine promises it


def _path_after(connection: Connection, owner: str, end: str, known: Container[str]) -> list[_Row]:
    rows = _path(connection, owner, end, _NEAR)
    if rows and rows[0].parent_id is not None and not any(row.id in known for row in rows[:-1]):
        rows = _path(connection, owner, end, _ALL)
    nearest = next((place for place in range(len(rows) - 2, -1, -1) if rows[place].id in known), -1)
    return rows[nearest + 1 :]


def _messages(connection: Connection, rows: Sequence[_Row]) -> list[Message]:
    answers = _ids(rows)
    turns = {turn.message_id: turn for turn in _turns(connection, answers)}
    steps = _steps(connection, answers)
    files = _files(connection, rows)
    decided = _decided(connection, answers)
    recovered = _recovered(connection, answers)
    messages: list[Message] = []
    for row in rows:
        turn = turns.get(row.id)
        log = read_log(connection, number_of(connection, turn.owner_id, turn.id)) if turn and not turn.ended else ()
        message = _message(row, files.get(row.id, ()), turn, tuple(steps.get(row.id, ())), log=log)
        takeovers = recovered.get(row.id, ())
        told = msgspec.structs.replace(
            message,
            approvals=tuple(decided.get(row.id, ())),
            recovered=tuple(last for last, _ in takeovers),
            remade=tuple(last for last, void in takeovers if void),
        )
        messages.append(told)
    return messages


def _message(
    row: _Row,
    files: tuple[FileRef, ...],
    turn: Turn | None = None,
    steps: tuple[msgspec.Raw, ...] = (),
    calls: tuple[ModelCall, ...] = (),
    log: tuple[LogEntry, ...] = (),
) -> Message:
    return Message(
        id=row.id,
        conversation_id=row.conversation_id,
        parent_id=row.parent_id,
        role=row.role,
        text=row.text,
        created_at=row.created_at,
        files=files,
        turn=turn,
        steps=steps,
        calls=calls,
        log=log,
    )


def _files(connection: Connection, rows: Sequence[_Row]) -> dict[str, tuple[FileRef, ...]]:
    return attachments(connection, [row.id for row in rows if row.role == "user"])


def _steps(connection: Connection, answers: str) -> dict[str, list[msgspec.Raw]]:
    steps: defaultdict[str, list[msgspec.Raw]] = defaultdict(list)
    for message_id, body in connection.execute(_STEPS, (answers,)):
        steps[message_id].append(msgspec.Raw(body))
    return steps


def _decided(connection: Connection, answers: str) -> dict[str, list[Approval]]:
    decided: defaultdict[str, list[Approval]] = defaultdict(list)
    for message_id, state, asked, arguments in connection.execute(_DECIDED, (answers,)):
        approval = msgspec.structs.replace(_asked.decode(asked), state=state, expires_at=None)
        if arguments is not None:
            approval = msgspec.structs.replace(approval, arguments=_object.decode(arguments))
        decided[message_id].append(approval)
    return decided


def _recovered(connection: Connection, answers: str) -> dict[str, list[tuple[int, bool]]]:
    """Return of each answer where it was taken over, and whether steps were made void there."""
    recovered: defaultdict[str, list[tuple[int, bool]]] = defaultdict(list)
    for message_id, last, data in connection.execute(_RECOVERED, (answers,)):
        recovered[message_id].append((last, bool(_takeover.decode(data).discarded)))
    return recovered


def _turns(connection: Connection, message_ids: str) -> list[Turn]:
    rows = connection.execute(TURNS + "WHERE t.message_id IN (SELECT value FROM {wanted})", (message_ids,))
    return [turn_of(row) for row in rows]


def _with_siblings(connection: Connection, messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return the messages, all of one conversation, with the ids of those beside them."""
    if not messages:
        return ()
    conversation_id = messages[0].conversation_id
    parents = [message.parent_id for message in messages if message.parent_id is not None]
    rows = connection.execute(_SIBLINGS, (wanted(parents), conversation_id)).fetchall()
    if len(parents) < len(messages):
        rows += connection.execute(_ROOTS, (conversation_id,)).fetchall()
    siblings: defaultdict[tuple[str | None, Role], list[str]] = defaultdict(list)
    for parent_id, role, message_id in rows:
        siblings[parent_id, role].append(message_id)
    return tuple(msgspec.structs.replace(m, siblings=tuple(siblings[m.parent_id, m.role])) for m in messages)


def _model_calls(connection: Connection, answers: str) -> dict[str, list[ModelCall]]:
    calls: defaultdict[str, list[ModelCall]] = defaultdict(list)
    for message_id, n, provider, model, form, finish_reason, usage, raw in connection.execute(_CALLS, (answers,)):
        calls[message_id].append(
            ModelCall(
                n=n,
                provider=provider,
                model=model,
                format=form,
                finish_reason=finish_reason,
                usage=_usage.decode(usage),
                raw=raw,
            )
        )
    return calls


def _ids(rows: Sequence[_Row]) -> str:
    """Return the ids of the answers among the rows, as the statements take them."""
    return wanted([row.id for row in rows if row.role == "assistant"])
