"""Appending to logs: the flush of many turns, fenced, in one transaction. This is the hot path."""

from collections.abc import Sequence, Set
from typing import NamedTuple

import msgspec

from luxx.core.ports import ModelCall
from luxx.store.clock import timestamp
from luxx.store.records import Appended, NewEntry, TurnBatch
from luxx.store.sql.approvals import drop_approvals, park, write_approvals
from luxx.store.sql.connection import Connection, Rows
from luxx.store.sql.dialect import wanted
from luxx.store.sql.ends import Ending, end_turn, lock_conversations, recall
from luxx.store.sql.turn_rows import turns_by_id

_OWNED = """
    SELECT id, number, epoch, takeovers FROM turn
    WHERE id IN (SELECT value FROM {wanted}) AND coalesce(node, '') = ? AND status IN ('active', 'waiting')
"""
"""The turns are to be found by their ids: an index by node would give all of this node's."""
_EVENTS = Rows(
    "event",
    (
        ("turn", "bigint"),
        ("seq", "bigint"),
        ("epoch", "bigint"),
        ("name", "text"),
        ("data", "bytea"),
        ("step_index", "integer"),
    ),
)
_STEPS = Rows(
    "step",
    (
        ("turn", "bigint"),
        ("idx", "integer"),
        ("call_n", "integer"),
        ("type", "text"),
        ("state", "text"),
        ("body", "bytea"),
    ),
    """
    ON CONFLICT (turn, idx) DO UPDATE SET call_n = excluded.call_n, type = excluded.type, state = excluded.state,
        body = excluded.body WHERE step.state = 'running'
    """,
)
_CALL = """
    INSERT INTO model_call (turn, n, provider, model, format, finish_reason, usage, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_WRITTEN = """
    SELECT e.seq, e.epoch, e.name, e.data, e.step_index, s.body
    FROM event e LEFT JOIN step s ON s.turn = e.turn AND s.idx = e.step_index
    WHERE e.turn = ? AND e.seq BETWEEN ? AND ? ORDER BY e.seq
"""

StepValues = tuple[int, int, int, str, str, bytes]
EventValues = tuple[int, int, int, str, bytes | None, int | None]

_encoder = msgspec.json.Encoder()


class _Owned(NamedTuple):
    """A batch that passed the fence, with its turn's number and whether takeovers are counted for it."""

    batch: TurnBatch
    number: int
    taken_over: bool


class NotTogether(Exception):
    """Something in the batches cannot be stored, so that nothing was: append them again, each for itself."""


def append(connection: Connection, node: str, batches: Sequence[TurnBatch], retry: bool, apart: bool) -> Appended:
    """Do what TurnStore.append says; the transaction is this call's own. Raises NotTogether unless `apart`."""
    lease = connection.lease(node)
    refused: dict[str, str] = {}
    earlier = Ending(node, timestamp())
    owned = _owned(connection, node, batches)
    if not lease.held():
        return Appended(fenced=frozenset(batch.turn_id for batch in batches))
    if retry:
        mine = {one.batch.turn_id for one in owned}
        batches = _not_yet_written(connection, earlier, batches, mine, refused)
        missing = {batch.turn_id for batch in batches}
        owned = [one for one in owned if one.batch.turn_id in missing]
    if apart:
        ending = _write_apart(connection, earlier, owned, refused)
    else:
        ending = Ending(node, earlier.now)
        try:
            _write(connection, ending, owned)
        except connection.culpable as error:
            raise NotTogether from error
    earlier.add(ending)
    return Appended(
        fenced=frozenset(batch.turn_id for batch in batches) - {one.batch.turn_id for one in owned},
        refused=refused,
        released=turns_by_id(connection, earlier.released),
        dropped=turns_by_id(connection, earlier.dropped),
    )


def _owned(connection: Connection, node: str, batches: Sequence[TurnBatch]) -> list[_Owned]:
    """Return the batches whose turns this node owns in the batch's epoch."""
    ids = wanted([batch.turn_id for batch in batches])
    rows = {row[0]: row for row in connection.execute(_OWNED, (ids, node)).fetchall()}
    owned: list[_Owned] = []
    for batch in batches:
        row = rows.get(batch.turn_id)
        if row is not None and row[2] == batch.epoch:
            owned.append(_Owned(batch, row[1], row[3] > 0))
    return owned


