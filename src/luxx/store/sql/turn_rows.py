"""Turn rows: reading turns and their logs."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from luxx.core.errors import NotFound
from luxx.core.events import LogEntry, ProcessStep
from luxx.core.usage import Usage
from luxx.store.records import Turn, TurnSettings
from luxx.store.sql.connection import Connection
from luxx.store.sql.dialect import wanted

TURNS = """
    SELECT t.id, t.owner_id, t.conversation_id, t.message_id, t.user_message_id, t.status, t.epoch, t.cancel, t.takeovers,
           t.settings, t.created_at, t.ended_at, t.finish_reason, t.token_count, t.usage, t.error_code, t.error_content,
           t.compacted, (SELECT max(seq) FROM event WHERE event.turn = t.number),
           CASE t.error_code WHEN 'rate_limited' THEN (
               SELECT data FROM event WHERE event.turn = t.number AND event.name = 'error' ORDER BY seq DESC LIMIT 1) END
    FROM turn t
"""
"""Reads whole turns; a WHERE follows."""

NOTHING = "There is no such turn."
ALL = 2**62

_MANY_LOGS = """
    SELECT t.id, e.seq, e.name, e.data, s.body FROM {pairs} JOIN turn t ON t.id = wanted.key {pages}
    LEFT JOIN step s ON s.turn = e.turn AND s.idx = e.step_index ORDER BY e.seq
"""

_SIZES = """
    SELECT e.seq, coalesce(length(e.data), 0) + coalesce(length(s.body), 0)
    FROM event e LEFT JOIN step s ON s.turn = e.turn AND s.idx = e.step_index AND e.data IS NULL
    WHERE e.turn = ? AND e.seq > ? ORDER BY e.seq LIMIT ?
"""


class _Wait(msgspec.Struct):
    retry_after: float | None = None


_settings = msgspec.json.Decoder(TurnSettings)
_usage = msgspec.json.Decoder(Usage)
_wait = msgspec.json.Decoder(_Wait)


def turn_of(row: tuple[Any, ...]) -> Turn:
    """Return the turn that a row of TURNS holds."""
    usage, limited = row[14], row[19]
    return Turn(
        id=row[0],
        owner_id=row[1],
        conversation_id=row[2],
        message_id=row[3],
        user_message_id=row[4],
        status=row[5],
        epoch=row[6],
        cancel=bool(row[7]),
        takeovers=row[8],
        settings=_settings.decode(row[9]),
        created_at=row[10],
        ended_at=row[11],
        finish_reason=row[12],
        token_count=row[13],
        usage=None if usage is None else _usage.decode(usage),
        error_code=row[15],
        error_content=row[16],
        compacted=bool(row[17]),
        seq=row[18],
        retry_after=None if limited is None else _wait.decode(limited).retry_after,
    )


def turn_by_id(connection: Connection, turn_id: str) -> Turn:
    """Return a turn, whoever owns it. Raises NotFound."""
    row = connection.execute(TURNS + "WHERE t.id = ?", (turn_id,)).fetchone()
    if row is None:
        raise NotFound(NOTHING)
    return turn_of(row)


def turns_by_id(connection: Connection, turn_ids: Iterable[str]) -> tuple[Turn, ...]:
    """Return turns in the order of their ids."""
    return tuple(turn_by_id(connection, turn_id) for turn_id in turn_ids)


def number_of(connection: Connection, owner: str, turn_id: str) -> int:
    """Return the number under which a turn's rows are kept. Raises NotFound."""
    row = connection.execute("SELECT number FROM turn WHERE id = ? AND owner_id = ?", (turn_id, owner)).fetchone()
    if row is None:
        raise NotFound(NOTHING)
    return row[0]


def read_log(
    connection: Connection, number: int, after: int = 0, limit: int = ALL, most_bytes: int | None = None
) -> tuple[LogEntry, ...]:
    """Return a turn's entries above a seq; those of steps that have ended get their data from the step.

    With `most_bytes` it ends before it holds more, but for a single entry that does.
    """
    last = ALL if most_bytes is None else _last_within(connection, number, after, limit, most_bytes)
    rows = connection.execute(
        """
        SELECT e.seq, e.name, e.data, s.body
        FROM event e LEFT JOIN step s ON s.turn = e.turn AND s.idx = e.step_index
        WHERE e.turn = ? AND e.seq > ? AND e.seq <= ? ORDER BY e.seq LIMIT ?
        """,
        (number, after, last, limit),
    )
    return tuple(LogEntry(seq, name, spliced(body) if data is None else data) for seq, name, data, body in rows)


def _last_within(connection: Connection, number: int, after: int, limit: int, most_bytes: int) -> int:
    """Return the last seq of a page; only the sizes are read for it."""
    size, last = 0, after
    for seq, length in connection.execute(_SIZES, (number, after, limit)):
        size += length
        if size > most_bytes and last > after:
            break
        last = seq
    return last


def read_logs(connection: Connection, after: Mapping[str, int], limit: int) -> dict[str, tuple[LogEntry, ...]]:
    """Return up to `limit` entries above a seq of each of many turns; turns without any are left out."""
    logs: dict[str, list[LogEntry]] = {}
    for turn_id, seq, name, data, body in connection.execute(_MANY_LOGS, (wanted(after), limit)):
        logs.setdefault(turn_id, []).append(LogEntry(seq, name, spliced(body) if data is None else data))
    return {turn_id: tuple(entries) for turn_id, entries in logs.items()}


def spliced(body: bytes) -> bytes:
    """Return the data of a step's ``process_step`` event; the same bytes as encoding the event."""
    return b'{"step":%b}' % body


assert ProcessStep.__struct_encode_fields__ == ("step",), "spliced() writes this event by hand"