def _write(connection: Connection, ending: Ending, owned: Sequence[_Owned]) -> None:
    """Write batches. Raises one of the culpable errors if one of them cannot be stored."""
    events: list[EventValues] = []
    steps: dict[tuple[int, int], StepValues] = {}
    alive: list[tuple[int]] = []
    for batch, number, taken_over in owned:
        epoch = batch.epoch
        progress = False
        for entry in batch.entries:
            step = entry.step
            if step is None:
                events.append((number, entry.seq, epoch, entry.name, entry.data, None))
                continue
            _put(steps, (number, step.index, step.call, step.type, step.state, step.body))
            if step.state == "running":
                events.append((number, entry.seq, epoch, entry.name, entry.data, None))
            else:
                events.append((number, entry.seq, epoch, entry.name, None, step.index))
                progress = True
        if progress and taken_over:
            alive.append((number,))
    lock_conversations(connection, [number for batch, number, _ in owned if batch.end is not None])
    connection.insert(_EVENTS, events)
    if steps and connection.insert(_STEPS, steps.values()) != len(steps):
        raise ValueError("A step that has ended cannot be changed.")
    if alive:
        connection.execute_each("UPDATE turn SET takeovers = 0 WHERE number = ?", alive)
    _write_seldom(connection, ending, owned)


def _put(steps: dict[tuple[int, int], StepValues], row: StepValues) -> None:
    """Keep a step's last state of this flush; once it has ended, it cannot be changed."""
    key = row[0], row[1]
    before = steps.get(key)
    if before is not None and before[4] != "running":
        raise ValueError("A step that has ended cannot be changed.")
    steps[key] = row


def _write_seldom(connection: Connection, ending: Ending, owned: Sequence[_Owned]) -> None:
    """Write what few batches bring: model calls, voids, approvals, ends."""
    for batch, number, _ in owned:
        if batch.calls:
            connection.execute_each(_CALL, [_call_row(number, call) for call in batch.calls])
        if batch.void:
            voided = [(number, index) for index in batch.void]
            connection.execute_each("UPDATE step SET state = 'void' WHERE turn = ? AND idx = ?", voided)
            drop_approvals(connection, voided)
        if batch.approvals:
            write_approvals(connection, number, batch.approvals)
        if batch.parked:
            park(connection, number)
        if batch.end is not None:
            end_turn(connection, ending, number, batch.end)


def _write_apart(connection: Connection, earlier: Ending, owned: Sequence[_Owned], refused: dict[str, str]) -> Ending:
    """Write each batch under a savepoint of its own; what cannot be stored goes to `refused`."""
    lock_conversations(connection, [number for batch, number, _ in owned if batch.end is not None])
    together = Ending(earlier.node, earlier.now)
    for one in owned:
        connection.savepoint("batch")
        alone = Ending(earlier.node, earlier.now)
        try:
            _write(connection, alone, [one])
        except connection.culpable as error:
            connection.undo("batch")
            refused[one.batch.turn_id] = str(error)
        else:
            connection.release("batch")
            together.add(alone)
    return together


def _call_row(number: int, call: ModelCall) -> tuple[int | str | bytes, ...]:
    usage = _encoder.encode(call.usage)
    return number, call.n, call.provider, call.model, call.format, call.finish_reason, usage, call.raw


def _not_yet_written(
    connection: Connection, ending: Ending, batches: Sequence[TurnBatch], mine: Set[str], refused: dict[str, str]
) -> list[TurnBatch]:
    """Return the batches that the lost attempt did not commit.

    One that contradicts what stands goes to `refused` if its turn is still ours (`mine`): else it is another owner's that stands.
    """
    missing: list[TurnBatch] = []
    for batch in batches:
        row = connection.execute("SELECT number FROM turn WHERE id = ?", (batch.turn_id,)).fetchone()
        standing = None if row is None else _standing(connection, row[0], batch)
        if standing is None or (not standing and batch.turn_id not in mine):
            missing.append(batch)
        elif not standing:
            refused[batch.turn_id] = "Other entries stand in the log where these were to be written."
        elif batch.end is not None:
            recall(connection, ending, batch.end.message_id)
    return missing


def _standing(connection: Connection, number: int, batch: TurnBatch) -> bool | None:
    """Tell whether the batch is in the database (True), something else is there (False), or nothing (None)."""
    calls = connection.execute(
        "SELECT turn, n, provider, model, format, finish_reason, usage, raw FROM model_call WHERE turn = ?", (number,)
    ).fetchall()
    wanted_calls = [_call_row(number, call) for call in batch.calls]
    standing_calls = [call for call in calls if call[1] in {wanted[1] for wanted in wanted_calls}]
    standing: list[tuple[object, ...]] = []
    if batch.entries:
        first, last = batch.entries[0].seq, batch.entries[-1].seq
        standing = connection.execute(_WRITTEN, (number, first, last)).fetchall()
    if not standing and not standing_calls:
        return None
    wanted = [_wanted(batch.epoch, entry) for entry in batch.entries]
    return standing == wanted and set(standing_calls) == set(wanted_calls)


def _wanted(epoch: int, entry: NewEntry) -> tuple[object, ...]:
    """Return the row that _WRITTEN gives for an entry that stands."""
    step = entry.step
    if step is None or step.state == "running":
        return entry.seq, epoch, entry.name, entry.data, None, None
    return entry.seq, epoch, entry.name, None, step.index, step.body
